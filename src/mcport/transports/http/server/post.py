"""The requests of one POST of a session on their way to their answers: one, or those of a batch.

Handlers run in tasks of their own: when the client's connection breaks they go on, and the client may fetch what it
missed (2025-11-25 basic/transports "Sending Messages to the Server": a disconnection is no cancellation). Until
something is said before the answer, the answer is one piece of JSON. Below: `seat`, `stream`, `reply`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Final

from mcport.core.events import Asked
from mcport.core.jsonrpc import ErrorResponse, JsonObject, Response
from mcport.errors import INTERNAL_ERROR, ProtocolError
from mcport.session.exchange import Answer, Exchange, StaysOpen
from mcport.session.loop import Promise
from mcport.session.waiting import Lost, OnProgress, Settled

from .reply import Reply
from .residence import GOING
from .seat import Asking, Seat, answered
from .service import Service
from .stream import RETRY_SECONDS, Stream, new_name
from .wire import Refused, Wire, error_body

log: Final = logging.getLogger("mcport.http")


class Post(Asking):
    """Answers the requests of one POST; the exchanges' `Outlet`. With `streams` every answer is a stream."""

    def __init__(self, seat: Seat, headers: Mapping[str, str], service: Service, streams: bool = False) -> None:
        super().__init__(seat)
        self._headers = headers
        self._service = service
        self._streams = streams
        self._exchanges: list[Exchange] = []
        self._bodies: list[bytes] = []
        self._status = 200
        self._open = 0
        self._reply: Reply | None = None
        self._known = False  # whether the client has heard of the stream and may come back to it
        self._takes_time = False
        self._done: Promise[None] = self.loop.promise()

    @cached_property
    def stream(self) -> Stream:
        """The stream of this POST; most have none."""
        return self.seat.stream(new_name())

    # ---- what handlers say

    def say(self, data: bytes) -> None:
        """Send a message on the stream of this POST, which the answer becomes with it."""
        self._begin()
        if self._known:
            super().say(data)

    async def ask(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Settled:
        """Send a request to the client and wait until it is settled."""
        if self._reply is None and not self._known:
            return Lost("the client left before it could be asked")
        return await super().ask(method, params, seconds=seconds, most=most, on_progress=on_progress)

    def answer_instead(self, exchange: Exchange, answer: Answer) -> None:
        """The handler does not come to an end: answer in a task of its own."""
        exchange.asked.forgiving = True
        if exchange.task is not None:
            self.loop.hold(exchange.task)
        self.loop.keep(self._run(exchange, answer))

    def hang_up(self, retry: float | None) -> None:
        """Let the client go, which comes back for the rest (2025-11-25 "Sending Messages to the Server")."""
        if self._reply is not None and self.seat.polls and self._open:
            self._begin()
            self.stream.prime(RETRY_SECONDS if retry is None else retry)
            self._settle()

    def _begin(self) -> None:
        """Make a stream of the answer, if it is none, and let the client know it."""
        if self._known or self._reply is None:
            return
        self._known = True
        self._reply.begin()
        self.stream.attach(self._reply)
        if self.seat.polls:
            self.stream.prime()
        bodies, self._bodies = self._bodies, []
        for body in bodies:
            self.stream.say(body)

    # ---- what the residence says

    def keep_alive(self) -> None:
        """Make a stream of an answer that takes long, and show that it lives."""
        if self._takes_time:
            self._begin()
        self._takes_time = True
        if self._reply is not None:
            self._reply.keep_alive()

    def end(self) -> None:
        """The server is going; what runs has some time left."""

    def stop(self) -> None:
        """The server is gone: stop what runs."""
        for exchange in self._exchanges:
            self.seat.peer.drop(exchange.asked)
            exchange.cancel(GOING)

    # ---- the tasks

    async def serve(
        self, asked: Sequence[Asked], wire: Wire, refused: Sequence[bytes] = (), array: bool = False
    ) -> None:
        """Stay with the client until it has its answers, or leaves. `refused` are answers that there are already."""
        reply = self._reply = Reply(wire, self.loop, self.seat.limits, self._cut, self.answer_instead)
        self._bodies.extend(refused)
        if self._streams:
            self._begin()
        await self._start(asked)
        wire.heed(self._cut, self.seat.residence.watch)
        try:
            await self._done
            await self._finish(reply, array)
        finally:
            wire.unheed()
            self._detach()

    async def answer(self, asked: Asked) -> bytes:
        """Return the answer to one request, which says nothing before it."""
        await self._start([asked])
        await self._done
        return self._bodies[0] if self._bodies else b""

    async def _start(self, asked: Sequence[Asked]) -> None:
        """Have requests answered, each in a task of its own, unless there is nothing that it could wait for."""
        self._open = len(asked)
        self.seat.residence.turns.add(self)
        for each in asked:
            exchange = Exchange(each, self, self.seat.conversation)
            exchange.headers = self._headers
            exchange.principal = self.seat.principal
            self._exchanges.append(exchange)
            self.seat.running[each] = exchange
            run = self._run(exchange, self._service.answer)
            if self._service.runs_through(each):
                await run
            else:
                exchange.task = self.loop.spawn_now(run)

    async def _run(self, exchange: Exchange, answer: Answer) -> None:
        message = await self._message(exchange, answer)
        if self.seat.running.pop(exchange.asked, None) is None:
            return  # somebody else answered
        if not self.seat.is_saved:
            # Whatever the client says next, and to whichever worker, builds on this answer.
            try:
                await self.seat.save()
            except Refused as refused:
                self._status = refused.status
                message = ErrorResponse(exchange.asked.id, INTERNAL_ERROR, refused.line)
        self._answered(None if message is None else answered(exchange, message))

    async def _message(self, exchange: Exchange, answer: Answer) -> Response | ErrorResponse | None:
        peer, asked = self.seat.peer, exchange.asked
        try:
            result = await answer(exchange)
            assert type(result) is not StaysOpen, "no method of this era stays open"
            return peer.answer(asked, result)
        except ProtocolError as error:
            return peer.refuse(asked, error.code, error.message, error.data)
        except Exception:
            log.exception("answering %s failed", asked.method)
            return peer.refuse(asked, INTERNAL_ERROR, "Internal error")

    def _answered(self, body: bytes | None) -> None:
        """Send an answer, or keep it until all are there; None: it was withdrawn."""
        self._open -= 1
        if body is not None and not self._known:
            self._bodies.append(body)
        elif self._known and (body is not None or not self._open):
            self.stream.say(body or b"", last=not self._open)
        if not self._open:
            self.seat.residence.done(self)
            self._settle()

    async def _finish(self, reply: Reply, array: bool) -> None:
        """Send what is left to be sent on the connection."""
        if self._reply is None:
            return  # nobody is there
        if not self._known and not self._bodies and not self.seat.residence.closing:
            self._begin()  # withdrawn: there is no answer, and nothing else that would say so
            self.stream.say(b"", last=True)
        if self._known:
            await self.stream.written()
            await reply.end()
        elif not self._bodies:
            await reply.finish(503, error_body(None, INTERNAL_ERROR, GOING))
        else:
            bodies = self._bodies
            await reply.finish(self._status, b"[" + b",".join(bodies) + b"]" if array else bodies[0])

    # ---- the client leaves

    def _cut(self, reason: str) -> None:
        """Nobody is there any more; what was asked goes on."""
        log.debug("a client left before its answer: %s", reason)
        if self._reply is not None:
            self._reply.drop()
        self._detach()
        self._settle()

    def _detach(self) -> None:
        self._reply = None
        if self._known:
            self.stream.attach(None)

    def _settle(self) -> None:
        if not self._done.done():
            self._done.set_result(None)
