"""Arguments whose annotations are made of Python's own types: looked up one by one and remembered.

Most tools are registered in microseconds that way, and those of the commonest types without loading pydantic;
everything else goes to `typed_fields`. Refuses to know callables. Below sit `fields`, `typed_fields` and
`pydantic_schemas`.
"""

import functools
import typing
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Any, cast

from mcport.spec.instances import is_field

from .fields import SCALARS, Fields, as_object, described, given, without_texts
from .json_semantics import Node
from .parameters import EMPTY, Parameter, Reading
from .plain_schema import Schema

__all__ = ["read_fields"]

_ATOMS = frozenset({bool, int, float, str, NoneType, object, list, dict, set, frozenset, tuple})
_CONTAINERS = frozenset({list, dict, set, frozenset, tuple, typing.Union, UnionType})


def read_fields(parameters: tuple[Parameter, ...], texts: Mapping[str, str], reading: Reading) -> Fields:
    """Work out what callers may give.

    Args:
        parameters: those whose arguments callers give.
        texts: what the docstring says about each, by name.
        reading: under which name to complain.

    Raises:
        TypeError: with one line that names the parameter that no JSON value can stand for.
    """
    simple = from_builtins(parameters, texts)
    if simple is not None:
        return simple
    from .typed_fields import from_typed_dict  # loads pydantic

    return from_typed_dict(parameters, texts, reading)


def from_builtins(parameters: tuple[Parameter, ...], texts: Mapping[str, str]) -> Fields | None:
    """Put the fields together from remembered parts; None if there is anything but Python's own types."""
    fields: Node = {}
    properties: dict[str, Schema] = {}
    for each in parameters:
        annotation, description = without_texts(each.annotation)
        if not _is_builtin(annotation) or is_field(each.default):
            return None
        core, schema = _fragment(annotation, repr(annotation))
        value = given(core, each.default)
        fields[each.name] = {"type": "typed-dict-field", "schema": value, "required": each.default is EMPTY}
        properties[each.name] = described(schema, each.default, description or texts.get(each.name))
    required = [each.name for each in parameters if each.default is EMPTY]
    core = {"type": "typed-dict", "fields": fields, "extra_behavior": "forbid"}
    return Fields(core, as_object(properties, required, {}), {name: name for name in fields})


@functools.lru_cache(maxsize=256)
def _fragment(annotation: object, _: str) -> tuple[Node, Schema]:
    """The schemas of one annotation; its text is a key too, since `int | str` equals `str | int`."""
    if isinstance(annotation, type) and annotation in SCALARS:
        return SCALARS[annotation]
    from .pydantic_schemas import core_schema, json_schema

    core = core_schema(annotation)
    return cast(Node, core), json_schema(core)


def _is_builtin(annotation: object) -> bool:
    """Whether pydantic certainly knows a type."""
    origin = typing.get_origin(annotation)
    if origin is None:
        return annotation is Any or (isinstance(annotation, type) and annotation in _ATOMS)
    if origin is typing.Literal:
        return all(type(value) in (str, int, bool) for value in typing.get_args(annotation))
    return origin in _CONTAINERS and all(each is ... or _is_builtin(each) for each in typing.get_args(annotation))
