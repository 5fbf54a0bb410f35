"""The descriptions of the schema files: where each one comes from, and their way into the JSON.

A schema file carries the published structure; every description in it is written once, in `descriptions/*.toml`, and
merged from there. This module knows how a description is found and where it goes. It refuses to know what any
definition means, and it never changes structure. Below it are the layout and the standard library.

A key of the data files is a path: a definition (`"Tool"`), a property of it, however deep (`"Tool.inputSchema.type"`;
array items, unions and maps add no step), or the end of a path after a star (`"*.cursor"`, `"*Schema.title"`). `"#"` is
the file itself. A path is looked up as it stands; then `XRequest.params.y` as `XRequestParams.y`, because later
revisions gave the inline object that name; then among the starred keys, the longest first. A value is the text, or a
table from a revision to the text that holds from that revision on.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from schema.generate.layout import lay_out

PROSE = frozenset({"description", "title", "examples", "$comment", "$id"})
MAPS = frozenset({"definitions", "$defs", "properties", "patternProperties"})
ROOT = "#"

Steps = tuple[str, ...]


def apply(folder: Path) -> list[str]:
    """Write our descriptions and layout into the schema files of `folder`, where that changes them.

    Returns one line for each thing without a description, and for each entry that is faulty or describes nothing.
    """
    texts, complaints = _merged(folder)
    for path, text in texts.items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8", newline="\n")
    return complaints


def check(folder: Path) -> list[str]:
    """Return what `apply` would complain of, and one line for each file that it would change. Writes nothing."""
    texts, complaints = _merged(folder)
    stale = [path.name for path, text in texts.items() if path.read_text(encoding="utf-8") != text]
    return [*complaints, *(f"{name}: not as its descriptions and the layout make it" for name in stale)]


class Descriptions:
    """All entries of the data files in one folder, and which of them were asked for."""

    def __init__(self, folder: Path) -> None:
        self.entries: dict[str, Mapping[str, str]] = {}
        self.complaints: list[str] = []
        for path in sorted(folder.glob("*.toml")):
            self._read(path)
        self._starred = sorted((key for key in self.entries if key.startswith("*")), key=len, reverse=True)
        self._used: set[str] = set()

    def _read(self, path: Path) -> None:
        for key, value in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if key in self.entries:
                self.complaints.append(f"{path.name}: {key!r} is described twice")
            self.entries[key] = {"": value} if isinstance(value, str) else value

    def find(self, steps: Steps, revision: str) -> str | None:
        """Return the description that holds at `steps` in `revision`, or None if no entry supplies one."""
        for key in self._keys(steps):
            texts = self.entries[key]
            since = max((start for start in texts if start <= revision), default=None)
            if since is not None:
                self._used.add(key)
                return texts[since]
        return None

    def _keys(self, steps: Steps) -> Iterator[str]:
        """Yield the keys that may describe `steps`, the most particular one first."""
        path = _path(steps)
        later = f"{steps[0]}Params.{_path(steps[2:])}" if len(steps) > 2 and steps[1] == "params" else path
        yield from (key for key in (path, later) if key in self.entries)
        yield from (key for key in self._starred if path.endswith(key[1:]))

    def unused(self) -> list[str]:
        """Return the keys that have described nothing so far."""
        return [key for key in self.entries if key not in self._used]


class Merge:
    """One pass through one schema file, which notes what has no description in `missing`."""

    def __init__(self, descriptions: Descriptions, revision: str) -> None:
        self._descriptions = descriptions
        self._revision = revision
        self.missing: list[str] = []

    def described(self, schema: Mapping[str, object], steps: Steps = ()) -> dict[str, object]:
        """Return the file, or a definition or property at `steps`, with our descriptions and no other prose."""
        text = self._descriptions.find(steps, self._revision)
        if text is None:
            self.missing.append(_path(steps))
        dialect = {"$schema": schema["$schema"]} if "$schema" in schema else {}
        own = {} if text is None else {"description": text}
        return {**dialect, **own, **self._parts(schema, steps)}

    def _parts(self, schema: Mapping[str, object], steps: Steps) -> dict[str, object]:
        return {key: self._part(key, value, steps) for key, value in schema.items() if key not in PROSE}

    def _part(self, keyword: str, value: object, steps: Steps) -> object:
        if isinstance(value, dict):
            if keyword in MAPS:
                return {name: self.described(part, (*steps, name)) for name, part in value.items()}
            return self._parts(value, steps)
        if isinstance(value, list):
            return [self._parts(item, steps) if isinstance(item, dict) else item for item in value]
        return value


def _merged(folder: Path) -> tuple[dict[Path, str], list[str]]:
    """Return the text that each schema file of `folder` should have, and all complaints."""
    descriptions = Descriptions(folder / "descriptions")
    missing: dict[str, list[str]] = {}
    texts: dict[Path, str] = {}
    for path in sorted(folder.glob("*.json")):
        merge = Merge(descriptions, path.stem)
        texts[path] = lay_out(merge.described(json.loads(path.read_text(encoding="utf-8"))))
        for where in merge.missing:
            missing.setdefault(where, []).append(path.stem)
    nowhere = [f"{where} has no description in {', '.join(revisions)}" for where, revisions in missing.items()]
    idle = [f"descriptions: {key!r} describes nothing" for key in descriptions.unused()]
    return texts, [*descriptions.complaints, *nowhere, *idle]


def _path(steps: Steps) -> str:
    return ".".join(steps) or ROOT
