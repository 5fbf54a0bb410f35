"""What a client talks to: how each kind of target is reached, and what is left of it when it is gone.

The only room of the client that names transports. A target is reached anew for each attempt, so a client can start a
process again. How a user names a target is `naming`'s business. Below: `failures`, `transports`.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias, runtime_checkable

import anyio

from mcport.core.dialects.opening import Approach, OpeningFailed, ServerGone
from mcport.core.limits import Limits
from mcport.errors import ConnectFailed, ConversationError
from mcport.record import Record
from mcport.session.channel import Channel, Trace, TracedChannel, Transport, TransportChannel
from mcport.session.link import Link, Owner, link_over
from mcport.session.loop import Loop
from mcport.spec.revisions import Revision

from .failures import Failures, Remains, plain

if TYPE_CHECKING:
    import httpx

CLOSE_SECONDS: Final = 10.0
"""How long a server in the same process may take to end when its client closes."""

log: Final = logging.getLogger("mcport.client")

SpawnPolicy: TypeAlias = Callable[[Sequence[str], Mapping[str, str]], bool | None]
Dial: TypeAlias = Callable[[], Awaitable[Transport]]
"""Opens a new transport each time, such as `lambda: connect_tcp("localhost", 9000)`."""


@runtime_checkable
class Hosted(Protocol):
    """A server in this process: anything with a name and a host that serves channels."""

    name: str
    host: Any


class ChildOptions(Record):
    """How a child process is started; `None` and False are what holds if nobody says otherwise."""

    env: Mapping[str, str] | None = None
    cwd: str | Path | None = None
    inherit_env: bool = False
    stderr: Callable[[str], object] | None = None
    spawn_policy: SpawnPolicy | None = None

    @property
    def given(self) -> list[str]:
        """The names of the options that were said."""
        return [each for each in self.__match_args__ if getattr(self, each) not in (None, False)]


class HttpOptions(Record):
    """How a server at a URL is spoken with; None is what holds if nobody says otherwise.

    `auth` is an `httpx.Auth`, `http_client` an `httpx.AsyncClient`.
    """

    headers: Mapping[str, str] | None = None
    auth: httpx.Auth | None = None
    http_client: httpx.AsyncClient | None = None

    @property
    def given(self) -> list[str]:
        """The names of the options that were said."""
        return [each for each in self.__match_args__ if getattr(self, each) is not None]


class Pacing(Protocol):
    """How often in a row something is tried again, and how many seconds after so many failures."""

    @property
    def most(self) -> int: ...

    def before(self, failures: int, wished: float | None) -> float:
        """Return the wait before the next try; the other side may wish for a longer one."""
        ...


class Patient(Protocol):
    """Something that measures how long the other side takes, and can be told not to."""

    def hold(self) -> None: ...
    def release(self) -> None: ...


class Contact(Protocol):
    """A target that was reached: it makes the link to it, once, and looks at what is left of it.

    `pace` is when to ask again for a stream that was lost; None where the whole connection is lost with it.
    """

    @property
    def pace(self) -> Pacing | None: ...

    def link(self, owner: Owner, loop: Loop, limits: Limits) -> Link:
        """Return the link."""
        ...

    def remains(self) -> Remains:
        """Return what is left of the server, as far as it has ended."""
        ...

    def traced(self, trace: Trace) -> Contact:
        """Return the same contact, whose link shows what passes."""
        ...

    async def older(self, loop: Loop, limits: Limits) -> Contact | str:
        """Reach the same server over the older transport of its kind; return why that is not possible."""
        ...

    def attend(self, patient: Patient) -> None:
        """Hold whatever measures time while a person is asked for something on the way to the server."""
        ...

    def advised(self, approach: Approach) -> Approach:
        """Return how the conversation is to be opened, by what is known of this target beforehand."""
        ...

    def opened(self, revision: Revision) -> None:
        """The conversation is open, and this is spoken."""
        ...

    def failed(self, failure: OpeningFailed) -> ConnectFailed:
        """Return the error for an opening that failed."""
        ...


class Stream:
    """A contact that is a stream of messages, with the server of that name."""

    pace = None

    def __init__(self, server: str, channel: Channel, remains: Callable[[], Remains] = Remains) -> None:
        self._server = server
        self._channel = channel
        self.remains = remains

    def link(self, owner: Owner, loop: Loop, limits: Limits) -> Link:
        return link_over(self._channel, owner, loop, limits)

    def traced(self, trace: Trace) -> Contact:
        return Stream(self._server, TracedChannel(self._channel, trace), self.remains)

    async def older(self, loop: Loop, limits: Limits) -> Contact | str:
        return "this transport has no older form"

    def attend(self, patient: Patient) -> None:
        """Nobody is asked on the way to a stream."""

    def advised(self, approach: Approach) -> Approach:
        return approach

    def opened(self, revision: Revision) -> None:
        """Another process may speak something else, so nobody is told."""

    def failed(self, failure: OpeningFailed) -> ConnectFailed:
        failures, remains = Failures(self._server), self.remains()
        if isinstance(failure, ServerGone):
            return failures.died(failure.reason, remains)
        return failures.failed(str(failure), remains)


class Target(Protocol):
    """One place to connect to.

    `name` is how errors call it; `restarts` says whether it may be reached again after it ended during an opening.
    """

    name: str
    restarts: bool

    async def reach(self, loop: Loop, limits: Limits) -> Contact:
        """Start whatever is to be started and return the contact; raises `ConnectFailed`."""
        ...


class ServerTarget:
    """A server in the same process; every message still passes through bytes."""

    restarts = False

    def __init__(self, server: Hosted) -> None:
        self.name = server.name
        self._server = server

    async def reach(self, loop: Loop, limits: Limits) -> Contact:
        from mcport.transports.memory import MemoryChannel

        ours, theirs = MemoryChannel.pair(loop, (limits.message_bytes, self._server.host.limits.message_bytes))
        service = Service(self._server.host, theirs, loop)
        loop.keep(service.run())
        return Stream(self.name, ServedChannel(ours, service), lambda: Remains(error=service.error))


class Service:
    """The task in which a server of this process serves one channel."""

    def __init__(self, host: Any, channel: Channel, loop: Loop) -> None:
        self.error: BaseException | None = None
        self._host = host
        self._channel = channel
        self._loop = loop
        self._scope = loop.scope()
        self._ended = anyio.Event()

    async def run(self) -> None:
        """Serve until the client is gone, its lifespan left. An exception is kept, not raised."""
        try:
            with self._scope:
                await self._host.serve(self._channel, self._loop)
        except BaseException as error:
            self._keep(error)
        finally:
            with anyio.CancelScope(shield=True):
                await self._channel.aclose()
            self._ended.set()

    def _keep(self, error: BaseException) -> None:
        """Keep what the server failed with, an exit of the program as well; only the end of this task goes on."""
        from .answering.outbreaks import ends_here, pass_on

        if ends_here(error, self._loop):
            raise error
        pass_on(error)
        self.error = error

    async def wait_end(self) -> None:
        """Wait for the end; a server that does not come to one is cancelled."""
        with anyio.move_on_after(CLOSE_SECONDS):
            await self._ended.wait()
            return
        self.error = TimeoutError(f"the server was still busy after {CLOSE_SECONDS:g} s")
        self._scope.cancel()


class ServedChannel:
    """The client's end of a channel to a server in this process; closing it waits until the server has ended."""

    def __init__(self, channel: Channel, service: Service) -> None:
        self._channel = channel
        self._service = service
        self.open = channel.open
        self.send = channel.send
        self.drain = channel.drain

    @property
    def backlog(self) -> int:
        return self._channel.backlog

    async def aclose(self) -> None:
        await self._channel.aclose()
        await self._service.wait_end()


class TransportTarget:
    """A transport that the user brings; it lasts for one conversation."""

    restarts = False

    def __init__(self, transport: Transport) -> None:
        self.name = type(transport).__name__
        self._transport: Transport | None = transport

    async def reach(self, loop: Loop, limits: Limits) -> Contact:
        transport, self._transport = self._transport, None
        if transport is None:
            cause = "a transport lasts for one conversation; give a function that makes a new one each time"
            raise Failures(self.name).failed(cause, Remains())
        return Stream(self.name, TransportChannel(transport, loop, limits.message_bytes))


class DialTarget:
    """A function of the user that opens a transport each time."""

    restarts = True

    def __init__(self, dial: Dial) -> None:
        self.name = getattr(dial, "__qualname__", type(dial).__name__)
        self._dial = dial

    async def reach(self, loop: Loop, limits: Limits) -> Contact:
        try:
            transport = await self._dial()
        except ConversationError:
            raise
        except Exception as error:
            raise Failures(self.name).failed(plain(error), Remains(error=error)) from error
        return Stream(self.name, TransportChannel(transport, loop, limits.message_bytes))


class ChildTarget:
    """A command that is started as a child process."""

    restarts = True

    def __init__(self, argv: Sequence[str | os.PathLike[str]], options: ChildOptions) -> None:
        from mcport.transports.command import Command

        self._argv = Command.of(argv).argv
        self.name = Command(("python", *self._argv[1:]) if self._argv[0] == sys.executable else self._argv).line
        self._options = options

    async def reach(self, loop: Loop, limits: Limits) -> Contact:
        from mcport.transports.child_channel import ChildChannel
        from mcport.transports.process import Child, ChildLimits

        options = self._options
        try:
            child = await Child.start(
                self._argv,
                env=options.env,
                inherit_env=options.inherit_env,
                cwd=options.cwd,
                spawn_policy=options.spawn_policy,
                on_stderr=options.stderr,
                limits=ChildLimits(stderr_bytes=limits.stderr_bytes),
            )
        except ConnectFailed as error:
            line = f"Cannot start server '{self.name}': {error.cause}"
            raise ConnectFailed(line, server=self.name, phase=error.phase, cause=error.cause) from error.__cause__
        try:
            channel = ChildChannel(child, loop, limits.message_bytes)
        except BaseException:
            await child.end()
            raise
        return Stream(self.name, channel, lambda: Remains(child.returncode, child.stderr_tail()))


class TracedTarget:
    """Another target, that shows what passes."""

    def __init__(self, target: Target, trace: Trace) -> None:
        self.name = target.name
        self.restarts = target.restarts
        self._target = target
        self._trace: Trace | None = trace

    async def reach(self, loop: Loop, limits: Limits) -> Contact:
        contact = await self._target.reach(loop, limits)
        return contact.traced(self._show)

    def _show(self, way: str, message: bytes) -> None:
        """Hand a message to the user's function; one that fails is not called again."""
        try:
            if self._trace is not None:
                self._trace(way, message)
        except Exception:
            self._trace = None
            log.exception("the trace callback failed; it is not called again")
