"""Structured output of tools: what a tool declares of its results, and its values as structured content.

Where structured content must be an object, any other value is declared and sent as the member `result` of one. The
same JSON goes along as text, for readers of text (server/tools "Structured Content"). Below: `signature`, `content`,
`core.json_schema`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from mcport.core.dialects.envelope import Body
from mcport.core.jsonrpc import JsonObject, finite, parse_json
from mcport.errors import SchemaRefused
from mcport.server.extensions.extension_result import ExtensionResult
from mcport.server.signature import Output, ReturnInvalid, read_output
from mcport.spec.instances import is_model
from mcport.spec.revisions import Revision

from .content import BYTES_HINT, check_numbers, json_of, result_of
from .unsendable import ResultUnsendable, ReturnWrong, unsendable

if TYPE_CHECKING:
    from mcport.core.json_schema import Checker
    from mcport.spec.model import Model
    from mcport.spec.types import CallToolResult

_BOTH: Final = b'{"content":[{"type":"text","text":%b}],"structuredContent":%b}'
_WRAPPED: Final = b'{"content":[{"type":"text","text":%b}],"structuredContent":{"result":%b}}'
_TEXT: Final = b'{"content":[{"type":"text","text":%b}]}'
_NUMBER: Final = b'{"content":[{"type":"text","text":"%d"}],"structuredContent":%d}'
_NUMBER_WRAPPED: Final = b'{"content":[{"type":"text","text":"%d"}],"structuredContent":{"result":%d}}'
_NUMBER_TEXT: Final = b'{"content":[{"type":"text","text":"%d"}]}'

_SHORT: Final = 10**18

_BYTES: Final = (bytes, bytearray, memoryview)


class Structured:
    """What one tool declares of its results.

    `schema` is the JSON Schema of its values, in revisions where that may be of any type.
    """

    def __init__(self, schema: JsonObject, write: Callable[[object], bytes], check: Checker | None = None) -> None:
        self.schema = schema
        self.is_object = schema.get("type") == "object"
        self._is_integer = schema == _INTEGER
        self._write = write
        self._check = check

    @classmethod
    def of_output(cls, output: Output) -> Structured:
        """Declare what a return annotation says."""

        def write(value: object) -> bytes:
            data = output.write(value)
            if output.holds_anything:
                check_numbers(value, data)
            return data

        return cls(output.schema, write)

    @classmethod
    def of_schema(cls, name: str, schema: object) -> Structured:
        """Declare a schema as it is given. Raises `SchemaRefused` for one that cannot be used."""
        if not isinstance(schema, dict):
            raise SchemaRefused(f"{name}: output_schema: a schema is an object here, not {type(schema).__name__}")
        check = checker_of(f"{name}: output_schema", schema)
        return cls(schema, lambda value: _checked(json_of(value).encode(), check), check)

    @cached_property
    def checker(self) -> Checker:
        """What checks structured content that a handler made by itself."""
        from mcport.core.json_schema import compile_schema

        return self._check if self._check is not None else compile_schema(self.schema)

    def declared(self, revision: Revision) -> JsonObject:
        """Return the output schema as a revision with structured output knows it."""
        return self.schema if self.is_object or revision.structured_any_json else wrapped(self.schema)

    def pack(self, value: Any, revision: Revision) -> Body | ExtensionResult | Model:
        """Return the tools/call result for a returned value.

        Raises `ReturnWrong` for a value that is not as declared, `ResultUnsendable` for one that cannot be JSON.
        """
        plain = self.is_object or revision.structured_any_json
        if type(value) is int and -_SHORT < value < _SHORT and self._is_integer:
            if not revision.has_structured_output:
                return Body(_NUMBER_TEXT % value)
            return Body((_NUMBER if plain else _NUMBER_WRAPPED) % (value, value))
        if is_model(value) and (result := _as_result(value)) is not None:
            return self._passed_on(result, revision)
        if type(value) is ExtensionResult:
            return value
        data = self._written(value)
        text = data if data.startswith(b'"') else to_json(data.decode())
        if not revision.has_structured_output:
            return Body(_TEXT % text)
        return Body((_BOTH if plain else _WRAPPED) % (text, data))

    def _written(self, value: object) -> bytes:
        try:
            return finite(self._write(value))
        except ReturnInvalid as error:
            raise ReturnWrong(f"it returned what it does not declare: {error}") from None
        except ResultUnsendable:
            raise
        except (ValueError, RecursionError) as error:
            raise unsendable(value, error) from None

    def _passed_on(self, result: CallToolResult, revision: Revision) -> Model:
        """Return a result that the handler made itself; what it gives as structured content is checked."""
        if not result.is_error:
            if "structured_content" not in result.model_fields_set:
                raise ReturnWrong("it declares an output schema, and returned a result without structured content")
            fault = self.checker.fault(parse_json(json_of(result.structured_content).encode()))
            if fault is not None:
                raise ReturnWrong(f"its structured content is not what it declares: {fault}")
        return result_of(result, revision, wrap=not self.is_object)


def structured_of(
    name: str, returns: object, *, structured: bool | None = None, output_schema: JsonObject | None = None
) -> Structured | None:
    """Work out what a tool declares of its results; None if that is nothing.

    Raises TypeError where that is demanded and its return annotation does not say, and for bytes, which no result can
    hold; `SchemaRefused` for a schema.
    """
    if not structured and isinstance(returns, type) and issubclass(returns, _BYTES):
        raise TypeError(f"{name}: a tool cannot return bytes: {BYTES_HINT}")
    if output_schema is not None:
        if structured is False:
            raise TypeError(f"{name}: structured=False contradicts output_schema=")
        return Structured.of_schema(name, output_schema)
    output = read_output(returns, name, structured)
    return Structured.of_output(output) if output is not None else None


def checker_of(what: str, schema: JsonObject) -> Checker:
    """Compile a schema that an author gave. Raises `SchemaRefused`, which says of what."""
    import logging

    from mcport.core.json_schema import compile_schema

    try:
        checker = compile_schema(schema)
    except SchemaRefused as error:
        raise SchemaRefused(f"{what}: {error}") from None
    for note in checker.notes:
        logging.getLogger("mcport.server").warning("%s: %s", what, note)
    return checker


def declared(schema: JsonObject, revision: Revision) -> JsonObject:
    """Return an output schema as a revision can have it."""
    return schema if revision.structured_any_json or schema.get("type") == "object" else wrapped(schema)


def wrapped(schema: JsonObject) -> JsonObject:
    """Return the schema of an object of which the one member, `result`, is as `schema` says.

    References from the root lead to the same places as before.
    """
    inner = {key: value for key, value in schema.items() if key != "$schema"}
    if not isinstance(schema.get("$id"), str):  # with a name of its own it stays a document of its own
        inner = _moved(inner)
    dialect = {"$schema": schema["$schema"]} if "$schema" in schema else {}
    return {**dialect, "type": "object", "properties": {"result": inner}, "required": ["result"]}


_INTEGER: Final = {"type": "integer"}
_DATA: Final = frozenset({"const", "default", "enum", "examples"})


def _moved(node: Any) -> Any:
    if isinstance(node, list):
        return [_moved(each) for each in node]
    if not isinstance(node, dict) or isinstance(node.get("$id"), str):
        return node
    return {key: _moved_member(key, value) for key, value in node.items()}


def _moved_member(key: str, value: Any) -> Any:
    if key in ("$ref", "$dynamicRef") and isinstance(value, str) and (value == "#" or value.startswith("#/")):
        return f"#/properties/result{value[1:]}"
    return value if key in _DATA else _moved(value)


def _checked(data: bytes, checker: Checker) -> bytes:
    fault = checker.fault(parse_json(data))
    if fault is not None:
        raise ReturnInvalid(fault)
    return data


def _as_result(value: Model) -> CallToolResult | None:
    from mcport.spec.types import CallToolResult

    return value if isinstance(value, CallToolResult) else None
