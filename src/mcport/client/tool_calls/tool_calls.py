"""Calling tools: the result, held against what the tool promised, and the value in it as the type that is wanted.

Below: the generated `calls`, `definitions`; `tool_result` is loaded with the first result.
"""

from __future__ import annotations

import inspect
import logging
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias, TypeVar, overload

from mcport.client.callbacks import ProgressCallback
from mcport.client.calls import Calls
from mcport.client.timing import UNSET, Seconds
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.errors import ConversationError, OutputInvalid, ToolFailed

from .definitions import DefinitionChanged, Definitions

if TYPE_CHECKING:
    from mcport.spec.revisions import Revision

    from .tool_result import ToolResult

log: Final = logging.getLogger("mcport.client")

audit: Final = logging.getLogger("mcport.client.tools")
"""Each tool call at level INFO, with its outcome; neither arguments nor results (server/tools "Security")."""

DataT = TypeVar("DataT")

CheckOutput: TypeAlias = bool | Literal["always"]
"""Whether results are checked: where the tool was listed, nowhere, or always, listing the tools once if need be."""

ChangedCallback: TypeAlias = Callable[[DefinitionChanged], Awaitable[None] | None]
"""Told of each tool that is not defined as it was."""

CALL: Final = "tools/call"
LIST: Final = "tools/list"


class ToolCalls(Calls):
    """The calls of `Calls`, with what is known of the tools of the server."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._definitions = Definitions(server)
        self._check_output: CheckOutput = True
        self._changed: ChangedCallback | None = None

    @property
    @abstractmethod
    def _spoken(self) -> Revision:
        """The revision that is spoken."""

    @overload
    async def call_tool(
        self,
        name: str,
        arguments: JsonObject | None = None,
        *,
        as_: type[DataT],
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
        rounds: None = None,
    ) -> ToolResult[DataT]: ...

    @overload
    async def call_tool(
        self,
        name: str,
        arguments: JsonObject | None = None,
        *,
        as_: type[DataT],
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
        rounds: int,
    ) -> ToolResult[DataT] | InputRequired: ...

    @overload
    async def call_tool(
        self,
        name: str,
        arguments: JsonObject | None = None,
        *,
        as_: Any = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
        rounds: None = None,
    ) -> ToolResult[Any]: ...

    @overload
    async def call_tool(
        self,
        name: str,
        arguments: JsonObject | None = None,
        *,
        as_: Any = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
        rounds: int,
    ) -> ToolResult[Any] | InputRequired: ...

    async def call_tool(
        self,
        name: str,
        arguments: JsonObject | None = None,
        *,
        as_: Any = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
        rounds: int | None = None,
    ) -> ToolResult[Any] | InputRequired:
        """Call a tool with arguments, and return what it gave back.

        `name`: the tool's identifier, as listed by the server. `arguments`: values by argument name, as the tool's
        `inputSchema` demands; None for none. `as_`: the type that `result.data` is to have, whatever pydantic reads;
        without it `result.data` is JSON. `timeout`, `progress` and `meta` are those of `request`. `rounds`: how often
        the server may ask before it is done; None for the client's own number. With 0 its questions are returned as an
        `InputRequired`, to be stored and answered with `resume`.

        A tool that ran and failed gives a result with `is_error`, for the model to read; with `as_` it raises
        `ToolFailed`. Where the tool was listed with an output schema, the result is checked against it, and raises
        `OutputInvalid` if it breaks it, or has not the type `as_`. Raises `NotDeclared` unless the server declared
        `tools`; `RemoteError`, `Timeout`, `ConnectionLost` and `InvalidAnswer` as `request` does; and
        `ExtensionAnswered` with what a declared extension gives in place of a result, such as a task. See server/tools
        of the specification.
        """
        params: JsonObject = {"name": name}
        if arguments is not None:
            params["arguments"] = arguments
        if as_ is not None:
            from .tool_result import reader_of

            reader_of(as_)  # a type that cannot be read is a mistake of the caller's: say so before the tool runs
        result: ToolResult[Any] | InputRequired
        try:
            result = await self._call(CALL, params, timeout, meta, progress or self._progress, rounds)
            if not isinstance(result, InputRequired):
                result = await self._judged(name, result, as_)
        except BaseException as error:
            audit.info("tool %r on server '%s': %s", name, self._server, type(error).__name__)
            raise
        outcome = "asks" if isinstance(result, InputRequired) else "failed" if result.is_error else "done"
        audit.info("tool %r on server '%s': %s", name, self._server, outcome)
        return result

    async def _judged(self, name: str, result: ToolResult[Any], as_: Any = None) -> ToolResult[Any]:
        """Hold a result against what its tool promised."""
        if self._spoken.has_structured_output:
            if self._check_output == "always" and not self._definitions.knows(name):
                await self._list_once()
            self._check(name, result)
        if as_ is not None:
            self._convert(name, result, as_)
        return result

    def _check(self, name: str, result: ToolResult[Any]) -> None:
        output, wraps = self._definitions.output_of(name), not self._spoken.structured_any_json
        if output is not None and not result.is_error:
            if self._check_output:
                missing = "structured_content" not in result.model_fields_set
                fault = "structuredContent is missing" if missing else output.fault(result.structured_content)
                if fault is not None:
                    raise self._invalid(name, result, f"does not fit the tool's output schema: {fault}")
            if output.wraps:
                result.unwrap(text_must_agree=not wraps)
        elif wraps and not self._definitions.knows(name):
            result.unwrap(text_must_agree=True)

    def _convert(self, name: str, result: ToolResult[Any], as_: Any) -> None:
        if result.is_error:
            text = result.text() or "it gave no reason"
            line = f"tool '{name}' on server '{self._server}' failed: {text:.500}"
            raise ToolFailed(line, tool=name, result=result, server=self._server, phase=CALL, cause=text)
        try:
            result.read_as(as_, may_be_wrapped=not self._spoken.structured_any_json)
        except ValueError as error:
            wanted = getattr(as_, "__name__", as_)
            raise self._invalid(name, result, f"is no {wanted}: {error}") from None

    def _invalid(self, name: str, result: ToolResult[Any], cause: str) -> OutputInvalid:
        line = f"{CALL} on server '{self._server}': the result of tool '{name}' {cause}"
        return OutputInvalid(line, tool=name, result=result, server=self._server, phase=CALL, cause=cause)

    # ---- what tools are

    async def _list_once(self) -> None:
        """List the tools, if that was not done since they may have changed; a failure leaves the result unchecked."""
        if self._definitions.complete:
            return
        try:
            async for _ in self.each_tool():
                pass
        except ConversationError as error:
            log.warning("results are not checked, since the tools cannot be listed: %s", error)
            return
        self._definitions.complete = True

    async def _note(self, tools: list[object], spoilt: int) -> None:
        """Remember what tools are, and tell of those that are not what they were, before anybody gets the list."""
        for change in self._definitions.note(tools, spoilt):
            if self._changed is None:
                log.warning("%s", change)
                continue
            try:
                outcome = self._changed(change)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:
                log.exception("the callback for changed definitions failed")


def check_setting(check_output: object) -> CheckOutput:
    """Return a setting of `check_output`; raises ValueError, in one line, for what is none."""
    if check_output in (True, False) or check_output == "always":
        return check_output
    raise ValueError(f"check_output is True, False or 'always', not {check_output!r}")
