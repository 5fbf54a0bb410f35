"""Visits to web pages that a server waits for, until it says that they are complete (2025-11-25 client/elicitation).

Accepting a page is not completing it: the server tells by a notification, or never. Below: nothing but events.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import anyio

from mcport.core.events import Told

COMPLETE: Final = "notifications/elicitation/complete"


class Visits:
    """The pages that somebody waits for, by the ids of their elicitations."""

    def __init__(self) -> None:
        self._open: dict[str, list[anyio.Event]] = {}

    def hear(self, event: Told) -> None:
        """Take a notification; one that names an unknown or finished elicitation is ignored."""
        if event.method == COMPLETE:
            id = event.params.get("elicitationId")
            for done in self._open.pop(id, ()) if type(id) is str else ():
                done.set()

    def expect(self, ids: Iterable[str]) -> dict[str, anyio.Event]:
        """Remember that somebody waits for these; each event is set when its page is complete.

        Calls that wait for the same page have an event each, so that one that gives up takes nothing from the others.
        """
        events = {id: anyio.Event() for id in ids}
        for id, event in events.items():
            self._open.setdefault(id, []).append(event)
        return events

    def forget(self, events: Mapping[str, anyio.Event]) -> None:
        """Nobody waits for these events any more."""
        for id, event in events.items():
            waiting = self._open.get(id, [])
            if event in waiting:
                waiting.remove(event)
            if not waiting:
                self._open.pop(id, None)
