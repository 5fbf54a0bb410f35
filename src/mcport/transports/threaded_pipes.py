"""Lines of bytes over two file descriptors that cannot be watched: a daemon thread per direction blocks instead.

For regular files, /dev/null, terminals, descriptors that share their open file with stderr, and Windows. Below:
`session`'s channel port and `core`'s framing.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from functools import partial
from queue import SimpleQueue

from mcport.core.framing import Framer
from mcport.session.channel import Backlog, Receiver
from mcport.session.loop import Loop

CHUNK = 64 * 1024


class ThreadedPipeChannel:
    """A channel whose reads and writes block in threads of their own."""

    def __init__(self, loop: Loop, in_fd: int, out_fd: int, limit: int) -> None:
        self._loop = loop
        self._in = in_fd
        self._out = out_fd
        self._framer = Framer(limit)
        self._backlog = Backlog(loop)
        self._outbox: SimpleQueue[bytes | None] = SimpleQueue()
        self._receiver: Receiver | None = None
        self._closed = False
        self._writer = threading.Thread(target=self._write, name="mcport pipe writer", daemon=True)
        self._writer.start()

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
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
        """Let the writer finish what it has and let go of its descriptor.

        A reader that is blocked in a read keeps its own until something comes: closing a descriptor under a read would
        let the read hit whatever gets the number next.
        """
        if not self._closed:
            self._closed = True
            self._outbox.put(None)
            self._backlog.set(0)

    # ---- in the threads

    def _read(self) -> None:
        reason = "the other side closed the connection"
        while not self._closed:
            try:
                chunk = os.read(self._in, CHUNK)
            except OSError as error:
                reason, chunk = f"reading failed: {error.strerror or error}", b""
            self._loop.soon_from_thread(partial(self._deliver, chunk, reason))
            if not chunk:
                break
        with suppress(OSError):
            os.close(self._in)

    def _write(self) -> None:
        broken = False
        while (data := self._outbox.get()) is not None:
            size = len(data)
            while data and not broken:
                try:
                    data = data[os.write(self._out, data) :]
                except OSError:
                    broken = True  # the reader is gone; the end of reading tells the story
            self._loop.soon_from_thread(partial(self._written, size))
        with suppress(OSError):
            os.close(self._out)

    # ---- back in the loop

    def _written(self, size: int) -> None:
        self._backlog.set(max(self._backlog.bytes - size, 0))

    def _deliver(self, chunk: bytes, reason: str) -> None:
        if self._closed or self._receiver is None:
            return
        lines = self._framer.feed(chunk) if chunk else self._framer.end()
        if lines:
            self._receiver.receive(lines)
        if not chunk:
            self._receiver.ended(reason)
