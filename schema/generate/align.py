"""The same names in every revision: each schema, rewritten in the facade's terms.

Definitions get their newest name, inline objects become definitions (called as a revision that names them calls them,
or as a row says), opaque places become plain JSON, and what the facade leaves out goes. After this a field's type in
one revision can be compared with its type in another. Below it are the model and the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from schema.generate.model import (
    OPEN_OBJECT,
    Anything,
    Definition,
    Definitions,
    Either,
    Field,
    Many,
    Map,
    Ref,
    Schema,
    Shape,
    Type,
)
from schema.generate.read import SchemaFault
from schema.generate.rows import Rows


@dataclass(frozen=True, slots=True)
class Aligned:
    """One revision in the facade's terms."""

    revision: str
    definitions: Definitions


@dataclass(frozen=True, slots=True)
class Alignment:
    """All revisions in the facade's terms, oldest first, and place -> the name of the object that stands there."""

    revisions: tuple[Aligned, ...]
    named: Mapping[str, str]


def align(schemas: tuple[Schema, ...], rows: Rows) -> Alignment:
    """Return `schemas`, which come oldest first, in the facade's terms."""
    named: dict[str, str] = dict(rows.inline)
    newest_first = [_Revision(schema, rows, named).aligned() for schema in reversed(schemas)]
    return Alignment(tuple(reversed(newest_first)), MappingProxyType(named))


class _Revision:
    """One revision on its way; `named` collects which name stands at a place, and is shared from newest to oldest."""

    def __init__(self, schema: Schema, rows: Rows, named: dict[str, str]) -> None:
        self._revision = schema.revision
        self._raw = schema.definitions
        self._rows = rows
        self._named = named
        self._renames = rows.renamed_in(schema.revision)
        self._also = {row.was: row for row in rows.also if schema.revision in row.revisions}
        self._done: dict[str, Definition] = {}

    def aligned(self) -> Aligned:
        for definition in self._raw.values():
            name = self._renames.get(definition.name, definition.name)
            if name in self._done or self._rows.is_opaque(name):
                continue
            if not self._rows.is_left_out(name):
                self._define(name, self._inheriting(definition), definition.description)
        wrapped = [
            name for name, definition in self._done.items() if _is_message(definition) and name not in self._rows.placed
        ]
        kept = {name: definition for name, definition in self._done.items() if name not in wrapped}
        return Aligned(self._revision, MappingProxyType(kept))

    def _define(self, name: str, type_: Type, description: str) -> None:
        """Note the definition; two that have one name must be alike."""
        if name in self._also and isinstance(type_, Shape):
            also = self._also[name]
            rest = Shape(tuple(field for field in type_.fields if field.wire not in also.without))
            self._define(also.also, rest, description)
        definition = Definition(name, self._top(type_, name), description)
        earlier = self._done.setdefault(name, definition)
        if not _alike(earlier.type, definition.type):
            raise SchemaFault(f"{self._revision}: {name} stands for two different objects")

    def _top(self, type_: Type, name: str) -> Type:
        if isinstance(type_, Shape):
            kept = (field for field in type_.fields if not self._rows.is_left_out(f"{name}.{field.wire}"))
            return Shape(tuple(replace(field, type=self._at(f"{name}.{field.wire}", field)) for field in kept))
        return self._inside(type_, name)

    def _at(self, place: str, field: Field) -> Type:
        """Return the type of `field`, which stands at `place`."""
        if self._rows.is_opaque(place):
            return Anything() if isinstance(field.type, Anything) else self._opaque(field.type)
        return self._inside(field.type, place, field.description)

    def _opaque(self, type_: Type) -> Type:
        """Return plain JSON for `type_`: a map stays a map, an object becomes one."""
        resolved = self._raw[type_.name].type if isinstance(type_, Ref) else type_
        assert isinstance(resolved, (Map, Shape)), resolved
        return OPEN_OBJECT

    def _inside(self, type_: Type, place: str, description: str = "") -> Type:
        match type_:
            case Shape() | Map(Anything()) if place in self._named or isinstance(type_, Shape):
                return self._hoisted(type_, place, description)
            case Ref(name):
                return self._ref(name, place)
            case Many(item, most):
                return Many(self._inside(item, f"{place}[]"), most)
            case Map(value):
                return Map(self._inside(value, f"{place}{{}}"))
            case Either(members):
                inner = (self._inside(member, f"{place}|") for member in members)
                return Either(tuple(part for member in inner for part in self._and_also(member)))
            case _:
                return type_

    def _and_also(self, member: Type) -> tuple[Type, ...]:
        also = self._also.get(member.name) if isinstance(member, Ref) else None
        return (member,) if also is None else (member, Ref(also.also))

    def _ref(self, name: str, place: str) -> Type:
        now = self._renames.get(name, name)
        raw = self._raw[name].type
        if self._rows.is_opaque(now):
            if place in self._named:
                return self._hoisted(OPEN_OBJECT, place, "")
            return OPEN_OBJECT if isinstance(raw, Map) else Anything()
        if place in self._rows.inline and isinstance(raw, Shape):
            return self._hoisted(raw, place, self._raw[name].description)
        if isinstance(raw, Shape):
            self._named.setdefault(place, now)
        return Ref(now)

    def _hoisted(self, type_: Type, place: str, description: str) -> Ref:
        """Make a definition of an object that stands inline, and refer to it."""
        name = self._named.get(place)
        if name is None:
            raise SchemaFault(f"{self._revision}: the object at {place} has no name; names.toml needs a row")
        self._define(name, type_ if isinstance(type_, Shape) else Shape(()), description)
        return Ref(name)

    def _inheriting(self, definition: Definition) -> Type:
        """Return the type of `definition` with the fields that its inline `params` inherit from the base message."""
        type_ = definition.type
        params = type_.field("params") if isinstance(type_, Shape) else None
        if params is None or not isinstance(type_, Shape) or not isinstance(params.type, Shape):
            return type_
        missing = self._inherited(definition.name, params.type)
        whole = replace(params, type=Shape((*params.type.fields, *missing)))
        return Shape(tuple(whole if field is params else field for field in type_.fields))

    def _inherited(self, message: str, params: Shape) -> list[Field]:
        return [
            Field(row.wire, OPEN_OBJECT, required=False)
            for row in self._rows.inherited
            if self._revision in row.revisions and message.endswith(row.messages) and params.field(row.wire) is None
        ]


def _is_message(definition: Definition) -> bool:
    """Tell whether `definition` is a request or notification."""
    return isinstance(definition.type, Shape) and definition.type.field("method") is not None


def _alike(one: Type, other: Type) -> bool:
    """Tell whether two types are the same but for descriptions and the order of fields."""
    if isinstance(one, Shape) and isinstance(other, Shape):
        return _bare(one) == _bare(other)
    return one == other


def _bare(shape: Shape) -> Mapping[str, tuple[Type, bool]]:
    return {field.wire: (field.type, field.required) for field in shape.fields}
