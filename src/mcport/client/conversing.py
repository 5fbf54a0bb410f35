"""Conversing: what a client knows of its server, and what it can ask and tell, whoever opened the conversation.

Below: the generated `calls`, `connection`, `reading` and `saying`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio

from mcport.core.dialects.opening import Opened
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import CLIENT_LIMITS, Limits
from mcport.errors import INVALID_PARAMS, ConnectFailed, ConversationError, RemoteError
from mcport.session.loop import Loop

from .caching import ResultCache
from .callbacks import ProgressCallback
from .calls import Calls
from .connection import Connection
from .failures import Failures, Remains
from .handle import CallHandle
from .listening import Changes, wanted_of
from .paging import StaleCursor, Walk
from .reading import read_result
from .relay import ProgressRelay
from .restarting import Restarting
from .saying import dump_params, with_meta
from .subscriptions import Subscriptions
from .timing import UNSET, Patience, Seconds

if TYPE_CHECKING:
    from mcport.spec.types import CallToolResult

ResultT = TypeVar("ResultT")

IDENTITY: Final = {"tools": "name", "prompts": "name", "resources": "uri", "resource_templates": "uri_template"}
"""What tells the items of each list apart."""


class Conversing(Calls):
    """One side of a conversation with the server of that name; whoever opens it sets what is known of it."""

    def __init__(self, server: str, patience: Patience, limits: Limits = CLIENT_LIMITS) -> None:
        self._server = server
        self._patience = patience
        self._limits = limits
        self._loop: Loop | None = None
        self._connection: Connection | None = None
        self._subscriptions: Subscriptions | None = None
        self._opened: Opened | None = None
        self._cache: ResultCache | None = None
        self._restarting: Restarting | None = None

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
    def _known(self) -> Opened:
        if self._opened is None:
            raise self._absent("asking who the server is")
        return self._opened

    def _absent(self, phase: str) -> ConversationError:
        if self._opened is not None:
            return Failures(self._server).lost(phase, "this client was closed", Remains())
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
        return await self._asking(method, params, timeout, meta, progress)

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
        timeout: Seconds = UNSET,
        progress: ProgressCallback | None = None,
        meta: JsonObject | None = None,
    ) -> CallHandle[CallToolResult]:
        """Start a tool call and return its handle at once: await it for the result, or `cancel()` it.

        The arguments are those of `call_tool`.
        """
        call = self.call_tool(name, arguments, timeout=timeout, progress=progress, meta=meta)
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
        wanted = wanted_of(tools, prompts, resources, uris, filters)
        return Changes(self._listened, wanted, self._patience_of(timeout))

    async def _listened(self, patience: Patience) -> Subscriptions:
        """Return who knows all listeners of the open conversation."""
        connection, restarting = self._connection, self._restarting
        if restarting is not None and (restarting.engaged or (connection is not None and connection.over)):
            await self._started_anew(restarting, "listening", patience)
        if self._subscriptions is None or self._connection is None:
            raise self._absent("listening")
        return self._subscriptions

    # ---- what the typed calls are made of

    def _asking(
        self,
        method: str,
        params: JsonObject | None,
        timeout: Seconds,
        meta: JsonObject | None,
        progress: ProgressCallback | None,
    ) -> Coroutine[Any, Any, JsonObject]:
        """Return the running of a request. (No coroutine itself: each one on the way costs every call.)"""
        connection, loop = self._connection, self._loop
        if self._restarting is not None and (self._restarting.engaged or (connection is not None and connection.over)):
            return self._asking_anew(self._restarting, method, params, timeout, meta, progress)
        if connection is None or loop is None:
            raise self._absent(method)
        if meta is not None or (params is not None and "_meta" in params):
            params = with_meta(params, meta, self._known.revision)
        patience = self._patience_of(timeout)
        if progress is None:
            return connection.ask(method, params, patience)
        return _with_progress(connection, method, params, patience, ProgressRelay(loop, progress))

    async def _asking_anew(
        self, restarting: Restarting, method: str, params: JsonObject | None, timeout: Seconds, *rest: Any
    ) -> JsonObject:
        """Run a request once the server has been started again."""
        await self._started_anew(restarting, method, self._patience_of(timeout))
        return await self._asking(method, params, timeout, *rest)

    async def _started_anew(self, restarting: Restarting, method: str, patience: Patience) -> None:
        """Wait until the server has been started again."""
        assert self._loop is not None
        remains = Remains() if self._connection is None else self._connection.remains
        with anyio.move_on_after(patience.silent) as scope:
            await restarting.ready(self._loop, method, remains)
        if scope.cancelled_caught:
            raise Failures(self._server).not_back(method, patience.silent or 0)

    def _patience_of(self, timeout: Seconds) -> Patience:
        return self._patience if timeout is UNSET else self._patience.with_call(timeout)

    async def _call(
        self,
        method: str,
        params: JsonObject,
        timeout: Seconds,
        meta: JsonObject | None,
        progress: ProgressCallback | None = None,
    ) -> Any:
        """Send a request of the method table and return its typed result."""
        return self._read(method, await self._asking(method, params, timeout, meta, progress))

    async def _recall(
        self,
        method: str,
        params: JsonObject,
        timeout: Seconds,
        meta: JsonObject | None,
        fresh: bool,
        progress: ProgressCallback | None = None,
    ) -> Any:
        """The same for a result that may be kept. What is asked with metadata of the caller's is never kept."""
        cache = self._cache if self.connected and self._known.revision.caches_results and meta is None else None
        if cache is None:
            return await self._call(method, params, timeout, meta, progress)
        if not fresh and (kept := cache.find(method, params)) is not None:
            return self._read(method, kept)
        ticket = cache.ticket(method)
        found = await self._asking(method, params, timeout, meta, progress)
        result = self._read(method, found)
        cache.keep(method, params, found, ticket)
        return result

    def _read(self, method: str, found: JsonObject) -> Any:
        try:
            return read_result(method, found)
        except ValueError as error:
            assert self._connection is not None
            raise self._connection.invalid(method, str(error)) from None

    def _walk(self, method: str, member: str, timeout: Seconds, meta: JsonObject | None, fresh: bool) -> Walk[Any]:
        """Return the walk through all pages of a list; `member` of each page holds its items."""
        anew = fresh

        async def fetch(cursor: str | None) -> tuple[Iterable[Any], str | None]:
            nonlocal anew
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


async def _with_progress(
    connection: Connection, method: str, params: JsonObject | None, patience: Patience, relay: ProgressRelay
) -> JsonObject:
    try:
        result = await connection.ask(method, params, patience, relay)
        await relay.finished()
    except BaseException:
        relay.stop()
        raise
    return result
