"""The arguments of a callable in pydantic's terms: a core schema for the object that holds them, and its JSON Schema.

Annotations made of Python's own types are looked up one by one and remembered, so that most tools are registered in
microseconds; everything else goes through pydantic as one typed dict. Refuses to know callables and errors of calls.
Below sit `parameters`, `plain_schema`, `core.typed_dicts` and pydantic.
"""

import functools
import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, cast

from pydantic import Field
from pydantic.errors import PydanticInvalidForJsonSchema, PydanticSchemaGenerationError, PydanticUserError
from pydantic.fields import FieldInfo
from pydantic_core import SchemaError, from_json, to_json
from pydantic_core.core_schema import CoreSchema

from mcport.core.typed_dicts import readable

from .json_semantics import Node
from .parameters import EMPTY, Parameter, Reading
from .plain_schema import Schema, json_schema, plain

if sys.version_info >= (3, 12):
    from typing import TypedDict
else:
    from typing_extensions import TypedDict  # pydantic needs what the one of `typing` does not keep before 3.12

__all__ = ["Fields", "read_fields"]

_ATOMS = frozenset({bool, int, float, str, NoneType, object, list, dict, set, frozenset, tuple})
_SCALARS: dict[type, tuple[Node, Schema]] = {
    bool: ({"type": "bool"}, {"type": "boolean"}),
    float: ({"type": "float"}, {"type": "number"}),
    int: ({"type": "int"}, {"type": "integer"}),
    str: ({"type": "str"}, {"type": "string"}),
}
"""What pydantic says of the commonest types. Asking it for the first time costs as much as importing half of it."""

_CONTAINERS = frozenset({list, dict, set, frozenset, tuple, typing.Union, UnionType})

_UNFIT = (PydanticUserError, SchemaError, NameError, TypeError, ValueError)
"""What pydantic raises for annotations that it cannot read, or whose parts contradict each other."""


@dataclass(frozen=True, slots=True)
class Fields:
    """The arguments as one object.

    Attributes:
        core: the core schema of a typed dict; it reads Python values as pydantic does by default. A null that is as
            good as nothing is not expected here.
        schema: the plain JSON Schema of the same object.
        parameters: for each name that callers give, the name of the parameter that it stands for.
    """

    core: Node
    schema: Schema
    parameters: dict[str, str]


def read_fields(parameters: tuple[Parameter, ...], texts: Mapping[str, str], reading: Reading) -> Fields:
    """Work out what callers may give.

    Args:
        parameters: those whose arguments callers give.
        texts: what the docstring says about each, by name.
        reading: under which name to complain.

    Raises:
        TypeError: with one line that names the parameter that no JSON value can stand for.
    """
    simple = _from_builtins(parameters, texts)
    return simple if simple is not None else _from_typed_dict(parameters, texts, reading)


def _from_builtins(parameters: tuple[Parameter, ...], texts: Mapping[str, str]) -> Fields | None:
    """Put the fields together from remembered parts; None if there is anything but Python's own types."""
    fields: Node = {}
    properties: dict[str, Schema] = {}
    for each in parameters:
        annotation, description = _without_texts(each.annotation)
        if not _is_builtin(annotation) or isinstance(each.default, FieldInfo):
            return None
        core, schema = _fragment(annotation, repr(annotation))
        value = _given(core, each.default)
        fields[each.name] = {"type": "typed-dict-field", "schema": value, "required": each.default is EMPTY}
        properties[each.name] = _property(schema, each.default, description or texts.get(each.name))
    required = [each.name for each in parameters if each.default is EMPTY]
    core = {"type": "typed-dict", "fields": fields, "extra_behavior": "forbid"}
    return Fields(core, _object(properties, required, {}), {name: name for name in fields})


@functools.lru_cache(maxsize=256)
def _fragment(annotation: object, _: str) -> tuple[Node, Schema]:
    """The schemas of one annotation; its text is a key too, since `int | str` equals `str | int`."""
    if isinstance(annotation, type) and annotation in _SCALARS:
        return _SCALARS[annotation]
    core = _core(annotation)
    return cast(Node, core), json_schema(core)


def _core(annotation: object) -> CoreSchema:
    from pydantic import TypeAdapter  # loading it is dear, and the commonest types do without

    return TypeAdapter(cast(Any, readable(annotation))).core_schema


def _is_builtin(annotation: object) -> bool:
    """Whether pydantic certainly knows a type."""
    origin = typing.get_origin(annotation)
    if origin is None:
        return annotation is Any or (isinstance(annotation, type) and annotation in _ATOMS)
    if origin is typing.Literal:
        return all(type(value) in (str, int, bool) for value in typing.get_args(annotation))
    return origin in _CONTAINERS and all(each is ... or _is_builtin(each) for each in typing.get_args(annotation))


def _from_typed_dict(parameters: tuple[Parameter, ...], texts: Mapping[str, str], reading: Reading) -> Fields:
    """Let pydantic read all annotations together, as the fields of a typed dict."""
    make = cast("Callable[[str, dict[str, object]], type]", TypedDict)
    try:
        core = _core(make("arguments", {each.name: _field(each) for each in parameters}))
        schema = json_schema(core)
    except _UNFIT as error:
        raise reading.refuse(_blame(parameters, error)) from error
    whole: Node = {**core}
    inner: Node = whole["schema"] if whole["type"] == "definitions" else whole
    names = {_wire_name(name, field, reading): name for name, field in inner["fields"].items()}
    properties = {}
    for (wire, name), each in zip(names.items(), parameters, strict=True):
        found = schema["properties"][wire]
        description = found.get("description") or _without_texts(each.annotation)[1] or texts.get(name)
        properties[wire] = _property(found, each.default, description)
    fields = {each.name: _given_field(inner["fields"][each.name], each.default) for each in parameters}
    required = [wire for wire, name in names.items() if fields[name]["required"]]
    closed = {**inner, "fields": fields, "extra_behavior": "forbid"}
    return Fields(
        {**whole, "schema": closed} if inner is not whole else closed,
        _object(properties, required, schema.get("$defs", {})),
        names,
    )


def _field(parameter: Parameter) -> object:
    """A parameter as the annotation of a typed dict's field; a `Field` given as default joins its annotation.

    `NotRequired` is not used: `typing` remembers it, and takes `str | int` for an `int | str` that it saw before.
    """
    if isinstance(parameter.default, FieldInfo):
        return Annotated[readable(parameter.annotation), parameter.default]
    return readable(parameter.annotation)


def _given_field(field: Node, default: object) -> Node:
    """The core schema of a field, which need not be given if the function has a default of its own."""
    own = default is not EMPTY and not isinstance(default, FieldInfo)
    required = field.get("required", True) and not own
    return {**field, "schema": _given(field["schema"], default), "required": required}


def _given(schema: Node, default: object) -> Node:
    """The core schema of an argument when it is given; a default of the function's own is left to the function."""
    if default is EMPTY or isinstance(default, FieldInfo):
        return schema
    while schema["type"] == "default" or (schema["type"] == "nullable" and default is None):
        schema = schema["schema"]
    return schema


def _wire_name(name: str, field: Node, reading: Reading) -> str:
    alias = field.get("validation_alias", name)
    if not isinstance(alias, str):
        raise reading.refuse(f"parameter '{name}' has several aliases; a caller can be told of one only")
    return alias


def _blame(parameters: Iterable[Parameter], error: Exception) -> str:
    """Find the parameter that pydantic cannot read alone, and say why."""
    for each in parameters:
        try:
            json_schema(_core(each.annotation))
        except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema):
            kind = inspect.formatannotation(each.annotation)
            advice = "use Python's basic types, a dataclass, a TypedDict or a pydantic model"
            return f"parameter '{each.name}' cannot be given as JSON: {kind} has no JSON Schema; {advice}"
        except _UNFIT as own:
            return f"parameter '{each.name}' cannot be served: {_reason(own)}"
    return f"the parameters cannot be served: {_reason(error)}"


def _reason(error: Exception) -> str:
    return " ".join(str(error).partition("For further information visit")[0].split())


def _without_texts(annotation: object) -> tuple[object, str | None]:
    """An annotation without `Annotated` if that adds nothing but texts, and the last of its texts."""
    if typing.get_origin(annotation) is not Annotated:
        return annotation, None
    inner, *notes = typing.get_args(annotation)
    texts = [_text(note) for note in notes]
    last = next((text for text in reversed(texts) if text), None)
    return (annotation if None in texts else inner), last


def _text(note: object) -> str | None:
    """The text of a note on an annotation: itself, that of a `Doc`, or of a `Field` that says nothing else."""
    if isinstance(note, FieldInfo):
        return note.description if repr(note) == repr(Field(description=note.description)) else None
    text = note if isinstance(note, str) else getattr(note, "documentation", None)
    return text if isinstance(text, str) else None


def _property(schema: Schema, default: object, description: str | None) -> Schema:
    """Describe one argument: what it may be, what it means, and what it is when left out."""
    own = {"description": description} if description else {}
    if default is EMPTY or isinstance(default, FieldInfo):
        return {**schema, **own}
    bare = {key: value for key, value in schema.items() if key != "default"}
    try:
        return {**bare, **own, "default": from_json(to_json(default), allow_inf_nan=False)}
    except ValueError:  # not a JSON value: only the function knows it
        return {**bare, **own}


def _object(properties: dict[str, Schema], required: list[str], definitions: dict[str, Schema]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return plain({**schema, "$defs": definitions})
