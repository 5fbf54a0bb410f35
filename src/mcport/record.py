"""Records: classes that are their fields and little more, for what passes between rooms.

A record behaves as a dataclass with slots does: positional and named arguments, defaults, equality, a repr, `match`.
But a dataclass writes and compiles half a dozen functions when it is defined, which takes 0.7 ms; the sixty that a
client and a server are made of were a fifth of their import, and most are never made in most programs. A record
compiles its `__init__` when the first one is made, and shares everything else. What users make or hold stays a
dataclass. Below: the standard library.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, field
from typing import Any, Final, TypeVar, dataclass_transform

RecordT = TypeVar("RecordT", bound="Record")


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class RecordType(type):
    """Makes a record of a class body: its annotations are the slots, what is assigned there are the defaults.

    `frozen`, `eq` and `kw_only` mean what they mean for a dataclass, but records are frozen unless they say otherwise.
    Of `field(...)` the default, the factory and `repr` count.
    """

    __match_args__: tuple[str, ...]
    _defaults: dict[str, Any]
    _frozen: bool
    _named: bool

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        body: dict[str, Any],
        *,
        frozen: bool = True,
        eq: bool = True,
        kw_only: bool = False,
    ) -> RecordType:
        own = _annotated(body)
        below = next((base for base in bases if isinstance(base, RecordType)), None)
        defaults = {each: body.pop(each) for each in own if each in body}
        body["_defaults"] = {**below._defaults, **defaults} if below else defaults
        body["__match_args__"] = (*below.__match_args__, *own) if below else own
        body["__slots__"] = own
        body["_frozen"], body["_named"] = frozen, kw_only
        if below:
            body.update(_manners(frozen=frozen, eq=eq))
        kind = super().__new__(mcs, name, bases, body)
        kind.__init__ = _initializer_at_first_use(kind)  # type: ignore[misc]
        return kind


def _values(record: Any) -> tuple[object, ...]:
    return tuple([getattr(record, each) for each in type(record).__match_args__])


def _annotated(body: dict[str, Any]) -> tuple[str, ...]:
    """The names that a class body annotates, in their order."""
    if sys.version_info >= (3, 14):  # pragma: no cover
        import annotationlib

        if (annotate := annotationlib.get_annotate_from_class_namespace(body)) is not None:
            return tuple(annotationlib.call_annotate_function(annotate, annotationlib.Format.FORWARDREF))
    return tuple(body.get("__annotations__", ()))


def _manners(*, frozen: bool, eq: bool) -> dict[str, Any]:
    """What a class has besides what all records share."""
    found: dict[str, Any] = {"__setattr__": _refuse, "__delattr__": _refuse} if frozen else {}
    if not eq:
        return {**found, "__eq__": object.__eq__, "__hash__": object.__hash__}
    return found if frozen else {**found, "__hash__": None}


def _refuse(record: Record, name: str, *_: object) -> None:
    raise FrozenInstanceError(f"{type(record).__qualname__} cannot be changed: {name!r}")


def _initializer_at_first_use(kind: RecordType) -> Callable[..., None]:
    def first(record: Record, *values: object, **named: object) -> None:
        kind.__init__ = _initializer(kind)  # type: ignore[misc]
        kind.__init__(record, *values, **named)  # type: ignore[misc]

    return first


def _initializer(kind: RecordType) -> Callable[..., None]:
    """Write and compile an `__init__`: one that looks at what it is given takes three times as long at each call."""
    known: dict[str, Any] = {"put": object.__setattr__}
    parameters, lines = ["*"] if kind._named else [], ["pass"]
    for name in kind.__match_args__:
        default, make = _default_of(kind, name)
        known |= {f"default_{name}": default, f"make_{name}": make}
        value = name if make is MISSING else f"make_{name}() if {name} is default_{name} else {name}"
        parameters.append(name if default is MISSING else f"{name}=default_{name}")
        lines.append(f"put(record, {name!r}, {value})" if kind._frozen else f"record.{name} = {value}")
    if hasattr(kind, "__post_init__"):
        lines.append("record.__post_init__()")
    exec(f"def __init__(record, {', '.join(parameters)}):\n    {'; '.join(lines)}", known)
    initializer: Callable[..., None] = known["__init__"]
    return initializer


def _default_of(kind: RecordType, name: str) -> tuple[Any, Any]:
    """The default of a field and what makes a new one each time; `MISSING` for what there is not."""
    given = kind._defaults.get(name, MISSING)
    if not isinstance(given, Field):
        return given, MISSING
    made_anew = given.default_factory is not MISSING
    return (_LEFT_OUT if made_anew else given.default), given.default_factory


_LEFT_OUT: Final = object()
"""Stands for an argument for which a value is made."""


class Record(metaclass=RecordType):
    """The base of every record."""

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self is other or _values(self) == _values(other)

    def __hash__(self) -> int:
        return hash(_values(self))

    def __repr__(self) -> str:
        kind = type(self)
        shown = (each for each in kind.__match_args__ if getattr(kind._defaults.get(each), "repr", True))
        return f"{kind.__qualname__}({', '.join(f'{each}={getattr(self, each)!r}' for each in shown)})"


def changed(record: RecordT, **changes: object) -> RecordT:
    """Return a copy of a record in which some fields are others."""
    kept = dict(zip(type(record).__match_args__, _values(record), strict=True))
    return type(record)(**{**kept, **changes})
