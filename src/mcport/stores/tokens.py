"""A store of what a client got from authorization servers: tokens and identities, by keys that mean nothing here.

`TokenStore` is the port. `MemoryTokens` forgets everything with the process. What is stored is secret: whoever can read
it can act for the person. Nothing sits below.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable


class TokenStore(Protocol):
    """Keeps texts by key. Every method may be called at any time from any task."""

    async def get(self, key: str) -> str | None:
        """Return what is kept under a key, None if nothing is."""
        ...

    async def set(self, key: str, value: str) -> None:
        """Keep a value under a key; the one before is gone."""
        ...

    async def delete(self, key: str) -> None:
        """Forget a key; harmless if there is none."""
        ...


@runtime_checkable
class SharedTokenStore(TokenStore, Protocol):
    """A store that several processes use: it keeps them from getting the same tokens side by side.

    A refresh token that is good once would end a login if two processes used it.
    """

    def alone(self, name: str) -> AbstractAsyncContextManager[object]:
        """Return a block that no two processes are in at the same time, for a name."""
        ...


class MemoryTokens:
    """Keeps everything in this process."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"<MemoryTokens with {len(self._kept)} keys>"

    async def get(self, key: str) -> str | None:
        return self._kept.get(key)

    async def set(self, key: str, value: str) -> None:
        self._kept[key] = value

    async def delete(self, key: str) -> None:
        self._kept.pop(key, None)
