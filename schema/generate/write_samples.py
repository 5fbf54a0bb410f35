"""Writes `tests/spec/samples/<revision>.json`: for every definition, values that are right and values that are wrong.

The right ones are the smallest value, one with every field, and one for each further member of a union. A wrong one is
the full value with one thing changed: `[path, replacement]`, or `[path]` for something that is taken away; the judge
has said of each that it is wrong. Below it are the schema and the judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from schema.generate.judge import admits
from schema.generate.model import (
    Anything,
    Choice,
    Const,
    Definitions,
    Either,
    Field,
    Json,
    Many,
    Map,
    Ref,
    Scalar,
    Schema,
    Shape,
    Type,
)

FOLDER = "tests/spec/samples"
NEAR: dict[str, tuple[Json, ...]] = {
    "string": (5,),
    "integer": (1.5, True, "5"),
    "number": (True, "5"),
    "boolean": (1, "true"),
    "null": (False, 0),
}
PLAIN: dict[str, Json] = {"string": "text", "integer": 1, "number": 0.5, "boolean": True, "null": None}


def write_samples(schemas: tuple[Schema, ...]) -> dict[str, str]:
    """Return path -> text of the sample files."""
    return {f"{FOLDER}/{schema.revision}.json": _Samples(schema.definitions).text(schema) for schema in schemas}


class _Samples:
    """The samples of one revision."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def text(self, schema: Schema) -> str:
        origin = f"python -m schema.generate, from schema/{schema.revision}.json sha256 {schema.digest}"
        rows = [f"{json.dumps(name)}: {_compact(self._of(name))}" for name in sorted(self._definitions)]
        return f'{{"generated": {json.dumps(origin)},\n"samples": {{\n' + ",\n".join(rows) + "\n}}\n"

    def _of(self, name: str) -> Json:
        type_ = self._definitions[name].type
        full = self._value(type_, full=True)
        right = [self._value(type_, full=False), full, *self._others(type_)]
        wrong = list(self._wrong(type_, full))
        assert all(admits(type_, value, self._definitions) for value in right), name
        assert not any(admits(type_, changed(full, row), self._definitions) for row in wrong), name
        return {"valid": [value for at, value in enumerate(right) if value not in right[:at]], "invalid": [*wrong]}

    def _value(self, type_: Type, full: bool) -> Json:
        """Return a value of `type_`; of a full one, each field is there, with the smallest value."""
        match type_:
            case Anything():
                return {"any": None} if full else None
            case Ref(name):
                return self._value(self._definitions[name].type, full)
            case Const(value):
                return value
            case Choice(values):
                return values[-1 if full else 0]
            case Either(members):
                return self._value(members[-1] if full else members[0], full=False)
            case Scalar(kind, least):
                return PLAIN[kind] if least is None or kind == "number" else int(least)
            case Many(item):
                return [self._value(item, full=False)] if full else []
            case Map(value):
                return {"key": self._value(value, full=False)} if full else {}
            case Shape(fields):
                return self._object(fields, full)

    def _object(self, fields: tuple[Field, ...], full: bool) -> Json:
        found = {
            own.wire: self._value(own.type, full=_is_flat(own.type) and full) for own in fields if full or own.required
        }
        return {**found, "unknown-to-all": None} if full else found

    def _others(self, type_: Type) -> Iterator[Json]:
        """Yield the smallest values for the further members of a union, or of the union that a field is."""
        if isinstance(type_, Either):
            for member in type_.members[1:-1]:
                yield self._value(member, full=False)
        if isinstance(type_, Shape):
            least = self._value(type_, full=False)
            assert isinstance(least, dict)
            for field in type_.fields:
                for value in self._others(field.type):
                    yield {**least, field.wire: value}

    def _wrong(self, type_: Type, full: Json) -> Iterator[list[Json]]:
        """Yield changes of the value `full` that make it wrong."""
        if isinstance(type_, Shape):
            for field in type_.fields:
                yield from self._wrong_in(field)
            return
        for value in self._strangers(type_):
            yield [[], value]

    def _wrong_in(self, field: Field) -> Iterator[list[Json]]:
        if field.required:
            yield [[field.wire]]
        for value in self._strangers(field.type):
            yield [[field.wire], value]

    def _strangers(self, type_: Type) -> Iterator[Json]:
        """Yield values that are no `type_`: null, what comes close, what lies just out of bounds."""
        candidates: tuple[Json, ...] = (None, "other", 5, [5], {"key": 5})
        match type_:
            case Scalar(kind, least, most):
                bounds = [bound for bound in (least, most) if bound is not None]
                candidates = (None, *NEAR[kind], *(bound + sign for bound in bounds for sign in (-1, 1)))
            case Many(item, int() as most):
                candidates = (None, {}, [self._value(item, full=False)] * (most + 1))
        strange = [value for value in candidates if not admits(type_, value, self._definitions)]
        yield from strange[:6]


def changed(value: Json, row: list[Json]) -> Json:
    """Return `value` with the change that `row` says."""
    path, *replacement = row
    if not path:
        return replacement[0]
    assert isinstance(path, list)
    assert isinstance(value, dict)
    wire = str(path[0])
    rest = {key: item for key, item in value.items() if key != wire}
    return {**rest, wire: replacement[0]} if replacement else rest


def _is_flat(type_: Type) -> bool:
    """Tell whether a full value of `type_` is no larger than what it says itself."""
    return isinstance(type_, (Anything, Choice, Map, Many, Shape))


def _compact(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
