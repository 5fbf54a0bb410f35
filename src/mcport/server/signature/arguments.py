"""The arguments of a callable: the JSON Schema to advertise, and the check of each call's arguments.

A call is checked by one run of a compiled pydantic validator. Refuses to know callables. Below sit `fields`,
`json_semantics` and `problems`.
"""

from collections.abc import Callable
from typing import Any, cast

from pydantic_core import SchemaValidator, ValidationError, from_json

from .fields import Fields
from .json_semantics import Node, read_as_json, stop_early
from .plain_schema import Schema, allows
from .problems import MANY, ArgumentsInvalid, describe

__all__ = ["Arguments"]

Validate = Callable[[dict[str, Any]], dict[str, Any]]


class Arguments:
    """What callers give to one callable.

    Args:
        name: the callable's name, for errors.
        fields: what each argument may be.
    """

    def __init__(self, name: str, fields: Fields) -> None:
        self.name = name
        self.schema: Schema = fields.schema
        self._names = tuple(fields.parameters)
        self._validate: Validate = self._first_validate
        required = fields.schema.get("required", ())
        self._absent = frozenset(
            wire
            for wire, schema in fields.schema["properties"].items()
            if wire not in required and not allows(schema, type(None))
        )
        self._core = fields.core

    def bind(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Check already parsed JSON values and return them as the callable's own types, by parameter.

        What is not given stays away, so that the callable's own defaults hold; so does a null for what may be left
        out and cannot be null.

        Raises:
            ArgumentsInvalid: with one line that says what is wrong.
        """
        if self._absent and None in arguments.values():
            arguments = {
                name: value for name, value in arguments.items() if value is not None or name not in self._absent
            }
        try:
            return self._validate(arguments)
        except ValidationError as error:
            raise ArgumentsInvalid(self.name, self._line(error, arguments)) from None

    def bind_texts(self, texts: dict[str, str]) -> dict[str, Any]:
        """Check arguments that arrive as text, as in a prompt or in the variables of a URI.

        Text stays text where the type allows that; otherwise it is read as JSON: `5`, `true`, `[1, 2]`.

        Raises:
            ArgumentsInvalid: with one line that says what is wrong.
        """
        properties = self.schema["properties"]
        return self.bind({name: _value(text, properties.get(name, {})) for name, text in texts.items()})

    def _first_validate(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Compile the validator when it is first needed: many tools are listed and never called."""
        self._validate = _validator(read_as_json(self._core))
        return self._validate(arguments)

    def _line(self, error: ValidationError, arguments: dict[str, Any]) -> str:
        if error.error_count() > MANY:
            try:
                _validator(stop_early(read_as_json(self._core)))(arguments)
            except ValidationError as fewer:
                error = fewer
        return describe(error, self._names)


def _value(text: str, schema: Schema) -> object:
    if allows(schema, str):
        return text
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError:
        return text


def _validator(core: Node) -> Validate:
    """Compile a core schema, and nothing else.

    By default pydantic-core would use the validators that models already have, which do not read values as JSON;
    the switch against that exists since pydantic 2.13.
    """
    compiled: type[Any] = SchemaValidator
    try:
        validator = compiled(core, _use_prebuilt=False)
    except TypeError:
        validator = compiled(core)
    return cast(Validate, validator.validate_python)
