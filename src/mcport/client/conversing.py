"""Conversing: what a client knows of its server, and what it can ask and tell, whoever opened the conversation.

Below: the generated `calls`, `connection`, `reading` and `saying`.
"""

from __future__ import annotations

from collections.abc import Container, Coroutine, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio

from mcport.core.dialects.contract import COMPLETE
from mcport.core.dialects.opening import Opened
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import CLIENT_LIMITS, Limits
from mcport.errors import INVALID_PARAMS, ConnectFailed, ConversationError, NotDeclared, RemoteError
from mcport.session.link import subject_of
from mcport.session.loop import Loop

from .callbacks import ROOTS_CHANGED, Callbacks, ProgressCallback
from .connection import Connection
from .failures import Failures, Remains
from .handle import CallHandle
from .logs import SET_LEVEL, Logs, check_level
from .paging import StaleCursor, Walk
from .reading import read_result
from .saying import dump_params, with_meta
from .timing import UNSET, Patience, Seconds
from .tool_calls.tool_calls import CALL, LIST, ToolCalls

if TYPE_CHECKING:
    from mcport.spec.revisions import Revision
    from mcport.spec.types import GetPromptResult, LoggingLevel, ReadResourceResult

    from .answering.relay import ProgressRelay
    from .answering.roots import RootLike
    from .caching import ResultCache
    from .listening.listening import Changes
    from .listening.subscriptions import Subscriptions
    from .restarting import Restarting
    from .tool_calls.approval import Approval
    from .tool_calls.tool_result import ToolResult

ResultT = TypeVar("ResultT")

IDENTITY: Final = {"tools": "name", "prompts": "name", "resources": "uri", "resource_templates": "uri_template"}
"""What tells the items of each list apart."""


class Conversing(ToolCalls):
    """One side of a conversation with the server of that name; whoever opens it sets what is known of it."""

    def __init__(self, server: str, patience: Patience, limits: Limits = CLIENT_LIMITS) -> None:
        super().__init__(server)
        self._patience = patience
        self._limits = limits
        self._loop: Loop | None = None
        self._meta_keys: Container[str] = frozenset()
        """Keys of `_meta` that declared extensions have defined."""
        self._connection: Connection | None = None
        self._subscriptions: Subscriptions | None = None
        self._opened: Opened | None = None
        self._cache: ResultCache | None = None
        self._restarting: Restarting | None = None
        self._callbacks = Callbacks()
        self._logs = Logs(None)
        self._approval: Approval | None = None

    # ---- what is known of the server

    @property
    def connected(self) -> bool:
        """Whether the conversation is open: not before `connect()`, and not after the end of either side."""
        return self._connection is not None and not self._connection.over

    @property
    def revision(self) -> str:
        """The protocol revision that is spoken."""
        return self._known.revision.name

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

    @property
    def _spoken(self) -> Revision:
        return self._known.revision

    @property
    def _known(self) -> Opened:
        if self._opened is None:
            raise self._absent("asking who the server is")
        return self._opened

    def _absent(self, phase: str, params: JsonObject | None = None) -> ConversationError:
        if self._opened is not None:
            return Failures(self._server).lost(phase, "this client was closed", Remains(), subject_of(phase, params))
        line = f"the client of '{self._server}' is not connected: use 'async with' or connect()"
        return ConnectFailed(line, server=self._server, phase=phase, cause="not connected")

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

    async def resume(
        self,
        pending: InputRequired,
        answers: Mapping[str, object] | None = None,
        *,
        rounds: int | None = None,
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
    ) -> ToolResult[Any] | GetPromptResult | ReadResourceResult | InputRequired:
        """Go on with a call that was answered with questions, on this client or any other one of the same server.

            pending = await client.call_tool("book", {"seat": 7}, rounds=0)
            if isinstance(pending, InputRequired):
                result = await client.resume(pending, {"confirm": {"sure": True}})

        `answers` are what a callback would return, under the keys of `pending.questions`; what is not among them is
        asked of this client's callbacks. `rounds` is how often the server may ask again: None for the client's own
        number, 0 to be given the questions again. `timeout` and `progress` are those of `request`.

        Raises ValueError for an answer that does not fit its question, and otherwise what the call itself raises. See
        basic/patterns/mrtr of the specification.
        """
        call = pending.call
        if call is None:
            raise ValueError("only what a client was given can be resumed: it knows the call that it belongs to")
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
            return await self._judged(call["params"]["name"], result)  # type: ignore[arg-type]
        return result

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

    # ---- what the typed calls are made of

    def _asking(
        self,
        method: str,
        params: JsonObject | None,
        timeout: Seconds,
        meta: JsonObject | None,
        progress: ProgressCallback | None,
        rounds: int | None = None,
    ) -> Coroutine[Any, Any, Any]:
        """Return the running of a request. (No coroutine itself: each one on the way costs every call.)"""
        connection, loop = self._connection, self._loop
        if self._restarting is not None and self._must_restart(self._restarting):
            return self._asking_anew(self._restarting, method, params, timeout, meta, progress, rounds)
        if connection is None or loop is None:
            raise self._absent(method, params)
        if meta is not None or (params is not None and "_meta" in params):
            params = with_meta(params, meta, self._known.revision, self._meta_keys)
        patience = self._patience_of(timeout)
        if progress is None:
            run = connection.ask(method, params, patience, None, rounds)
        else:
            relay = _relay(loop, progress)
            run = _with_progress(connection.ask(method, params, patience, relay, rounds), relay)
        if self._approval is not None and method == CALL:
            run = self._approval.before(run, params or {}, connection.ask_host)
        return run

    async def _asking_anew(
        self, restarting: Restarting, method: str, params: JsonObject | None, timeout: Seconds, *rest: Any
    ) -> Any:
        """Run a request once the server has been started again."""
        await self._started_anew(restarting, method, self._patience_of(timeout), subject_of(method, params))
        return await self._asking(method, params, timeout, *rest)

    async def _started_anew(
        self, restarting: Restarting, phase: str, patience: Patience, subject: str | None = None
    ) -> None:
        """Wait until the server has been started again."""
        assert self._loop is not None
        remains = Remains() if self._connection is None else self._connection.remains
        with anyio.move_on_after(patience.silent) as scope:
            await restarting.ready(self._loop, phase, remains, subject)
        if scope.cancelled_caught:
            raise Failures(self._server).not_back(phase, patience.silent or 0, subject)

    async def _standing(self, phase: str, timeout: Seconds, params: JsonObject | None = None) -> None:
        """Wait for a server that has to be started again, before anything is taken for granted."""
        if self._restarting is not None and self._must_restart(self._restarting):
            await self._started_anew(self._restarting, phase, self._patience_of(timeout), subject_of(phase, params))

    def _must_restart(self, restarting: Restarting) -> bool:
        return restarting.engaged or (self._connection is not None and self._connection.over)

    def _patience_of(self, timeout: Seconds) -> Patience:
        return self._patience if timeout is UNSET else self._patience.with_call(timeout)

    async def _call(
        self,
        method: str,
        params: JsonObject,
        timeout: Seconds,
        meta: JsonObject | None,
        progress: ProgressCallback | None = None,
        rounds: int | None = None,
    ) -> Any:
        """Send a request of the method table and return its typed result."""
        return self._read(method, await self._asking(method, params, timeout, meta, progress, rounds), params)

    async def _recall(
        self,
        method: str,
        params: JsonObject,
        timeout: Seconds,
        meta: JsonObject | None,
        fresh: bool,
        progress: ProgressCallback | None = None,
        rounds: int | None = None,
    ) -> Any:
        """The same for a result that may be kept. What is asked with metadata of the caller's is never kept."""
        cache = self._cache if self.connected and self._spoken.caches_results and meta is None else None
        if cache is not None and not fresh and (kept := cache.find(method, params)) is not None:
            return self._read(method, kept, params)
        await self._standing(method, timeout, params)
        ticket, spoilt = 0 if cache is None else cache.ticket(method), self._definitions.spoilt
        found = await self._asking(method, params, timeout, meta, progress, rounds)
        result = self._read(method, found, params)
        if cache is not None and type(found) is dict:  # what took answers holds for this call alone
            cache.keep(method, params, found, ticket)
        if method == LIST:
            await self._note(found["tools"], spoilt)
        return result

    def _read(self, method: str, found: JsonObject | InputRequired, params: JsonObject) -> Any:
        """Return the typed result of a method; questions are returned as they are.

        Raises `ExtensionAnswered` for a result of a type that an extension added.
        """
        if isinstance(found, InputRequired):
            return found
        if found.get("resultType", COMPLETE) != COMPLETE and self._spoken.era == "stateless":
            raise Failures(self._server).extended(method, subject_of(method, params), found)
        try:
            return read_result(method, found)
        except ValueError as error:
            assert self._connection is not None
            raise self._connection.invalid(method, str(error), subject_of(method, params)) from None

    def _walk(self, method: str, member: str, timeout: Seconds, meta: JsonObject | None, fresh: bool) -> Walk[Any]:
        """Return the walk through all pages of a list; `member` of each page holds its items."""
        anew, given_by = fresh, self._connection

        async def fetch(cursor: str | None) -> tuple[Iterable[Any], str | None]:
            nonlocal anew, given_by
            await self._standing(method, timeout)
            if cursor is not None and given_by is not self._connection:
                raise StaleCursor  # cursors are good in the session that gave them (server/utilities/pagination)
            given_by = self._connection
            params: JsonObject = {} if cursor is None else {"cursor": cursor}
            try:
                page = await self._recall(method, params, timeout, meta, anew)
            except RemoteError as error:
                cache = self._cache
                if anew or cursor is None or error.code != INVALID_PARAMS or cache is None or not cache.holds(method):
                    raise
                # The cursor may be that of a kept page, and the list another one by now.
                anew = True
                cache.forget(method)
                raise StaleCursor from error
            return getattr(page, member), page.next_cursor

        key = attrgetter(IDENTITY[member])
        return Walk(fetch, key=key, server=self._server, method=method, most=self._limits.list_pages)

    def _dumped(self, params: str, **values: object) -> JsonObject:
        """Return parameters that hold models, as they are said in the revision that is spoken."""
        return dump_params(params, values, self.revision)


def _relay(loop: Loop, progress: ProgressCallback) -> ProgressRelay:
    from .answering.relay import ProgressRelay

    return ProgressRelay(loop, progress)


async def _with_progress(run: Coroutine[Any, Any, ResultT], relay: ProgressRelay) -> ResultT:
    try:
        result = await run
        await relay.finished()
    except BaseException:
        relay.stop()
        raise
    return result
