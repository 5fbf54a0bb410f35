"""Where a server is served: over stdio, over a transport of the user, or in the same process.

The only room of the server that names transports. Below: `connection`, `living`, `transports`.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from types import FrameType
from typing import Any, Final

import anyio

from mcport.core.limits import Limits
from mcport.session.channel import Channel, Transport, TransportChannel
from mcport.session.exchange import Exchange
from mcport.session.loop import Loop, current_loop
from mcport.session.workers import workers_for

from .connection import Connection
from .kernel import Kernel
from .living import Life, Living
from .telling import Telling

_SIGNALS: Final[dict[int, signal.Handlers | Callable[[int, FrameType | None], None]]] = {
    signal.SIGTERM: signal.SIG_DFL,
    signal.SIGINT: signal.default_int_handler,
}
"""What ends a server, and what it does to any program."""

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


class Host:
    """Serves one server's connections. `lifespan` is entered with `server` while there are any."""

    def __init__(
        self, server: object, kernel: Kernel, lifespan: Lifespan | None, limits: Limits, telling: Telling
    ) -> None:
        self._server = server
        self._kernel = kernel
        self._lifespan = lifespan
        self._telling = telling
        self.limits = limits
        self.living = Living(self._alive)
        """What stands while anybody is connected."""

    async def serve(
        self,
        channel: Channel,
        loop: Loop,
        connected: Callable[[Connection], None] | None = None,
        mark: Callable[[Exchange], None] | None = None,
    ) -> None:
        """Serve one connection until its client is gone.

        `connected` is handed the connection before it begins; `mark` says of each request what came with it.
        """
        try:
            life = await self.living.enter(loop)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await channel.aclose()
            raise
        try:
            connection = Connection(self._kernel, channel, loop, self.limits, life, mark)
            if connected is not None:
                connected(connection)
            await connection.serve()
        finally:
            with anyio.CancelScope(shield=True):
                await self.living.leave()

    async def serve_transport(self, transport: Transport) -> None:
        """Serve one client over a transport that the user brings."""
        loop = current_loop()
        await self.serve(TransportChannel(transport, loop, self.limits.message_bytes), loop)

    def run_stdio(self) -> None:
        """Serve over stdio as a program of its own. Blocks; one Ctrl-C ends it without a traceback.

        What the lifespan raises comes out, by itself and with a short traceback.
        """
        try:
            anyio.run(self.serve_stdio, True)
        except KeyboardInterrupt:
            return
        except Exception as error:
            # Most likely the lifespan's: what the author reads begins with code of the author.
            from mcport.session.tracebacks import from_own_code

            raise error.with_traceback(from_own_code(error.__traceback__))  # noqa: B904

    async def serve_stdio(self, signals: bool) -> None:
        """Serve the client at the other end of stdin and stdout until it closes stdin.

        With `signals`, SIGTERM and SIGINT end the server just as that does.
        """
        from mcport.transports.stdio import open_stdio

        loop, starting = current_loop(), anyio.CancelScope()
        stop: list[Callable[[], object]] = [starting.cancel]
        watched = _stopped_by_signals(loop, stop) if signals and sys.platform != "win32" else nullcontext()
        with open_stdio(loop, self.limits.message_bytes) as channel, watched, starting:
            await self.serve(channel, loop, lambda connection: stop.append(connection.stop))

    @asynccontextmanager
    async def _alive(self, loop: Loop) -> AsyncIterator[Life]:
        """What stands while anybody is connected: worker threads, listeners, and what the user's lifespan yields."""
        audience = self._telling.open(loop)
        life = Life(workers_for(loop, self.limits.worker_threads), audience=audience)
        try:
            if self._lifespan is None:
                async with _ending(life):
                    yield life
                return
            async with self._lifespan(self._server) as life.lifespan, _ending(life):
                yield life
        finally:
            life.workers.close()
            self._telling.close(audience)


@asynccontextmanager
async def _ending(life: Life) -> AsyncIterator[None]:
    """End what began during a life, however the life ends."""
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await life.end()


@contextmanager
def _stopped_by_signals(loop: Loop, stop: list[Callable[[], object]]) -> Iterator[None]:
    """On the first signal have the loop call the last of `stop`: what ends the server in the state that it is in.

    The next one does what it does in any program, at once: a handler that blocks the loop must not keep Ctrl-C from
    ending it. So the signals are not left to the loop, which hears of them only between its turns.
    """

    def end() -> None:
        stop[-1]()

    def received(number: int, frame: FrameType | None) -> None:
        for each, default in _SIGNALS.items():
            signal.signal(each, default)
        loop.soon_from_thread(end)

    if threading.current_thread() is not threading.main_thread():
        yield  # signals are none of this thread's business
        return
    before = {each: signal.signal(each, received) for each in _SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
