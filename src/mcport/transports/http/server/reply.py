"""The answer to one POST: a piece of JSON, or a stream of events once something is said before it.

It is what an exchange speaks to (`session.exchange.Outlet`). Who reads slowly is waited for, up to a bound; then the
stream is cut off, and not the server. Below: `wire`, `core.sse`, `session.channel`'s backlog.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

import anyio
import anyio.lowlevel

from mcport.core.jsonrpc import JsonObject, Notification, encode
from mcport.core.limits import Limits
from mcport.core.sse import encode_comment, encode_event
from mcport.session.channel import Backlog
from mcport.session.exchange import Answer, Exchange
from mcport.session.loop import Loop, Promise
from mcport.session.waiting import Lost, OnProgress, Settled

from .wire import Left, RawHeaders, Wire

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
    """Answers one POST. `cut` is called when the client does not read what it is sent, or cannot be reached.

    `answer_instead` has somebody else answer where the handler does not come to an end.
    """

    def __init__(
        self,
        wire: Wire,
        loop: Loop,
        limits: Limits,
        cut: Left,
        answer_instead: Callable[[Exchange, Answer], None],
    ) -> None:
        self.loop = loop
        self.answer_instead = answer_instead
        self.streams = False
        self._wire = wire
        self._limits = limits
        self._cut = cut
        self._waiting: deque[bytes] = deque()
        self._backlog = Backlog(loop)
        self._wake: Promise[None] | None = None
        self._written: Promise[None] | None = None
        self._scope: anyio.CancelScope | None = None
        self._task: object = None
        self._over = False
        self._broken = False
        self._stalled = 0

    # ---- what an exchange says on the way

    def tell(self, notification: Notification) -> None:
        """Send a notification; never waits."""
        self.put(encode_event(encode(notification)))

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

    async def ask(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Settled:
        """Nobody can be asked on this way: there is no session (2026-07-28 basic/patterns/mrtr)."""
        return Lost("requests of a server have no way to the client here")

    # ---- the stream

    def begin(self) -> None:
        """Turn the answer into a stream, if it is none yet."""
        if not self.streams and not self._over:
            self.streams = True
            self._written = self.loop.promise()
            self._scope = self.loop.scope()
            if self._broken:
                self._scope.cancel()
            self._task = self.loop.spawn(self._write(self._written, self._scope))

    def put(self, data: bytes) -> None:
        """Queue bytes of the stream, and begin it where that has not happened."""
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
        if not self.streams:
            return
        if not self._backlog.bytes:
            self._stalled = 0
            self.put(ALIVE)
            return
        self._stalled += 1
        if self._stalled >= STALLED:
            self._break("the client does not read what it is sent")

    async def finish(self, status: int, body: bytes) -> None:
        """Send the answer itself: as the last event of the stream, or with its status where there is none."""
        if not self.streams:
            self._over = True
            await self._wire.answer(status, body)
            return
        self.put(encode_event(body))
        await self.end()

    def close(self) -> None:
        """Take nothing more; the stream is closed once what waits is sent."""
        self._over = True
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def end(self) -> None:
        """Send what waits and close the stream."""
        self.close()
        if self._written is not None:
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

    async def _write(self, written: Promise[None], scope: anyio.CancelScope) -> None:
        """The task of a stream: send what is put, in pieces as large as they come."""
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
            self._wake = self.loop.promise()
            await self._wake
            self._wake = None
            return
        data = b"".join(self._waiting)
        self._waiting.clear()
        await self._wire.write(data)
        self._stalled = 0
        self._backlog.set(max(0, self._backlog.bytes - len(data)))
