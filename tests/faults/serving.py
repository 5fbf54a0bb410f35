"""A server that is served over HTTP by this process, in a thread of its own, and can be looked into.

Tests speak to it over sockets (`raw`), and ask it afterwards what is left over.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from mcport import Server
from mcport.transports.http.server.app import HttpApp
from mcport.transports.http.server.binding import listen
from mcport.transports.http.server.postbox import Postbox
from mcport.transports.http.server.residence import Residence
from mcport.transports.http.server.running import Runner

from .raw import Connection

T = TypeVar("T")

SECONDS = 5.0
"""How long anything may take before a test says that it hangs."""


class Left(NamedTuple):
    """What goes on in a server: requests, streams that are heard, questions, and tasks of its loop."""

    turns: int
    running: int
    hearings: int
    questions: int
    tasks: int


class Site:
    """One app, served by uvicorn with the HTTP parser that is named, at these sockets or at a free port."""

    def __init__(self, server: Server, parser: str, sockets: list[socket.socket] | None = None) -> None:
        self.server = server
        self.app: HttpApp = server.asgi()
        self.listening = threading.Event()
        self.runner = Runner(self.app, 20_000, signals=False, listening=self.listening.set)
        if parser == "h11":
            self.runner.config.http = "h11"  # else it chooses httptools, with bounds of its own
        self.sockets = sockets or listen("127.0.0.1", 0)
        self.port: int = self.sockets[0].getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self.loop) as runner:
            runner.run(self.runner.serve([*self.sockets]))

    def connect(self, **options: Any) -> Connection:
        """Open a connection."""
        return Connection(self.port, **options)

    def stop(self) -> None:
        """Tell the server to end; it does so by and by."""
        self.runner.should_exit = True

    def join(self) -> None:
        """Wait until it has ended."""
        self._thread.join(SECONDS * 2)
        assert not self._thread.is_alive(), "the server does not end"

    def start(self) -> None:
        self._thread.start()
        assert self.listening.wait(SECONDS)

    # ---- what goes on inside

    def within(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run something in the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(SECONDS)

    def left(self) -> Left:
        """Return what goes on now."""
        return self.within(self._left())

    async def _left(self) -> Left:
        seats = self.postbox().seats.values()
        return Left(
            turns=len(self.residence().turns),
            running=sum(len(seat.running) for seat in seats),
            hearings=sum(seat.hearings for seat in seats),
            questions=sum(len(seat.peer._calls) for seat in seats),
            tasks=len(asyncio.all_tasks()),
        )

    def residence(self) -> Residence:
        """Where the app is at home."""
        (residence,) = self.app._residences._here.values()
        return residence

    def postbox(self) -> Postbox:
        """The seats of its sessions."""
        return self.app._handshake._postbox(self.residence())

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds in the server."""
        self.within(self._until(holds))

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not holds():
                await asyncio.sleep(0.001)

    @contextmanager
    def as_it_was(self) -> Iterator[None]:
        """What is done within leaves nothing behind: no task, no request, no stream."""
        with self.connect() as connection:
            connection.post(connection.call("add", a=1, b=1))  # everything that is made once is there now
        self.within(self._until_no_connections())
        before = self.left()
        yield
        try:
            self.within(self._until_left(before))
        except TimeoutError:
            raise AssertionError(f"{self.left()} is left of {before}") from None

    async def _until_no_connections(self) -> None:
        await self._until(lambda: not self.runner.server_state.connections)

    async def _until_left(self, before: Left) -> None:
        async with asyncio.timeout(SECONDS):
            while await self._left() != before or self.runner.server_state.connections:
                await asyncio.sleep(0.001)


@contextmanager
def served(server: Server, parser: str = "h11") -> Iterator[Site]:
    """Serve until the block is left."""
    site = Site(server, parser)
    site.start()
    try:
        yield site
    finally:
        site.stop()
        site.join()
