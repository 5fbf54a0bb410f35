"""The requests of one POST of a session on their way to their answers: one, or those of a batch.

When the client's connection breaks they go on, and the client may fetch what it missed (2025-11-25 basic/transports
"Sending Messages to the Server": a disconnection is no cancellation). Where nothing is said before the answers they
leave in one piece: as JSON, or as events if every answer is to be a stream. Below: `outcome`, `seat`, `stream`,
`reply`, `wire`.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Sequence
from typing import Final

from mcport.core.events import Asked
from mcport.core.jsonrpc import JsonObject, Notification
from mcport.errors import INTERNAL_ERROR
from mcport.session.exchange import Answer, Exchange, StaysOpen
from mcport.session.loop import Promise
from mcport.session.waiting import Lost, OnProgress, Settled

from .outcome import outcome_of
from .reply import STREAM_HEADERS, Reply
from .residence import GOING
from .seat import Asking, Seat
from .service import Service
from .stream import RETRY_SECONDS, Stream
from .wire import Refused, Wire, error_body

log: Final = logging.getLogger("mcport.http")


class Post(Asking):
    """Answers the requests of one POST; the exchanges' `Outlet`. With `streams` every answer is a stream."""

    def __init__(self, seat: Seat, wire: Wire, service: Service, streams: bool = False) -> None:
        super().__init__(seat)
        self._service = service
        self._streams = streams
        self._bodies: list[bytes] = []
        self._status = 200
        self._open = 0
        self._wire = wire
        self._hears = False  # whether the client is there and waits
        self._reply: Reply | None = None  # the answer as a stream, once it is one and as long as the client is there
        self._stream: Stream | None = None
        self._known = False  # whether the client has heard of the stream and may come back to it
        self._takes_time = False
        self._released = False  # whether nobody needs to wait for the answers any more
        self._release: Promise[None] | None = None

    @property
    def stream(self) -> Stream:
        """The stream of this POST; most have none."""
        if self._stream is None:
            self._stream = self.seat.new_stream()
        return self._stream

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
        if not (self._hears or self._known):
            return Lost("the client left before it could be asked")
        return await super().ask(method, params, seconds=seconds, most=most, on_progress=on_progress)

    def teller(self) -> Callable[[Notification], None]:
        """Return what tells the client something, once this is over by whichever worker it hears such things."""
        here, box, session = weakref.ref(self), weakref.ref(self.seat.box), self.seat.id

        def tell(notification: Notification) -> None:
            post, others = here(), box()
            if post is not None and post._is_heard:
                post.tell(notification)
            elif others is not None:
                others.tell(session, notification)

        return tell

    @property
    def _is_heard(self) -> bool:
        """Whether something that is said now reaches the client, or is kept until it comes back."""
        return bool(self._open) and (self._known or self._hears)

    def answer_instead(self, exchange: Exchange, answer: Answer) -> None:
        """The handler does not come to an end: answer in a task of its own."""
        exchange.asked.forgiving = True
        if exchange.task is not None:
            self.loop.hold(exchange.task)
        self.loop.keep(self._run(exchange, answer))

    def hang_up(self, retry: float | None) -> None:
        """Let the client go, which comes back for the rest (2025-11-25 "Sending Messages to the Server")."""
        if self._hears and self.seat.polls and self._open:
            self._begin()
            self.stream.prime(RETRY_SECONDS if retry is None else retry)
            self._let_go()

    def _begin(self) -> None:
        """Make a stream of the answer, if it is none and not there yet, and let the client know it."""
        if self._known or not (self._hears and self._open):
            return
        self._known = True
        self._reply = Reply(self._wire, self.loop, self.seat.limits, self._cut)
        self._reply.begin()
        self.stream.attach(self._reply)
        if self.seat.polls:
            self.stream.prime()
        bodies, self._bodies = self._bodies, []
        for body in bodies:
            self.stream.say(body)

    # ---- what the residence says

    def watch(self) -> None:
        """The answer takes its time: a client that is to have a stream gets its beginning now."""
        self._begin()

    def keep_alive(self) -> None:
        """Make a stream of an answer that takes long, and show that it lives."""
        if self._takes_time:
            self._begin()
        self._takes_time = True
        if self._reply is not None:
            self._reply.keep_alive()

    @property
    def principal(self) -> str | None:
        """On whose behalf the requests came."""
        return self._wire.principal

    def expire(self) -> None:
        """Its token is good no more; it was when the requests came, and what runs gets its answer."""

    def end(self) -> None:
        """The server is going; what runs has some time left."""

    def stop(self) -> None:
        """The server is gone: stop what runs."""
        for exchange in list(self.seat.running.values()):
            if exchange.outlet is self:
                self.seat.peer.drop(exchange.asked)
                exchange.cancel(GOING)

    # ---- the tasks

    async def serve(self, asked: Sequence[Asked], refused: Sequence[bytes] = (), array: bool = False) -> None:
        """Stay with the client until it has its answers, or leaves. `refused` are answers that there are already."""
        self._hears = True
        self._bodies.extend(refused)
        self._wire.heed(self._cut, self.seat.residence.watch)
        try:
            await self._start(asked)
            if not self._released:
                await self._until_released()
            await self._finish(array)
        finally:
            self._wire.unheed()
            self._detach()

    async def answer(self, asked: Asked) -> bytes:
        """Return the answer to one request, which says nothing before it."""
        await self._start([asked])
        if not self._released:
            await self._until_released()
        return self._bodies[0] if self._bodies else b""

    async def _start(self, asked: Sequence[Asked]) -> None:
        """Have requests answered, each in a task of its own, unless there is nothing that it could wait for."""
        self._open = len(asked)
        self.seat.residence.turns.add(self)
        for each in asked:
            exchange = Exchange(each, self, self.seat.conversation)
            exchange.headers = self._wire.headers
            exchange.principal = self._wire.principal
            self.seat.running[each] = exchange
            if self._service.runs_through(each):
                exchange.taskless = self._wire.taskless
                await self._run(exchange, self._service.answer)
            else:
                await self._wire.may_wait()
                exchange.task = self.loop.spawn_now(self._run(exchange, self._service.answer))

    async def _run(self, exchange: Exchange, answer: Answer) -> None:
        body = (await outcome_of(exchange, answer, self.seat.peer, _no_stay)).body
        if self.seat.running.pop(exchange.asked, None) is None:
            return  # somebody else answered
        if not self.seat.is_saved:
            # Whatever the client says next, and to whichever worker, builds on this answer.
            try:
                await self.seat.save()
            except Refused as refused:
                self._status = refused.status
                body = error_body(exchange.asked.id, INTERNAL_ERROR, refused.line)
        self._answered(body)

    def _answered(self, body: bytes | None) -> None:
        """Send an answer, or keep it until all are there; None: it was withdrawn."""
        self._open -= 1
        if body is not None and not self._known:
            self._bodies.append(body)
        elif self._known and (body is not None or not self._open):
            self.stream.say(body or b"", last=not self._open)
        if not self._open:
            self.seat.residence.done(self)
            self._let_go()

    async def _finish(self, array: bool) -> None:
        """Send what is left to be sent on the connection."""
        bodies = self._bodies
        if not self._hears:
            return
        if (reply := self._reply) is not None:
            await self._wire.may_wait()
            await self.stream.written()
            await reply.end()  # which has nothing to do if the client has left meanwhile
        elif bodies and not self._streams:
            await self._wire.answer(self._status, b"[" + b",".join(bodies) + b"]" if array else bodies[0])
        elif not bodies and self.seat.residence.closing:
            await self._wire.answer(503, error_body(None, INTERNAL_ERROR, GOING))
        else:
            # Where it was withdrawn there is no answer, and only the end of a stream can say so.
            events = await self.stream.whole(bodies or [b""], self.seat.polls)
            await self._wire.answer(200, events, STREAM_HEADERS)

    async def _until_released(self) -> None:
        """Wait for the answers; where they take their time, a client that is to have a stream gets its beginning."""
        watch = self.seat.residence.watch
        if self._streams:
            watch.add(self)
        self._release = self.loop.promise()
        try:
            await self._release
        finally:
            watch.discard(self)

    def _let_go(self) -> None:
        self._released = True
        if self._release is not None and not self._release.done():
            self._release.set_result(None)

    # ---- the client leaves

    def _cut(self, reason: str) -> None:
        """Nobody is there any more; what was asked goes on."""
        log.debug("a client left before its answer: %s", reason)
        if self._reply is not None:
            self._reply.drop()
        self._detach()
        self._let_go()

    def _detach(self) -> None:
        self._hears = False
        self._reply = None
        if self._known:
            self.stream.attach(None)


async def _no_stay(stays: StaysOpen) -> object:
    raise AssertionError("no method of this era stays open")
