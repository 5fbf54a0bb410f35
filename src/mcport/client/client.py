"""The Client: what people write to talk to one server.

Below: every other room of the client.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Literal, Self

import anyio

from mcport.core.dialects.opening import PROBE_SECONDS, Approach, Opened
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import CLIENT_LIMITS, Limits
from mcport.errors import ConversationError, NotDeclared
from mcport.record import changed
from mcport.session.loop import Loop, current_loop
from mcport.spec.revisions import REVISIONS, Revision
from mcport.version import __version__

from .caching import ResultCache
from .callbacks import (
    ApproveCallback,
    ByHand,
    Callbacks,
    ElicitCallback,
    LogCallback,
    ProgressCallback,
    RootsCallback,
    SampleCallback,
    Sampling,
    UrlCallback,
)
from .connection import Connection
from .conversing import Conversing
from .failures import Failures, Remains
from .icons import keep_good_icons
from .logs import Logs
from .naming import TargetLike, target_of
from .opening import Opening
from .target import ChildOptions, HttpOptions, SpawnPolicy
from .timing import CONNECT_SECONDS, ROUNDS, SILENT_SECONDS, TOTAL_SECONDS, Patience, check_rounds, check_seconds
from .tool_calls.tool_calls import ChangedCallback, CheckOutput, check_setting

if TYPE_CHECKING:
    import httpx

    from mcport.auth.grant import Grant
    from mcport.spec.types import Implementation

    from .answering.answering import Answering
    from .answering.roots import RootLike
    from .extension import Extensions
    from .identity import Identity
    from .restarting import Renewal, Restarting
    from .tool_calls.approval import Approval

log: Final = logging.getLogger("mcport.client")


class Client(Conversing):
    """A conversation with one MCP server.

        async with Client("weather.py") as client:
            result = await client.call_tool("forecast", {"city": "Lyon"})

    `target` is a path to a Python script, a URL, a command as a list of arguments, an entry of an `mcpServers` file, a
    `Server` in this process, a transport, or a function that opens a transport each time. With `revision` that protocol
    revision is spoken and no other; without it the client finds out. It may be opened and closed from any task, in any
    order, and connected again after it was closed or the server was lost.

    To a server at a URL `headers` go with each request; with `auth="oauth"` a person logs in by the browser of this
    machine, and stays logged in, for which `OAuth(...)` has options. A program that logs in by itself gives a grant,
    such as `ClientCredentials(...)`, or `Granted` with its options; any other `httpx.Auth` will do. Requests go through
    `http_client`, an `httpx.AsyncClient` with proxies, certificates, cookies, hooks of its own, which stays open.

    A server that the client starts gets a few harmless environment variables (all, with `inherit_env`) and `env`; `cwd`
    is its directory; `stderr` is called with each line that it writes there; `spawn_policy` sees the command and the
    environment before and forbids the start by raising or returning False.

    `elicit` fills in forms for the user, `elicit_url` asks the user to open a web page, `sample` has a model answer,
    `roots` lists the directories and files to work in: what is given is declared to the server, and nothing else. `log`
    is called with the server's log messages. "by hand" in place of one of the first three says that the host answers
    these questions itself, by calls with `rounds=0` and `resume`. `approve` is called with each tool call
    (`ProposedCall`) before it goes out, and says whether it may. The page of `mcport.client.callbacks` tells what they
    take and return. `rounds` is how often a server may answer one call with questions.

    `progress` is called with the progress of every call of a tool, resource or prompt. `timeout` is how many seconds a
    call may be silent (it stands still while a question of the server is open), `total_timeout` how many it may take in
    all, progress and questions or not; `connect_timeout` how many the opening may take; `probe_timeout` how many a
    server may be silent before it is taken for an older one. None is no limit. `info` is what the server is told of
    this client; `extensions` are declared in each request, by identifier with their settings. `trace` is called with
    "->" or "<-" and the bytes of each message.

    With `restart` a server that died is started again by the next call, at most so many times in a row (True: 5), at
    once and then after growing waits; one that has lived for a minute starts counting anew. Calls that were pending
    fail with `ConnectionLost` all the same and are never repeated; one too many is a `ConnectFailed`.

    With `cache` lists and resources are kept as long as the server says that they are good (2026-07-28: `ttlMs`), and
    forgotten when it tells of a change, which it does while the client listens; a `ResultCache` of one's own has bounds
    of one's own. What is private is kept for whoever it was given to, and not at all where an `auth` of one's own has
    no `principal` that says who that is. A call with `fresh=True` asks the server in any case.

    With `check_output` the results of tools that were listed are checked against their output schemas; "always" lists
    the tools once for it. `changed` is called with each tool that is not defined as it was when it was listed before
    (`DefinitionChanged`), before the new list is returned; without it that is logged as a warning.
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
        headers: Mapping[str, str] | None = None,
        auth: httpx.Auth | Grant | Literal["oauth"] | None = None,
        http_client: httpx.AsyncClient | None = None,
        progress: ProgressCallback | None = None,
        elicit: ElicitCallback | ByHand | None = None,
        elicit_url: UrlCallback | ByHand | None = None,
        sample: SampleCallback | Sampling | ByHand | None = None,
        roots: Iterable[RootLike] | RootsCallback | None = None,
        log: LogCallback | None = None,
        approve: ApproveCallback | None = None,
        rounds: int = ROUNDS,
        timeout: float | None = SILENT_SECONDS,
        total_timeout: float | None = TOTAL_SECONDS,
        connect_timeout: float | None = CONNECT_SECONDS,
        probe_timeout: float = PROBE_SECONDS,
        restart: bool | int = False,
        cache: bool | ResultCache = True,
        extensions: Extensions = (),
        check_output: CheckOutput = True,
        changed: ChangedCallback | None = None,
        info: Implementation | None = None,
        limits: Limits = CLIENT_LIMITS,
        trace: Callable[[str, bytes], None] | None = None,
    ) -> None:
        _check(locals())
        check_seconds("connect_timeout", connect_timeout)
        check_seconds("probe_timeout", probe_timeout)
        over_http = HttpOptions(headers, _authorization(auth), http_client)
        self._target = target_of(target, ChildOptions(env, cwd, inherit_env, stderr, spawn_policy), trace, over_http)
        super().__init__(self._target.name, Patience(timeout, total_timeout), limits)
        self._callbacks = Callbacks(elicit, elicit_url, sample, roots)
        self._logs = Logs(log)
        self._approval = None if approve is None else self._approves(approve)
        self._rounds = check_rounds(rounds)
        said = _introduction(info), self._callbacks.capabilities
        self._approach = Approach(*said, demanded=_demanded(revision), probe_seconds=probe_timeout)
        if extensions:
            self._declare(extensions)
        self._progress = progress
        if cache is True:
            cache = ResultCache(entries=limits.cache_entries, size=limits.cache_bytes)
        self._cache = cache.claimed() if cache else None
        self._identity = _identity(over_http.auth, http_client)
        self._check_output, self._changed = check_setting(check_output), changed
        self._connect_timeout = connect_timeout
        self._attempt: _Attempt | None = None
        self._closing: anyio.Event | None = None
        self._on_reopened: list[Renewal] = [self._renew_log_level]
        """What the server has to be told again after it was started again."""
        self._restarting = self._restarts(restart)

    def __repr__(self) -> str:
        state = "connecting" if self._attempt else f"speaks {self.revision}" if self.connected else "not connected"
        return f"<Client of '{self._server}', {state}>"

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
        try:
            await self._say_level_again()
        except BaseException:
            await self.aclose()
            raise
        if self._restarting is not None:
            self._restarting.begin()

    async def _connect(self) -> None:
        loop = current_loop()
        opening = Opening(self._target, self._approach, loop, self._limits)
        with opening.time.within(self._connect_timeout) as scope:
            attempt = self._attempt = _Attempt(scope)
            try:
                await self._let_go()
                self._connection, self._opened = await opening.run()
            finally:
                self._attempt = None
                attempt.ended.set()
            self._loop = loop
            self._attend(self._connection, self._opened, loop)
            self._subscriptions = None
            self._definitions.spoil()
            self._connection.hearers.append(self._definitions.hear)
            if self._cache is not None:
                self._cache.clear()
                self._connection.hearers.append(self._cache.hear)
            self._connection.renewers.append(self._renewed)
            self._connection.catch_up()
            self._remember(self._opened.revision)
            if "icons" in self.server_info:
                keep_good_icons(self.server_info)
            return
        if attempt.closed:
            raise Failures(self._server).failed("the client was closed meanwhile", Remains())
        raise opening.silent(self._connect_timeout or 0)

    def _renewed(self) -> None:
        """The server has begun the session anew, and knows nothing of the one before."""
        self._definitions.spoil()
        if self._cache is not None:
            self._cache.clear()
        if self._connection is not None:
            self._connection.loop.keep(self._say_level_again())

    async def _say_level_again(self) -> None:
        try:
            await self._renew_log_level()
        except (ConversationError, NotDeclared) as error:
            log.warning("the log level could not be said again: %s", error)

    def _attend(self, connection: Connection, opened: Opened, loop: Loop) -> None:
        """Let the callbacks hear and answer the server that has just been reached."""

        def answering() -> Answering:
            from .answering.answering import Answering
            from .answering.proposed import Asker

            asker, most = Asker(self._server, opened.server_info or {}), self._limits.questions_per_minute
            return Answering(self._callbacks, opened.revision, asker, loop, most)

        connection.attend = answering
        connection.most_rounds = self._rounds
        self._logs.attach(connection, loop)
        if opened.revision.deprecates_model_and_roots:
            self._mind_deprecated(opened.revision)

    def _mind_deprecated(self, revision: Revision) -> None:
        """Say which callbacks are for what the revision is giving up."""
        declared = self._callbacks.capabilities(revision).keys()
        if declared & {"roots", "sampling"} or self._logs.callback is not None:
            from .deprecations import LOGGING, ROOTS, SAMPLING, mind

            ready = [each for each in (ROOTS, SAMPLING) if each in declared]
            mind(ready if self._logs.callback is None else [*ready, LOGGING], revision)

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
            raise Failures(self._server).badly_closed(error) from error

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

    def _approves(self, approve: ApproveCallback) -> Approval:
        from .callbacks import Callback
        from .tool_calls.approval import Approval

        return Approval(Callback(approve, "approve"), self._server, self._definitions)

    def _declare(self, extensions: Extensions) -> None:
        """Declare extensions to every server."""
        from .extension import Declared, with_extensions

        declared = Declared(extensions)
        self._approach, self._meta_keys = with_extensions(self._approach, declared), declared.meta_keys

    def _remember(self, revision: Revision) -> None:
        """A client that connects again need not find out again."""
        if self._approach.demanded is None:
            self._approach = changed(self._approach, remembered=revision)

    def _restarts(self, restart: bool | int) -> Restarting | None:
        """Return what starts the server again, if that is wanted; raises where there is nothing to start."""
        if not restart:
            return None
        from .restarting import TIMES, Restarting

        if not self._target.restarts:
            raise TypeError(f"restart: only for a server that the client starts, which '{self._server}' is not")
        return Restarting(
            TIMES if restart is True else restart,
            server=self._server,
            start=self._connect,
            alive=lambda: self.connected,
            renewals=self._on_reopened,
        )


_TIMES: Final = ("timeout", "total_timeout", "connect_timeout", "probe_timeout")
_UNRULED: Final = ("revision", "rounds", "check_output", *_TIMES, *HttpOptions.__match_args__)
"""Options that are judged where they are used, so that nobody loads a rule for them."""

_RULED: Final[Mapping[str, object]] = {
    option: usual for option, usual in (Client.__init__.__kwdefaults__ or {}).items() if option not in _UNRULED
}
"""What holds where a host says nothing of an option that has a rule."""


def _check(given: Mapping[str, object]) -> None:
    """Raise TypeError or ValueError, in one line, for an option of a client that cannot be."""
    if said := {option: given[option] for option, usual in _RULED.items() if given[option] is not usual}:
        from mcport.core.rules import check

        from .rules import RULES

        check(said, RULES)


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


def _authorization(auth: httpx.Auth | Grant | str | None) -> httpx.Auth | None:
    """Return what authorizes requests to a server at a URL."""
    if auth is None:
        return None
    from .http_target import auth_of

    return auth_of(auth)


def _identity(auth: httpx.Auth | None, client: httpx.AsyncClient | None) -> Identity | None:
    """Return what tells as whom is asked, where that may change."""
    if auth is None and client is None:
        return None
    from .identity import Identity

    return Identity(auth, client)


def _introduction(info: Implementation | None) -> Callable[[Revision], JsonObject]:
    """Return what a client says of itself in each revision."""
    if info is None:
        return lambda revision: {"name": "mcport", "version": __version__}
    return lambda revision: info.to_wire(revision.name)


def _demanded(name: str | None) -> Revision | None:
    if name is None:
        return None
    if name not in [*REVISIONS]:
        raise ValueError(f"revision: unknown protocol revision {name!r}; known: {', '.join(REVISIONS)}")
    return REVISIONS[name]
