"""Keeps what a channel delivers, and lets a test wait for it."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from mcport.core.framing import Line
from tests.transports.children import PATIENCE


class Heard:
    """A receiver: `batches` as they came, `lines` of all of them, and the reasons of the `ends` that were told."""

    def __init__(self) -> None:
        self.batches: list[list[Line]] = []
        self.lines: list[Line] = []
        self.ends: list[str] = []
        self._news = anyio.Event()

    def receive(self, batch: list[Line]) -> None:
        self.batches.append(batch)
        self.lines += batch
        self._tell()

    def ended(self, reason: str) -> None:
        self.ends.append(reason)
        self._tell()

    def _tell(self) -> None:
        news, self._news = self._news, anyio.Event()
        news.set()

    async def until(self, count: int) -> list[Line]:
        """Wait until so many lines are here."""
        await self._wait(lambda: len(self.lines) >= count)
        return self.lines

    async def end(self) -> str:
        """Wait until the end has been told, and return its reason."""
        await self._wait(lambda: bool(self.ends))
        return self.ends[0]

    async def _wait(self, enough: Callable[[], bool]) -> None:
        with anyio.fail_after(PATIENCE):
            while not enough():
                await self._news.wait()
