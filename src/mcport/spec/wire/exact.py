"""What all exact models are made of: two bases, and the one thing that pydantic has no word for.

In a schema a field may be left out and yet not be null. `Omittable[X]` says that: the attribute is None when the field
was not there, but null is refused. Only wire names are accepted, and unknown fields are kept. Below it are the scalars.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, RootModel
from pydantic_core import core_schema

from mcport.spec.model import wire_name

Value = TypeVar("Value")


class _NotNull:
    """Takes null out of what a type accepts."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


Omittable: TypeAlias = Annotated[Value | None, _NotNull()]
"""A field that may be left out, but not be null."""


class Exact(BaseModel):
    """A definition that is an object."""

    model_config = ConfigDict(alias_generator=wire_name, serialize_by_alias=True, extra="allow", defer_build=True)

    def to_json(self) -> bytes:
        """Return exactly the fields that were there, as JSON text."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_unset=True)


class ExactRoot(RootModel[Any]):
    """A definition that is no object: a union, an array, a plain value."""

    model_config = ConfigDict(defer_build=True)

    def to_json(self) -> bytes:
        """Return exactly what was there, as JSON text."""
        return self.__pydantic_serializer__.to_json(self, by_alias=True, exclude_unset=True)
