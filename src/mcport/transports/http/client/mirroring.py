"""Which arguments of which tools are repeated in headers: learnt from every list of tools that passes.

(2026-07-28 basic/transports/streamable-http "Custom Headers from Tool Parameters".) Below:
`core.http.parameters`, `core.mirrors`.
"""

from __future__ import annotations

import logging
from typing import Final

from mcport.core.http.parameters import param_headers
from mcport.core.jsonrpc import JsonObject
from mcport.core.mirrors import BadAnnotation, Mirror, mirrors_of

LIST: Final = "tools/list"
CALL: Final = "tools/call"

log: Final = logging.getLogger("mcport.client")


class Mirroring:
    """What the tools of one server want to have repeated."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._mirrors: dict[str, tuple[Mirror, ...]] = {}

    def learn(self, result: object) -> str | None:
        """Take in a page of the list and return the cursor of the next one.

        Tools whose schema asks for headers that cannot be are taken out of the page, with a warning: they could not be
        called as the server wants it.
        """
        if type(result) is not dict:
            return None
        tools = result.get("tools")
        if type(tools) is list:
            result["tools"] = [tool for tool in tools if self._takes(tool)]
        cursor = result.get("nextCursor")
        return cursor if type(cursor) is str else None

    def _takes(self, tool: object) -> bool:
        """Whether a tool can be called; what is no tool is left to whoever reads the page."""
        if type(tool) is not dict or type(tool.get("name")) is not str or type(tool.get("inputSchema")) is not dict:
            return True
        name = tool["name"]
        self._mirrors.pop(name, None)
        try:
            mirrors = mirrors_of(tool["inputSchema"])
        except BadAnnotation as error:
            log.warning("server '%s': tool %.100r is left out of the list: %s", self._server, name, error)
            return False
        if mirrors:
            self._mirrors[name] = mirrors
        return True

    def headers(self, params: JsonObject) -> dict[str, str]:
        """Return the headers that repeat arguments of a call."""
        mirrors = self._mirrors.get(params.get("name"))  # type: ignore[arg-type]
        arguments = params.get("arguments")
        return param_headers(mirrors, arguments) if mirrors and type(arguments) is dict else {}
