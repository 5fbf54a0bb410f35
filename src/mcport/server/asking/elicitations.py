"""The URL elicitations that clients were sent, so that their completion can be announced to who was asked.

Only revisions whose URL elicitations have ids need it (2025-11-25 client/elicitation "Completion Notifications").
Below: `session.exchange`.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from typing import Final

from mcport.core.jsonrpc import Notification
from mcport.session.exchange import Exchange, Outlet

MOST: Final = 10_000
"""So many are remembered; the oldest are forgotten."""


class Elicitations:
    """Who was asked which elicitation."""

    def __init__(self) -> None:
        self._asked: OrderedDict[str, weakref.ref[Outlet]] = OrderedDict()

    def note(self, exchange: Exchange, elicitation_id: str) -> None:
        """Remember who is asked."""
        self._asked[elicitation_id] = weakref.ref(exchange.outlet)
        while len(self._asked) > MOST:
            self._asked.popitem(last=False)

    def complete(self, elicitation_id: str) -> bool:
        """Tell the client that was asked that all is done; once. Callable from any thread."""
        known = self._asked.pop(elicitation_id, None)
        outlet = None if known is None else known()
        if outlet is None:
            return False
        told = Notification("notifications/elicitation/complete", {"elicitationId": elicitation_id})
        outlet.loop.soon_from_thread(lambda: outlet.tell(told))
        return True
