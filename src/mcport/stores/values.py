"""A small store: values that are kept for a while under a name, and names that can be used up once.

`Store` is the port; bring one of your own (a database, a cache server) where several processes serve the same clients.
`MemoryStore` keeps everything in this process. What is kept is sealed already: a store need not be secret. Nothing sits
below.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

MIB: Final = 1024 * 1024


class Store(Protocol):
    """Keeps values for a while. Every method may be called at any time from any task."""

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        """Keep a value under a name for so many seconds."""
        ...

    async def get(self, name: str) -> bytes | None:
        """Return the value of a name, None if there is none any more."""
        ...

    async def use(self, name: str, seconds: float) -> bool:
        """Use a name up, and remember it for so many seconds; return whether nobody did so before."""
        ...


class MemoryStore:
    """Keeps values in this process: so many bytes at most, the oldest go first; and so many used names at most."""

    def __init__(
        self, most_bytes: int = 64 * MIB, *, names: int = 100_000, now: Callable[[], float] = time.time
    ) -> None:
        self._most = most_bytes
        self._names = names
        self._now = now
        self._size = 0
        self._values: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._used: OrderedDict[str, float] = OrderedDict()

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        self._drop(name)
        self._values[name] = (self._now() + seconds, value)
        self._size += len(value)
        while self._size > self._most or (self._values and self._is_over(next(iter(self._values)))):
            self._drop(next(iter(self._values)))

    async def get(self, name: str) -> bytes | None:
        if name in self._values and self._is_over(name):
            self._drop(name)
        found = self._values.get(name)
        return None if found is None else found[1]

    async def use(self, name: str, seconds: float) -> bool:
        now = self._now()
        while self._used and next(iter(self._used.values())) <= now:
            self._used.popitem(last=False)
        if self._used.get(name, now) > now:
            return False
        if len(self._used) >= self._names:
            raise RuntimeError(f"{self._names} names are used up at this moment; none may be forgotten before its time")
        self._used[name] = now + seconds
        return True

    def _is_over(self, name: str) -> bool:
        return self._values[name][0] <= self._now()

    def _drop(self, name: str) -> None:
        gone = self._values.pop(name, None)
        if gone is not None:
            self._size -= len(gone[1])
