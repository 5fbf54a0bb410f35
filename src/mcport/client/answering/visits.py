"""Visits to web pages that a server waits for, until it says that they are complete (2025-11-25 client/elicitation).

Accepting a page is not completing it: the server tells by a notification, or never. Below: nothing but events.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import anyio

from mcport.core.events import Told

COMPLETE: Final = "notifications/elicitation/complete"


class Visits:
    """The pages that somebody waits for, by the ids of their elicitations."""

    def __init__(self) -> None:
        self._open: dict[str, anyio.Event] = {}

    def hear(self, event: Told) -> None:
        """Take a notification; one that names an unknown or finished elicitation is ignored."""
        if event.method == COMPLETE:
            id = event.params.get("elicitationId")
            done = self._open.pop(id, None) if type(id) is str else None
            if done is not None:
                done.set()

    def expect(self, ids: Iterable[str]) -> dict[str, anyio.Event]:
        """Remember that somebody waits for these; each event is set when its page is complete."""
        return {id: self._open.setdefault(id, anyio.Event()) for id in ids}

    def forget(self, ids: Iterable[str]) -> None:
        """Nobody waits for these any more."""
        for id in ids:
            self._open.pop(id, None)
