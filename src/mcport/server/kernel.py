"""The kernel: from an exchange to the bytes of its answer.

It asks the dialects whether a request may come in, finds its route, and has the result dressed. It does not know what
the methods do, nor how the bytes travel. Below: `core.dialects`, `session.exchange`, `routes`.
"""

from __future__ import annotations

from ..core.dialects import handshake, stateless
from ..core.dialects.contract import Admitted, Conversation, Offer
from ..core.dialects.envelope import Envelope
from ..core.events import Asked
from ..core.jsonrpc import JsonObject
from ..errors import InternalError, InvalidParams, InvalidRequest, MethodNotFound, ResourceNotFound
from ..session.exchange import Exchange
from ..spec.revisions import Revision
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
        conversation = exchange.conversation
        assert isinstance(conversation, Conversation)
        if stateless.is_stateless(asked.params):
            admitted = stateless.admit(self._offer, asked.params)
        elif asked.method == "initialize":
            return self._initialize(conversation, asked.params)
        elif conversation.opened is not None:
            admitted = conversation.opened
        elif asked.method == "ping":
            return {}
        else:
            raise self._unopened(asked.method)
        exchange.admitted = admitted
        return await self._route(exchange, asked, admitted)

    async def _route(self, exchange: Exchange, asked: Asked, admitted: Admitted) -> object:
        revision = admitted.revision
        route: Route | None = self._routes.table(revision).get(asked.method)
        if route is None:
            raise MethodNotFound(f"Method not found: {asked.method}")
        if asked.token is None:
            _check_token(asked.params)
        try:
            result = await route(exchange, admitted)
            envelope = self._envelopes.get(revision.name) or self._envelope(revision)
            return envelope.dress(result)
        except ResourceNotFound as error:
            error.code = revision.resource_not_found_code
            raise
        except ValueError as error:
            trouble = self._faults.note(f"the answer to {asked.method}", error)
            raise InternalError(f"Internal error: the answer is not valid JSON (see the server's log, {trouble})") from None

    def _envelope(self, revision: Revision) -> Envelope:
        envelope = self._envelopes[revision.name] = Envelope(revision, self._offer.info(revision))
        return envelope

    def _initialize(self, conversation: Conversation, params: JsonObject) -> object:
        return handshake.initialize(self._offer, conversation, params)

    def _unopened(self, method: str) -> Exception:
        """What a request without stateless `_meta` is answered with before `initialize`."""
        if handshake.handshake_revisions(self._offer):
            return InvalidRequest(f"{method} came before initialize, and its _meta names no protocol version")
        return InvalidParams(f"{method}: _meta io.modelcontextprotocol/protocolVersion is missing")


def _check_token(params: JsonObject) -> None:
    """Refuse a progress token that is neither a string nor an integer (basic/utilities/progress)."""
    meta = params.get("_meta")
    if type(meta) is dict and "progressToken" in meta:
        raise InvalidParams("_meta progressToken must be a string or an integer")
