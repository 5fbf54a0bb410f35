"""The kernel: from an exchange to the bytes of its answer.

It asks the dialects whether a request may come in, finds its route, and has the result dressed. It does not know what
the methods do, nor how the bytes travel. Below: `core.dialects`, `session.exchange`, `routes`.
"""

from __future__ import annotations

from mcport.core.dialects import handshake, stateless
from mcport.core.dialects.contract import META_VERSION, Conversation, Offer
from mcport.core.dialects.envelope import Envelope
from mcport.errors import InternalError, InvalidParams, InvalidRequest, MethodNotFound, ResourceNotFound
from mcport.session.exchange import Exchange
from mcport.spec.revisions import Revision

from .faults import Faults
from .routes import Route, Routes


class Kernel:
    """Answers exchanges for one server, whatever the transport and the revision."""

    def __init__(self, offer: Offer, routes: Routes, faults: Faults) -> None:
        self._offer = offer
        self._faults = faults
        self._routes = routes
        self._envelopes: dict[str, Envelope] = {}

    async def answer(self, exchange: Exchange) -> object:
        """Answer a request: return the bytes of the result, or raise a `ProtocolError`."""
        asked = exchange.asked
        params = asked.params
        meta = params.get("_meta")
        if type(meta) is dict and META_VERSION in meta:
            admitted = stateless.admit(self._offer, params)
        elif (opened := exchange.conversation.opened) is not None:  # type: ignore[attr-defined]
            admitted = opened
        else:
            return self._unopened(exchange)
        exchange.admitted = admitted
        revision = admitted.revision
        route: Route | None = self._routes.table(revision).get(asked.method)
        if route is None:
            raise MethodNotFound(f"Method not found: {asked.method}")
        if asked.token is None and meta is not None:
            _check_token(meta)
        try:
            result = await route(exchange, admitted)
            return (self._envelopes.get(revision.name) or self._envelope(revision)).dress(result)
        except ResourceNotFound as error:
            error.code = revision.resource_not_found_code
            raise
        except ValueError as error:
            trouble = self._faults.note(f"the answer to {asked.method}", error)
            raise InternalError(
                f"Internal error: the answer is not valid JSON (see the server's log, {trouble})"
            ) from None

    def _unopened(self, exchange: Exchange) -> object:
        """Answer a request that comes before `initialize`, which may be that itself."""
        method, conversation = exchange.asked.method, exchange.conversation
        assert isinstance(conversation, Conversation)
        if method == "initialize":
            return handshake.initialize(self._offer, conversation, exchange.asked.params)
        if not handshake.handshake_revisions(self._offer):
            raise InvalidParams(f"{method}: _meta {META_VERSION} is missing")
        if method == "ping":
            return {}
        raise InvalidRequest(f"{method} came before initialize, and its _meta names no protocol version")

    def _envelope(self, revision: Revision) -> Envelope:
        envelope = self._envelopes[revision.name] = Envelope(revision, self._offer.info(revision))
        return envelope


def _check_token(meta: object) -> None:
    """Refuse a progress token that is neither a string nor an integer (basic/utilities/progress)."""
    if type(meta) is dict and "progressToken" in meta:
        raise InvalidParams("_meta progressToken must be a string or an integer")
