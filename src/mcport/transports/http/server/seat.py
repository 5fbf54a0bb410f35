"""A worker's part of one session: the requests that it answers, and the questions that it waits for.

A session belongs to no worker. What one worker must know of it is in its record; what comes for a request that another
worker answers (an answer to a question, a withdrawal, progress) is handed on (`postbox`). Below: `post`, `core.peer`,
`session.waiting`.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final, Protocol

from mcport.core.dialects.contract import Conversation
from mcport.core.events import Answered, Asked, Call, Progressed, Stray, Told, Withdrawn
from mcport.core.jsonrpc import (
    JsonObject,
    Malformed,
    Message,
    Notification,
    Request,
    encode,
)
from mcport.core.peer import CANCELLED, Peer
from mcport.session.exchange import Exchange
from mcport.session.waiting import Clock, Lost, OnProgress, Overdue, Pending, Settled, Waiter

from .record import Changing, Known, merged, opening_of, read_record, reopen, write_record
from .residence import Residence
from .service import Service
from .sharing import Sharing, reached
from .stream import KEEP_SECONDS, Stream, new_name

log: Final = logging.getLogger("mcport.http")


class Box(Protocol):
    """What hands on to other workers what is for them (`postbox`)."""

    def changed(self, seat: Seat) -> None:
        """The record of a session changed."""
        ...

    def tell(self, session: str, notification: Notification) -> None:
        """Tell the client of a session what belongs to no request, by whichever worker it hears that."""
        ...


class Seat:
    """One session in this worker. `prefix` makes the ids of its questions different from other workers'.

    Its `box` is told when the record was changed from here.
    """

    def __init__(
        self,
        id: str,
        residence: Residence,
        service: Service,
        sharing: Sharing,
        box: Box,
        prefix: str,
    ) -> None:
        self.id = id
        self.residence = residence
        self.box = box
        self.loop = residence.loop
        self.conversation: Conversation = service.converse(residence.life)
        self.principal: str | None = None
        self.peer = Peer(prefix)
        self.clock = Clock(self.loop)
        self.running: dict[Asked, Exchange] = {}
        self.standing: Stream | None = None
        """The stream of what belongs to no request, once a client has come to hear it here."""
        self.hearings = 0
        """How many clients hear streams by GET here."""
        self.over = False
        self.limits = service.limits
        self._taken: Callable[[], None] | None = None
        self._service = service
        self._sharing = sharing
        self._record = b""
        self._known: Known | None = None
        self._stands = ""
        self._mine = ""
        self._listener: Standing | None = None
        self._heard_until = 0.0
        self._token = ""
        self._streams = 0

    def __repr__(self) -> str:
        return f"<Seat with {len(self.running)} requests>"  # its id is a secret

    # ---- its record

    def read(self, record: bytes) -> None:
        """Take in what is known of the session; nothing happens while it is what it was, or if it is older."""
        if record == self._record:
            return
        known = read_record(record)
        if self._known is None:
            reopen(self.conversation, known.opening)
            self.principal = known.principal
            self._take_in(known.changing)
        elif known.number <= self._known.number:
            return
        else:
            self._take_in(merged(self._known.changing, self._now(), known.changing))
        self._known, self._record = known, record

    async def create(self, principal: str | None) -> bool:
        """Keep the record of a session that was just opened; return whether there was room."""
        self.principal = principal
        self._known = Known(opening_of(self.conversation), principal, 1, self._now())
        self._record = write_record(self._known)
        return await reached(self._sharing.sessions.create(self.id, self._record, self._sharing.idle_seconds))

    @property
    def is_saved(self) -> bool:
        """Whether the record says of the session what is known of it here."""
        known, conversation = self._known, self.conversation
        if known is None or conversation.opened is None:
            return True
        kept = known.changing
        return (
            kept.log_level == conversation.opened.log_level
            and kept.initialized == conversation.initialized
            and kept.subscribed == conversation.subscribed
            and kept.stands == self._stands
        )

    async def save(self) -> None:
        """Keep what changed in the session here, together with what others changed meanwhile.

        Raises `Refused` where that is not possible.
        """
        sessions = self._sharing.sessions
        while not self.over and not self.is_saved:
            assert self._known is not None
            number = self._known.number + 1
            known, was = Known(self._known.opening, self.principal, number, self._now()), self._record
            record = write_record(known)
            if await reached(sessions.put(self.id, record, was)):
                if self._known.number < known.number:
                    self._known, self._record = known, record
                self.box.changed(self)
                continue
            found = await reached(sessions.get(self.id))
            if found is None or found == was:
                return  # the session is over
            self.read(found)

    def _now(self) -> Changing:
        conversation = self.conversation
        opened = conversation.opened
        assert opened is not None
        followed = frozenset(conversation.subscribed)
        return Changing(opened.log_level, conversation.initialized, followed, self._stands)

    def _take_in(self, now: Changing) -> None:
        conversation = self.conversation
        assert conversation.opened is not None
        conversation.opened.log_level = now.log_level
        conversation.initialized = now.initialized
        followed, conversation.subscribed = conversation.subscribed, set(now.subscribed)
        self._stands = now.stands
        if self._stands != self._mine:
            self.unstand()
        elif self.standing is not None and (self._listener is None or followed != now.subscribed):
            self._listen()

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
        if event.method == "notifications/initialized" and not self.conversation.initialized:
            self.conversation.initialized = True
            self._listen()
        self._service.told(event, self.conversation, self.loop)

    def _withdrawn(self, event: Withdrawn) -> None:
        exchange = self.running.get(event.asked)
        if exchange is not None:
            exchange.cancel(event.reason)

    def ask(self, request: Request) -> Asked | Stray:
        """Open the book for a request of the client."""
        return self.peer.receive(request)  # type: ignore[return-value]

    def new_stream(self) -> Stream:
        """Return a stream for the requests of one POST, whose name no other worker gives, nor this one again."""
        if not self._streams:
            self._token = new_name()
        self._streams += 1
        return Stream(self.id, f"{self._token}-{self._streams}", self.loop, self._sharing.events)

    def stream(self, name: str) -> Stream:
        """Return a stream of the session by its name."""
        if self.standing is not None and self.standing.name == name:
            return self.standing
        return Stream(self.id, name, self.loop, self._sharing.events)

    @property
    def polls(self) -> bool:
        """Whether the client may be let go before its answer, and comes back."""
        opened = self.conversation.opened
        return opened is not None and opened.revision.polls_streams

    # ---- the session's own stream

    async def stand(self, stream: Stream, taken: Callable[[], None]) -> None:
        """From now on say on this stream what belongs to no request; `taken` is called when another takes its place.

        The latest one counts, in whichever worker: a client that was cut off may be back long before anybody notices.
        Until the former worker hears of it both of them say what there is to be said: rather twice than never.
        """
        self._stands = self._mine = new_name()
        if self._taken is not None:
            self._taken()
        self._taken = taken
        if self.standing is not stream:
            self.standing = stream
            self._listen()
        await self.save()

    def tell(self, message: bytes) -> bool:
        """Say what belongs to no request, if the client hears that here; return whether it does."""
        if self.standing is None:
            return False
        self.standing.say(message)
        return True

    def missed(self) -> None:
        """What was said of changes may have been lost: say it of all of them."""
        self._service.missed(self.conversation)

    def unstand(self) -> None:
        """Say nothing more of what belongs to no request: nobody hears it here."""
        if self.standing is not None:
            self._service.unhear(self.conversation)
            self.standing = self._listener = None
        if self._taken is not None:
            self._taken()
            self._taken = None

    def heard(self) -> None:
        """A client hears no more by GET, and may come back for a while."""
        self.hearings -= 1
        self._heard_until = self.loop.time() + KEEP_SECONDS

    def _listen(self) -> None:
        """Have the session told of changes, once it is ready to hear (basic/lifecycle)."""
        if self.standing is not None and self.conversation.initialized:
            self._listener = Standing(self.standing, self)
            self._service.hear(self.conversation, self._listener)

    # ---- the end

    @property
    def is_used(self) -> bool:
        """Whether a client is there, or something runs for it."""
        return bool(self.running or self.hearings)

    @property
    def is_idle(self) -> bool:
        """Whether nothing goes on here, and nobody is expected back."""
        return not self.is_used and (self.standing is None or self.loop.time() >= self._heard_until)

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


class Asking(ABC):
    """Asks the client of a session on a stream and waits; what `Post` and `Standing` have in common."""

    def __init__(self, seat: Seat) -> None:
        self.loop = seat.loop
        self.seat = seat

    @property
    @abstractmethod
    def stream(self) -> Stream:
        """Where it is said."""

    def say(self, data: bytes) -> None:
        """Send a message; never waits."""
        self.stream.say(data)

    def tell(self, notification: Notification) -> None:
        """Send a notification; never waits."""
        self.say(encode(notification))

    @property
    def full(self) -> bool:
        """Whether the client is too slow to take more."""
        return self.stream.is_full(self.seat.limits.outbox_bytes)

    async def drained(self) -> None:
        """Wait while the client is too slow to take more."""
        await self.stream.drained(self.seat.limits.outbox_bytes)

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

    def __init__(self, stream: Stream, seat: Seat) -> None:
        super().__init__(seat)
        self._stream = stream

    @property
    def stream(self) -> Stream:
        return self._stream

    def answer_instead(self, exchange: Exchange, answer: object) -> None:
        """No request is answered here."""


def _waiter(call: Call) -> Waiter:
    waiter: Waiter = call.context  # type: ignore[assignment]
    return waiter
