"""The arguments of a callable in pydantic's terms: a core schema for the object that holds them, and its JSON Schema.

What both ways of reading them have in common (`builtin_fields`, `typed_fields`). Refuses to know callables and errors
of calls. Below sit `parameters` and `plain_schema`.
"""

import typing
from typing import Annotated

from pydantic_core import from_json, to_json

from mcport.record import Record
from mcport.spec.instances import is_field

from .json_semantics import Node
from .parameters import EMPTY
from .plain_schema import Schema, plain

__all__ = ["SCALARS", "Fields", "as_object", "described", "given", "without_texts"]

SCALARS: dict[type, tuple[Node, Schema]] = {
    bool: ({"type": "bool"}, {"type": "boolean"}),
    float: ({"type": "float"}, {"type": "number"}),
    int: ({"type": "int"}, {"type": "integer"}),
    str: ({"type": "str"}, {"type": "string"}),
}
"""What pydantic says of the commonest types. Asking it for the first time costs as much as importing half of it."""


class Fields(Record):
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


def given(schema: Node, default: object) -> Node:
    """The core schema of an argument when it is given; a default of the function's own is left to the function."""
    if default is EMPTY or is_field(default):
        return schema
    while schema["type"] == "default" or (schema["type"] == "nullable" and default is None):
        schema = schema["schema"]
    return schema


def without_texts(annotation: object) -> tuple[object, str | None]:
    """An annotation without `Annotated` if that adds nothing but texts, and the last of its texts."""
    if typing.get_origin(annotation) is not Annotated:
        return annotation, None
    inner, *notes = typing.get_args(annotation)
    texts = [_text(note) for note in notes]
    last = next((text for text in reversed(texts) if text), None)
    return (annotation if None in texts else inner), last


def _text(note: object) -> str | None:
    """The text of a note on an annotation: itself, that of a `Doc`, or of a `Field` that says nothing else."""
    if is_field(note):
        from pydantic import Field

        return note.description if repr(note) == repr(Field(description=note.description)) else None
    text = note if isinstance(note, str) else getattr(note, "documentation", None)
    return text if isinstance(text, str) else None


def described(schema: Schema, default: object, description: str | None) -> Schema:
    """Describe one argument: what it may be, what it means, and what it is when left out."""
    own = {"description": description} if description else {}
    if default is EMPTY or is_field(default):
        return {**schema, **own}
    bare = {key: value for key, value in schema.items() if key != "default"}
    try:
        return {**bare, **own, "default": from_json(to_json(default), allow_inf_nan=False)}
    except ValueError:  # not a JSON value: only the function knows it
        return {**bare, **own}


def as_object(properties: dict[str, Schema], required: list[str], definitions: dict[str, Schema]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return plain({**schema, "$defs": definitions})
