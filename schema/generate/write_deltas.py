"""Writes `src/mcport/spec/deltas.py`: what one revision lacks, demands, fills in, or takes null for.

Trees of absent fields reach wherever a field's own type *in that revision* reaches, so each member of a union is one
that the revision has. Where two members of a union disagree about a field, no tree can say it; then the member is
trimmed before it is written, and the fields on the way to it are noted as well. Below it are the facade and the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from schema.generate import text
from schema.generate.merge import Facade, Merged, MergedField
from schema.generate.model import Definitions, Either, Field, Many, Map, Ref, Shape, Type, admits_null
from schema.generate.rows import Rows

PATH = "src/mcport/spec/deltas.py"

Tree: TypeAlias = "dict[str, Tree | bool]"
Names: TypeAlias = dict[str, tuple[str, ...]]


def write_deltas(facade: Facade, rows: Rows, sources: Mapping[str, str]) -> dict[str, str]:
    """Return path -> text of the module."""
    revisions = [_Revision(name, facade, rows) for name in reversed(facade.revisions)]
    for revision in revisions:
        revision.absent()
    any_null: Names = {}
    for revision in reversed(revisions):
        any_null |= revision.nullable()
    anywhere = {text.Name("ANY"): any_null, **{one.name: one.nullable() for one in revisions}}
    inside = {text.Name("ANY"): _inside(facade, any_null.keys()), **{one.name: one.inside() for one in revisions}}
    tables: list[tuple[str, str, str, Mapping[str, text.Value]]] = [
        ("ABSENT", "ExcludeTree", _ABSENT, {one.name: one.absent() for one in revisions}),
        ("FILLED", "Mapping[str, str | int]", _FILLED, {one.name: one.filled() for one in revisions}),
        ("DEMANDED", "tuple[str, ...]", _DEMANDED, {one.name: one.demanded() for one in revisions}),
        ("NULLABLE", "tuple[str, ...]", _NULLABLE, anywhere),
        ("TRIMMED", "tuple[str, ...]", _TRIMMED, {one.name: one.trimmed for one in revisions}),
        ("INSIDE", "tuple[str, ...]", _INSIDE, inside),
    ]
    return {PATH: text.header(_HEAD, sources) + _OPENING + "".join(_table(*table) for table in tables)}


def _table(name: str, entry: str, about: str, table: Mapping[str, text.Value]) -> str:
    head = f"{name}: Final[Mapping[str, Mapping[str, {entry}]]]"
    return "\n" + text.assignment(head, table) + text.doc(about, "")


class _Revision:
    """The differences of one revision to the facade."""

    def __init__(self, name: str, facade: Facade, rows: Rows) -> None:
        self.name = name
        self._facade = facade
        self._rows = rows
        self._definitions: Definitions = facade.aligned[name]
        self._trees: dict[frozenset[str], Tree] = {}
        self.trimmed: Names = {}

    def absent(self) -> dict[str, Tree]:
        """Return the exclude tree of each type that the revision has, empty ones included."""
        return {merged.name: self._tree(frozenset({merged.name})) for merged, _ in self._shapes()}

    def filled(self) -> dict[str, dict[str, str | int]]:
        found = {
            merged.name: {
                own.name: self._rows.filled[own.wire] for own in self._required(merged, shape) if self._fills(own)
            }
            for merged, shape in self._shapes()
        }
        return {name: values for name, values in found.items() if values}

    def demanded(self) -> Names:
        found = {
            merged.name: tuple(own.name for own in self._required(merged, shape) if not self._fills(own))
            for merged, shape in self._shapes()
        }
        return {name: fields for name, fields in found.items() if fields}

    def nullable(self) -> Names:
        found = {
            merged.name: tuple(
                own.name for own, field in _pairs(merged, shape) if admits_null(field.type, self._definitions)
            )
            for merged, shape in self._shapes()
        }
        return {name: fields for name, fields in found.items() if fields}

    def inside(self) -> Names:
        """Return the fields through which one comes to a type that a tree alone does not do."""
        busy = self.trimmed.keys() | self.demanded().keys() | self.nullable().keys()
        return _inside(self._facade, busy)

    def _shapes(self) -> Iterator[tuple[Merged, Shape]]:
        for name in sorted(self._definitions):
            type_ = self._definitions[name].type
            if isinstance(type_, Shape):
                yield self._facade.types[name], type_

    def _required(self, merged: Merged, shape: Shape) -> Iterator[MergedField]:
        """Yield the fields that this revision requires and the facade neither requires nor knows a value for."""
        for own, field in _pairs(merged, shape):
            if field.required and not own.required and own.default is None:
                yield own

    def _fills(self, own: MergedField) -> bool:
        return own.wire in self._rows.filled

    def _tree(self, names: frozenset[str]) -> Tree:
        """Return the exclude tree for a place where any of the objects called `names` may stand."""
        if names not in self._trees:
            fields = {own.name: None for name in sorted(names) for own in self._facade.types[name].fields or ()}
            trees = {field: self._at(field, names) for field in fields}
            self._trees[names] = {field: tree for field, tree in trees.items() if tree}
        return self._trees[names]

    def _at(self, field: str, names: frozenset[str]) -> Tree | bool:
        """Return the tree for one field; trim it from those that lack it, where others have it."""
        knowing = [name for name in sorted(names) if self._excludable(name, field)]
        if not knowing:
            return {}
        types = {name: self._type(name, field) for name in knowing}
        present = tuple(type_ for type_ in types.values() if type_ is not None)
        if not present:
            return True
        for name, type_ in types.items():
            if type_ is None:
                self.trimmed[name] = tuple(dict.fromkeys((*self.trimmed.get(name, ()), field)))
        return self._below(present)

    def _excludable(self, name: str, python_name: str) -> bool:
        """Tell whether the type has such a field, and none that is always sent."""
        fields = self._facade.types[name].fields or ()
        return any(own.name == python_name and not self._rows.is_kept(f"{name}.{own.wire}") for own in fields)

    def _type(self, name: str, python_name: str) -> Type | None:
        """Return the type of a field in this revision, or None if it is absent."""
        shape = self._definitions[name].type
        assert isinstance(shape, Shape)
        return next(
            (field.type for own, field in _pairs(self._facade.types[name], shape) if own.name == python_name), None
        )

    def _below(self, types: tuple[Type, ...]) -> Tree:
        """Return the tree for a place where a value of any of `types` may stand."""
        flat = [part for type_ in types for part in self._members(type_)]
        names = frozenset(part.name for part in flat if isinstance(part, Ref))
        inner = tuple(
            part.item if isinstance(part, Many) else part.value for part in flat if isinstance(part, (Many, Map))
        )
        tree, each = self._tree(names) if names else {}, self._below(inner) if inner else {}
        if tree and each:
            raise AssertionError(f"{self.name}: one tree for an object and an array or map: {sorted(names)}")
        return {"__all__": each} if each else tree

    def _members(self, type_: Type) -> Iterator[Type]:
        """Yield what a value of `type_` may be, through unions and names of other things than objects."""
        if isinstance(type_, Ref) and not isinstance(self._definitions[type_.name].type, Shape):
            type_ = self._definitions[type_.name].type
        if isinstance(type_, Either):
            for member in type_.members:
                yield from self._members(member)
        else:
            yield type_


def _pairs(merged: Merged, shape: Shape) -> Iterator[tuple[MergedField, Field]]:
    for own in merged.fields or ():
        field = shape.field(own.wire)
        if field is not None:
            yield own, field


def _inside(facade: Facade, busy: object) -> Names:
    """Return, for each type, the fields that lead to one of the `busy` types; `busy` is a set of names."""
    assert hasattr(busy, "__contains__")
    leads = {name for name in facade.types if name in busy}
    while True:
        more = {name for name, merged in facade.types.items() if any(_reaches(part, leads) for part in _types(merged))}
        if more <= leads:
            break
        leads |= more
    found = {
        name: tuple(own.name for own in merged.fields or () if _reaches(own.type, leads))
        for name, merged in facade.types.items()
    }
    return {name: fields for name, fields in sorted(found.items()) if fields}


def _types(merged: Merged) -> list[Type]:
    return [merged.type, *(own.type for own in merged.fields or ())]


def _reaches(type_: Type, names: set[str]) -> bool:
    match type_:
        case Ref(name):
            return name in names
        case Many(inner) | Map(inner):
            return _reaches(inner, names)
        case Either(members):
            return any(_reaches(member, names) for member in members)
        case _:
            return False


_HEAD = (
    "How each revision differs from the facade. Fields have their Python names, so a tree can be given to pydantic as "
    "`exclude`. A type that stands in no `ABSENT` of a revision does not exist there."
)
_OPENING = '''
from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

ExcludeTree: TypeAlias = "dict[str, ExcludeTree | bool]"

ANY: Final = ""
"""The key for a value that is not written for a peer of any one revision."""
'''
_ABSENT = "Revision -> type -> the fields, however deep, that do not exist there."
_FILLED = "Revision -> type -> fields that are required there, with the value that is written where none is set."
_DEMANDED = "Revision -> type -> fields that are required there, though the facade does not require them."
_NULLABLE = "Revision -> type -> fields that may be null on the wire."
_TRIMMED = "Revision -> type -> fields to take out of a value before it is written, where no tree can say it."
_INSIDE = "Revision -> type -> fields that lead to a type with demands, nulls or trimming of its own."
