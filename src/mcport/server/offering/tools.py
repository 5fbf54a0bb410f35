"""Tools: functions that clients call.

From `tools/call` to the function and back: find it, bind the arguments, run it, pack what it returns. Below:
`signature`, `calling`, `content`, `listing`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from mcport.core.dialects.contract import Admitted
from mcport.core.dialects.envelope import Body
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.errors import InvalidParams, MissingCapability, ProtocolError, ToolError
from mcport.record import Record
from mcport.server.asking.outcomes import why_unanswered
from mcport.server.handling.calling import call
from mcport.server.results.content import failed, pack
from mcport.server.results.dressing import Dresser
from mcport.server.results.faults import Faults, Overdue
from mcport.server.results.structured import Structured, declared
from mcport.server.routes import Route
from mcport.server.signature import ArgumentsInvalid, Signature
from mcport.session.exchange import Exchange
from mcport.spec.revisions import Revision

from .cache_hint import NEVER, CacheHint
from .listing import Listing
from .suggestions import did_you_mean
from .visibility import Sight, Visible

if TYPE_CHECKING:
    from mcport.server.handling.calling import Call
    from mcport.spec.model import Model
    from mcport.spec.types import Icon, ToolAnnotations

log: Final = logging.getLogger("mcport.server")

_GOOD_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
"""What names of tools should be made of (server/tools, "Tool Names"); older revisions say nothing of it."""


class ToolEntry(Record, frozen=False, eq=False, kw_only=True):
    """One tool: the function, how its arguments are bound, and how it is shown."""

    function: Callable[..., Any]
    signature: Signature
    name: str
    title: str | None = None
    description: str | None = None
    annotations: ToolAnnotations | None = None
    icons: list[Icon] | None = None
    meta: JsonObject | None = None
    visible: Visible | None = None
    scopes: tuple[str, ...] = ()
    call: Call = call
    output: Structured | None = None
    waits: bool = True
    """Whether a call may have to wait for something: found out here."""

    def __post_init__(self) -> None:
        signature = self.signature
        self.waits = self.call is not call or not signature.is_async or signature.may_suspend

    @property
    def key(self) -> str:
        return self.name

    def members(self, revision: Revision) -> JsonObject:
        """Return the tool as clients of a revision see it."""
        from .page import in_words

        hints = self.annotations if revision.has_tool_annotations else None
        return {
            "inputSchema": self.signature.input_schema,
            "name": self.name,
            "annotations": in_words("ToolAnnotations", hints, revision),
            "description": self.description or self.signature.description or None,
            "icons": in_words("Icon", self.icons, revision) if revision.has_icons else None,
            "outputSchema": self._output_schema(revision) if revision.has_structured_output else None,
            "title": self.title if revision.has_titles else None,
            "_meta": self.meta if revision.has_titles else None,
        }

    def _output_schema(self, revision: Revision) -> JsonObject | None:
        return None if self.output is None else declared(self.output.schema, revision)


def tools_page() -> type[Model]:
    """Return the type of a page of tools."""
    from mcport.server.results.tool_list import ToolList

    return ToolList


class Tools:
    """All tools of a server."""

    def __init__(
        self,
        server: str,
        dresser: Dresser,
        faults: Faults,
        size: int | None,
        changed: Callable[[], None],
        hint: CacheHint = NEVER,
    ) -> None:
        self.listing: Listing[ToolEntry] = Listing("tool", "tools", tools_page, size, changed, Sight(faults), hint)
        self._server = server
        self._dresser = dresser
        self._faults = faults
        self._heeded = False

    def add(self, tool: ToolEntry) -> None:
        """Add a tool. Raises ValueError if its name is taken; warns of a name that clients may refuse."""
        self.listing.add(tool)
        if not _GOOD_NAME.fullmatch(tool.name):
            log.warning(
                "tool name %r: clients may refuse it; use 1 to 128 of letters, digits, '_', '-' and '.'", tool.name
            )

    def routes(self) -> dict[str, Route]:
        """Return the routes that are offered now: none as long as there were no tools."""
        return {"tools/list": self.listing.answer, "tools/call": self.call} if self.listing.served else {}

    def runs_through(self, params: JsonObject) -> bool:
        """Whether a call is one of a tool that everybody sees and that waits for nothing."""
        tool = self.listing.get(params.get("name"))
        return tool is not None and not tool.waits

    async def call(self, exchange: Exchange, admitted: Admitted) -> object:
        """Serve `tools/call`."""
        params = exchange.asked.params
        tool = self.listing.get(params.get("name")) or self._seen(params.get("name"), exchange, admitted)
        arguments = params.get("arguments")
        if arguments is None:
            arguments = {}
        elif type(arguments) is not dict:
            raise InvalidParams(f"{tool.name}: arguments must be an object")
        try:
            bound = tool.signature.bind(arguments)
            value = await tool.call(tool.function, tool.signature, bound, exchange, admitted)
            if type(value) is InputRequired:
                return value
            output = tool.output
            result = pack(value, admitted.revision) if output is None else output.pack(value, admitted.revision)
            if type(result) is Body:
                return result
            self._heed_resources(tool, result, admitted.revision)
            return self._dresser.dress_returned(value, result, admitted.revision)
        except ArgumentsInvalid as error:
            line = f"{tool.name}: {error.line}"
            if admitted.revision.tool_argument_errors_are_results:
                return failed(line)
            raise InvalidParams(line) from None
        except Overdue as error:
            return failed(self._faults.overdue(f"Tool {tool.name!r}", error))
        except ToolError as error:
            return failed(str(error))
        except MissingCapability as error:
            if admitted.revision.era == "stateless":
                raise
            return failed(str(error))
        except ProtocolError:
            raise
        except Exception as error:
            return failed(why_unanswered(exchange, error) or self._faults.text(f"Tool {tool.name!r}", error))

    def _heed_resources(self, tool: ToolEntry, result: object, revision: Revision) -> None:
        """Warn once of a tool that embeds a resource while the server offers none (server/tools, "Embedded Resources").

        Revisions without audio are left alone: there an embedded resource may be a sound that nobody else embedded.
        """
        if self._heeded or not revision.has_audio or self._dresser.declares("resources", revision):
            return
        if any(getattr(block, "type", None) == "resource" for block in getattr(result, "content", None) or ()):
            self._heeded = True
            log.warning(
                "tool %r embeds a resource, and the server offers no resources: say Server(offers=['resources'])",
                tool.name,
            )

    def _seen(self, name: object, exchange: Exchange, admitted: Admitted) -> ToolEntry:
        """Return a tool that is not for everybody, if it is for whoever asks; to all others it is unknown."""
        if type(name) is not str:
            raise InvalidParams(
                "tools/call: name must be a string" if name is not None else "tools/call: name is missing"
            )
        tool = self.listing.find(name, exchange, admitted)
        if tool is None:
            near = did_you_mean(name, [each.name for each in self.listing.seen(exchange, admitted)])
            raise InvalidParams(f"Unknown tool {name!r} on server {self._server!r}.{near}")
        return tool
