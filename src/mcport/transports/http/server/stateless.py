"""The door of the stateless era: a POST is answered in the task in which it came.

No session, no queue, no other task, unless something is said before the answer, or it takes long: then a task writes
the stream, and another one notices when the client leaves, which withdraws the request (2026-07-28
basic/transports/streamable-http "Cancellation"). Below: `reply`, `service`, `core.peer`.
"""

from __future__ import annotations

import logging
from typing import Final

from mcport.core.events import Asked
from mcport.core.http.admission import status_of
from mcport.core.jsonrpc import ErrorResponse, Request, Response, encode
from mcport.core.peer import Peer
from mcport.errors import INTERNAL_ERROR, ProtocolError
from mcport.session.exchange import Answer, Exchange, StaysOpen
from mcport.session.loop import Promise

from .reply import Reply
from .residence import GOING, Residence
from .service import Service
from .wire import Wire, error_body

log: Final = logging.getLogger("mcport.http")


class StatelessDoor:
    """Serves the requests of one app that say everything themselves."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def post(self, request: Request, wire: Wire, residence: Residence) -> None:
        """Answer one request."""
        peer = Peer()
        asked = peer.receive(request)
        if type(asked) is not Asked:
            reply = asked.reply  # type: ignore[union-attr]
            await wire.answer(400, b"" if reply is None else encode(reply))
            return
        turn = _Turn(peer, asked, wire, residence, self._service)
        residence.turns.add(turn)
        wire.heed(turn.withdraw, residence.watch)
        try:
            await turn.run()
        finally:
            turn.close()


class _Turn:
    """One request on its way to its answer."""

    def __init__(self, peer: Peer, asked: Asked, wire: Wire, residence: Residence, service: Service) -> None:
        self._peer = peer
        self._asked = asked
        self._wire = wire
        self._residence = residence
        self._answer = service.answer
        self.reply = Reply(wire, residence.loop, service.limits, self.withdraw, self._answer_instead)
        self.exchange = Exchange(asked, self.reply, service.converse(residence.life))
        self.exchange.headers = wire.headers
        self.exchange.principal = wire.principal
        self.exchange.taskless = wire.taskless
        self._left = False
        self._takes_time = False
        self._settled: Promise[None] | None = None

    async def run(self, answer: Answer | None = None) -> None:
        """Answer the request, or let it go when the client leaves."""
        status = 200
        try:
            result = await (answer or self._answer)(self.exchange)
            if type(result) is StaysOpen:
                result = await self._stay(result)
            message: Response | ErrorResponse | None = self._peer.answer(self._asked, result)
        except ProtocolError as error:
            status = status_of(error)
            message = self._peer.refuse(self._asked, error.code, error.message, error.data)
        except Exception:
            log.exception("answering %s failed", self._asked.method)
            message = self._peer.refuse(self._asked, INTERNAL_ERROR, "Internal error")
        if self._left:
            self.reply.drop()
        elif message is not None:
            await self.reply.finish(status, self._encoded(message))
        elif self.reply.streams:
            await self.reply.end()
        else:
            await self.reply.finish(503, error_body(self._asked.id, INTERNAL_ERROR, GOING))

    def _answer_instead(self, exchange: Exchange, answer: Answer) -> None:
        """The handler does not come to an end: answer in a task of its own."""
        self._asked.forgiving = True
        self._residence.loop.keep(self.run(answer))

    def close(self) -> None:
        """Whatever happened, nothing of the request goes on."""
        self._wire.unheed()
        self._residence.done(self)
        self._peer.drop(self._asked)

    def keep_alive(self) -> None:
        """Make a stream of an answer that takes long, and show that it lives."""
        if self._takes_time:
            self.reply.begin()
        self._takes_time = True
        self.reply.keep_alive()

    def end(self) -> None:
        """The server is going: a request that stays open gets its result."""
        self._settle()

    def stop(self) -> None:
        """The server is gone: stop what runs."""
        self._peer.drop(self._asked)
        self.exchange.cancel(GOING)

    async def _stay(self, stays: StaysOpen) -> object:
        """Keep a request open until the client leaves, or the server does."""
        if not self._left and not self._residence.closing:
            self._settled = self._residence.loop.promise()
            self.reply.begin()
            await self._settled
        result = stays.ending()
        self.exchange.cancel("the request is over")
        return result

    def _encoded(self, message: Response | ErrorResponse) -> bytes:
        try:
            return encode(message)
        except ValueError as error:
            log.error("the answer to request %r is not JSON: %s", self._asked.id, error)
            return encode(ErrorResponse(self._asked.id, INTERNAL_ERROR, "Internal error: the answer is not valid JSON"))

    # ---- the client leaves

    def withdraw(self, reason: str) -> None:
        """Nobody wants the answer any more."""
        if self._left:
            return
        self._left = True
        self._peer.drop(self._asked)
        self.reply.drop()
        self.exchange.cancel(reason)
        self._settle()

    def _settle(self) -> None:
        """End a request that stays open."""
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
