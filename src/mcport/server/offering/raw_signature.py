"""The signature of a handler that takes all arguments as one object, by a JSON Schema that its author wrote.

The schema is shown as it is given, and arguments are checked against it. What a handler needs to be called is the same
as for any other, so that nothing below knows the difference. Below: `signature`, `structured`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mcport.core.json_schema import Words
from mcport.core.jsonrpc import JsonObject
from mcport.errors import SchemaRefused
from mcport.server.handling.context import Context
from mcport.server.results.structured import checker_of
from mcport.server.signature import ArgumentsInvalid, Reading, Signature, shown

_WORDS = Words(part="argument", whole="all arguments together", shown=shown)


class RawSignature(Signature):
    """What a raw handler takes: an object that fits `input_schema`, and the context if it asks for it.

    Raises TypeError for a handler that takes anything else, `SchemaRefused` for a schema that cannot be used.
    """

    __slots__ = ("_checker", "_parameter")

    def __init__(self, name: str, handler: Callable[..., Any], input_schema: object) -> None:
        if not isinstance(input_schema, dict) or input_schema.get("type") != "object":
            raise SchemaRefused(f"{name}: input_schema: arguments form an object, so its 'type' is 'object'")
        self._checker = checker_of(f"{name}: input_schema", input_schema)
        super().__init__(handler, Reading(name, Context))
        parameters = list(self.input_schema["properties"])
        if len(parameters) == 2 and self.context_parameter is None:
            self.context_parameter = parameters.pop()  # "handler(arguments, ctx)" without annotations
        if len(parameters) != 1:
            raise TypeError(f"{name}: a raw handler takes the arguments as one dict, and the context if it likes")
        self._parameter = parameters[0]
        self.input_schema = input_schema
        self.bind = self._bound

    def _bound(self, arguments: JsonObject) -> dict[str, Any]:
        fault = self._checker.fault(arguments, _WORDS)
        if fault is not None:
            raise ArgumentsInvalid(self.name, fault)
        return {self._parameter: arguments}
