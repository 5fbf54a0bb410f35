"""One stream of a session: what is said on it is logged for a client that returns, and sent to one that is there.

A stream outlives its connections: a client that was cut off, or was asked to come back later, goes on with the event
after the last one that it saw, in this worker or another (2025-11-25 basic/transports "Resumability and Redelivery").
Below: `reply`, `stores.events`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Final, TypeAlias

from mcport.core.sse import encode_event
from mcport.session.channel import Backlog
from mcport.session.loop import Loop
from mcport.stores.events import Events

from .reply import Reply

log: Final = logging.getLogger("mcport.http")

KEEP_SECONDS: Final = 300.0
"""How long the events of a stream are kept for a client that was cut off."""

RETRY_SECONDS: Final = 1.0
"""How long a client is asked to wait before it comes back."""

STANDING: Final = "s"
"""What the names of streams begin with that are for what belongs to no request."""

MORE, LAST = b"+", b"."
"""What an event begins with in a log: whether another one is to come."""


Said: TypeAlias = tuple[bytes, bytes, float | None]
"""What was said on a stream: whether another one is to come, the message, and when a client should come back."""


class Stream:
    """One stream. Events are logged and sent in the order in which they were said."""

    def __init__(self, session: str, name: str, loop: Loop, events: Events) -> None:
        self.name = name
        self.over = False
        self._session = session
        self._events = events
        self._loop = loop
        self._reply: Reply | None = None
        self._waiting: list[Said] = []
        self._backlog = Backlog(loop)
        self._pumping = False

    def attach(self, reply: Reply | None) -> None:
        """From now on send to this connection, or to none."""
        self._reply = reply

    def prime(self, retry: float = RETRY_SECONDS) -> None:
        """Let the client know where it is, so that it can come back, and when it should."""
        self._say((MORE, b"", retry))

    def say(self, data: bytes, last: bool = False) -> None:
        """Say something; never waits."""
        self._say((LAST if last else MORE, data, None))

    async def whole(self, messages: Sequence[bytes], primes: bool) -> bytes:
        """Log all that there is to say, at once, and return it for a client that is sent it in one piece.

        A client that does not get it whole comes back for the rest if `primes` let it know where it is.
        """
        said: list[Said] = [(MORE, b"", RETRY_SECONDS)] if primes else []
        said += [(MORE, message, None) for message in messages[:-1]]
        said.append((LAST, messages[-1], None))
        self.over = True
        return b"".join(await self._logged(said))

    def id_of(self, cursor: int) -> str:
        """Return the event id of a place in this stream."""
        return f"{self.name}.{cursor}"

    @property
    def log(self) -> str:
        """The name of its log."""
        return f"{self._session}/{self.name}"

    @property
    def stands(self) -> bool:
        """Whether it is for what belongs to no request."""
        return self.name.startswith(STANDING)

    def is_full(self, most: int) -> bool:
        """Whether the store or the client is too slow to take more than so many bytes."""
        return self._backlog.bytes >= most or (self._reply is not None and self._reply.full)

    async def drained(self, most: int) -> None:
        """Wait while it is full."""
        await self._backlog.below(most)
        if self._reply is not None:
            await self._reply.drained()

    async def written(self) -> None:
        """Wait until all that was said is logged and under way."""
        await self._backlog.below(1)

    def _say(self, said: Said) -> None:
        if self.over:
            return
        self.over = said[0] == LAST
        self._waiting.append(said)
        self._backlog.set(self._backlog.bytes + _size(said))
        if not self._pumping:
            self._pumping = True
            self._loop.keep(self._pump())

    async def _pump(self) -> None:
        """Log what waits and send it, all of it each time."""
        try:
            while self._waiting:
                said, self._waiting = self._waiting, []
                for event in await self._logged(said):
                    if self._reply is not None:
                        self._reply.put(event)
                self._backlog.set(self._backlog.bytes - sum(map(_size, said)))
        finally:
            self._pumping = False

    async def _logged(self, said: Sequence[Said]) -> list[bytes]:
        """Log events and return them with their ids; where that fails they have none, and cannot be fetched again."""
        try:
            last = await self._events.append(self.log, [flag + data for flag, data, _ in said], KEEP_SECONDS)
        except Exception as error:
            log.error("what is said on a stream cannot be kept: %s", type(error).__name__)
            return [encode_event(data, retry=retry) for _, data, retry in said if data]
        first = last - len(said) + 1
        return [encode_event(data, id=self.id_of(at), retry=retry) for at, (_, data, retry) in enumerate(said, first)]


def _size(said: Said) -> int:
    """Return how many bytes of a log it takes."""
    return len(said[1]) + 1


def new_name(stands: bool = False) -> str:
    """Return the name of a new stream, which nobody can guess."""
    return (STANDING if stands else "p") + secrets.token_urlsafe(12)


def read_event_id(id: str) -> tuple[str, int] | None:
    """Return the stream and the cursor that an event id stands for, None for one that is not ours."""
    name, dot, cursor = id.rpartition(".")
    if not (dot and name and len(id) < 100 and cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        return None
    return name, int(cursor)
