"""Sessions of the handshake era over HTTP: what is known of each, so that any worker can serve its next request.

`Sessions` is the port; a server that runs in several workers brings one that they share. A record is bytes, which mean
nothing here. `MemorySessions` keeps everything in this process. Nothing sits below.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol


class Sessions(Protocol):
    """Keeps a record for each session as long as it is used. Every method may be called at any time from any task."""

    async def create(self, id: str, record: bytes, seconds: float) -> bool:
        """Keep the record of a new session, which is forgotten when it is not used for so many seconds.

        Return False where there are too many sessions already, all of them in use.
        """
        ...

    async def get(self, id: str) -> bytes | None:
        """Use a session: return its record, None if there is none any more. It is good for as long again."""
        ...

    async def put(self, id: str, record: bytes, was: bytes) -> bool:
        """Replace the record of a session if it still is what it `was`, in one step; return whether it was.

        False also where there is no such session any more.
        """
        ...

    async def drop(self, id: str) -> None:
        """Forget a session."""
        ...


SPARED_SECONDS: Final = 120.0
"""Where there are too many sessions, one that was not used for so long makes room for a new one."""


class MemorySessions:
    """Keeps at most so many sessions in this process.

    Clients come and go without a word; once there are too many, the longest unused goes first, which its client can
    mend by opening another one. Sessions that are in use stay.
    """

    def __init__(self, most: int = 10_000, *, now: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._now = now
        self._records: OrderedDict[str, tuple[float, float, bytes]] = OrderedDict()
        """Of each session when it is over, how long it lasts unused, and its record; the one used last stands last."""

    async def create(self, id: str, record: bytes, seconds: float) -> bool:
        self._forget_unused()
        if len(self._records) >= self._most and not self._make_room():
            return False
        self._records[id] = (self._now() + seconds, seconds, record)
        return True

    async def get(self, id: str) -> bytes | None:
        found = self._records.get(id)
        if found is None:
            return None
        until, seconds, record = found
        now = self._now()
        if until <= now:
            del self._records[id]
            return None
        self._records[id] = (now + seconds, seconds, record)
        self._records.move_to_end(id)
        return record

    async def put(self, id: str, record: bytes, was: bytes) -> bool:
        found = self._records.get(id)
        if found is None or found[2] != was:
            return False
        self._records[id] = (*found[:2], record)
        return True

    async def drop(self, id: str) -> None:
        self._records.pop(id, None)

    def _make_room(self) -> bool:
        until, seconds, _ = next(iter(self._records.values()))
        if self._now() - (until - seconds) < SPARED_SECONDS:
            return False
        self._records.popitem(last=False)
        return True

    def _forget_unused(self) -> None:
        """Forget what is over, the longest unused first; sessions of one server last equally long."""
        now = self._now()
        while self._records and next(iter(self._records.values()))[0] <= now:
            self._records.popitem(last=False)
