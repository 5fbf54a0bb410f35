"""One stream of a session: what is said on it is logged for a client that returns, and sent to one that is there.

A stream outlives its connections: a client that was cut off, or was asked to come back later, goes on with the event
after the last one that it saw, in this worker or another (2025-11-25 basic/transports "Resumability and Redelivery").
Below: `reply`, `stores.events`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from typing import Final, NamedTuple

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


class Said(NamedTuple):
    """What was said on a stream, whether it was the last, and when a client should come back."""

    data: bytes
    last: bool = False
    retry: float | None = None

    @property
    def logged(self) -> bytes:
        """The event as it stands in a log."""
        return (LAST if self.last else MORE) + self.data

    @property
    def size(self) -> int:
        """How many bytes of a log it takes."""
        return len(self.data) + 1


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
        self._say(Said(b"", retry=retry))

    def say(self, data: bytes, last: bool = False) -> None:
        """Say something; never waits."""
        self._say(Said(data, last))

    async def whole(self, messages: Sequence[bytes], primes: bool) -> bytes:
        """Log all that there is to say, at once, and return it for a client that is sent it in one piece.

        A client that does not get it whole comes back for the rest if `primes` let it know where it is.
        """
        *before, last = messages
        said = [*map(Said, before), Said(last, True)]
        if primes:
            said.insert(0, Said(b"", retry=RETRY_SECONDS))
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
        self.over = said.last
        self._waiting.append(said)
        self._backlog.set(self._backlog.bytes + said.size)
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
                self._backlog.set(self._backlog.bytes - sum(each.size for each in said))
        finally:
            self._pumping = False

    async def _logged(self, said: Sequence[Said]) -> list[bytes]:
        """Log events and return them with their ids; where that fails they have none, and cannot be fetched again."""
        try:
            last = await self._events.append(self.log, [each.logged for each in said], KEEP_SECONDS)
        except Exception as error:
            log.error("what is said on a stream cannot be kept: %s", type(error).__name__)
            return [encode_event(each.data, retry=each.retry) for each in said if each.data]
        first = last - len(said) + 1
        return [encode_event(each.data, id=self.id_of(at), retry=each.retry) for at, each in enumerate(said, first)]


def new_name(stands: bool = False) -> str:
    """Return the name of a new stream, which nobody can guess."""
    return (STANDING if stands else "p") + secrets.token_urlsafe(12)


def read_event_id(id: str) -> tuple[str, int] | None:
    """Return the stream and the cursor that an event id stands for, None for one that is not ours."""
    name, dot, cursor = id.rpartition(".")
    if not (dot and name and len(id) < 100 and cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        return None
    return name, int(cursor)
