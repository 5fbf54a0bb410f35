"""The intermediate model: what a schema says, as a few small frozen values.

Every reader fills it and every writer reads it, so neither knows the other. It holds facts only: no Python names, no
merging, no text. An object is always open here (no revision closes one); `Shape` has named fields, `Map` has none but
says what its values are. Nothing sits below but the standard library.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

ScalarKind: TypeAlias = Literal["string", "integer", "number", "boolean", "null"]
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Anything:
    """Any JSON value, null included."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A plain value, perhaps between two bounds (both inclusive)."""

    kind: ScalarKind
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Const:
    """Exactly this value."""

    value: str | int


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these strings."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Many:
    """An array of `item`, of at most `most` members."""

    item: Type
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Map:
    """An object without named fields, each of whose values is a `value`."""

    value: Type


@dataclass(frozen=True, slots=True)
class Ref:
    """The definition of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    members: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A named field of a `Shape`; `wire` is its name in JSON."""

    wire: str
    type: Type
    required: bool
    description: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """An object with named fields that allows others as well."""

    fields: tuple[Field, ...]

    def field(self, wire: str) -> Field | None:
        """Return the field called `wire`, or None."""
        return next((field for field in self.fields if field.wire == wire), None)


Type: TypeAlias = Anything | Scalar | Const | Choice | Many | Map | Ref | Either | Shape

OPEN_OBJECT = Map(Anything())


@dataclass(frozen=True, slots=True)
class Definition:
    """A type with the name that the schema gives it."""

    name: str
    type: Type
    description: str = ""


Definitions: TypeAlias = Mapping[str, Definition]


@dataclass(frozen=True, slots=True)
class Schema:
    """One revision: its name, its definitions, and the digest of the file that they were read from."""

    revision: str
    definitions: Definitions
    digest: str


def refs(type_: Type) -> Iterator[str]:
    """Yield the names that `type_` refers to, in order, repeats included."""
    for part in parts(type_):
        yield from refs(part)
    if isinstance(type_, Ref):
        yield type_.name


def parts(type_: Type) -> tuple[Type, ...]:
    """Return the types that `type_` is directly made of."""
    match type_:
        case Many(item):
            return (item,)
        case Map(value):
            return (value,)
        case Either(members):
            return members
        case Shape(fields):
            return tuple(field.type for field in fields)
        case _:
            return ()


def admits_null(type_: Type, definitions: Definitions) -> bool:
    """Tell whether null is a legal value of `type_`."""
    match type_:
        case Anything() | Scalar("null"):
            return True
        case Either(members):
            return any(admits_null(member, definitions) for member in members)
        case Ref(name):
            return admits_null(definitions[name].type, definitions)
        case _:
            return False


def in_order(definitions: Definitions) -> list[str]:
    """Return the names so that each stands after those it refers to (but for circles), and otherwise by name."""
    done: dict[str, None] = {}

    def visit(name: str, above: frozenset[str]) -> None:
        if name in done or name in above:
            return
        for other in refs(definitions[name].type):
            if other in definitions:
                visit(other, above | {name})
        done[name] = None

    for name in sorted(definitions):
        visit(name, frozenset())
    return list(done)
