"""Arguments of any types that pydantic knows: read together, as the fields of one typed dict.

Loaded by whoever first needs it, for it loads pydantic. Refuses to know callables. Below sit `fields`,
`pydantic_schemas` and pydantic.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, cast

from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError

from mcport.core.typed_dicts import readable
from mcport.spec.instances import is_field

from .fields import Fields, as_object, described, given, without_texts
from .json_semantics import Node
from .parameters import EMPTY, Parameter, Reading
from .pydantic_schemas import UNFIT, core_schema, json_schema, reason

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    from typing_extensions import TypedDict  # pydantic needs what the one of `typing` does not keep before 3.12

__all__ = ["from_typed_dict"]


def from_typed_dict(parameters: tuple[Parameter, ...], texts: Mapping[str, str], reading: Reading) -> Fields:
    """Let pydantic read all annotations together, as the fields of a typed dict."""
    make = cast("Callable[[str, dict[str, object]], type]", TypedDict)
    try:
        core = core_schema(make("arguments", {each.name: _field(each) for each in parameters}))
        schema = json_schema(core)
    except UNFIT as error:
        raise reading.refuse(_blame(parameters, error)) from error
    whole: Node = {**core}
    inner: Node = whole["schema"] if whole["type"] == "definitions" else whole
    names = {_wire_name(name, field, reading): name for name, field in inner["fields"].items()}
    properties = {}
    for (wire, name), each in zip(names.items(), parameters, strict=True):
        found = schema["properties"][wire]
        description = found.get("description") or without_texts(each.annotation)[1] or texts.get(name)
        properties[wire] = described(found, each.default, description)
    fields = {each.name: _given_field(inner["fields"][each.name], each.default) for each in parameters}
    required = [wire for wire, name in names.items() if fields[name]["required"]]
    closed = {**inner, "fields": fields, "extra_behavior": "forbid"}
    return Fields(
        {**whole, "schema": closed} if inner is not whole else closed,
        as_object(properties, required, schema.get("$defs", {})),
        names,
    )


def _field(parameter: Parameter) -> object:
    """A parameter as the annotation of a typed dict's field; a `Field` given as default joins its annotation.

    `NotRequired` is not used: `typing` remembers it, and takes `str | int` for an `int | str` that it saw before.
    """
    if is_field(parameter.default):
        return Annotated[readable(parameter.annotation), parameter.default]
    return readable(parameter.annotation)


def _given_field(field: Node, default: object) -> Node:
    """The core schema of a field, which need not be given if the function has a default of its own."""
    own = default is not EMPTY and not is_field(default)
    required = field.get("required", True) and not own
    return {**field, "schema": given(field["schema"], default), "required": required}


def _wire_name(name: str, field: Node, reading: Reading) -> str:
    alias = field.get("validation_alias", name)
    if not isinstance(alias, str):
        raise reading.refuse(f"parameter '{name}' has several aliases; a caller can be told of one only")
    return alias


def _blame(parameters: Iterable[Parameter], error: Exception) -> str:
    """Find the parameter that pydantic cannot read alone, and say why."""
    for each in parameters:
        try:
            json_schema(core_schema(each.annotation))
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema):
            kind = inspect.formatannotation(each.annotation)
            advice = "use Python's basic types, a dataclass, a TypedDict or a pydantic model"
            return f"parameter '{each.name}' cannot be given as JSON: {kind} has no JSON Schema; {advice}"
        except UNFIT as own:
            return f"parameter '{each.name}' cannot be served: {reason(own)}"
    return f"the parameters cannot be served: {reason(error)}"
