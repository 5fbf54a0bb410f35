"""Lines of bytes over two file descriptors that cannot be watched: a daemon thread per direction blocks instead.

For regular files, /dev/null, terminals, descriptors that share their open file with stderr, and Windows. Below:
`session`'s channel port and `core`'s framing.
"""

from __future__ import annotations

import os
import select
import threading
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Final

from mcport.core.framing import Framer
from mcport.session.channel import BROKEN, BROKEN_SECONDS, Backlog, Receiver
from mcport.session.loop import Loop

CHUNK: Final = 64 * 1024

CHUNKS_AHEAD: Final = 16
"""How many chunks the reader may be ahead of the loop: a file can be read faster than it can be answered."""


class ThreadedPipeChannel:
    """A channel whose reads and writes block in threads of their own."""

    def __init__(self, loop: Loop, in_fd: int, out_fd: int, limit: int) -> None:
        self._loop = loop
        self._in = in_fd
        self._out = out_fd
        self._framer = Framer(limit)
        self._backlog = Backlog(loop)
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._ahead = threading.Semaphore(CHUNKS_AHEAD)
        self._alarm: tuple[int, int] | None = os.pipe() if loop.can_watch else None
        self._receiver: Receiver | None = None
        self._reading = False
        self._closed = False
        threading.Thread(target=self._write, name="mcport pipe writer", daemon=True).start()

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._reading = True
        threading.Thread(target=self._read, name="mcport pipe reader", daemon=True).start()

    @property
    def backlog(self) -> int:
        return self._backlog.bytes

    def send(self, message: bytes, more: bool = False) -> None:
        if not self._closed:
            self._backlog.set(self._backlog.bytes + len(message) + 1)
            self._outbox.put(message + b"\n")

    async def drain(self, below: int) -> None:
        await self._backlog.below(below)

    async def aclose(self) -> None:
        self.close()

    def close(self) -> None:
        """Let the writer finish what it has, wake the reader, and let both let go of their descriptors.

        On Windows a blocked reader keeps its descriptor until something comes: closing it under a read would let the
        read hit whatever gets the number next.
        """
        if self._closed:
            return
        self._closed = True
        self._outbox.put(None)
        self._backlog.set(0)
        self._ahead.release()
        if self._alarm is not None:
            os.close(self._alarm[1])
        if self._receiver is None:
            self._let_go_of_input()

    # ---- in the threads

    def _read(self) -> None:
        reason, chunk = "the other side closed the connection", b"-"
        while chunk and not self._closed:
            try:
                chunk = self._next_chunk()
            except OSError as error:
                reason, chunk = f"reading failed: {error.strerror or error}", b""
            self._ahead.acquire()
            self._loop.soon_from_thread(partial(self._deliver, chunk, reason))
        self._let_go_of_input()

    def _next_chunk(self) -> bytes:
        """Wait for the next bytes and return them, none at the end or when the channel is closed."""
        while True:
            if self._alarm is not None:
                _wait([self._in, self._alarm[0]], [])
            if self._closed:
                return b""
            try:
                return os.read(self._in, CHUNK)
            except BlockingIOError:
                continue  # somebody who shares the open file has made it non-blocking

    def _let_go_of_input(self) -> None:
        with suppress(OSError):
            os.close(self._in)
        if self._alarm is not None:
            os.close(self._alarm[0])

    def _write(self) -> None:
        broken = False
        while (data := self._outbox.get()) is not None:
            try:
                if not broken:
                    self._write_all(memoryview(data))
            except OSError:
                broken = True
                self._loop.soon_from_thread(self._broke)
            self._loop.soon_from_thread(partial(self._written, len(data)))
        with suppress(OSError):
            os.close(self._out)

    def _write_all(self, data: memoryview) -> None:
        while data:
            try:
                data = data[os.write(self._out, data) :]
            except BlockingIOError:
                _wait([], [self._out])

    # ---- back in the loop

    def _broke(self) -> None:
        """The reader is gone. The end of reading tells the story, if it comes soon."""
        self._loop.later(BROKEN_SECONDS, partial(self._ended, BROKEN))

    def _written(self, size: int) -> None:
        self._backlog.set(max(self._backlog.bytes - size, 0))

    def _deliver(self, chunk: bytes, reason: str) -> None:
        self._ahead.release()
        if self._closed or not self._reading or self._receiver is None:
            return
        lines = self._framer.feed(chunk) if chunk else self._framer.end()
        if lines:
            self._receiver.receive(lines)
        if not chunk:
            self._ended(reason)

    def _ended(self, reason: str) -> None:
        if self._reading and not self._closed and self._receiver is not None:
            self._reading = False
            self._receiver.ended(reason)


def _wait(reading: list[int], writing: list[int]) -> None:
    # A number beyond what `select` can take: the call that follows blocks instead.
    with suppress(ValueError):
        select.select(reading, writing, [])
