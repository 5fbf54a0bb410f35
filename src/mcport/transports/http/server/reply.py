"""An answer that is a stream of events, on one connection.

Who reads slowly is waited for, up to a bound; then the stream is cut off, and not the server. What events mean is not
known here. Below: `wire`, `core.sse`, `session.channel`'s backlog.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import anyio
import anyio.lowlevel

from mcport.core.limits import Limits
from mcport.core.sse import encode_comment
from mcport.session.channel import Backlog
from mcport.session.loop import Loop, Promise

from .wire import RawHeaders, Wire

log: Final = logging.getLogger("mcport.http")

STREAM_HEADERS: Final[RawHeaders] = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
ALIVE: Final = encode_comment()

STALLED: Final = 8
"""A client that takes nothing while it is told so often that the stream lives is cut off: two minutes."""


class Reply:
    """A stream of events. `cut` is called when the client does not read what it is sent, or cannot be reached."""

    def __init__(self, wire: Wire, loop: Loop, limits: Limits, cut: Callable[[str], None]) -> None:
        self._wire = wire
        self._loop = loop
        self._limits = limits
        self._cut = cut
        self._waiting: list[bytes] = []
        self._backlog = Backlog(loop)
        self._wake: Promise[None] | None = None
        self._written: Promise[None] | None = None
        self._scope: anyio.CancelScope | None = None
        self._task: object = None
        self._over = False
        self._broken = False
        self._stalled = 0

    @property
    def full(self) -> bool:
        """Whether the client is too slow to take more."""
        return self._backlog.bytes >= self._limits.outbox_bytes

    async def drained(self) -> None:
        """Wait while the client is too slow to take more."""
        await self.drain(self._limits.outbox_bytes)

    @property
    def backlog(self) -> int:
        """How many bytes wait for the client."""
        return self._backlog.bytes

    async def drain(self, below: int) -> None:
        """Wait until fewer than so many bytes wait."""
        if self._backlog.bytes >= below > 0:
            await self._backlog.below(below)
            # Bytes to a client that is gone go away at once: let those have their turn who notice that it is.
            await anyio.lowlevel.checkpoint()

    # ---- what is sent

    def begin(self) -> None:
        """Let the client have the head of the answer, if it has not."""
        if self._written is None and not self._over:
            self._written = self._loop.promise()
            self._scope = self._loop.scope()
            if self._broken:
                self._scope.cancel()
            self._task = self._loop.spawn(self._write(self._written, self._scope))

    def put(self, data: bytes) -> None:
        """Queue bytes of the stream, and begin it where that has not happened; never waits."""
        if self._broken or self._over:
            return
        self.begin()
        self._waiting.append(data)
        self._backlog.set(self._backlog.bytes + len(data))
        if self._backlog.bytes > self._limits.outbox_hard_bytes:
            self._break("the client does not read what it is sent")
        elif self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def keep_alive(self) -> None:
        """Say something that means nothing, so that nobody on the way takes a quiet stream for a dead one."""
        if self._written is None:
            return
        if not self._backlog.bytes:
            self._stalled = 0
            self.put(ALIVE)
            return
        self._stalled += 1
        if self._stalled >= STALLED:
            self._break("the client does not read what it is sent")

    def close(self) -> None:
        """Take nothing more; the stream is closed once what waits is sent."""
        self._over = True
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def end(self) -> None:
        """Send what waits and close the stream."""
        self.close()
        if self._written is not None:
            await self._wire.may_wait()
            await self._written

    def drop(self) -> None:
        """Send nothing more: nobody is there to read it."""
        self._broken = True
        self._waiting.clear()
        if self._scope is not None:
            self._scope.cancel()

    def _break(self, reason: str) -> None:
        self.drop()
        self._cut(reason)  # before those who wait are woken: who is awake may not be stopped for long
        self._backlog.set(0)

    # ---- the task

    async def _write(self, written: Promise[None], scope: anyio.CancelScope) -> None:
        """Send what is put, in pieces as large as they come."""
        try:
            with scope:
                await self._wire.begin(STREAM_HEADERS)
                while not (self._over and not self._waiting):
                    await self._pour()
                await self._wire.end()
        except OSError as error:
            self._break(f"the client cannot be reached: {error}")
        except Exception:
            log.exception("sending a stream failed")
            self._break("the stream failed")
        finally:
            self._backlog.set(0)
            if not written.done():
                written.set_result(None)

    async def _pour(self) -> None:
        if not self._waiting:
            self._wake = self._loop.promise()
            await self._wake
            self._wake = None
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        await self._wire.write(data)
        self._stalled = 0
        self._backlog.set(max(0, self._backlog.bytes - len(data)))
