"""Ports that several workers share, as unhelpful as they may be: every value passes through bytes, answers are late and
come out of order, and nothing in them waits for anything: there is no event, future or callback in what is shared.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel

POLL = 0.001


class Database:
    """What is shared: bytes under keys, and lists of bytes. `fails` makes everything fail that is asked of it."""

    def __init__(self, seed: int = 1) -> None:
        self.values: dict[bytes, bytes] = {}
        self.lists: dict[bytes, list[bytes]] = {}
        self.fails = False
        self._random = random.Random(seed)

    async def late(self) -> None:
        """Take some time: who asks first need not be answered first."""
        for _ in range(self._random.randrange(6)):
            await anyio.lowlevel.checkpoint()
        if self.fails:
            raise OSError("the database is down, said of key 'secret-session-id'")


class SharedSessions:
    """`stores.sessions.Sessions` over a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, id: str, record: bytes, seconds: float) -> bool:
        await self._database.late()
        self._database.values[id.encode()] = bytes(bytearray(record))
        return True

    async def get(self, id: str) -> bytes | None:
        await self._database.late()
        found = self._database.values.get(id.encode())
        await self._database.late()
        return None if found is None else bytes(bytearray(found))

    async def put(self, id: str, record: bytes, was: bytes) -> bool:
        await self._database.late()
        is_so = self._database.values.get(id.encode()) == was
        if is_so:
            self._database.values[id.encode()] = bytes(bytearray(record))
        await self._database.late()
        return is_so

    async def drop(self, id: str) -> None:
        await self._database.late()
        self._database.values.pop(id.encode(), None)


class SharedEvents:
    """`stores.events.Events` over a database; who waits for an event polls."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, log: str, events: Sequence[bytes], seconds: float) -> int:
        await self._database.late()
        written = self._database.lists.setdefault(log.encode(), [])
        written += [bytes(bytearray(event)) for event in events]
        cursor = len(written)
        await self._database.late()
        return cursor

    async def after(self, log: str, cursor: int, wait: float = 0.0) -> list[tuple[int, bytes]] | None:
        until = anyio.current_time() + wait
        while True:
            await self._database.late()
            events = self._database.lists.get(log.encode())
            if events is None:
                return None
            found = [(at, event) for at, event in enumerate(events, 1) if at > cursor]
            if found or anyio.current_time() >= until:
                return found
            await anyio.sleep(POLL)

    async def drop(self, log: str) -> None:
        self._database.lists.pop(log.encode(), None)


class SharedNotices:
    """`stores.notices.Notices` over a log in a database, which this worker polls: one for each worker."""

    def __init__(self, database: Database) -> None:
        self._log = database.lists.setdefault(b"notices", [])
        self._database = database
        self._hearers: list[Callable[[bytes], None]] = []
        self._read = 0

    def publish(self, notice: bytes) -> None:
        self._log.append(bytes(bytearray(notice)))

    def listen(self, hear: Callable[[bytes], None]) -> Callable[[], None]:
        self._hearers.append(hear)
        return lambda: self._hearers.remove(hear)

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Read the log again and again."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._poll)
            yield
            tasks.cancel_scope.cancel()

    async def _poll(self) -> None:
        while True:
            await anyio.sleep(POLL)
            new, self._read = self._log[self._read :], len(self._log)
            for notice in new:
                for hear in list(self._hearers):
                    hear(notice)
