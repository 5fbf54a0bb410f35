"""Resuming: going on with a call that was answered with questions, by whoever has the answers.

Below: `asking`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from mcport.core.input_required import InputRequired
from mcport.errors import NotDeclared

from .asking import Asking
from .callbacks import ProgressCallback
from .timing import UNSET, Seconds
from .tool_calls.tool_calls import CALL

if TYPE_CHECKING:
    from mcport.spec.types import GetPromptResult, ReadResourceResult

    from .tool_calls.tool_result import ToolResult

ResultT = TypeVar("ResultT")


class Resuming(Asking):
    """The call that goes on where another one stopped (2026-07-28 basic/patterns/mrtr)."""

    @overload
    async def resume(
        self,
        pending: InputRequired,
        answers: Mapping[str, object] | None = None,
        *,
        as_: type[ResultT],
        rounds: None = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
    ) -> ToolResult[ResultT]: ...

    @overload
    async def resume(
        self,
        pending: InputRequired,
        answers: Mapping[str, object] | None = None,
        *,
        as_: type[ResultT],
        rounds: int,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
    ) -> ToolResult[ResultT] | InputRequired: ...

    @overload
    async def resume(
        self,
        pending: InputRequired,
        answers: Mapping[str, object] | None = None,
        *,
        as_: None = None,
        rounds: None = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
    ) -> ToolResult[Any] | GetPromptResult | ReadResourceResult: ...

    @overload
    async def resume(
        self,
        pending: InputRequired,
        answers: Mapping[str, object] | None = None,
        *,
        as_: Any = None,
        rounds: int | None = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
    ) -> ToolResult[Any] | GetPromptResult | ReadResourceResult | InputRequired: ...

    async def resume(
        self,
        pending: InputRequired,
        answers: Mapping[str, object] | None = None,
        *,
        as_: Any = None,
        rounds: int | None = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
    ) -> ToolResult[Any] | GetPromptResult | ReadResourceResult | InputRequired:
        """Go on with a call that was answered with questions, on this client or any other one of the same server.

            pending = await client.call_tool("book", {"seat": 7}, rounds=0)
            if isinstance(pending, InputRequired):
                result = await client.resume(pending, {"confirm": {"sure": True}})

        `answers` are what a callback would return, under the keys of `pending.questions`; what is not among them is
        asked of this client's callbacks. `as_` is that of `call_tool`, for the call of a tool. `rounds` is how often
        the server may ask again: None for the client's own number, 0 to be given the questions again. `timeout` and
        `progress` are those of `request`.

        Raises ValueError for an answer that does not fit its question, and otherwise what the call itself raises. See
        basic/patterns/mrtr of the specification.
        """
        call = pending.call
        if call is None:
            raise ValueError("only what a client was given can be resumed: it knows the call that it belongs to")
        if as_ is not None and call["method"] != CALL:
            raise ValueError(f"as_ is for calls of tools, and this is {call['method']}")
        if not self._known.revision.asks_by_returning:
            raise NotDeclared(f"protocol version {self.revision}, which this server speaks, resumes no calls")
        connection = self._connection
        if connection is None:
            raise self._absent(call["method"])
        going = connection.rounds_of(call["method"], call.get("params"), self._patience_of(timeout))
        params = await going.resume(pending, answers or {})
        found = await self._asking(call["method"], params, timeout, None, progress or self._progress, rounds)
        result: ToolResult[Any] | GetPromptResult | ReadResourceResult | InputRequired
        result = self._read(call["method"], found, params)
        if call["method"] == CALL and not isinstance(result, InputRequired):
            return await self._judged(call["params"]["name"], result, as_)  # type: ignore[arg-type]
        return result
