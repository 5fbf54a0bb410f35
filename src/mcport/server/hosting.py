"""Where a server is served: over stdio, over a transport of the user, or in the same process.

The only room of the server that names transports. Below: `connection`, `living`, `transports`.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio

from mcport.core.limits import Limits
from mcport.session.channel import Channel, Transport, TransportChannel
from mcport.session.loop import Loop, current_loop
from mcport.session.workers import workers_for

from .calling import Caller
from .connection import Connection
from .kernel import Kernel
from .living import Living

Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]


class Host:
    """Serves one server's connections. `lifespan` is entered with `server` while there are any."""

    def __init__(
        self, server: object, kernel: Kernel, caller: Caller, lifespan: Lifespan | None, limits: Limits
    ) -> None:
        self._server = server
        self._kernel = kernel
        self._caller = caller
        self._lifespan = lifespan
        self.limits = limits
        self._living = Living(self._alive)

    async def serve(self, channel: Channel, loop: Loop, connected: Callable[[Connection], None] | None = None) -> None:
        """Serve one connection until its client is gone. `connected` is handed the connection before it begins."""
        await self._living.enter(loop)
        try:
            connection = Connection(self._kernel, channel, loop, self.limits)
            if connected is not None:
                connected(connection)
            await connection.serve()
        finally:
            with anyio.CancelScope(shield=True):
                await self._living.leave()

    async def serve_transport(self, transport: Transport) -> None:
        """Serve one client over a transport that the user brings."""
        loop = current_loop()
        await self.serve(TransportChannel(transport, loop, self.limits.message_bytes), loop)

    def run_stdio(self) -> None:
        """Serve over stdio as a program of its own. Blocks; one Ctrl-C ends it without a traceback."""
        try:
            anyio.run(self.serve_stdio, True)
        except KeyboardInterrupt:
            return

    async def serve_stdio(self, signals: bool) -> None:
        """Serve the client at the other end of stdin and stdout until it closes stdin.

        With `signals`, SIGTERM and SIGINT end the server just as that does.
        """
        from mcport.transports.stdio import open_stdio

        loop = current_loop()
        with open_stdio(loop, self.limits.message_bytes) as channel:
            async with anyio.create_task_group() as tasks:

                def connected(connection: Connection) -> None:
                    if signals and sys.platform != "win32":
                        tasks.start_soon(_stop_on_signal, connection)

                await self.serve(channel, loop, connected)
                tasks.cancel_scope.cancel()

    @asynccontextmanager
    async def _alive(self, loop: Loop) -> AsyncIterator[None]:
        """What stands while anybody is connected: worker threads, and what the user's lifespan yields."""
        self._caller.workers = workers_for(loop, self.limits.worker_threads)
        try:
            if self._lifespan is None:
                yield
                return
            async with self._lifespan(self._server) as value:
                self._caller.lifespan = value
                yield
        finally:
            self._caller.lifespan = None
            self._caller.workers.close()
            self._caller.workers = None


async def _stop_on_signal(connection: Connection) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        async for _ in received:
            connection.stop()
            return
