"""What pydantic says of an annotation: its core schema, and the JSON Schema of what that accepts or writes.

Loading pydantic is dear, so that this room is loaded by whoever first needs it; functions of Python's commonest types
never do. Refuses to know callables. Below sit `core.typed_dicts` and pydantic.
"""

from typing import Any, Literal, cast

from pydantic import TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import SchemaError
from pydantic_core.core_schema import ComputedField, CoreSchema, DatetimeSchema, WithDefaultSchema

from mcport.core.typed_dicts import readable

from .plain_schema import Schema

__all__ = ["UNFIT", "core_schema", "json_schema", "reason"]

UNFIT = (PydanticUserError, SchemaError, NameError, TypeError, ValueError)
"""What pydantic raises for annotations that it cannot read, or whose parts contradict each other."""


class _Generator(GenerateJsonSchema):
    """pydantic's own writer of JSON Schema, without titles made from the names of fields."""

    ignored_warning_kinds = frozenset({"skipped-choice", "non-serializable-default"})  # type: ignore[assignment]

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def field_is_required(self, field: Any, total: bool) -> bool:
        """In what is written every field of a model is there, unless its author leaves it out on a condition."""
        if self.mode != "serialization" or field["type"] == "typed-dict-field":
            return super().field_is_required(field, total)
        return not field.get("serialization_exclude") and "serialization_exclude_if" not in field

    def default_schema(self, schema: WithDefaultSchema) -> dict[str, Any]:
        """What is written is always there, so that it is of no interest what it would be otherwise."""
        return self.generate_inner(schema["schema"]) if self.mode == "serialization" else super().default_schema(schema)

    def datetime_schema(self, schema: DatetimeSchema) -> dict[str, Any]:
        """A time without a zone is written without one, and then has not the format of JSON Schema."""
        written = self.mode == "serialization" and schema.get("tz_constraint") != "aware"
        return {"type": "string"} if written else super().datetime_schema(schema)

    def computed_field_schema(self, schema: ComputedField) -> dict[str, Any]:
        """A computed field is read like any other."""
        found = super().computed_field_schema(schema)
        return {key: value for key, value in found.items() if key != "readOnly"}


def core_schema(annotation: object) -> CoreSchema:
    """Return how pydantic reads and writes values of an annotation. Raises one of `UNFIT` where it cannot."""
    return TypeAdapter(cast(Any, readable(annotation))).core_schema


def json_schema(schema: CoreSchema, mode: Literal["validation", "serialization"] = "validation") -> Schema:
    """Return the JSON Schema of what a core schema accepts, or writes, as pydantic has it, but for titles of fields."""
    return _Generator().generate(schema, mode=mode)


def reason(error: Exception) -> str:
    """Return on one line why pydantic cannot read an annotation."""
    return " ".join(str(error).partition("For further information visit")[0].split())
