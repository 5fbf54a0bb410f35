"""The URL elicitations that clients were sent, so that their completion can be announced to who was asked.

Only revisions whose URL elicitations have ids need it (2025-11-25 client/elicitation "Completion Notifications"). They
are known in the process that asked; others hand on to it what is complete. Below: `session.exchange`, `stores.notices`.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, TypeAlias

from mcport.core.jsonrpc import Notification
from mcport.session.exchange import Exchange, Outlet, Outlived
from mcport.session.loop import Loop
from mcport.stores.notices import Hear, Notices

MOST: Final = 10_000
"""So many are remembered; the oldest are forgotten."""

Tell: TypeAlias = Callable[[Notification], None]

Way: TypeAlias = Callable[[], Tell | None]
"""Leads to what tells a client something, None once it is gone."""


class Elicitations:
    """Who was asked which elicitation here. `notices` brings the ids of those that others say are complete."""

    def __init__(self, notices: Notices) -> None:
        self._asked: OrderedDict[str, tuple[Loop, Way]] = OrderedDict()
        weakref.finalize(self, notices.listen(_weakly(self)))

    def note(self, exchange: Exchange, elicitation_id: str) -> None:
        """Remember who is asked."""
        outlet = exchange.outlet
        self._asked[elicitation_id] = (outlet.loop, _way_to(outlet))
        while len(self._asked) > MOST:
            self._asked.popitem(last=False)

    def complete(self, elicitation_id: str) -> bool:
        """Tell the client that was asked that all is done; once. Callable from any thread."""
        loop, found = self._asked.pop(elicitation_id, (None, None))
        tell = None if found is None else found()
        if loop is None or tell is None:
            return False
        told = Notification("notifications/elicitation/complete", {"elicitationId": elicitation_id})
        loop.soon_from_thread(lambda: tell(told))
        return True


def _way_to(outlet: Outlet) -> Way:
    """Return what leads to a client for as long as it is there, and keeps neither it nor its request."""
    if not isinstance(outlet, Outlived):
        return weakref.WeakMethod(outlet.tell)
    later = outlet.teller()
    return lambda: later


def _weakly(elicitations: Elicitations) -> Hear:
    known = weakref.ref(elicitations)

    def hear(notice: bytes) -> None:
        found = known()
        if found is not None:
            found.complete(notice.decode())

    return hear
