"""The changes that one listener has not taken yet.

Bursts become one: of equal changes that wait, the last one stays. What waits is bounded. Below: `changes`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import anyio

from .changes import Change, Notified, ResourceUpdated

log: Final = logging.getLogger("mcport.client")

WAITING: Final = 1000
"""How many different changes may wait to be taken, if no more were asked for."""


class Feed:
    """Takes changes in while messages are read, and gives them to whoever iterates.

    After `end` it gives what still waits, and then ends: with an error, if there is one to make.
    """

    def __init__(self, most: int = WAITING) -> None:
        self._most = most
        self._waiting: dict[object, Change] = {}
        self._wake: anyio.Event | None = None
        self._fails: Callable[[], Exception] | None = None
        self._full = False
        self.over = False

    def put(self, change: Change) -> None:
        """Take a change; never waits. One that is waiting already only gets its newest words."""
        key = _key(change)
        if key not in self._waiting and len(self._waiting) >= self._most:
            self._overflow(change)
            return
        self._waiting[key] = change
        self._rouse()

    def end(self, fails: Callable[[], Exception] | None = None) -> None:
        """Nothing more will come; `fails` makes the error that says why, where it did not end in good order."""
        if not self.over:
            self.over = True
            self._fails = fails
            self._rouse()

    async def next(self) -> Change:
        """Wait for the next change. Raises StopAsyncIteration at the end, or the error that it ended with."""
        while not self._waiting:
            if self.over:
                raise StopAsyncIteration if self._fails is None else self._fails()
            if self._wake is None:
                self._wake = anyio.Event()
            await self._wake.wait()
        return self._waiting.pop(next(iter(self._waiting)))

    def _rouse(self) -> None:
        if self._wake is not None:
            self._wake.set()
            self._wake = None

    def _overflow(self, change: Change) -> None:
        if not self._full:
            self._full = True
            log.warning("nobody takes the changes: %d wait, and more are dropped, such as %.200r", self._most, change)


def _key(change: Change) -> object:
    """What two changes have in common that need not be told twice. Notifications of extensions are told each."""
    if isinstance(change, ResourceUpdated):
        return change.uri
    return change if not isinstance(change, Notified) else id(change)
