"""What a type of the intermediate model admits: the rules of JSON Schema, in a page.

Used to make samples and instances, never by mcport itself. Below it is the model only.
"""

from __future__ import annotations

from collections.abc import Mapping

from schema.generate.model import (
    Anything,
    Choice,
    Const,
    Definitions,
    Either,
    Json,
    Many,
    Map,
    Ref,
    Scalar,
    Shape,
    Type,
)


def admits(type_: Type, value: Json, definitions: Definitions) -> bool:
    """Tell whether `value` is a `type_`."""
    match type_:
        case Anything():
            return True
        case Ref(name):
            return admits(definitions[name].type, value, definitions)
        case Const(constant):
            return _same(value, constant)
        case Choice(values):
            return isinstance(value, str) and value in values
        case Either(members):
            return any(admits(member, value, definitions) for member in members)
        case Scalar():
            return _is_scalar(type_, value)
        case Many(item, most):
            fits = isinstance(value, list) and (most is None or len(value) <= most)
            return fits and isinstance(value, list) and all(admits(item, each, definitions) for each in value)
        case Map(each_type):
            return isinstance(value, dict) and all(admits(each_type, each, definitions) for each in value.values())
        case Shape():
            return isinstance(value, dict) and _fits(type_, value, definitions)


def _fits(shape: Shape, value: Mapping[str, Json], definitions: Definitions) -> bool:
    return all(
        admits(field.type, value[field.wire], definitions) if field.wire in value else not field.required
        for field in shape.fields
    )


def _is_scalar(type_: Scalar, value: Json) -> bool:
    match type_.kind:
        case "string":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "null":
            return value is None
        case kind:
            return _is_number(value, kind == "integer") and _is_between(type_, value)


def _is_number(value: Json, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return not whole or isinstance(value, int) or value.is_integer()


def _is_between(type_: Scalar, value: Json) -> bool:
    assert isinstance(value, (int, float))
    return (type_.least is None or value >= type_.least) and (type_.most is None or value <= type_.most)


def _same(value: Json, constant: str | int) -> bool:
    return not isinstance(value, bool) and value == constant
