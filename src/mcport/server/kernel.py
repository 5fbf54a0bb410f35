"""The kernel: from an exchange to the bytes of its answer.

It asks the dialects whether a request may come in, finds its route, and has the result dressed. It does not know what
the methods do, nor how the bytes travel. Below: `core.dialects`, `session.exchange`, `routes`, `dressing`, `refusals`.
"""

from __future__ import annotations

from functools import partial

from mcport.core.dialects import handshake, stateless
from mcport.core.dialects.contract import META_VERSION, Admitted, Conversation, Offer
from mcport.core.dialects.stateless import is_stateless
from mcport.core.events import Asked
from mcport.core.input_required import InputRequired
from mcport.errors import InternalError, InvalidParams, MethodNotFound, ProtocolError, UrlElicitationRequired
from mcport.session.exchange import Exchange, StaysOpen, own_task
from mcport.spec.revisions import Revision

from .asking.reception import Reception
from .asking.stop import RunStopped
from .middleware.hearing import Hearing
from .results.dressing import Dresser
from .results.faults import Faults
from .results.refusals import fitted
from .routes import Route, Routes


class Kernel:
    """Answers exchanges for one server, whatever the transport and the revision."""

    def __init__(
        self, offer: Offer, routes: Routes, dresser: Dresser, faults: Faults, hearing: Hearing, reception: Reception
    ) -> None:
        self.hearing = hearing
        """Hears what clients tell without being asked."""
        self.reception = reception
        """The way to the desk where handlers ask back."""
        reception.instead = self.instead
        self._offer = offer
        self._faults = faults
        self.routes = routes
        self._envelopes = dresser.envelopes
        self._envelope = dresser.envelope

    def runs_through(self, asked: Asked) -> bool:
        """Whether nothing is known for which answering a request has to wait: it may begin without a task."""
        runs_through = self.routes.running_through.get(asked.method)
        return runs_through is not None and runs_through(asked.params)

    async def answer(self, exchange: Exchange) -> object:
        """Answer a request: return the bytes of the result or `StaysOpen`, or raise a `ProtocolError`."""
        asked = exchange.asked
        conversation: Conversation = exchange.conversation  # type: ignore[assignment]
        params = asked.params
        meta = params.get("_meta")  # an object, or absent: the peer lets nothing else in
        if meta is not None and is_stateless(meta):
            admitted = stateless.admit_next(self._offer, params, conversation)
        elif conversation.opened is not None:
            admitted = conversation.opened
        else:
            return self._unopened(exchange)
        exchange.admitted = admitted
        revision = admitted.revision
        route: Route | None = self.routes.table(revision).get(asked.method)
        if route is None:
            raise MethodNotFound(f"Method not found: {asked.method}")
        try:
            if "requestState" in params or "inputResponses" in params:
                await self._resume(exchange, admitted)
            try:
                result = await route(exchange, admitted)
            except (RunStopped, UrlElicitationRequired) as stop:
                result = self.reception.desk.instead(stop, exchange, admitted)
            if type(result) is StaysOpen:
                return result
            if type(result) is InputRequired:
                result = await self._settle(result, route, exchange, admitted)
            return (self._envelopes.get(revision.name) or self._envelope(revision)).dress(result)
        except (ProtocolError, ValueError) as error:
            raise self._refusal(error, asked.method, revision) from None

    async def instead(self, exchange: Exchange) -> object:
        """Answer a request with what its handler asked, while that handler, which was stopped, does not end."""
        admitted: Admitted = exchange.admitted  # type: ignore[assignment]
        desk, revision = self.reception.desk, admitted.revision
        try:
            return self._envelope(revision).dress(await desk.asked(exchange, admitted))
        except (ProtocolError, ValueError) as error:
            raise self._refusal(error, exchange.asked.method, revision) from None

    def _refusal(self, error: Exception, method: str, revision: Revision) -> ProtocolError:
        """Return the error that goes out for one that came up."""
        if isinstance(error, ProtocolError):
            return fitted(error, revision)
        return InternalError(self._faults.text(f"The answer to {method}", error))

    async def _resume(self, exchange: Exchange, admitted: Admitted) -> None:
        """A retry brings answers: let them in where the method may have asked."""
        if exchange.taskless:
            await own_task()
        if admitted.revision.asks_by_returning and self.reception.may_ask(exchange.asked.method):
            await self.reception.desk.resume(exchange, admitted)

    async def _settle(self, asking: InputRequired, route: Route, exchange: Exchange, admitted: Admitted) -> object:
        """A handler asks the client: send the questions, or wait for the answers."""
        if exchange.taskless:
            await own_task()
        return await self.reception.desk.settle(asking, partial(self._again, route), exchange, admitted)

    async def _again(self, route: Route, exchange: Exchange, admitted: Admitted) -> object:
        """Serve a request once more, now that questions of it are answered."""
        try:
            return await route(exchange, admitted)
        except (RunStopped, UrlElicitationRequired) as stop:
            return self.reception.desk.instead(stop, exchange, admitted)

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
        # One code for both eras: a stateless request that lacks its version, or any other one before its time.
        raise InvalidParams(f"{method} came before initialize, and its _meta has no {META_VERSION}")
