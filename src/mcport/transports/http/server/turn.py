"""One request of the stateless era on its way to its answer.

The answer is one piece of JSON; a stream, once something is said before it, or it takes long. A client that leaves
withdraws its request (2026-07-28 basic/transports/streamable-http "Cancellation"). Below: `outcome`, `reply`, `wire`,
`service`.
"""

from __future__ import annotations

from mcport.core.events import Asked
from mcport.core.jsonrpc import JsonObject, Notification, encode
from mcport.core.peer import Peer
from mcport.core.sse import encode_event
from mcport.errors import INTERNAL_ERROR
from mcport.session.exchange import Answer, Exchange, StaysOpen
from mcport.session.loop import Promise
from mcport.session.waiting import Lost, OnProgress, Settled

from .outcome import outcome_of
from .reply import Reply
from .residence import GOING, Residence
from .service import Service
from .wire import Wire, error_body


class StatelessTurn:
    """Answers one request, and is the `Outlet` of its exchange (`residence.Turn`)."""

    def __init__(self, asked: Asked, peer: Peer, wire: Wire, residence: Residence, service: Service) -> None:
        self.loop = residence.loop
        self.conversation = service.converse(residence.life)
        self.exchange = Exchange(asked, self, self.conversation)
        self.exchange.headers = wire.headers
        self.exchange.principal = wire.principal
        self.reply: Reply | None = None
        """The answer as a stream, once it is one."""
        self._asked = asked
        self._peer = peer
        self._wire = wire
        self._residence = residence
        self._service = service
        self._settled: Promise[None] | None = None
        self._takes_time = False
        self._left = False
        self._answered = False

    async def serve(self) -> None:
        """Answer the request, or let it go when the client leaves."""
        self._residence.turns.add(self)
        self._wire.heed(self._withdraw, self._residence.watch)
        try:
            await self._run(self.exchange, self._service.answer)
        finally:
            self._wire.unheed()
            self._residence.done(self)
            self._peer.drop(self._asked)

    async def _run(self, exchange: Exchange, answer: Answer) -> None:
        status, body = await outcome_of(exchange, answer, self._peer, self._stay)
        if self._left or self._answered:
            return
        self._answered = True
        if self.reply is not None:
            if body is not None:
                self.reply.put(encode_event(body))
            await self.reply.end()
        elif body is not None:
            await self._wire.answer(status, body)
        else:
            await self._wire.answer(503, error_body(self._asked.id, INTERNAL_ERROR, GOING))

    # ---- what a handler says on the way (`session.exchange.Outlet`)

    def tell(self, notification: Notification) -> None:
        """Send a notification on the stream that the answer becomes with it; never waits."""
        data = encode_event(encode(notification))
        if (reply := self._stream()) is not None:
            reply.put(data)

    @property
    def full(self) -> bool:
        """Whether the client is too slow to take more."""
        return self.reply is not None and self.reply.full

    async def drained(self) -> None:
        """Wait while the client is too slow to take more."""
        if self.reply is not None:
            await self.reply.drained()

    async def ask(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Settled:
        """Nobody can be asked on this way: there is no session (2026-07-28 basic/patterns/mrtr)."""
        return Lost("requests of a server have no way to the client here")

    def answer_instead(self, exchange: Exchange, answer: Answer) -> None:
        """The handler does not come to an end: answer in a task of its own."""
        exchange.asked.forgiving = True
        self.loop.keep(self._run(exchange, answer))

    def _stream(self) -> Reply | None:
        """Make a stream of the answer, if it is none yet; None where nobody is told anything any more."""
        if self.reply is None and not (self._left or self._answered):
            self.reply = Reply(self._wire, self.loop, self._service.limits, self._withdraw)
            self.reply.begin()
        return self.reply

    # ---- what the residence says

    def keep_alive(self) -> None:
        """Make a stream of an answer that takes long, and show that it lives."""
        reply = self._stream() if self._takes_time else self.reply
        self._takes_time = True
        if reply is not None:
            reply.keep_alive()

    @property
    def principal(self) -> str | None:
        """On whose behalf the request came."""
        return self._wire.principal

    def expire(self) -> None:
        """Its token is good no more: a request that stays open gets its result."""
        self._settle()

    def end(self) -> None:
        """The server is going: a request that stays open gets its result."""
        self._settle()

    def stop(self) -> None:
        """The server is gone: stop what runs."""
        self._peer.drop(self._asked)
        self.exchange.cancel(GOING)

    # ---- a request that stays open, and a client that leaves

    async def _stay(self, stays: StaysOpen) -> object:
        """Keep a request open until the client leaves, or the server does."""
        if not self._left and not self._residence.closing:
            self._settled = self.loop.promise()
            self._stream()
            await self._settled
        result = stays.ending()
        self.exchange.cancel("the request is over")
        return result

    def _withdraw(self, reason: str) -> None:
        if self._left:
            return
        self._left = True
        self._peer.drop(self._asked)
        if self.reply is not None:
            self.reply.drop()
        self.exchange.cancel(reason)
        self._settle()

    def _settle(self) -> None:
        """End a request that stays open."""
        if self._settled is not None and not self._settled.done():
            self._settled.set_result(None)
