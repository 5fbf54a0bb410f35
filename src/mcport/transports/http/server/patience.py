"""How long a server waits for a client that does not say what it wants, or does not take what it asked for.

uvicorn waits for the head of a request, and for a client to read its answer, as long as it takes, which would let few
clients keep a server busy. Below: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from weakref import WeakKeyDictionary

HEAD_SECONDS: Final = 20.0
"""How long the head of a request may take to come."""

HEAD_BYTES: Final = 64 * 1024
"""How large it may be: arguments of tools may be repeated in it."""


READER_SECONDS: Final = 120.0
"""How long a client may take nothing of what waits for it, before it is taken for dead."""


class Patience:
    """Ends connections that keep a server waiting for a head, or for room; `look` is to be called from time to time."""

    def __init__(self, head_seconds: float = HEAD_SECONDS, reader_seconds: float = READER_SECONDS) -> None:
        self._head_seconds = head_seconds
        self._reader_seconds = reader_seconds
        self._since: WeakKeyDictionary[Any, tuple[object, float]] = WeakKeyDictionary()

    def look(self, connections: Iterable[Any], now: float) -> None:
        """Judge connections of uvicorn by what has stayed as it was since they began to wait."""
        for each in list(connections):
            if _waits_for_room(each):
                self._judge(each, each.transport.get_write_buffer_size(), now, self._reader_seconds)
            elif _waits_for_a_head(each):
                self._judge(each, each.cycle, now, self._head_seconds)
            else:
                self._since.pop(each, None)

    def _judge(self, connection: Any, stands: object, now: float, seconds: float) -> None:
        before, since = self._since.setdefault(connection, (stands, now))
        if before != stands:
            self._since[connection] = (stands, now)
        elif now - since >= seconds:
            connection.transport.abort()


def _waits_for_room(connection: Any) -> bool:
    """Whether the client has not taken so much that nothing more is written: it reads slowly, or not at all."""
    paused: bool = connection.flow.write_paused
    return paused


def _waits_for_a_head(connection: Any) -> bool:
    """Whether a head is still to come or to be completed, and uvicorn's own time for idle connections does not run."""
    cycle = connection.cycle
    return (cycle is None or cycle.response_complete) and connection.timeout_keep_alive_task is None
