"""From Python types to forms, and from filled-in forms to values of these types.

A pydantic model, dataclass or TypedDict is a form with its fields; any other type that a form can ask for is a form
with one field; a JSON Schema is taken as it is. Below: `core.asking.forms`, pydantic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from mcport.core.asking.form_values import Unfit
from mcport.core.asking.forms import EMPTY, judge_form, read_form
from mcport.core.jsonrpc import JsonObject

FIELD: Final = "value"
"""The one field of a form that asks for a plain value."""


@dataclass(slots=True, frozen=True)
class Form:
    """What a user fills in; `typed` makes the value of what passed the form's own judgement, or raises `Unfit`."""

    schema: JsonObject
    typed: Callable[[JsonObject], Any]

    def read(self, content: object) -> Any:
        """Return the value of a form that was filled in. Raises `Unfit`."""
        return self.typed(judge_form(self.schema, content))


def form_of(schema: Any) -> Form:
    """Return the form for a type, for a JSON Schema, or for None, which asks for nothing but a yes.

    Raises TypeError, naming the field, for what a form cannot ask.
    """
    if schema is None:
        return Form(EMPTY, lambda content: None)
    if isinstance(schema, dict):
        return Form(read_form(schema), lambda content: content)
    try:
        return _form_of_type(schema)
    except TypeError as error:
        if "unhashable" in str(error):
            return _form_of_type.__wrapped__(schema)
        raise


@lru_cache(maxsize=256)
def _form_of_type(schema: Any) -> Form:
    from pydantic import PydanticUserError, TypeAdapter

    from mcport.server.signature.plain_schema import plain
    from mcport.server.signature.pydantic_schemas import json_schema

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(schema)
        described = plain(json_schema(adapter.core_schema))
    except PydanticUserError as error:
        raise TypeError(f"{schema!r} is no type for a form: {error.message}") from None
    if described.get("type") == "object":
        return Form(read_form(_spelled(described), lenient=True), lambda content: _validated(adapter, content, None))
    single = {"type": "object", "properties": {FIELD: described}, "required": [FIELD]}
    form = read_form(_spelled(single), lenient=True)
    return Form(form, lambda content: _validated(adapter, content[FIELD], FIELD))


def _spelled(schema: JsonObject) -> JsonObject:
    """A schema as pydantic writes it, in the words that forms have: one choice is a choice, titles win over values."""
    properties = {name: _spelled_property(each) for name, each in schema.get("properties", {}).items()}
    found = {"type": "object", "properties": properties, "required": schema.get("required", [])}
    if "properties" not in schema or schema.get("additionalProperties"):
        raise TypeError("a form has named fields; this type takes any")
    return found


def _spelled_property(schema: Any) -> Any:
    if not isinstance(schema, dict):
        return schema
    found = dict(schema)
    if isinstance(found.get("const"), str):
        found["enum"] = [found.pop("const")]
    if "oneOf" in found:
        found.pop("enum", None)
    if isinstance(found.get("items"), dict):
        items = _spelled_property(found["items"])
        kept = ("anyOf",) if "anyOf" in items else ("type", "enum")
        found["items"] = {key: items[key] for key in kept if key in items}
    return found


def _validated(adapter: Any, value: object, field: str | None) -> Any:
    from pydantic import ValidationError

    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = field or ".".join(map(str, found["loc"]))
        raise Unfit(f"{where!r}: {found['msg']}" if where else found["msg"]) from None
