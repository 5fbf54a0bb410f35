"""A connection to a server of ours without a socket: bytes go in as the test cuts them, and what comes out is seen.

What uvicorn's protocol is given here is all it is given by asyncio.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio

from mcport.transports.http.server.app import HttpApp
from mcport.transports.http.server.running import Runner

_LENGTH = re.compile(rb"content-length: (\d+)\r\n")


class Line(asyncio.Transport):
    """One connection, and the transport of its protocol."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        make: Any = runner.config.http_protocol_class
        self.protocol = make(config=runner.config, server_state=runner.server_state, app_state={})
        self.writes: list[bytes] = []
        self.paused = False
        self.unread = 0
        """So many bytes the client is yet to take."""
        self._closing = self._closed = False
        self.protocol.connection_made(self)

    # ---- what the client does

    async def send(self, *pieces: bytes) -> None:
        """Send bytes; each piece is received by itself, by the loop and in no task, unless nobody listens any more."""
        for piece in pieces:
            if not self._closing:
                asyncio.get_running_loop().call_soon(self.protocol.data_received, piece)
            await anyio.sleep(0)

    def leave(self) -> None:
        """Go away."""
        if not self._closed:
            self._closing = self._closed = True
            self.protocol.connection_lost(None)

    async def answers(self, many: int = 1) -> bytes:
        """Return what has come, once it is so many whole answers."""
        with anyio.fail_after(5):
            while _whole(said := b"".join(self.writes)) < many:
                await anyio.sleep(0)
        return said

    async def end(self) -> bytes:
        """Return what has come, once the server has closed the connection."""
        with anyio.fail_after(5):
            while not self._closed:
                await anyio.sleep(0)
        return b"".join(self.writes)

    # ---- what the protocol does

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def close(self) -> None:
        self._closing = True
        asyncio.get_running_loop().call_soon(self.leave)

    abort = close

    def is_closing(self) -> bool:
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def get_write_buffer_size(self) -> int:
        return self.unread

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


@asynccontextmanager
async def running(app: HttpApp) -> AsyncIterator[Runner]:
    """Serve an app at no address."""
    runner = Runner(app, 10, signals=False, listening=lambda: None)
    runner.config.load()
    runner.lifespan = runner.config.lifespan_class(runner.config)
    await runner.startup([])
    await runner.on_tick(0)
    try:
        yield runner
    finally:
        await app.aclose()


def _whole(said: bytes) -> int:
    """Return how many answers have come to their ends."""
    found = 0
    while (end := said.find(b"\r\n\r\n")) >= 0:
        length = _LENGTH.search(said[: end + 2])
        rest = said[end + 4 :]
        if length is None:
            last = rest.find(b"0\r\n\r\n")
            if last < 0:
                return found
            said = rest[last + 5 :]
        elif len(rest) < int(length[1]):
            return found
        else:
            said = rest[int(length[1]) :]
        found += 1
    return found
