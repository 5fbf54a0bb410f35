"""Tools: functions that clients call.

From `tools/call` to the function and back: find it, bind the arguments, run it, pack what it returns. Below:
`signature`, `calling`, `content`, `listing`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from mcport.core.dialects.contract import Admitted
from mcport.core.dialects.envelope import Body
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InvalidParams, ProtocolError, ToolError
from mcport.session.exchange import Exchange
from mcport.spec.model import Model

from .calling import Caller
from .content import failed, pack
from .faults import Faults
from .listing import Listing
from .routes import Route
from .signature import ArgumentsInvalid, Signature
from .suggestions import did_you_mean

if TYPE_CHECKING:
    from mcport.spec.types import Icon, ToolAnnotations


@dataclass(slots=True, eq=False, kw_only=True)
class ToolEntry:
    """One tool: the function, how its arguments are bound, and how it is shown."""

    function: Callable[..., Any]
    signature: Signature
    name: str | None = None
    title: str | None = None
    description: str | None = None
    annotations: ToolAnnotations | None = None
    icons: list[Icon] | None = None
    meta: JsonObject | None = None
    key: str = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.name or self.signature.name
        self.description = self.description or self.signature.description or None

    def shown(self) -> Model:
        """Return the tool as clients see it."""
        from mcport.spec.types import Tool

        return Tool(
            name=self.key,
            title=self.title,
            description=self.description,
            input_schema=self.signature.input_schema,
            annotations=self.annotations,
            icons=self.icons,
            meta=self.meta,
        )


def tools_page(tools: list[Model], cursor: str | None) -> Model:
    """Return a page of the list of tools."""
    from mcport.spec.types import ListToolsResult

    return ListToolsResult(tools=tools, next_cursor=cursor)


class Tools:
    """All tools of a server."""

    def __init__(
        self, server: str, caller: Caller, faults: Faults, size: int | None, changed: Callable[[], None]
    ) -> None:
        self.listing: Listing[ToolEntry] = Listing("tool", tools_page, size, changed)
        self._server = server
        self._caller = caller
        self._faults = faults

    def routes(self) -> dict[str, Route]:
        """Return the routes that are offered now: none without tools."""
        return {"tools/list": self.listing.answer, "tools/call": self.call} if len(self.listing) else {}

    async def call(self, exchange: Exchange, admitted: Admitted) -> Body | JsonObject | Model:
        """Serve `tools/call`."""
        params = exchange.asked.params
        tool = self.listing.get(params.get("name")) or self._unknown(params.get("name"))
        arguments = params.get("arguments")
        if arguments is None:
            arguments = {}
        elif type(arguments) is not dict:
            raise InvalidParams(f"{tool.key}: arguments must be an object")
        try:
            bound = tool.signature.bind(arguments)
            value = await self._caller.call(tool.function, tool.signature, bound, exchange, admitted)
            return pack(value, admitted.revision)
        except ArgumentsInvalid as error:
            line = f"{tool.key}: {error.line}"
            if admitted.revision.tool_argument_errors_are_results:
                return failed(line)
            raise InvalidParams(line) from None
        except ToolError as error:
            return failed(str(error))
        except ProtocolError:
            raise
        except Exception as error:
            return failed(self._faults.text(f"Tool {tool.key!r}", error))

    def _unknown(self, name: object) -> NoReturn:
        if type(name) is not str:
            raise InvalidParams(
                "tools/call: name must be a string" if name is not None else "tools/call: name is missing"
            )
        near = did_you_mean(name, self.listing.keys())
        raise InvalidParams(f"Unknown tool {name!r} on server {self._server!r}.{near}")
