"""Listening in the stateless era: `subscriptions/listen`, a request that stays open and that nobody runs for.

(2026-07-28 basic/patterns/subscriptions.) Below: `audience`, `core.dialects.listening`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from mcport.core.dialects.contract import META_SUBSCRIPTION, Admitted
from mcport.core.dialects.listening import (
    ACKNOWLEDGED,
    LISTEN,
    RESOURCE_UPDATED,
    Kind,
    is_declared,
    read_filter,
    stamped,
    topics_of,
    write_filter,
)
from mcport.core.jsonrpc import Id, JsonObject, Notification
from mcport.errors import InternalError
from mcport.server.living import Visit
from mcport.server.results.dressing import Dresser
from mcport.server.routes import Route
from mcport.session.exchange import Exchange, StaysOpen
from mcport.spec.revisions import Revision

from .audience import Audience, Knows, MakeOut
from .notice import Notice

Accepts: TypeAlias = Callable[[list[str], Exchange, Admitted], list[str]]
"""Returns those names of a filter of which a client may hear; raises a `ProtocolError` to refuse the request."""


class Listening:
    """Serves the listening requests of one server.

    `knows` says whether there is a resource of a URI for whoever asks, `capabilities` what clients are promised.
    """

    def __init__(
        self,
        kinds: Mapping[str, Kind],
        dresser: Dresser,
        capabilities: Callable[[Revision], JsonObject],
        knows: Knows,
    ) -> None:
        self._kinds = kinds
        self._dresser = dresser
        self._capabilities = capabilities
        self._knows = knows
        self.accepts: dict[str, Accepts] = {}
        """Who judges what may be heard of the notifications of extensions, by their methods."""

    def routes(self) -> dict[str, Route]:
        """Return the route, which is offered always: what is not there cannot change, and the answer says so."""
        return {LISTEN: self.listen}

    async def listen(self, exchange: Exchange, admitted: Admitted) -> StaysOpen:
        """Serve `subscriptions/listen`: acknowledge what will be told, and stay open until either side ends it."""
        visit = exchange.conversation
        assert isinstance(visit, Visit)
        audience = _audience(visit)
        wanted = read_filter(exchange.asked.params, self._kinds.values(), audience.limits.subscriptions)
        honoured = self._honoured(wanted, exchange, admitted)
        _check_room(visit, audience)
        id = exchange.asked.id
        exchange.notify(ACKNOWLEDGED, stamped({"notifications": write_filter(honoured)}, id))
        listener = audience.join(exchange.outlet, topics_of(honoured), made_out_to(id))
        visit.listens += 1

        def stop() -> None:
            if not listener.closed:
                visit.listens -= 1
                listener.close()

        def ending() -> object:
            audience.hurry(listener)
            result: JsonObject = {"_meta": {META_SUBSCRIPTION: id}}
            return self._dresser.envelope(admitted.revision).dress(result)

        exchange.stop = stop
        return StaysOpen(ending)

    def _honoured(self, wanted: dict[Kind, list[str]], exchange: Exchange, admitted: Admitted) -> dict[Kind, list[str]]:
        """Return the part of a filter that can be kept: what was declared, and resources that there are."""
        declared = self._capabilities(admitted.revision)
        honoured = {kind: names for kind, names in wanted.items() if is_declared(declared, kind.capability)}
        for kind, names in honoured.items():
            if kind.method == RESOURCE_UPDATED:
                honoured[kind] = [name for name in names if self._knows(name, exchange, admitted)]
            elif kind.method in self.accepts:
                honoured[kind] = self.accepts[kind.method](names, exchange, admitted)
        return honoured


def made_out_to(id: Id) -> MakeOut:
    """Return what makes notices out to a listening request."""

    def make_out(notice: Notice) -> Notification:
        return Notification(notice.method, stamped(notice.params, id))

    return make_out


def _audience(visit: Visit) -> Audience:
    audience = None if visit.life is None else visit.life.audience
    if audience is None:
        raise InternalError("the server is shutting down")
    return audience


def _check_room(visit: Visit, audience: Audience) -> None:
    if visit.listens >= audience.limits.listens:
        raise InternalError(f"{LISTEN}: {visit.listens} are open on this connection already (Limits.listens)")
    if len(audience) >= audience.limits.listeners:
        raise InternalError(f"{LISTEN}: too many clients listen already; try again later (Limits.listeners)")
