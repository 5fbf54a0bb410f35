"""The blocking client: every call of `mcport.Client`, without `await`.

Its conversation lives in one loop thread. Any thread may call it, also one that runs an event loop (a notebook's).
Below: the client, `portal`, `callbacks`, `handle`, `stream`, `phases`.
"""

from __future__ import annotations

import atexit
import functools
import threading
import weakref
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable
from contextlib import suppress
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

from mcport.client.answering.roots import RootLike
from mcport.client.client import Client as AsyncClient
from mcport.client.failures import Failures, Remains
from mcport.client.handle import CallHandle as AsyncCallHandle
from mcport.client.listening.listening import Changes as AsyncChanges
from mcport.core.jsonrpc import JsonObject
from mcport.errors import ConnectFailed, ConversationError

from .callbacks import in_threads
from .handle import CallHandle
from .phases import Phase, phase_of
from .portal import Portal, PortalClosed
from .stream import Changes, Stream

P = ParamSpec("P")
T = TypeVar("T")


def _made_like(
    make: Callable[Concatenate[AsyncClient, P], None],
) -> Callable[[Callable[..., None]], Callable[Concatenate[Client, P], None]]:
    """Give a constructor the parameters of the asynchronous one."""

    def dressed(own: Callable[..., None]) -> Callable[Concatenate[Client, P], None]:
        return functools.wraps(make)(own)

    return dressed


def _blocking(
    method: Callable[Concatenate[AsyncClient, P], Awaitable[T]],
) -> Callable[Concatenate[Client, P], T]:
    """Return the blocking twin of a coroutine function."""

    @functools.wraps(method)
    def twin(self: Client, /, *arguments: P.args, **named: P.kwargs) -> T:
        options: Any = in_threads(named)
        phase = phase_of(method.__name__, arguments, named)
        return self._run(lambda: method(self._client, *arguments, **options), phase)

    return twin


def _iterating(
    method: Callable[Concatenate[AsyncClient, P], AsyncIterable[T]],
) -> Callable[Concatenate[Client, P], Stream[T]]:
    """Return the twin of a method that gives an asynchronous iterator."""

    @functools.wraps(method)
    def twin(self: Client, /, *arguments: P.args, **named: P.kwargs) -> Stream[T]:
        run = functools.partial(self._run, phase=phase_of(method.__name__))
        return Stream(method(self._client, *arguments, **named), run)

    twin.__doc__ = (method.__doc__ or "").replace("async for", "for")
    return twin


def _listening(
    method: Callable[Concatenate[AsyncClient, P], AsyncChanges],
) -> Callable[Concatenate[Client, P], Changes]:
    """Return the twin of the method that listens."""

    @functools.wraps(method)
    def twin(self: Client, /, *arguments: P.args, **named: P.kwargs) -> Changes:
        run = functools.partial(self._run, phase=phase_of(method.__name__))
        return Changes(method(self._client, *arguments, **named), run)

    doc = (method.__doc__ or "").replace("an asynchronous iterator", "an iterator")
    twin.__doc__ = doc.replace("async for", "for").replace("async with", "with")
    return twin


def _starting(
    method: Callable[Concatenate[AsyncClient, P], AsyncCallHandle[T]],
) -> Callable[Concatenate[Client, P], CallHandle[T]]:
    """Return the twin of a method that starts a call."""

    @functools.wraps(method)
    def twin(self: Client, /, *arguments: P.args, **named: P.kwargs) -> CallHandle[T]:
        options: Any = in_threads(named)

        async def start() -> AsyncCallHandle[T]:
            return method(self._client, *arguments, **options)

        run = functools.partial(self._run, phase=phase_of(method.__name__, arguments, named))
        return CallHandle(run(start), run)

    twin.__doc__ = (method.__doc__ or "").replace("await it for the result", "ask it for its `result()`")
    return twin


class Client:
    """A conversation with one MCP server, for code without `async`.

        with Client("weather.py") as client:
            result = client.call_tool("forecast", {"city": "Lyon"})

    Its arguments and its calls are those of `mcport.Client`. It may be used from several threads at once. Ctrl-C while
    a call waits withdraws that call, and the client lives on. Callbacks (`progress`, `elicit`, `elicit_url`, `sample`,
    `roots`, `log`, `approve`, `changed`) that are plain functions are called in a thread of their own, one report of
    progress after the other, and may block and call the client; `stderr`, `trace` and `spawn_policy` are called in the
    loop's thread and may not. A client that was never closed is closed when the program ends.
    """

    @_made_like(AsyncClient.__init__)
    def __init__(self, target: Any, **options: Any) -> None:
        self._client = AsyncClient(target, **in_threads(options))
        self._lock = threading.Lock()
        self._portal: Portal | None = None
        self._was_open = False
        self._ending: weakref.finalize[Any, Any] | None = None

    def __repr__(self) -> str:
        return f"<blocking {repr(self._client).removeprefix('<')}"

    # ---- opening and closing

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except ConversationError as fault:
            if error is None:
                raise
            error.add_note(str(fault))

    def connect(self) -> None:
        """Start the server if it is to be started, and open the conversation.

        May be called again when the client was closed or the server was lost. Raises `ConnectFailed`, `Timeout`, and
        RuntimeError if it is connected already.
        """
        with self._lock:
            fresh = self._portal is None
            if self._portal is None:
                self._portal = Portal(f"mcport client of {self._client._target.name}")
                self._ending = _OPEN.finalizer(self, self._portal, self._client)
        try:
            self._run(self._client.connect, phase_of("connecting"))
        except BaseException:
            if fresh:
                self.close()
            raise
        self._was_open = True

    def close(self) -> None:
        """End the conversation, and the server if this client started it. Pending calls fail with `ConnectionLost`.

        Safe to call twice and from any thread. Raises `ConversationError` if a server of this process failed while it
        was ending.
        """
        with self._lock:
            if self._portal is not None:
                self._portal.leave_the_loop()
            portal, self._portal = self._portal, None
            ending, self._ending = self._ending, None
        if portal is None:
            return
        try:
            portal.run(self._client.aclose)
        except PortalClosed:
            pass  # of another process: that one closes it
        finally:
            portal.close()
            if ending is not None:
                ending.detach()

    def _run(self, call: Callable[[], Awaitable[T]], phase: Phase) -> T:
        """Run something in the loop thread and wait for it."""
        portal, name = self._portal, self._client._target.name
        if portal is None and not self._was_open:
            line = f"the client of '{name}' is not connected: use 'with' or connect()"
            raise ConnectFailed(line, server=name, phase=phase.name, cause="not connected")
        try:
            if portal is not None:
                return portal.run(call)
        except PortalClosed:
            pass
        forked = portal is not None and portal.elsewhere
        cause = "it belongs to the process that this one was forked from" if forked else "this client was closed"
        raise Failures(name).lost(phase.name, cause, Remains(), phase.subject)

    # ---- what is known of the server

    @property
    def connected(self) -> bool:
        """Whether the conversation is open: not before `connect()`, and not after the end of either side."""
        return self._client.connected

    @property
    def revision(self) -> str:
        """The protocol revision that is spoken."""
        return self._client.revision

    @property
    def server_info(self) -> JsonObject:
        """How the server named itself; empty where it did not."""
        return self._client.server_info

    @property
    def capabilities(self) -> JsonObject:
        """What the server declared that it can do."""
        return self._client.capabilities

    @property
    def instructions(self) -> str | None:
        """How a model should use the server, in the server's words."""
        return self._client.instructions

    # ---- calls

    call_tool = _blocking(AsyncClient.call_tool)
    complete = _blocking(AsyncClient.complete)
    discover = _blocking(AsyncClient.discover)
    get_prompt = _blocking(AsyncClient.get_prompt)
    list_prompts = _blocking(AsyncClient.list_prompts)
    list_resource_templates = _blocking(AsyncClient.list_resource_templates)
    list_resources = _blocking(AsyncClient.list_resources)
    list_tools = _blocking(AsyncClient.list_tools)
    ping = _blocking(AsyncClient.ping)
    read_resource = _blocking(AsyncClient.read_resource)
    request = _blocking(AsyncClient.request)
    resume = _blocking(AsyncClient.resume)
    set_log_level = _blocking(AsyncClient.set_log_level)
    set_logging_level = _blocking(AsyncClient.set_logging_level)
    subscribe_resource = _blocking(AsyncClient.subscribe_resource)
    unsubscribe_resource = _blocking(AsyncClient.unsubscribe_resource)

    each_prompt = _iterating(AsyncClient.each_prompt)
    each_resource = _iterating(AsyncClient.each_resource)
    each_resource_template = _iterating(AsyncClient.each_resource_template)
    each_tool = _iterating(AsyncClient.each_tool)
    listen = _listening(AsyncClient.listen)

    start = _starting(AsyncClient.start)
    start_tool = _starting(AsyncClient.start_tool)

    def notify(self, method: str, params: JsonObject | None = None) -> None:
        """Send any notification. Raises `NotDeclared` and `ConnectionLost`."""

        async def tell() -> None:
            self._client.notify(method, params)

        self._run(tell, phase_of(method))

    def set_roots(self, roots: Iterable[RootLike]) -> None:
        """Have other roots from now on, and tell the server so where the revision has a way to.

        `roots` are paths, `file://` URIs or `Root` objects. Raises ValueError for what is none, and RuntimeError for a
        client that was not made with a list of roots (`roots=[]` will do), which servers have been told of.
        """

        async def tell() -> None:
            self._client.set_roots(roots)

        if self._portal is None:
            self._client.set_roots(roots)
        else:
            self._run(tell, phase_of("setting roots"))


class _Open:
    """The clients that are open, for the end of the program."""

    def __init__(self) -> None:
        self._clients: weakref.WeakSet[Client] = weakref.WeakSet()
        self._registered = False

    def finalizer(self, client: Client, portal: Portal, behind: AsyncClient) -> weakref.finalize[Any, Any]:
        """Return what closes a client that is forgotten; one that is still there at the end is closed as well."""
        finalizer = weakref.finalize(client, _end, portal, behind)
        # A child process has a finalizer too, which comes before this one at exit and only lets go of it.
        finalizer.atexit = False
        self._clients.add(client)
        if not self._registered:
            # After the first finalizer, so that it is called before all of them.
            self._registered = True
            atexit.register(self._close_all)
        return finalizer

    def _close_all(self) -> None:
        for client in [*self._clients]:
            with suppress(ConversationError):
                client.close()


_OPEN: Final = _Open()


def _end(portal: Portal, client: AsyncClient) -> None:
    """Close the conversation of a client that is gone."""
    if portal.here:
        portal.close(client.aclose)
        return
    try:
        portal.run(client.aclose)
    except (PortalClosed, ConversationError):
        pass
    finally:
        portal.close()
