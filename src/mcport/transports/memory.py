"""Two channels in one process, back to back. Every message passes through bytes, so nothing is shared by accident."""

from __future__ import annotations

from mcport.core.framing import EDGE, Line, Oversized
from mcport.session.channel import Backlog, Receiver
from mcport.session.loop import Loop


class MemoryChannel:
    """One end of a pair; `pair()` makes both. What is sent is delivered in the loop's next turn, in one batch."""

    def __init__(self, loop: Loop, limit: int) -> None:
        self._loop = loop
        self._limit = limit
        self._other: MemoryChannel
        self._receiver: Receiver | None = None
        self._inbox: list[Line] = []
        self._backlog = Backlog(loop)
        self._due = False
        self._closed = False
        self._over = False

    @classmethod
    def pair(cls, loop: Loop, limits: tuple[int, int]) -> tuple[MemoryChannel, MemoryChannel]:
        """Return two connected ends; `limits` bound the messages, in bytes, that each of them takes in."""
        one, other = cls(loop, limits[0]), cls(loop, limits[1])
        one._other, other._other = other, one
        return one, other

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        if self._inbox or self._over:
            self._schedule()

    @property
    def backlog(self) -> int:
        return self._backlog.bytes

    def send(self, message: bytes, more: bool = False) -> None:
        if not self._closed and not self._other._closed:
            self._backlog.set(self._backlog.bytes + len(message))
            self._other._take(message)

    async def drain(self, below: int) -> None:
        await self._backlog.below(below)

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            self._inbox.clear()
            self._backlog.set(0)
            self._other._backlog.set(0)
            self._other._end()

    def _take(self, message: bytes) -> None:
        over = len(message) > self._limit
        self._inbox.append(Oversized(len(message), message[:EDGE], message[-EDGE:]) if over else message)
        self._schedule()

    def _end(self) -> None:
        self._over = True
        self._schedule()

    def _schedule(self) -> None:
        if not self._due and self._receiver is not None:
            self._due = True
            self._loop.soon(self._deliver)

    def _deliver(self) -> None:
        self._due = False
        batch, self._inbox = self._inbox, []
        self._other._backlog.set(0)
        if self._receiver is None or self._closed:
            return
        if batch:
            self._receiver.receive(batch)
        if self._over and not self._inbox:
            self._over = False
            self._receiver.ended("the other side closed the connection")
