"""Lines of bytes over two file descriptors, on asyncio and trio, without a thread where the platform lets us.

One watch per direction stands for the life of the channel. Reading needs no O_NONBLOCK: there is one `read` per
readiness. Writing does: it is set on the descriptor that is written (never on a terminal, and never where the same
open file is stderr's too) and taken back at the end, because the flag belongs to the open file, which others may hold.
Regular files, /dev/null and terminals cannot be watched or must not be switched: there, and on Windows, a daemon
thread per direction blocks instead (`threaded_pipes`). Below: `session`'s channel port and `core`'s framing.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from mcport.core.framing import Framer
from mcport.session.channel import BROKEN, BROKEN_SECONDS, Backlog, Channel, Receiver
from mcport.session.loop import Loop, Stoppable

CHUNK: Final = 64 * 1024
"""Bytes asked for in one read: what a pipe holds. One buffer stays for good, since fresh ones cost page faults."""

GATHER: Final = 64 * 1024
"""Messages are joined into one buffer up to this size; longer ones are handed over as they are."""

PIECES: Final = 512
"""Buffers handed to one gathered write (the platform's bound is 1024 or more)."""


class DescriptorChannel(Channel, Protocol):
    """A channel that can let go of its descriptors without waiting."""

    def close(self) -> None:
        """Do what `aclose` does."""
        ...


def open_pipes(loop: Loop, in_fd: int, out_fd: int, limit: int) -> DescriptorChannel:
    """Return a channel that reads lines of at most `limit` bytes from one descriptor and writes to the other.

    The channel owns both descriptors and closes them.
    """
    if loop.can_watch and is_watchable(in_fd) and is_switchable(out_fd):
        return PipeChannel(loop, in_fd, out_fd, limit)
    from .threaded_pipes import ThreadedPipeChannel

    return ThreadedPipeChannel(loop, in_fd, out_fd, limit)


def is_watchable(fd: int) -> bool:
    """Whether readiness of the descriptor can be watched: pipes, sockets and terminals, not files or /dev/null."""
    mode = os.fstat(fd).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)


def is_switchable(fd: int) -> bool:
    """Whether the descriptor may be made non-blocking: a pipe or socket whose open file is not stderr's as well."""
    this = os.fstat(fd)
    if not (stat.S_ISFIFO(this.st_mode) or stat.S_ISSOCK(this.st_mode)):
        return False
    try:
        err = os.fstat(2)
    except OSError:
        return True
    return (this.st_dev, this.st_ino) != (err.st_dev, err.st_ino)


class PipeChannel:
    """A channel over two watchable descriptors."""

    def __init__(self, loop: Loop, in_fd: int, out_fd: int, limit: int) -> None:
        self._loop = loop
        self._in = in_fd
        self._out = out_fd
        self._framer = Framer(limit)
        self._view = memoryview(bytearray(CHUNK))
        self._buffers = [self._view]
        self._backlog = Backlog(loop)
        self._outbox: list[bytes | memoryview] = []
        self._flush_due = False
        self._delivering = False
        self._reading: Stoppable | None = None
        self._writing: Stoppable | None = None
        self._receiver: Receiver | None = None
        self._closed = False
        self._broken = False
        self._was_blocking = os.get_blocking(out_fd)
        os.set_blocking(out_fd, False)

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._reading = self._loop.watch_reading(self._in, self._readable)

    # ---- reading

    def _readable(self) -> None:
        try:
            count = os.readv(self._in, self._buffers)
        except BlockingIOError:
            return
        except OSError as error:
            self._ended(f"reading failed: {error.strerror or error}")
            return
        assert self._receiver is not None
        if count:
            lines = self._framer.feed(bytes(self._view[:count]))
            if lines:
                self._delivering = True
                try:
                    self._receiver.receive(lines)
                finally:
                    self._delivering = False
                    self._flush()
            return
        if last := self._framer.end():
            self._receiver.receive(last)
        self._ended("the other side closed the connection")

    def _ended(self, reason: str) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
            assert self._receiver is not None
            self._receiver.ended(reason)

    # ---- writing

    @property
    def backlog(self) -> int:
        return self._backlog.bytes

    def send(self, message: bytes, more: bool = False) -> None:
        if self._closed or self._broken:
            return
        self._outbox += (message, b"\n")
        self._backlog.bytes += len(message) + 1
        if self._writing is not None or self._delivering:
            return
        if not more:
            self._flush()
        elif not self._flush_due:
            self._flush_due = True
            self._loop.soon(self._flush)

    def _flush(self) -> None:
        self._flush_due = False
        if self._outbox and self._writing is None and not self._write():
            self._writing = self._loop.watch_writing(self._out, self._writable)

    def _writable(self) -> None:
        if self._write() and self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def _write(self) -> bool:
        """Write what the descriptor takes; return whether nothing is left to write."""
        try:
            while self._outbox:
                self._write_once()
        except BlockingIOError:
            self._backlog.set(self._backlog.bytes)
            return False
        except OSError:
            # EPIPE and its like: the reader is gone. The end of reading tells the story, if it comes soon.
            self._broken = True
            self._outbox.clear()
            if self._reading is not None:
                self._loop.later(BROKEN_SECONDS, partial(self._ended, BROKEN))
        self._backlog.set(0)
        return True

    def _write_once(self) -> None:
        """Hand over as much as one system call takes: small messages joined, large ones as they are."""
        waiting = self._backlog.bytes
        if waiting <= GATHER:
            data = b"".join(self._outbox)
            written = os.write(self._out, data)
            self._outbox = [] if written == waiting else [memoryview(data)[written:]]
        else:
            written = os.writev(self._out, self._outbox[:PIECES])
            self._drop(written)
        self._backlog.bytes = waiting - written

    def _drop(self, written: int) -> None:
        """Take so many bytes from the front of the outbox."""
        count = 0
        for piece in self._outbox:
            if written < len(piece):
                break
            written -= len(piece)
            count += 1
        del self._outbox[:count]
        if written:
            self._outbox[0] = memoryview(self._outbox[0])[written:]

    async def drain(self, below: int) -> None:
        await self._backlog.below(below)

    # ---- the end

    async def aclose(self) -> None:
        self.close()

    def close(self) -> None:
        """Send what can be sent at once, then let go of both descriptors. What a slow reader has not taken is lost."""
        if self._closed:
            return
        reading, self._reading = self._reading, None
        self._flush()
        self._closed = True
        for watch in (reading, self._writing):
            if watch is not None:
                watch.cancel()
        self._writing = None
        self._outbox = []
        self._backlog.set(0)
        if self._was_blocking:
            _quietly(lambda: os.set_blocking(self._out, True))
        for fd in {self._in, self._out}:
            _quietly(lambda fd=fd: os.close(fd))  # type: ignore[misc]


def _quietly(call: Callable[[], object]) -> None:
    """Do something to a descriptor that may be gone already."""
    try:
        call()
    except OSError:
        return
