"""Asking: how a request gets its result, whatever lies between: a server that is started again, a host that is asked
first, results that are kept, the pages of a list.

Below: `connection`, `reading`, `saying`, `tool_calls`.
"""

from __future__ import annotations

from collections.abc import Container, Coroutine, Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio

from mcport.core.dialects.contract import COMPLETE
from mcport.core.dialects.opening import Opened
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import CLIENT_LIMITS, Limits
from mcport.errors import INVALID_PARAMS, ConnectFailed, ConversationError, RemoteError
from mcport.session.link import subject_of
from mcport.session.loop import Loop

from .callbacks import Callbacks, ProgressCallback
from .connection import Connection
from .failures import Failures, Remains
from .logs import Logs
from .paging import StaleCursor, Walk
from .reading import read_result
from .saying import dump_params, with_meta
from .timing import UNSET, Patience, Seconds
from .tool_calls.tool_calls import CALL, LIST, ToolCalls

if TYPE_CHECKING:
    from mcport.spec.revisions import Revision

    from .answering.relay import ProgressRelay
    from .caching import ResultCache
    from .identity import Identity
    from .listening.subscriptions import Subscriptions
    from .restarting import Restarting
    from .tool_calls.approval import Approval

ResultT = TypeVar("ResultT")

IDENTITY: Final = {"tools": "name", "prompts": "name", "resources": "uri", "resource_templates": "uri_template"}
"""What tells the items of each list apart."""


class Asking(ToolCalls):
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
        self._identity: Identity | None = None
        """As whom requests are made, where that may change."""
        self._restarting: Restarting | None = None
        self._callbacks = Callbacks()
        self._logs = Logs(None)
        self._approval: Approval | None = None

    @property
    def connected(self) -> bool:
        """Whether the conversation is open: not before `connect()`, and not after the end of either side."""
        return self._connection is not None and not self._connection.over

    @property
    def revision(self) -> str:
        """The protocol revision that is spoken."""
        return self._known.revision.name

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
        if rounds == 0:
            self._callbacks.check_by_hand(self._spoken)
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
        whose = "" if cache is None else self._whose()
        if cache is not None and not fresh and (kept := cache.find(method, params, whose)) is not None:
            return self._read(method, kept, params)
        await self._standing(method, timeout, params)
        ticket, spoilt = 0 if cache is None else cache.ticket(method), self._definitions.spoilt
        found = await self._asking(method, params, timeout, meta, progress, rounds)
        result = self._read(method, found, params)
        if cache is not None and type(found) is dict:  # what took answers holds for this call alone
            cache.keep(method, params, found, ticket, whose if whose == self._whose() else None)
        if method == LIST:
            await self._note(found["tools"], spoilt)
        return result

    def _whose(self) -> str | None:
        """Return the context that private results belong to; None where nobody knows."""
        return "" if self._identity is None else self._identity()

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
