"""One stream of events over as many connections as it takes, from the last event that came on each.

(2025-11-25 basic/transports "Resumability and Redelivery".) A stream that breaks off, or that the server lets go of, is
gone on with by GET, as long as it has event ids and is worth it. Below: `courier`, `pace`, `core.sse`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import aclosing
from typing import Final

import anyio
import httpx

from mcport.core.http.headers import EVENT_STREAM, LAST_EVENT
from mcport.core.sse import EventDecoder

from .answers import events, kind_of, refusal_of
from .courier import Courier
from .endpoint import Unreachable
from .pace import POLLS, Pace

LINGER_SECONDS: Final = 1.0
"""How long a server may take to end a stream on which everything was said: its connection can then be used again."""

STEADY_SECONDS: Final = 5.0
"""A connection that lasted as long was a good one, even if nothing came on it."""

NOT_RESUMABLE: Final = "it ended the answer before that was complete"


class Broken(Exception):
    """A stream is at its end before its time; the text says why."""


class Track:
    """One stream. What comes on it goes to the courier's receiver, until there is `enough`."""

    def __init__(self, courier: Courier, pace: Pace, enough: Callable[[], bool]) -> None:
        self.last = ""
        self._retry: float | None = None
        self._courier = courier
        self._pace = pace
        self._enough = enough
        self._failures = 0
        self._polls = 0
        self._reason = NOT_RESUMABLE

    async def hear(self, response: httpx.Response) -> None:
        """Take in what comes on one connection, until that ends in whatever way."""
        before, begun = self.last, anyio.current_time()
        decoder = EventDecoder(self._courier.limits.message_bytes, last_event_id=self.last, retry=self._retry)
        try:
            came = await self._take_all(response, decoder)
            steady = anyio.current_time() - begun >= STEADY_SECONDS
            self._ended(came or steady or decoder.last_event_id != before, decoder.retry)
        except Unreachable as error:
            self.failed(str(error), decoder.last_event_id != before)
        finally:
            self.last, self._retry = decoder.last_event_id, decoder.retry
            await response.aclose()

    async def _take_all(self, response: httpx.Response, decoder: EventDecoder) -> bool:
        """Take in what comes; return whether anything did. When there is enough the server has a moment to end it."""
        came = False
        with anyio.CancelScope() as reading:
            async with aclosing(events(response, decoder)) as lines:
                async for line in lines:
                    came = True
                    self._courier.take(line)
                    if self._enough():
                        reading.deadline = anyio.current_time() + LINGER_SECONDS
        return came

    async def again(self, *, anew: bool = False) -> httpx.Response:
        """Connect again and return what the stream goes on with, once it is time; `anew` where that is as good.

        Raises `Broken` where it cannot be gone on with, or was tried too often, and `SessionGone`.
        """
        while (self.last or anew) and self._failures < self._pace.most and self._polls < POLLS:
            await anyio.sleep(self._pace.before(self._failures, self._retry))
            try:
                response = await self._courier.get({LAST_EVENT: self.last} if self.last else {})
            except Unreachable as error:
                self.failed(str(error))
                continue
            if response.is_success and kind_of(response) == EVENT_STREAM:
                return response
            await self._turned_away(response, anew)
        raise Broken(self._reason if self._failures < 2 else f"{self._reason} (tried {self._failures} times in a row)")

    async def _turned_away(self, response: httpx.Response, anew: bool) -> None:
        """A status that may pass is a failure like others; any other is the end, or a reason to begin anew."""
        try:
            refusal = await refusal_of(response, self._courier.limits.message_bytes)
        finally:
            await response.aclose()
        self.failed(f"the stream cannot be continued: {refusal.reason}")
        if response.status_code < 500 and response.status_code != 429:
            if not (anew and self.last):
                raise Broken(self._reason)
            self.last = ""
        self._retry = max(refusal.retry_after or 0.0, self._retry or 0.0) or None

    def _ended(self, came: bool, retry: float | None) -> None:
        """The server let go. Where it said when to come back it wants to be asked again, even for nothing."""
        self._reason = NOT_RESUMABLE
        self._polls = 0 if came else self._polls + 1
        self._failures = 0 if came or retry is not None else self._failures + 1

    def failed(self, reason: str, came: bool = False) -> None:
        """Count a failure, the first one in a row if anything `came` before it."""
        self._reason = reason
        self._failures = 1 if came else self._failures + 1
