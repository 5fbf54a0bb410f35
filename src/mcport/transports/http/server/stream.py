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
from mcport.session.loop import Loop, Promise
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
        self._waiting: deque[tuple[bytes, bytes]] = deque()
        self._pumping = False
        self._idle: Promise[None] | None = None

    def attach(self, reply: Reply | None) -> None:
        """From now on send to this connection, or to none."""
        self._reply = reply

    @property
    def reply(self) -> Reply | None:
        """The connection on which the client hears it now."""
        return self._reply

    def prime(self) -> None:
        """Let the client know the stream before anything is said on it, so that it can come back."""
        self.say(b"")

    def say(self, data: bytes, last: bool = False) -> None:
        """Say something; never waits."""
        if self.over:
            return
        self.over = last
        self._waiting.append((LAST if last else MORE, data))
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

    async def written(self) -> None:
        """Wait until all that was said is logged and under way."""
        while self._pumping:
            self._idle = self._idle or self._loop.promise()
            await self._idle

    async def _pump(self) -> None:
        try:
            while self._waiting:
                flag, data = self._waiting.popleft()
                cursor = await self._events.append(self.log, flag + data, KEEP_SECONDS)
                if self._reply is not None:
                    retry = None if data else RETRY_SECONDS
                    self._reply.put(encode_event(data, id=self.id_of(cursor), retry=retry))
        except Exception:
            log.exception("a stream cannot be logged")
            self._waiting.clear()
        finally:
            self._pumping = False
            if self._idle is not None:
                self._idle.set_result(None)
                self._idle = None


def new_name(stands: bool = False) -> str:
    """Return the name of a new stream, which nobody can guess."""
    return (STANDING if stands else "p") + secrets.token_urlsafe(12)


def read_event_id(id: str) -> tuple[str, int] | None:
    """Return the stream and the cursor that an event id stands for, None for one that is not ours."""
    name, dot, cursor = id.rpartition(".")
    if not (dot and name and len(id) < 100 and cursor.isascii() and cursor.isdigit() and len(cursor) < 16):
        return None
    return name, int(cursor)
