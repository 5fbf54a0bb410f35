"""An app served by this process, on uvicorn: it listens where it was told to, and ends soon when it is told to.

uvicorn tells an application that it is to end only once every stream is closed, and streams stay open until they are
told. So its own hook tells the app first. Neither logging nor the process is set up by it, and nothing is printed.
uvloop and httptools are used where they are installed. Below: `app`, `by_httptools` or
`by_h11`, `patience`, `uvicorn`.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

import anyio
import uvicorn

from .app import HttpApp
from .direct import Short
from .patience import HEAD_BYTES, Patience
from .residence import Residence

KEEP_ALIVE_SECONDS: Final = 30
"""How long a connection may stay open on which nothing is asked."""

LINGER_SECONDS: Final = 0.25
"""How long a client may take what is still on its way to it, once all is said."""

SPARE_CONNECTIONS: Final = 1000
"""How many connections there may be beyond those that listen."""

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Runner(uvicorn.Server):
    """Serves one app. With `signals`, SIGTERM and the first Ctrl-C end it, and are not raised again afterwards."""

    tells_apps: Final = True
    """Whether it tells the app of its end by itself (`foreign`)."""

    def __init__(self, app: HttpApp, listeners: int, signals: bool, listening: Callable[[], object]) -> None:
        self._short = Short(app)
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                ws="none",
                interface="asgi3",
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                http=protocol(self._short),
                h11_max_incomplete_event_size=HEAD_BYTES,
                limit_concurrency=listeners + SPARE_CONNECTIONS,
            )
        )
        self._app = app
        self._signals = signals
        self._listening = listening
        self._entering: asyncio.Future[Residence] | None = None
        self._patience = Patience()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Enter the server's lifespan, and serve. Raises what the lifespan raises."""
        self._entering = asyncio.ensure_future(self._app.enter())
        try:
            self._short.residence = await self._entering
        except asyncio.CancelledError:
            if self.should_exit:
                return
            raise
        await super().startup(sockets)
        self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin the end; where nothing began yet, stop beginning.

        The next Ctrl-C ends the program at once: a handler that blocks the loop must not keep it from that. SIGTERM
        does not, as it may come from whoever passes a Ctrl-C on that was heard here as well.
        """
        signal.signal(signal.SIGINT, signal.default_int_handler)
        super().handle_exit(sig, frame)
        if self._entering is not None:
            self._entering.get_loop().call_soon_threadsafe(self._entering.cancel)

    async def on_tick(self, counter: int) -> bool:
        """Do what is to be done ten times a second, and once a second let nobody keep this waiting."""
        if counter % 10 == 0:
            self._patience.look(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, and end what goes on."""
        ending = asyncio.ensure_future(self._end())
        await super().shutdown(sockets)
        await ending

    async def _end(self) -> None:
        try:
            await self._app.aclose(for_good=True)
        finally:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        """Wait for nobody any more."""
        self.force_exit = True
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Heed signals while this serves."""
        if not self._signals or threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {each: signal.signal(each, self.handle_exit) for each in SIGNALS}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


def run(app: HttpApp, sockets: Sequence[socket.socket], listeners: int, listening: Callable[[], object]) -> None:
    """Serve as a program of its own until SIGTERM or Ctrl-C. Blocks."""
    with asyncio.Runner(loop_factory=_loop_factory()) as loop:
        loop.run(_serve(Runner(app, listeners, signals=True, listening=listening), sockets))


async def serve(
    app: HttpApp, sockets: Sequence[socket.socket], listeners: int, listening: Callable[[], object]
) -> None:
    """Serve in the running asyncio loop until this is cancelled; signals are left to the program."""
    await _serve(Runner(app, listeners, signals=False, listening=listening), sockets)


async def _serve(runner: Runner, sockets: Sequence[socket.socket]) -> None:
    """Serve until the end; if the task is cancelled, end as politely as by a signal."""
    serving = asyncio.ensure_future(runner.serve([*sockets]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        runner.should_exit = True
        with anyio.CancelScope(shield=True):
            await asyncio.wait([serving])
        raise
    finally:
        for each in sockets:
            each.close()


def protocol(short: Short) -> type[asyncio.Protocol]:
    """Return what reads requests for uvicorn: simple ones past ASGI, others by httptools where that is installed."""
    try:
        from .by_httptools import ByHttptools as Base
    except ImportError:
        from .by_h11 import ByH11 as Base  # type: ignore[assignment]
    return type(Base.__name__, (Base,), {"short": short})


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
