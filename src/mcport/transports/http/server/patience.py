"""How long, and how much, a server listens to a client that has not said yet what it wants.

uvicorn waits for the head of a request as long as it takes, which would let few clients keep a server busy. Below:
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from weakref import WeakKeyDictionary

HEAD_SECONDS: Final = 20.0
"""How long the head of a request may take to come."""

HEAD_BYTES: Final = 64 * 1024
"""How large it may be: arguments of tools may be repeated in it."""


class Patience:
    """Ends connections that keep a server waiting for a head; `look` is to be called from time to time."""

    def __init__(self, seconds: float = HEAD_SECONDS) -> None:
        self._seconds = seconds
        self._since: WeakKeyDictionary[Any, tuple[object, float]] = WeakKeyDictionary()

    def look(self, connections: Iterable[Any], now: float) -> None:
        """Judge connections of uvicorn by what their latest request was when they began to wait."""
        for each in list(connections):
            if not _waits(each):
                self._since.pop(each, None)
                continue
            latest, since = self._since.setdefault(each, (each.cycle, now))
            if latest is not each.cycle:
                self._since[each] = (each.cycle, now)
            elif now - since >= self._seconds:
                each.transport.abort()


def _waits(connection: Any) -> bool:
    """Whether a head is still to come or to be completed, and uvicorn's own time for idle connections does not run."""
    cycle = connection.cycle
    return (cycle is None or cycle.response_complete) and connection.timeout_keep_alive_task is None
