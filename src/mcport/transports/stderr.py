"""What a child process writes to stderr: always read, the end of it kept, and told by the line to who asks.

A child whose stderr nobody reads stops at a full pipe; a child that floods must not fill the host's memory. So the
pipe is drained whatever comes, into a ring of a few KiB. Text on stderr is no sign of a fault (2026-07-28,
basic/transports/stdio): nothing here judges it. Below sit the loop port and
printable text.
"""

from __future__ import annotations

import codecs
import functools
import logging
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from mcport.session.loop import Loop, Stoppable
from mcport.transports.printable import printable

CHUNK_BYTES: Final = 64 * 1024
LINE_CHARACTERS: Final = 8 * 1024
# What one call to `drain` takes at most: a pipe holds 64 KiB, or 1 MiB at its largest for ordinary users.
DRAIN_BYTES: Final = 1024 * 1024
SETTLE_SECONDS: Final = 0.2
TAKE_SECONDS: Final = 1.0

_log = logging.getLogger("mcport.stderr")


class Tail:
    """The last bytes of a stream, at most `limit` of them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept = bytearray()
        self._cut = False

    def add(self, data: bytes) -> None:
        self._kept += data
        # Trimmed at twice the limit, so that each byte is moved once at most.
        if len(self._kept) > 2 * self._limit:
            self._trim()

    def text(self) -> str:
        """The kept part as harmless text, from the beginning of a line on where one begins in it."""
        self._trim()
        kept = bytes(self._kept)
        if self._cut:
            kept = kept.partition(b"\n")[2] or kept
        return printable(kept.decode("utf-8", "replace").replace("\r\n", "\n"))

    def _trim(self) -> None:
        excess = len(self._kept) - self._limit
        if excess > 0:
            self._cut = True
            del self._kept[:excess]


class Lines:
    """Cuts text into harmless lines and hands each to a function; one over `LINE_CHARACTERS` comes in pieces."""

    def __init__(self, tell: Callable[[str], object]) -> None:
        self._tell: Callable[[str], object] | None = tell
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def add(self, data: bytes, *, final: bool = False) -> None:
        *lines, self._rest = (self._rest + self._decoder.decode(data, final)).split("\n")
        for line in lines:
            self._hand_on(line.removesuffix("\r"))
        if len(self._rest) > LINE_CHARACTERS or (final and self._rest):
            self._hand_on(self._rest)
            self._rest = ""

    def _hand_on(self, line: str) -> None:
        try:
            for start in range(0, len(line) or 1, LINE_CHARACTERS):
                if self._tell is not None:
                    self._tell(printable(line[start : start + LINE_CHARACTERS]))
        except Exception:
            self._tell = None
            _log.exception("The function given for stderr lines failed; it is not called again")


class StderrReader:
    """Reads the parent's end of a child's stderr until its end, and closes it.

    Made inside the running event loop; `on_line` is called in that loop. Where pipes cannot be watched (Windows) a
    thread reads, no faster than the loop takes it.
    """

    def __init__(
        self,
        loop: Loop,
        fd: int,
        limit: int,
        on_line: Callable[[str], object] | None = None,
    ) -> None:
        self._loop = loop
        self._fd = fd
        self._tail = Tail(limit)
        self._lines = Lines(on_line) if on_line is not None else None
        self._watch: Stoppable | None = None
        self._thread: threading.Thread | None = None
        try:
            self._begin()
        except BaseException:
            os.close(fd)
            raise

    def text(self) -> str:
        """The last part of what was read."""
        return self._tail.text()

    def drain(self) -> None:
        """Read what stands in the pipe right now, for the last words of a child that has just ended."""
        taken = 0
        while self._watch is not None and self._fd >= 0 and taken < DRAIN_BYTES and (count := self._read()):
            taken += count

    def settle(self) -> None:
        """The same for a thread that saw the child end: give the reading thread a moment to come to the end."""
        if self._thread is not None:
            self._thread.join(SETTLE_SECONDS)

    def close(self) -> None:
        """Stop reading; what was read stays. A reading thread goes on to the end of the pipe."""
        if self._watch is not None:
            self._watch.cancel()
            fd, self._fd = self._fd, -1
            if fd >= 0:
                os.close(fd)

    def _begin(self) -> None:
        if sys.platform != "win32" and self._loop.can_watch:
            os.set_blocking(self._fd, False)
            self._watch = self._loop.watch_reading(self._fd, self._ready)
        else:
            arguments = (self._fd, self._add, self._loop)
            self._thread = threading.Thread(target=_pump, args=arguments, name="mcport-stderr", daemon=True)
            self._thread.start()

    def _ready(self) -> None:
        # A watch may still call when it was readable in the moment of its end.
        if self._fd >= 0:
            self._read()

    def _read(self) -> int:
        """Take one chunk, and return its size; at the end, close."""
        try:
            data = os.read(self._fd, CHUNK_BYTES)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        self._add(data)
        if not data:
            self.close()
        return len(data)

    def _add(self, data: bytes) -> None:
        self._tail.add(data)
        if self._lines is not None:
            self._lines.add(data, final=not data)


def _pump(fd: int, add: Callable[[bytes], object], loop: Loop) -> None:
    """Read a blocking pipe to its end and hand each chunk to the loop, one at a time."""
    taken = threading.Event()

    def hand_over(data: bytes) -> None:
        add(data)
        taken.set()

    data = b"-"
    while data:
        data = _read_blocking(fd)
        taken.clear()
        loop.soon_from_thread(functools.partial(hand_over, data))
        # A loop that is over takes nothing; the child is read all the same.
        taken.wait(TAKE_SECONDS)
    os.close(fd)


def _read_blocking(fd: int) -> bytes:
    with suppress(OSError):
        return os.read(fd, CHUNK_BYTES)
    return b""
