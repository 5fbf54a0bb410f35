"""Approval: the host is asked before a tool is called, and nothing goes out unless it says yes.

Below: `callbacks`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from mcport.core.jsonrpc import JsonObject
from mcport.errors import NotApproved

from .callbacks import Callback, ProposedCall

if TYPE_CHECKING:
    from mcport.spec.types import Tool

CALL_TOOL: Final = "tools/call"
LIST_TOOLS: Final = "tools/list"

ResultT = TypeVar("ResultT")
Ask: TypeAlias = Callable[..., Awaitable[Any]]
"""Calls a callback with arguments."""


class Approval:
    """Asks one callback of a client, and knows the tools that the client has listed."""

    def __init__(self, callback: Callback, server: str) -> None:
        self._callback = callback
        self._server = server
        self._tools: dict[str, Tool] = {}

    def learn(self, tools: Iterable[Tool]) -> None:
        """Remember definitions, which the host will want to see."""
        self._tools |= {tool.name: tool for tool in tools}

    def forget(self) -> None:
        """The server is another one now, and so may be its tools."""
        self._tools.clear()

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
        call = ProposedCall(name, params.get("arguments") or {}, self._server, self._tools.get(name))
        try:
            verdict = await ask(self._callback, call)
        except Exception as error:
            if isinstance(error, NotApproved):
                raise
            raise self._refused(name, f"the approve callback failed: {error!r:.200}") from error
        if verdict is not True:
            raise self._refused(name, "the host did not approve it")

    def _refused(self, name: str, cause: str) -> NotApproved:
        line = f"{CALL_TOOL} {name} on server '{self._server}': {cause}"
        return NotApproved(line, server=self._server, phase=CALL_TOOL, cause=cause)
