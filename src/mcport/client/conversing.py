"""Conversing: what a host knows of its server, and what it can ask and tell, whoever opened the conversation.

Below: `asking`, `resuming`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from mcport.core.jsonrpc import JsonObject

from .callbacks import ROOTS_CHANGED, ProgressCallback
from .handle import CallHandle
from .logs import SET_LEVEL, check_level
from .resuming import Resuming
from .timing import UNSET, Patience, Seconds

if TYPE_CHECKING:
    from mcport.spec.types import (
        CompleteResult,
        CompletionArgument,
        CompletionContext,
        LoggingLevel,
        PromptReference,
        ResourceTemplateReference,
    )

    from .answering.roots import RootLike
    from .listening.listening import Changes
    from .listening.subscriptions import Subscriptions
    from .tool_calls.tool_result import ToolResult

ResultT = TypeVar("ResultT")


class Conversing(Resuming):
    """The verbs of a conversation and what is known of the other side."""

    # ---- what is known of the server

    @property
    def server_info(self) -> JsonObject:
        """How the server named itself; empty where it did not."""
        return self._known.server_info or {}

    @property
    def capabilities(self) -> JsonObject:
        """What the server declared that it can do."""
        return self._known.capabilities

    @property
    def instructions(self) -> str | None:
        """How a model should use the server, in the server's words."""
        return self._known.instructions

    # ---- calls; `Calls` has the typed ones

    async def request(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
    ) -> JsonObject:
        """Send any request and return its result as a JSON object.

        `timeout` is how many seconds the call may be silent: the client's own if nothing is said, None for no limit at
        all. `progress` is called with the progress, the total and the message of each report, and has come to its end
        when the result is returned. `meta` goes into `_meta`. Who is cancelled while waiting withdraws the request.

        Raises `NotDeclared` where the server or the revision lacks the method, `RemoteError` for an error, `Timeout`,
        `ConnectionLost` and `InvalidAnswer`; ValueError for what cannot be sent.
        """
        found: JsonObject = await self._asking(method, params, timeout, meta, progress)
        return found

    async def complete(
        self,
        ref: PromptReference | ResourceTemplateReference | None = None,
        argument: CompletionArgument | str = "",
        context: CompletionContext | Mapping[str, str] | None = None,
        *,
        prompt: str | None = None,
        resource: str | None = None,
        value: str = "",
        timeout: Seconds = UNSET,
        meta: JsonObject | None = None,
    ) -> CompleteResult:
        """Ask for suggestions for one argument of a prompt or one variable of a resource template.

            found = await client.complete(prompt="greet", argument="name", value="A")

        What is being filled in is the prompt of that name, or the resource template `resource`, or whatever `ref` says.
        `argument` is the name of its argument or variable, of which `value` is typed so far; `context` holds what else
        is known already, by name. `timeout` and `meta` are those of `request`.

        Raises TypeError unless one thing is to be filled in, `NotDeclared` unless the server declared `completions`;
        and otherwise what `request` raises. See server/utilities/completion of the specification.
        """
        from .saying import filled_in, settled, typed_so_far

        ref, argument = filled_in(ref, prompt, resource), typed_so_far(argument, value)
        return await super().complete(ref, argument, settled(context), timeout=timeout, meta=meta)

    def notify(self, method: str, params: JsonObject | None = None) -> None:
        """Send any notification; returns at once. Raises `NotDeclared` and `ConnectionLost`."""
        if self._connection is None:
            raise self._absent(method)
        self._connection.tell(method, params)

    def start(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
    ) -> CallHandle[JsonObject]:
        """Start any request and return its handle at once: await it for the result, or `cancel()` it.

        The arguments are those of `request`.
        """
        return self._started(method, self._asking(method, params, timeout, meta, progress))

    def start_tool(
        self,
        name: str,
        arguments: JsonObject | None = None,
        *,
        as_: Any = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
    ) -> CallHandle[ToolResult[Any]]:
        """Start a tool call and return its handle at once: await it for the result, or `cancel()` it.

        The arguments are those of `call_tool`.
        """
        call = self.call_tool(name, arguments, as_=as_, timeout=timeout, progress=progress, meta=meta)
        return self._started(f"tools/call {name}", call)

    def _started(self, phase: str, call: Coroutine[Any, Any, ResultT]) -> CallHandle[ResultT]:
        if self._loop is None:
            call.close()
            raise self._absent(phase)
        return CallHandle(self._loop, call, self._server, phase)

    def listen(
        self,
        *,
        tools: bool = False,
        prompts: bool = False,
        resources: bool = False,
        uris: Iterable[str] = (),
        filters: Mapping[str, Any] | None = None,
        timeout: Seconds = UNSET,
    ) -> Changes:
        """Return an asynchronous iterator over what changes at the server, the same in every revision.

            async with client.listen(tools=True) as changes:
                async for change in changes:

        `tools`, `prompts` and `resources` ask for changes of these lists (`ToolsChanged`, `PromptsChanged`,
        `ResourcesChanged`), `uris` for updates of these resources (`ResourceUpdated`); `filters` are those of
        extensions (`Notified`). `timeout` is how many seconds the server may take to begin. Several may listen side by
        side; those who ask for the same resource share the subscription.

        Raises ValueError if nothing is asked for. Entering it, or the first step of the loop, raises `NotDeclared` for
        what the server did not declare, and otherwise what `request` raises. See basic/patterns/subscriptions of the
        specification, and server/resources of older revisions.
        """
        from .listening.listening import Changes, wanted_of

        wanted = wanted_of(tools, prompts, resources, uris, filters)
        return Changes(self._listened, wanted, self._patience_of(timeout))

    async def _listened(self, patience: Patience) -> Subscriptions:
        """Return who knows all listeners of the open conversation."""
        await self._standing("listening", patience.silent)
        if self._connection is None or self._loop is None:
            raise self._absent("listening")
        if self._subscriptions is None:
            from .listening.subscriptions import Subscriptions

            self._subscriptions = Subscriptions(self._connection, self._loop)
        return self._subscriptions

    def set_roots(self, roots: Iterable[RootLike]) -> None:
        """Have other roots from now on, and tell the server so where the revision has a way to; returns at once.

        It needs no `await`, unlike `set_log_level`: telling is a notification, which nobody answers.

        `roots` are paths, `file://` URIs or `Root` objects. Raises ValueError for what is none, and RuntimeError for a
        client that was not made with a list of roots (`roots=[]` will do), which servers have been told of.
        """
        if self._callbacks.roots is None:
            raise RuntimeError("set_roots is for a client that was made with roots=[...]")
        self._callbacks.set_roots(roots)
        connection = self._connection
        if connection is not None and not connection.over and connection.declares_changing_roots:
            connection.tell(ROOTS_CHANGED, None)

    async def set_log_level(self, level: LoggingLevel | None, *, timeout: Seconds = UNSET) -> None:
        """Have the server send log messages of this level and graver ones from now on, in every revision.

        It is awaited since older revisions make a request of it, which the server may refuse.

        It holds for later conversations of this client too. None means no messages at all, where requests ask for them
        (stateless era). `timeout` is that of `request`. Raises ValueError for what is no level here, `NotDeclared` if
        the server did not declare `logging`, and otherwise what `request` raises. See server/utilities/logging of the
        specification.
        """
        each_time = self._known.revision.logs_per_request
        if level is not None or not each_time:
            check_level(level)
        connection = self._connection
        if connection is None or connection.speaker is None:
            raise self._absent(SET_LEVEL)
        if each_time:
            connection.speaker.demand("a log level", "logging", connection.declared)
            connection.speaker.log_from(level)
            if level is not None:
                from .deprecations import LOGGING, mind

                mind([LOGGING], self._spoken)
        else:
            await self._asking(SET_LEVEL, {"level": level}, timeout, None, None)
        self._logs.level = level

    async def _renew_log_level(self) -> None:
        """Say the level again to a server that was started or reached again."""
        connection, level = self._connection, self._logs.level
        if level is None or connection is None or self._known.revision.logs_per_request:
            return
        # Not by way of `_asking`: that would wait for the very start that this belongs to.
        await connection.ask(SET_LEVEL, {"level": level}, self._patience)
