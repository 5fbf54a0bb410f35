"""One request of a session on its way to its answer.

The handler runs in a task of its own: when the client's connection breaks, it goes on, and the client may fetch what it
missed (2025-11-25 basic/transports "Sending Messages to the Server": a disconnection is no cancellation). Until
something is said before the answer, the answer is one piece of JSON. Below: `seat`, `stream`, `reply`.
"""

from __future__ import annotations

import logging
from typing import Final

from mcport.core.events import Asked
from mcport.core.jsonrpc import ErrorResponse, Response
from mcport.errors import INTERNAL_ERROR, ProtocolError
from mcport.session.exchange import Answer, Exchange, StaysOpen
from mcport.session.loop import Promise

from .asgi import Receive, Send
from .reply import Reply
from .seat import Asking, Seat, answered
from .service import Service
from .stateless import WATCH_SECONDS
from .stream import new_name

log: Final = logging.getLogger("mcport.http")


class Post(Asking):
    """Answers one request of a session; the exchange's `Outlet`. With `streams` every answer is a stream."""

    def __init__(self, seat: Seat, asked: Asked, headers: dict[str, str], service: Service, streams: bool) -> None:
        super().__init__(seat.stream(new_name()), seat)
        self._answer = service.answer
        self._limits = service.limits
        self._streams = streams
        self._body: bytes | None = None
        self._done: Promise[None] = self.loop.promise()
        self._known = False  # whether the client has heard of the stream and may come back to it
        self._watching = self.loop.scope()
        self.exchange = Exchange(asked, self, seat.conversation)
        self.exchange.headers = headers
        self.exchange.principal = seat.principal
        seat.running[asked] = self.exchange

    # ---- what the handler says

    def say(self, data: bytes) -> None:
        """Send a message on the stream of this request, which the answer becomes with it."""
        self._begin()
        super().say(data)

    def answer_instead(self, exchange: Exchange, answer: Answer) -> None:
        """The handler does not come to an end: answer in a task of its own."""
        exchange.asked.forgiving = True
        self.loop.hold(exchange.task)
        self.loop.keep(self._run(answer))

    def keep_alive(self) -> None:
        """Make a stream of the answer, if it is none, and show that it lives."""
        if self._body is None:
            self._begin()
        if self.stream.reply is not None:
            self.stream.reply.keep_alive()

    def end(self) -> None:
        """The server is going."""
        self.exchange.cancel("the server is shutting down")

    def hang_up(self) -> None:
        """Let the client go, which comes back for the rest (2025-11-25 "Listening for Messages")."""
        self._begin()
        self._settle()

    def _begin(self) -> None:
        reply = self.stream.reply
        if reply is not None and not reply.streams:
            reply.begin()
            opened = self.seat.conversation.opened
            if opened is not None and opened.revision.polls_streams:
                self.stream.prime()
            self._known = True

    # ---- the two tasks

    async def serve(self, receive: Receive, send: Send) -> None:
        """Stay with the client until it has its answer, or leaves."""
        reply = Reply(send, self.loop, self._limits, self._cut, self.answer_instead)
        self.stream.attach(reply)
        if self._streams:
            self._begin()
        self.exchange.task = self.loop.spawn(self._run(self._answer))
        timer = self.loop.later(WATCH_SECONDS, lambda: self.loop.keep(self._until_left(receive)))
        self.seat.residence.turns.add(self)
        try:
            await self._done
            if self._body is not None and not reply.streams:
                await reply.finish(200, self._body)
            else:
                await self.stream.written()
                await reply.end()
        finally:
            timer.cancel()
            self._watching.cancel()
            self.seat.residence.turns.discard(self)
            self.stream.attach(None)

    async def answered_at_once(self) -> bytes:
        """Return the answer in one piece; whatever else is said goes nowhere."""
        self._known = False
        await self._run(self._answer)
        return self._body or b""

    async def _run(self, answer: Answer) -> None:
        message = await self._message(answer)
        self.seat.running.pop(self.exchange.asked, None)
        if message is not None:
            body = answered(self.exchange, message)
            if self._known:
                self.stream.say(body, last=True)
            else:
                self._body = body
        self._settle()

    async def _message(self, answer: Answer) -> Response | ErrorResponse | None:
        peer, asked = self.seat.peer, self.exchange.asked
        try:
            result = await answer(self.exchange)
            assert type(result) is not StaysOpen, "no method of this era stays open"
            return peer.answer(asked, result)
        except ProtocolError as error:
            return peer.refuse(asked, error.code, error.message, error.data)
        except Exception:
            log.exception("answering %s failed", asked.method)
            return peer.refuse(asked, INTERNAL_ERROR, "Internal error")

    async def _until_left(self, receive: Receive) -> None:
        """Notice when the client leaves; the request goes on."""
        with self._watching:
            while (await receive())["type"] != "http.disconnect":
                pass
            self._cut("the client closed the connection")

    def _cut(self, reason: str) -> None:
        log.debug("a client left before its answer: %s", reason)
        reply = self.stream.reply
        self.stream.attach(None)
        if reply is not None:
            reply.drop()
        self._settle()

    def _settle(self) -> None:
        if not self._done.done():
            self._done.set_result(None)
