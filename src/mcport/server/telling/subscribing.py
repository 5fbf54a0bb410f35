"""Listening in the handshake era: list changes come unasked, updates of a resource after `resources/subscribe`.

(2025-11-25 server/resources "Subscriptions", and the same in the older revisions.) Below: `audience`.
"""

from __future__ import annotations

from collections.abc import Iterable

from mcport.core.dialects.contract import Admitted
from mcport.core.dialects.listening import RESOURCE_UPDATED, Kind, Topic, is_declared
from mcport.core.jsonrpc import JsonObject, Notification
from mcport.errors import InvalidParams, ResourceNotFound
from mcport.server.living import Visit
from mcport.server.routes import Route
from mcport.session.exchange import Exchange, Outlet

from .audience import ANYTHING, Knows
from .notice import Notice


class Subscribing:
    """Serves `resources/subscribe` and `resources/unsubscribe` of one server.

    `knows` says whether there is a resource of a URI for whoever asks; a session follows at most so many of them.
    """

    def __init__(self, knows: Knows, most: int) -> None:
        self._knows = knows
        self._most = most

    def routes(self) -> dict[str, Route]:
        """Return the routes of both methods."""
        return {"resources/subscribe": self.subscribe, "resources/unsubscribe": self.unsubscribe}

    async def subscribe(self, exchange: Exchange, admitted: Admitted) -> JsonObject:
        """Serve `resources/subscribe`; a second time it changes nothing."""
        visit, uri = _asked(exchange)
        if uri in visit.subscribed:
            return {}
        if not self._knows(uri, exchange, admitted):
            raise ResourceNotFound(f"Resource not found: {uri}", data={"uri": uri})
        if len(visit.subscribed) >= self._most:
            raise InvalidParams(f"resources/subscribe: {self._most} are followed already (Limits.subscriptions)")
        visit.subscribed.add(uri)
        if visit.listener is not None:
            visit.listener.follow([(RESOURCE_UPDATED, uri)])
        return {}

    async def unsubscribe(self, exchange: Exchange, admitted: Admitted) -> JsonObject:
        """Serve `resources/unsubscribe`; what is not followed may be given up as well."""
        visit, uri = _asked(exchange)
        visit.subscribed.discard(uri)
        if visit.listener is not None:
            visit.listener.leave((RESOURCE_UPDATED, uri))
        return {}


def begin(visit: Visit, outlet: Outlet) -> None:
    """A session was opened and is ready to hear: it is told what was declared (basic/lifecycle)."""
    audience = None if visit.life is None else visit.life.audience
    if audience is not None and visit.listener is None:
        visit.listener = audience.join(outlet, _topics(visit, audience.kinds.values()), _made_out)


def end(visit: Visit) -> None:
    """A session is over. Harmless where none began."""
    if visit.listener is not None:
        visit.listener.close()


def _topics(visit: Visit, kinds: Iterable[Kind]) -> list[Topic]:
    unasked: list[Topic] = [
        (kind.method, None) for kind in kinds if kind.names is None and is_declared(visit.declared, kind.capability)
    ]
    return [ANYTHING, *unasked, *((RESOURCE_UPDATED, uri) for uri in visit.subscribed)]


def _made_out(notice: Notice) -> Notification:
    return Notification(notice.method, notice.params)


def _asked(exchange: Exchange) -> tuple[Visit, str]:
    visit, asked = exchange.conversation, exchange.asked
    assert isinstance(visit, Visit)
    uri = asked.params.get("uri")
    if type(uri) is not str:
        raise InvalidParams(f"{asked.method}: uri {'must be a string' if 'uri' in asked.params else 'is missing'}")
    return visit, uri
