"""Approval: the host is asked before a tool is called, and nothing goes out unless it says yes.

Below: `callbacks`, `definitions`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from mcport.client.answering.proposed import ProposedCall
from mcport.client.callbacks import Callback
from mcport.core.jsonrpc import JsonObject
from mcport.errors import NotApproved

from .definitions import Definitions

if TYPE_CHECKING:
    from mcport.spec.types import Tool

CALL_TOOL: Final = "tools/call"

ResultT = TypeVar("ResultT")
Ask: TypeAlias = Callable[..., Awaitable[Any]]
"""Calls a callback with arguments."""


class Approval:
    """Asks one callback of a client; `definitions` are the tools that the client has listed."""

    def __init__(self, callback: Callback, server: str, definitions: Definitions) -> None:
        self._callback = callback
        self._server = server
        self._definitions = definitions

    async def before(self, run: Coroutine[Any, Any, ResultT], params: JsonObject, ask: Ask) -> ResultT:
        """Run a call once the host has approved it. Raises `NotApproved` if it does not, or if its callback fails."""
        try:
            await self._approve(params, ask)
        except BaseException:
            run.close()
            raise
        return await run

    async def _approve(self, params: JsonObject, ask: Ask) -> None:
        name = str(params.get("name"))
        call = ProposedCall(name, params.get("arguments") or {}, self._server, self._tool(name))
        try:
            verdict = await ask(self._callback, call)
        except Exception as error:
            if isinstance(error, NotApproved):
                raise
            raise self._refused(name, f"the approve callback failed: {error!r:.200}") from error
        if verdict is not True:
            raise self._refused(name, "the host did not approve it")

    def _tool(self, name: str) -> Tool | None:
        """Return what a tool is, if it was listed and has not been said to have changed since."""
        from mcport.spec.types import Tool

        found = self._definitions.definition_of(name)
        return None if found is None else Tool.from_wire(found)

    def _refused(self, name: str, cause: str) -> NotApproved:
        line = f"{CALL_TOOL} {name} on server '{self._server}': {cause}"
        return NotApproved(line, server=self._server, phase=CALL_TOOL, cause=cause)
