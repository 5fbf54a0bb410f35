"""The rows: what people decided about names, faults and the facade, read from the `.toml` files beside the schemas.

Rows are data with reasons; this module only gives them types and refuses what it does not know. A place is a path such
as `Tool.inputSchema`; `*` in it matches anything. Below it is the standard library only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeAlias

Table: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Patch:
    """In these revisions, `was` stands at `path` below the definitions, and `now` is meant."""

    revisions: frozenset[str]
    path: tuple[str, ...]
    was: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inherited:
    """In these revisions, the inline `params` of each message of a kind have a field that only the base states."""

    revisions: frozenset[str]
    messages: str
    wire: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """In these revisions, `was` is what the others call `now`."""

    revisions: frozenset[str]
    was: str
    now: str


@dataclass(frozen=True, slots=True)
class Also:
    """In these revisions, `was` without some fields is what the others call `also`."""

    revisions: frozenset[str]
    was: str
    also: str
    without: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """A module of the facade: its name, what it is about, and the definitions that stand in it."""

    name: str
    about: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows."""

    patches: tuple[Patch, ...]
    inherited: tuple[Inherited, ...]
    renamed: tuple[Renamed, ...]
    also: tuple[Also, ...]
    fields: Mapping[str, str]
    inline: Mapping[str, str]
    families: tuple[Family, ...]
    left_out: tuple[str, ...]
    opaque: tuple[str, ...]
    optional: tuple[str, ...]
    kept: tuple[str, ...]
    bases: tuple[str, ...]
    defaults: Mapping[str, str]
    filled: Mapping[str, str | int]
    capabilities: Mapping[str, str]

    @property
    def placed(self) -> Mapping[str, str]:
        """Definition -> the family that it stands in."""
        return {name: family.name for family in self.families for name in family.types}

    def is_left_out(self, place: str) -> bool:
        """Tell whether the definition or field at `place` is not in the facade on purpose."""
        return _matches(place, self.left_out)

    def is_opaque(self, place: str) -> bool:
        """Tell whether the facade takes what stands at `place` as plain JSON."""
        return _matches(place, self.opaque)

    def is_optional(self, place: str) -> bool:
        """Tell whether the facade never demands the field at `place`."""
        return _matches(place, self.optional) or place.partition(".")[2] in self.filled

    def is_kept(self, place: str) -> bool:
        """Tell whether the field at `place` is sent even to peers whose schema does not have it."""
        return _matches(place, self.kept)

    def renamed_in(self, revision: str) -> dict[str, str]:
        """Return old name -> name in the facade, for one revision."""
        return {row.was: row.now for row in self.renamed if revision in row.revisions}


def read_rows(folder: Path) -> Rows:
    """Return the rows of the files in `folder`."""
    names, facade = _load(folder / "names.toml"), _load(folder / "facade.toml")
    patches, methods = _load(folder / "patches.toml"), _load(folder / "methods.toml")
    return Rows(
        patches=tuple(_patch(row) for row in patches["patch"]),
        inherited=tuple(_inherited(row) for row in patches["inherited"]),
        renamed=tuple(_renamed(row) for row in names["renamed"]),
        also=tuple(_also(row) for row in names["also"]),
        fields=names["fields"],
        inline=names["inline"],
        families=tuple(Family(name, row["about"], tuple(row["types"])) for name, row in facade["family"].items()),
        left_out=_places(facade["left_out"]),
        opaque=_places(facade["opaque"]),
        optional=_places(facade["optional"]),
        kept=_places(facade["kept"]),
        bases=tuple(facade["bases"]["types"]),
        defaults={row["place"]: row["value"] for row in facade["default"]},
        filled={row["field"]: row["value"] for row in facade["filled"]},
        capabilities={method: row["needs"] for row in methods["capability"] for method in row["methods"]},
    )


def _matches(place: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a pattern of as many steps matches `place`."""
    return any(fnmatchcase(place, pattern) and place.count(".") == pattern.count(".") for pattern in patterns)


def _load(path: Path) -> Table:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _places(rows: list[Table]) -> tuple[str, ...]:
    return tuple(place for row in rows for place in row["places"])


def _patch(row: Table) -> Patch:
    return Patch(frozenset(row["revisions"]), tuple(row["path"]), tuple(row["was"]), tuple(row["now"]))


def _inherited(row: Table) -> Inherited:
    return Inherited(frozenset(row["revisions"]), row["messages"], row["field"])


def _renamed(row: Table) -> Renamed:
    return Renamed(frozenset(row["revisions"]), row["was"], row["now"])


def _also(row: Table) -> Also:
    return Also(frozenset(row["revisions"]), row["was"], row["also"], tuple(row["without"]))
