"""A worker's part of one session: the requests that it answers, and the questions that it waits for.

A session belongs to no worker. What one worker must know of it is in its record; what comes for a request that another
worker answers (an answer to a question, a withdrawal, progress) is handed on (`postbox`). Below: `post`, `core.peer`,
`session.waiting`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from mcport.core.dialects.contract import Conversation
from mcport.core.events import Answered, Asked, Call, Progressed, Stray, Told, Withdrawn
from mcport.core.jsonrpc import (
    ErrorResponse,
    JsonObject,
    Malformed,
    Message,
    Notification,
    Request,
    Response,
    encode,
)
from mcport.core.peer import CANCELLED, Peer
from mcport.session.exchange import Exchange
from mcport.session.waiting import Clock, Lost, OnProgress, Overdue, Pending, Settled, Waiter
from mcport.stores.events import Events

from .record import read_record, write_record
from .residence import Residence
from .service import Service
from .stream import Stream

log: Final = logging.getLogger("mcport.http")


class Seat:
    """One session in this worker. `prefix` makes the ids of its questions different from other workers'."""

    def __init__(self, id: str, residence: Residence, service: Service, events: Events, prefix: str) -> None:
        self.id = id
        self.residence = residence
        self.loop = residence.loop
        self.conversation: Conversation = service.converse(residence.life)
        self.principal: str | None = None
        self.peer = Peer(prefix)
        self.clock = Clock(self.loop)
        self.running: dict[Asked, Exchange] = {}
        self.standing: Stream | None = None
        """The stream of what belongs to no request, once a client has come to hear it here."""
        self.over = False
        self.limits = service.limits
        self._taken: Callable[[], None] | None = None
        self._service = service
        self._events = events
        self._record = b""

    def __repr__(self) -> str:
        return f"<Seat {self.id[:4]}...>"

    # ---- its record

    def read(self, record: bytes) -> None:
        """Take in what is known of the session; nothing happens while it is what it was."""
        if record != self._record:
            followed = set(self.conversation.subscribed)
            self.principal = read_record(record, self.conversation)
            self._record = record
            if self.standing is not None and followed != self.conversation.subscribed:
                self._service.hear(self.conversation, Standing(self.standing, self))

    def changed(self) -> bytes | None:
        """Return the record if it is not what it was any more."""
        record = write_record(self.conversation, self.principal)
        if record == self._record:
            return None
        self._record = record
        return record

    # ---- what comes

    def take(self, message: Message | Malformed) -> bool:
        """Take in what is no request; return whether it was for somebody here."""
        event = self.peer.receive(message)
        if type(event) is Answered:
            _waiter(event.call).settle(event.answer)
        elif type(event) is Progressed:
            _waiter(event.call).progressed(event)
        elif type(event) is Withdrawn:
            self._withdrawn(event)
        elif type(event) is Told and event.method != CANCELLED:
            self._told(event)
        else:
            return False
        return True

    def _told(self, event: Told) -> None:
        if event.method == "notifications/initialized":
            self.conversation.initialized = True
        self._service.told(event, self.conversation, self.loop)

    def _withdrawn(self, event: Withdrawn) -> None:
        exchange = self.running.get(event.asked)
        if exchange is not None:
            exchange.cancel(event.reason)

    def ask(self, request: Request) -> Asked | Stray:
        """Open the book for a request of the client."""
        return self.peer.receive(request)  # type: ignore[return-value]

    def stream(self, name: str) -> Stream:
        """Return a stream of the session by its name."""
        if self.standing is not None and self.standing.name == name:
            return self.standing
        return Stream(self.id, name, self.loop, self._events)

    # ---- the session's own stream

    def stand(self, stream: Stream, taken: Callable[[], None]) -> None:
        """From now on say on this stream what belongs to no request; `taken` is called when another takes its place."""
        if self._taken is not None:
            self._taken()
        self._taken = taken
        if self.standing is not stream:
            self.standing = stream
            self._service.hear(self.conversation, Standing(stream, self))

    def unstand(self) -> None:
        """Say nothing more of what belongs to no request: nobody hears it here."""
        if self.standing is not None:
            self._service.unhear(self.conversation)
            self.standing = None
        if self._taken is not None:
            self._taken()
            self._taken = None

    # ---- the end

    @property
    def idle(self) -> bool:
        """Whether nothing goes on here."""
        return not self.running and self.standing is None

    def end(self, reason: str) -> None:
        """The session is over: stop what runs, fail what waits."""
        if self.over:
            return
        self.over = True
        self.unstand()
        for call in self.peer.lose_calls():
            _waiter(call).lose(reason)
        self.clock.stop()
        self.peer.close_asked()
        for exchange in list(self.running.values()):
            exchange.cancel(reason)


class Asking:
    """Asks the client on a stream and waits; what `Post` and `Standing` have in common."""

    def __init__(self, stream: Stream, seat: Seat) -> None:
        self.loop = seat.loop
        self.stream = stream
        self.seat = seat

    def say(self, data: bytes) -> None:
        """Send a message; never waits."""
        self.stream.say(data)

    def tell(self, notification: Notification) -> None:
        """Send a notification; never waits."""
        self.say(encode(notification))

    @property
    def full(self) -> bool:
        """Whether the client is too slow to take more."""
        return self.stream.reply is not None and self.stream.reply.full

    async def drained(self) -> None:
        """Wait while the client is too slow to take more."""
        if self.stream.reply is not None:
            await self.stream.reply.drained()

    async def ask(
        self,
        method: str,
        params: JsonObject | None = None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> Settled:
        """Send a request to the client and wait until it is settled, whichever worker hears the answer."""
        seat = self.seat
        if seat.over:
            return Lost("the session is over")
        pending = Pending(self.loop, seat.clock, seconds=seconds, most=most, on_progress=on_progress)
        call, request = seat.peer.request(method, params, progress=on_progress is not None, context=pending)
        try:
            self.say(encode(request))
            settled: Settled = await pending.promise
        except BaseException as error:
            # Parameters that cannot be JSON never left; a caller that was cancelled wants no answer.
            self._withdraw(call, pending, None if isinstance(error, ValueError) else "cancelled by the caller")
            raise
        if type(settled) is Overdue:
            self._withdraw(call, pending, "timed out")
        return settled

    def _withdraw(self, call: Call, pending: Pending, reason: str | None) -> None:
        pending.stop()
        notification = self.seat.peer.withdraw(call, reason)
        if notification is not None and reason is not None:
            self.tell(notification)


class Standing(Asking):
    """Where a session is told what belongs to no request (`session.exchange.Outlet`)."""

    def answer_instead(self, exchange: Exchange, answer: object) -> None:
        """No request is answered here."""


def _waiter(call: Call) -> Waiter:
    waiter: Waiter = call.context  # type: ignore[assignment]
    return waiter


def answered(exchange: Exchange, message: Response | ErrorResponse) -> bytes:
    """Return the bytes of an answer; one that cannot be JSON is an error of this side."""
    try:
        return encode(message)
    except ValueError as error:
        log.error("the answer to request %r is not JSON: %s", exchange.asked.id, error)
        return encode(ErrorResponse(exchange.asked.id, -32603, "Internal error: the answer is not valid JSON"))
