"""The Client: what people write to talk to one server.

Below: every other room of the client.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import anyio

from mcport.core.dialects.opening import PROBE_SECONDS, Approach, Opened
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import CLIENT_LIMITS, Limits
from mcport.errors import ConnectFailed, ConversationError
from mcport.session.loop import Loop, current_loop
from mcport.spec.revisions import REVISIONS, Revision
from mcport.version import __version__

from .callbacks import ProgressCallback, ProgressRelay
from .calls import Calls
from .connection import Connection
from .failures import Failures, Remains
from .handle import CallHandle
from .icons import keep_good_icons
from .naming import TargetLike, target_of
from .opening import Opening
from .paging import Walk
from .reading import read_result
from .restarting import TIMES, Renewal, Restarting
from .saying import dump_params, with_meta
from .target import ChildOptions, SpawnPolicy
from .timing import CONNECT_SECONDS, SILENT_SECONDS, TOTAL_SECONDS, UNSET, Patience, Seconds, check_seconds

if TYPE_CHECKING:
    from mcport.spec.types import CallToolResult, Implementation

ResultT = TypeVar("ResultT")


class Client(Calls):
    """A conversation with one MCP server.

        async with Client("weather.py") as client:
            result = await client.call_tool("forecast", {"city": "Lyon"})

    `target` is a path to a Python script, a command as a list of arguments, an entry of an `mcpServers` file, a
    `Server` in this process, a transport, or a function that opens a transport each time. With `revision` that protocol
    revision is spoken and no other; without it the client finds out. It may be opened and closed from any task, in any
    order, and connected again after it was closed or the server was lost.

    A server that the client starts gets a few harmless environment variables (all, with `inherit_env`) and `env`; `cwd`
    is its directory; `stderr` is called with each line that it writes there; `spawn_policy` sees the command and the
    environment before and forbids the start by raising or returning False.

    `progress` is called with the progress of every call of a tool, resource or prompt. `timeout` is how many seconds a
    call may be silent, `total_timeout` how many it may take in all, progress or not; `connect_timeout` how many the
    opening may take; `probe_timeout` how many a server may be silent before it is taken for an older one. None is no
    limit. `info` is what the server is told of this client. `trace` is called with "->" or "<-" and the bytes of each
    message.

    With `restart` a server that died is started again by the next call, at most so many times in a row (True: 5), at
    once and then after growing waits; one that has lived for a minute starts counting anew. Calls that were pending
    fail with `ConnectionLost` all the same and are never repeated; one too many is a `ConnectFailed`.
    """

    def __init__(
        self,
        target: TargetLike,
        *,
        revision: str | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | Path | None = None,
        inherit_env: bool = False,
        stderr: Callable[[str], object] | None = None,
        spawn_policy: SpawnPolicy | None = None,
        progress: ProgressCallback | None = None,
        timeout: float | None = SILENT_SECONDS,
        total_timeout: float | None = TOTAL_SECONDS,
        connect_timeout: float | None = CONNECT_SECONDS,
        probe_timeout: float = PROBE_SECONDS,
        restart: bool | int = False,
        info: Implementation | None = None,
        limits: Limits = CLIENT_LIMITS,
        trace: Callable[[str, bytes], None] | None = None,
    ) -> None:
        check_seconds(connect_timeout)
        check_seconds(probe_timeout)
        self._target = target_of(target, ChildOptions(env, cwd, inherit_env, stderr, spawn_policy), trace)
        self._approach = Approach(
            _introduction(info), lambda revision: {}, demanded=_demanded(revision), probe_seconds=probe_timeout
        )
        self._progress = progress
        self._patience = Patience(timeout, total_timeout)
        self._connect_timeout = connect_timeout
        self._limits = limits
        self._loop: Loop | None = None
        self._attempt: _Attempt | None = None
        self._closing: anyio.Event | None = None
        self._connection: Connection | None = None
        self._opened: Opened | None = None
        self._on_reopened: list[Renewal] = []
        """What the server has to be told again after it was started again."""
        self._restarting = self._restarts(restart)

    def __repr__(self) -> str:
        state = "connecting" if self._attempt else f"speaks {self.revision}" if self.connected else "not connected"
        return f"<Client of '{self._target.name}', {state}>"

    # ---- opening and closing

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self.aclose()
        except ConversationError as fault:
            if error is None:
                raise
            error.add_note(str(fault))

    async def connect(self) -> None:
        """Start the server if it is to be started, and open the conversation.

        May be called again when the client was closed or the server was lost. Raises `ConnectFailed` with one line that
        names the server and the cause, `Timeout` after `connect_timeout`, RuntimeError if it is connected already.
        """
        if self._attempt is not None or self.connected or (self._restarting is not None and self._restarting.running):
            raise RuntimeError(f"{self!r}: connect() was called before")
        await self._connect()
        if self._restarting is not None:
            self._restarting.begin()

    async def _connect(self) -> None:
        loop = current_loop()
        opening = Opening(self._target, self._approach, loop, self._limits)
        with anyio.move_on_after(self._connect_timeout) as scope:
            attempt = self._attempt = _Attempt(scope)
            try:
                await self._let_go()
                self._connection, self._opened = await opening.run()
            finally:
                self._attempt = None
                attempt.ended.set()
            self._loop = loop
            self._remember(self._opened.revision)
            if "icons" in self.server_info:
                keep_good_icons(self.server_info)
            return
        if attempt.closed:
            raise Failures(self._target.name).failed("the client was closed meanwhile", Remains())
        raise opening.silent(self._connect_timeout or 0)

    async def aclose(self) -> None:
        """End the conversation, and the server if this client started it. Pending calls fail with `ConnectionLost`.

        Safe to call twice, from any task, while another one connects, and while it is being cancelled. Raises
        `ConversationError` if a server of this process failed while it was ending.
        """
        with anyio.CancelScope(shield=True):
            if self._restarting is not None:
                await self._restarting.stop()
            if self._attempt is not None:
                await self._attempt.give_up()
            if self._closing is not None:
                await self._closing.wait()
            error = await self._let_go()
        if error is not None:
            raise Failures(self._target.name).badly_closed(error) from error

    async def _let_go(self) -> BaseException | None:
        """Close the connection, if there is one; return the exception of a server of this process that failed."""
        connection, self._connection = self._connection, None
        if connection is None:
            return None
        closing = self._closing = anyio.Event()
        try:
            with anyio.CancelScope(shield=True):
                await connection.aclose()
        finally:
            self._closing = None
            closing.set()
        return connection.remains.error

    def _remember(self, revision: Revision) -> None:
        """A client that connects again need not find out again."""
        if self._approach.demanded is None:
            self._approach = replace(self._approach, remembered=revision)

    def _restarts(self, restart: bool | int) -> Restarting | None:
        """Return what starts the server again, if that is wanted; raises where there is nothing to start."""
        if not restart:
            return None
        most = TIMES if restart is True else restart
        if most < 0:
            raise ValueError(f"restart is how many times a server is started again, got {restart!r}")
        if not self._target.restarts:
            raise TypeError(f"restart: only for a server that the client starts, which '{self._target.name}' is not")
        return Restarting(
            most,
            server=self._target.name,
            start=self._connect,
            alive=lambda: self.connected,
            renewals=self._on_reopened,
        )

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
            return Failures(self._target.name).lost(phase, "this client was closed", Remains())
        line = f"the client of '{self._target.name}' is not connected: use 'async with' or connect()"
        return ConnectFailed(line, server=self._target.name, phase=phase, cause="not connected")

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
        return CallHandle(self._loop, call, self._target.name, phase)

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
        patience = self._patience if timeout is UNSET else self._patience.with_call(timeout)
        if progress is None:
            return connection.ask(method, params, patience)
        return _with_progress(connection, method, params, patience, ProgressRelay(loop, progress))

    async def _asking_anew(
        self, restarting: Restarting, method: str, params: JsonObject | None, timeout: Seconds, *rest: Any
    ) -> JsonObject:
        """Run a request once the server has been started again."""
        patience = self._patience if timeout is UNSET else self._patience.with_call(timeout)
        assert self._loop is not None
        remains = Remains() if self._connection is None else self._connection.remains
        with anyio.move_on_after(patience.silent) as scope:
            await restarting.ready(self._loop, method, remains)
        if scope.cancelled_caught:
            raise Failures(self._target.name).not_back(method, patience.silent or 0)
        return await self._asking(method, params, timeout, *rest)

    async def _call(
        self,
        method: str,
        params: JsonObject,
        timeout: Seconds,
        meta: JsonObject | None,
        progress: ProgressCallback | None = None,
    ) -> Any:
        """Send a request of the method table and return its typed result."""
        found = await self._asking(method, params, timeout, meta, progress)
        try:
            return read_result(method, found)
        except ValueError as error:
            assert self._connection is not None
            raise self._connection.invalid(method, str(error)) from None

    def _walk(self, method: str, member: str, timeout: Seconds, meta: JsonObject | None) -> Walk[Any]:
        """Return the walk through all pages of a list; `member` of each page holds its items."""

        async def fetch(cursor: str | None) -> tuple[Iterable[Any], str | None]:
            page = await self._call(method, {} if cursor is None else {"cursor": cursor}, timeout, meta)
            return getattr(page, member), page.next_cursor

        return Walk(fetch, server=self._target.name, method=method, most=self._limits.list_pages)

    def _dumped(self, params: str, **values: object) -> JsonObject:
        """Return parameters that hold models, as they are said in the revision that is spoken."""
        return dump_params(params, values, self.revision)


class _Attempt:
    """One running connect(), for whoever wants to end it."""

    def __init__(self, scope: anyio.CancelScope) -> None:
        self.ended = anyio.Event()
        self.closed = False
        self._scope = scope

    async def give_up(self) -> None:
        """Cancel it, and wait until nothing is left of it."""
        self.closed = True
        self._scope.cancel()
        await self.ended.wait()


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


def _introduction(info: Implementation | None) -> Callable[[Revision], JsonObject]:
    """Return what a client says of itself in each revision."""
    if info is None:
        return lambda revision: {"name": "mcport", "version": __version__}
    return lambda revision: info.to_wire(revision.name)


def _demanded(name: str | None) -> Revision | None:
    if name is None:
        return None
    if name not in REVISIONS:
        raise ValueError(f"unknown protocol revision {name!r}; known: {', '.join(REVISIONS)}")
    return REVISIONS[name]
