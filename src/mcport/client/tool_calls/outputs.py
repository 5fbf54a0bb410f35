"""What a tool promises to return: its output schema, made ready once, and what is wrapped in an object because older
revisions know nothing else.

It fetches nothing and does bounded work, whatever the server wrote into its schema. Below: `core.json_schema`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from mcport.core.jsonrpc import JsonObject
from mcport.errors import SchemaRefused

if TYPE_CHECKING:
    from mcport.core.json_schema import Checker

log: Final = logging.getLogger("mcport.client")

WRAPPER: Final = "result"
"""The one member of an object that stands for a value that is none: revisions before 2026-07-28 have no other way, and
some servers do it in all of them."""

_ABOUT: Final = frozenset({"$schema", "$id", "$defs", "definitions", "title", "x-fastmcp-wrap-result"})
"""Members of a schema that do not change which values it stands for."""


class Output:
    """The output schema of one tool of one server, compiled when the first result is checked."""

    def __init__(self, server: str, tool: str, schema: JsonObject) -> None:
        self.wraps = is_wrapper(schema)
        self._server = server
        self._tool = tool
        self._schema: JsonObject | None = schema
        self._checker: Checker | None = None

    def fault(self, value: object) -> str | None:
        """Return in one line what is wrong with structured content, None if nothing is.

        Nothing is wrong under a schema that cannot be used; that is logged once.
        """
        if self._schema is not None:
            self._compile(self._schema)
            self._schema = None
        return None if self._checker is None else self._checker.fault(value)

    def _compile(self, schema: JsonObject) -> None:
        from mcport.core.json_schema import compile_schema

        try:
            self._checker = compile_schema(schema)
        except SchemaRefused as error:
            log.warning("%s; its results are not checked: %s", self, error)
            return
        for note in self._checker.notes:
            log.warning("%s: %s", self, note)

    def __str__(self) -> str:
        return f"the output schema of tool {self._tool!r:.200} on server '{self._server}'"


def is_wrapper(schema: JsonObject) -> bool:
    """Whether a schema stands for exactly an object of which the one member is `result`."""
    properties: Any = schema.get("properties")
    return (
        schema.keys() - _ABOUT == {"type", "properties", "required"}
        and schema["type"] == "object"
        and isinstance(properties, dict)
        and properties.keys() == {WRAPPER}
        and schema["required"] == [WRAPPER]
    )
