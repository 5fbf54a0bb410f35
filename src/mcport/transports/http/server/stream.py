"""One stream of a session: what is said on it is logged for a client that returns, and sent to one that is there.

A stream outlives its connections: a client that was cut off, or was asked to come back later, goes on with the event
after the last one that it saw, in this worker or another (2025-11-25 basic/transports "Resumability and Redelivery").
Below: `reply`, `stores.events`.
"""

from __future__ import annotations

import logging
import secrets
from collections import deque
from typing import Final

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


class Stream:
    """One stream. Events are logged and sent in the order in which they were said."""

    def __init__(self, session: str, name: str, loop: Loop, events: Events) -> None:
        self.name = name
        self.over = False
        self._session = session
        self._events = events
        self._loop = loop
        self._reply: Reply | None = None
        self._waiting: deque[tuple[bytes, bytes, float | None]] = deque()
        self._backlog = Backlog(loop)
        self._pumping = False

    def attach(self, reply: Reply | None) -> None:
        """From now on send to this connection, or to none."""
        self._reply = reply

    def prime(self, retry: float = RETRY_SECONDS) -> None:
        """Let the client know where it is, so that it can come back, and when it should."""
        self.say(b"", retry=retry)

    def say(self, data: bytes, last: bool = False, retry: float | None = None) -> None:
        """Say something; never waits."""
        if self.over:
            return
        self.over = last
        self._waiting.append((LAST if last else MORE, data, retry))
        self._backlog.set(self._backlog.bytes + len(data) + 1)
        if not self._pumping:
            self._pumping = True
            self._loop.keep(self._pump())

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

    async def _pump(self) -> None:
        try:
            while self._waiting:
                flag, data, retry = self._waiting.popleft()
                id = await self._logged(flag + data)
                if self._reply is not None and (data or id is not None):
                    self._reply.put(encode_event(data, id=id, retry=retry))
                self._backlog.set(self._backlog.bytes - len(data) - 1)
        finally:
            self._pumping = False

    async def _logged(self, event: bytes) -> str | None:
        """Log an event and return its id; where that fails it goes out without one, and cannot be fetched again."""
        try:
            return self.id_of(await self._events.append(self.log, event, KEEP_SECONDS))
        except Exception as error:
            log.error("what is said on a stream cannot be kept: %s", type(error).__name__)
            return None


def new_name(stands: bool = False) -> str:
    """Return the name of a new stream, which nobody can guess."""
    return (STANDING if stands else "p") + secrets.token_urlsafe(12)


def read_event_id(id: str) -> tuple[str, int] | None:
    """Return the stream and the cursor that an event id stands for, None for one that is not ours."""
    name, dot, cursor = id.rpartition(".")
    if not (dot and name and len(id) < 100 and cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        return None
    return name, int(cursor)
