"""Logs of what was said on streams, so that a stream that broke off can be continued, here or in another worker.

`Events` is the port; a server that runs in several workers brings one that they share. An event is bytes, which mean
nothing here. `MemoryEvents` keeps everything in this process, within bounds. Nothing sits below but `anyio`'s event.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import anyio

MIB: Final = 1024 * 1024

LOG_BYTES: Final = 1024
"""So much a log counts for itself, whatever is in it."""


class Events(Protocol):
    """Keeps logs of events for a while. Every method may be called at any time from any task of the loop."""

    async def append(self, log: str, events: Sequence[bytes], seconds: float) -> int:
        """Write events into a log, which begins with them if need be; return the cursor of the last one.

        Cursors grow, and those of events that are written together by one each; a log that was forgotten and begins
        again gives none a second time. The log is forgotten when nothing is written for so many seconds.
        """
        ...

    async def after(self, log: str, cursor: int, wait: float = 0.0) -> list[tuple[int, bytes]] | None:
        """Return what was written after a cursor, with the cursors; 0 stands before everything.

        Where there is nothing yet, wait for it, at most so many seconds. None: there is no such log any more, or what
        came after the cursor was partly forgotten, so that going on there would leave a gap.
        """
        ...

    async def drop(self, log: str) -> None:
        """Forget a log."""
        ...


class _Log:
    __slots__ = ("events", "forgotten", "more", "size", "until")

    def __init__(self, forgotten: int) -> None:
        self.events: list[bytes] = []
        self.forgotten = forgotten
        self.more: anyio.Event | None = None
        self.size = LOG_BYTES
        self.until = 0.0

    @property
    def last(self) -> int:
        """The cursor of what was written last."""
        return self.forgotten + len(self.events)

    def after(self, cursor: int) -> list[tuple[int, bytes]]:
        """Return what was written after a cursor, none of which is forgotten."""
        return list(enumerate(self.events[cursor - self.forgotten :], cursor + 1))

    def forget(self) -> int:
        """Forget the oldest event; return its size."""
        self.forgotten += 1
        size = len(self.events.pop(0))
        self.size -= size
        return size


class MemoryEvents:
    """Keeps logs in this process: so many events and bytes of each, so many bytes in all; the oldest go first."""

    def __init__(
        self,
        most_events: int = 1000,
        most_bytes: int = 4 * MIB,
        most_in_all: int = 64 * MIB,
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._most_in_all = most_in_all
        self._now = now
        self._size = 0
        self._highest = 0
        """No log that was forgotten had a higher cursor, so that one which begins again can go on from here."""
        self._logs: OrderedDict[str, _Log] = OrderedDict()
        """The log that was written to last stands last."""

    async def append(self, log: str, events: Sequence[bytes], seconds: float) -> int:
        now, size = self._forget_over(), sum(map(len, events))
        book = self._logs.get(log)
        if book is None:
            book = self._logs[log] = _Log(self._highest)
            self._size += LOG_BYTES
        else:
            self._logs.move_to_end(log)
        book.events += events
        book.until = now + seconds
        book.size += size
        self._size += size
        self._shorten(book)
        if book.more is not None:
            book.more.set()
            book.more = None
        return book.last

    async def after(self, log: str, cursor: int, wait: float = 0.0) -> list[tuple[int, bytes]] | None:
        self._forget_over()
        book = self._logs.get(log)
        if book is None or cursor < book.forgotten:
            return None
        if cursor >= book.last and wait > 0:
            book.more = book.more or anyio.Event()
            with anyio.move_on_after(wait):
                await book.more.wait()
            if self._logs.get(log) is not book or cursor < book.forgotten:
                return None
        return book.after(cursor)

    async def drop(self, log: str) -> None:
        book = self._logs.pop(log, None)
        if book is not None:
            self._forget(book)

    def _shorten(self, book: _Log) -> None:
        """Forget the oldest events of a log, and then the logs that were not written to for the longest time."""
        while len(book.events) > self._most_events or (
            book.size > self._most_bytes + LOG_BYTES and len(book.events) > 1
        ):
            self._size -= book.forget()
        while self._size > self._most_in_all and len(self._logs) > 1:
            self._pop_oldest()

    def _forget_over(self) -> float:
        """Forget the logs whose time is up, and return the time."""
        now = self._now()
        while self._logs and next(iter(self._logs.values())).until <= now:
            self._pop_oldest()
        return now

    def _pop_oldest(self) -> None:
        self._forget(self._logs.popitem(last=False)[1])

    def _forget(self, book: _Log) -> None:
        """Let go of a log, and wake who waits for its next event."""
        self._size -= book.size
        self._highest = max(self._highest, book.last)
        if book.more is not None:
            book.more.set()
