"""One facade out of five revisions.

A field is required only if each revision that has the definition requires it; where types differ, the facade takes what
any of them takes; each type and field remembers its revisions. (A limit of one revision holds for all: limits are
checked on what is sent only.) Widening knows nothing of Python. Below it are the aligned revisions, the model and the
rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from schema.generate.align import Alignment
from schema.generate.model import (
    Anything,
    Choice,
    Const,
    Definition,
    Definitions,
    Either,
    Many,
    Map,
    Ref,
    Scalar,
    Shape,
    Type,
)
from schema.generate.read import SchemaFault
from schema.generate.rows import Rows


@dataclass(frozen=True, slots=True)
class MergedField:
    """A field of the facade: `wire` is its name in JSON; `revisions` are those that have it, oldest first."""

    wire: str
    name: str
    type: Type
    required: bool
    default: str | int | None
    revisions: tuple[str, ...]
    description: str


@dataclass(frozen=True, slots=True)
class Merged:
    """A type of the facade. `fields` is None for one that is no object; `type` holds for those only."""

    name: str
    description: str
    revisions: tuple[str, ...]
    type: Type
    fields: tuple[MergedField, ...] | None
    base: str | None = None

    def field(self, wire: str) -> MergedField | None:
        """Return the field called `wire` in JSON, or None."""
        return next((field for field in self.fields or () if field.wire == wire), None)


@dataclass(frozen=True, slots=True)
class Facade:
    """All types of the facade, the revisions oldest first, and what each revision says in the facade's terms.

    `named` is place -> the type of the object that stands there, as in `CallToolRequest.params`.
    """

    revisions: tuple[str, ...]
    types: Mapping[str, Merged]
    aligned: Mapping[str, Definitions]
    named: Mapping[str, str]


def merge(alignment: Alignment, rows: Rows) -> Facade:
    """Return the facade of the revisions of `alignment`."""
    aligned = alignment.revisions
    newest_first = [(revision.revision, revision.definitions) for revision in reversed(aligned)]
    names = {name: None for _, definitions in newest_first for name in definitions}
    _check_placed(names, rows)
    widening = _Widening(dict(newest_first))
    types = {name: _Merging(name, newest_first, rows, widening).merged() for name in names}
    return Facade(
        revisions=tuple(revision.revision for revision in aligned),
        types={name: _with_base(merged, types, rows) for name, merged in types.items()},
        aligned={revision.revision: revision.definitions for revision in aligned},
        named=alignment.named,
    )


def _check_placed(names: Mapping[str, None], rows: Rows) -> None:
    homeless, empty = names.keys() - rows.placed.keys(), rows.placed.keys() - names.keys()
    if homeless or empty:
        raise SchemaFault(
            f"facade.toml: without a family: {sorted(homeless)}; in a family, but nowhere else: {sorted(empty)}"
        )


class _Merging:
    """One definition, in all revisions that have it, newest first."""

    def __init__(self, name: str, newest_first: list[tuple[str, Definitions]], rows: Rows, widening: _Widening) -> None:
        self._name = name
        self._found: list[tuple[str, Definition]] = [
            (revision, definitions[name]) for revision, definitions in newest_first if name in definitions
        ]
        self._rows = rows
        self._widening = widening

    def merged(self) -> Merged:
        types = [definition.type for _, definition in self._found]
        shapes = [type_ for type_ in types if isinstance(type_, Shape)]
        if len(shapes) not in (0, len(types)):
            raise SchemaFault(f"{self._name} is an object in some revisions only")
        return Merged(
            name=self._name,
            description=_first(definition.description for _, definition in self._found),
            revisions=tuple(sorted(revision for revision, _ in self._found)),
            type=Shape(()) if shapes else self._widening.of(types, self._name),
            fields=self._fields(shapes) if shapes else None,
        )

    def _fields(self, shapes: list[Shape]) -> tuple[MergedField, ...]:
        wires = {field.wire: None for shape in shapes for field in shape.fields}
        fields = [self._field(wire, shapes) for wire in wires]
        return tuple(
            sorted(fields, key=lambda field: (field.wire == "_meta", not field.required, field.default is None))
        )

    def _field(self, wire: str, shapes: list[Shape]) -> MergedField:
        found = [field for shape in shapes if (field := shape.field(wire)) is not None]
        always = len(found) == len(shapes) and all(field.required for field in found)
        required = always and not self._rows.is_optional(f"{self._name}.{wire}")
        type_ = self._widening.of([field.type for field in found], f"{self._name}.{wire}")
        return MergedField(
            wire=wire,
            name=python_name(wire, self._rows),
            type=type_,
            required=required,
            default=self._default(wire, type_, required),
            revisions=tuple(sorted(revision for revision, _ in self._having(wire))),
            description=_first(field.description for field in found),
        )

    def _default(self, wire: str, type_: Type, required: bool) -> str | int | None:
        """Return what the field is if nobody says otherwise: a constant that must be there, or what a row says."""
        if required and isinstance(type_, Const):
            return type_.value
        return self._rows.defaults.get(f"{self._name}.{wire}")

    def _having(self, wire: str) -> list[tuple[str, Definition]]:
        return [
            (revision, definition)
            for revision, definition in self._found
            if isinstance(definition.type, Shape) and definition.type.field(wire) is not None
        ]


class _Widening:
    """Finds the narrowest type that takes whatever any of several types takes."""

    def __init__(self, newest_first: Mapping[str, Definitions]) -> None:
        self._unions: dict[str, tuple[Type, ...]] = {}
        for definitions in newest_first.values():
            for definition in definitions.values():
                self._note(definition)

    def _note(self, definition: Definition) -> None:
        if isinstance(definition.type, Either) and all(isinstance(member, Ref) for member in definition.type.members):
            earlier = self._unions.get(definition.name, ())
            self._unions[definition.name] = tuple(dict.fromkeys((*earlier, *definition.type.members)))

    def of(self, types: list[Type], place: str) -> Type:
        """Return the type for all `types`, which come newest first."""
        if len(set(types)) == 1 and not isinstance(types[0], Either):
            return types[0]
        members: list[Type] = []
        for member in (member for type_ in types for member in self._members(type_)):
            self._add(member, members, place)
        return self._contracted(members, place)

    def _members(self, type_: Type) -> Iterable[Type]:
        """Yield what `type_` is a union of, through named unions; itself if it is none."""
        if isinstance(type_, Ref) and type_.name in self._unions:
            type_ = Either(self._unions[type_.name])
        if isinstance(type_, Either):
            for member in type_.members:
                yield from self._members(member)
        else:
            yield type_

    def _add(self, new: Type, members: list[Type], place: str) -> None:
        """Add `new` to `members`, unless one of them takes it already or can be widened to."""
        for position, old in enumerate(members):
            joined = self._joined(old, new, place)
            if joined is not None:
                members[position] = joined
                return
        if any(_mixes(old, new) for old in members):
            raise SchemaFault(f"{place}: an object of a class in one revision, a plain one in another; needs a row")
        members.append(new)

    def _joined(self, old: Type, new: Type, place: str) -> Type | None:
        """Return one type for both, or None if they stay two members of a union."""
        match old, new:
            case _ if old == new:
                return old
            case (Anything(), _) | (_, Anything()):
                return Anything()
            case Many(mine, most), Many(theirs, other_most):
                return Many(self.of([mine, theirs], place), other_most if most is None else most)
            case Map(mine), Map(theirs):
                return Map(self.of([mine, theirs], place))
            case Choice(mine), Choice(theirs):
                return Choice(tuple(dict.fromkeys((*mine, *theirs))))
            case (Scalar("string") as text, Choice() | Const()) | (Choice() | Const(), Scalar("string") as text):
                return text
            case (Scalar("number") as number, Scalar("integer")) | (Scalar("integer"), Scalar("number") as number):
                return number
            case _:
                return None

    def _contracted(self, members: list[Type], place: str) -> Type:
        """Return the union of `members`, with named unions for those of their members that are all there."""
        for name, union in sorted(self._unions.items(), key=lambda entry: -len(entry[1])):
            flat = list(self._members(Either(union)))
            if name != place and len(flat) > 1 and set(flat) <= set(members):
                first = min(members.index(member) for member in flat)
                rest = [member for member in members if member not in flat]
                members = [*rest[:first], Ref(name), *rest[first:]]
        return members[0] if len(members) == 1 else Either(tuple(members))


def _mixes(old: Type, new: Type) -> bool:
    return (isinstance(old, Map) and isinstance(new, Ref)) or (isinstance(old, Ref) and isinstance(new, Map))


def _with_base(merged: Merged, types: Mapping[str, Merged], rows: Rows) -> Merged:
    """Return `merged` with that base which states most of its fields already, if there is one."""
    fitting = (types[name] for name in rows.bases if _is_base(types[name], merged))
    base = max(fitting, key=lambda candidate: len(candidate.fields or ()), default=None)
    return merged if base is None else replace(merged, base=base.name)


def _is_base(base: Merged, heir: Merged) -> bool:
    """Tell whether `heir` is called as `base` is, and states each of its fields, none of them more loosely."""
    kind = next(ending for ending in ("Result", "RequestParams", "NotificationParams") if base.name.endswith(ending))
    if base.name == heir.name or not heir.name.endswith(kind) or len(base.fields or ()) > len(heir.fields or ()):
        return False
    pairs = [(field, heir.field(field.wire)) for field in base.fields or ()]
    return all(own is not None and own.type == field.type and own.required >= field.required for field, own in pairs)


def python_name(wire: str, rows: Rows) -> str:
    """Return what the field called `wire` in JSON is called in Python."""
    return rows.fields.get(wire) or re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", wire).lower()


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")
