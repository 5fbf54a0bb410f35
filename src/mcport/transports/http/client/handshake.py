"""The link of the handshake era over HTTP: each message is a POST, and what comes on any stream meets in one session.

(2025-03-26 to 2025-11-25 basic/transports "Streamable HTTP".) A lost server ends the calls that waited for it and
nothing else: the next one reaches it anew. Below: `errand`, `outbox`, `standing`, `renewal`, the session.
"""

from __future__ import annotations

import logging
from typing import Final

import anyio

from mcport.core.dialects.opening.conversation import INITIALIZE
from mcport.core.events import Call
from mcport.core.jsonrpc import JsonObject, Notification, Response, encode
from mcport.core.limits import Limits
from mcport.core.peer import CANCELLED, NEVER_CANCELLED
from mcport.record import changed
from mcport.session.channel import Trace
from mcport.session.link import Owner, failure_of, subject_of
from mcport.session.loop import Loop
from mcport.session.session import Session
from mcport.session.waiting import OnProgress, Overdue, Pending, Waiter
from mcport.spec.revisions import Revision

from .courier import Courier
from .endpoint import Endpoint, Unreachable
from .errand import Errand
from .outbox import Outbox
from .pace import Pace
from .renewal import Answer, Opener, Renewal
from .standing import Standing
from .track import Broken
from .turn import Outcome

INITIALIZED: Final = "notifications/initialized"

GOODBYE_SECONDS: Final = 2.0
"""How long a server may take to hear that a session is over."""

log: Final = logging.getLogger("mcport.client")


class HandshakeLink:
    """A link to one endpoint. A session that the server forgets is begun anew, which the owner is told."""

    def __init__(
        self,
        endpoint: Endpoint,
        owner: Owner,
        loop: Loop,
        limits: Limits,
        *,
        trace: Trace | None = None,
        pace: Pace | None = None,
    ) -> None:
        self._owner = owner
        self._loop = loop
        self._pace = pace or Pace()
        self._courier = Courier(endpoint, limits, trace)
        self._outbox = Outbox(self._courier, loop)
        hooks = changed(owner.hooks, ended=self._ended)
        self._session = Session(self._outbox, loop, limits, answer=owner.answer, hooks=hooks)
        self._peer = self._session.peer
        self._renewal = Renewal(self._courier, loop, self._initialize, self._begun_anew)
        self._standing = Standing(
            self._courier, loop, self._pace, gone=self._gone, missed=self._missed, deaf=self._deaf
        )
        self._errands: dict[Call, Errand] = {}
        self._closed = False
        self.hold, self.release = self._session.clock.hold, self._session.clock.release
        self.give_up = self._session.ended

    # ---- the port

    @property
    def over(self) -> str | None:
        return self._session.over

    def open(self) -> None:
        self._session.open()

    def begin(self, revision: Revision) -> None:
        """The revision is known from the answer to `initialize` already."""

    async def ask(
        self,
        method: str,
        params: JsonObject | None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> object:
        if self.over is not None:
            raise self._owner.lost(method, self.over, subject_of(method, params))
        pending = Pending(self._loop, self._session.clock, seconds=seconds, most=most, on_progress=on_progress)
        try:
            call = self._send(method, params, pending, progress=on_progress is not None)
        except ValueError as error:
            pending.stop()
            raise ValueError(f"{method}: the parameters cannot be JSON: {error}") from None
        try:
            answer: Outcome = await pending.promise
        except BaseException:
            pending.stop()
            self._withdraw(call, "cancelled by the caller")
            raise
        if type(answer) is Overdue:
            self._withdraw(call, "timed out")
        if isinstance(answer, Response):
            return answer.result
        raise failure_of(answer, method, subject_of(method, params), self._owner.server, self._owner.lost)

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        if self.over is not None:
            return
        if method == INITIALIZED:
            self._loop.keep(self._begin_speaking())
        else:
            self._session.send(Notification(method, params))

    def start(self, method: str, params: JsonObject | None, waiter: Waiter) -> Call:
        if method != INITIALIZE:
            return self._send(method, params, waiter)
        self._renewal.opening = params or {}
        return self._send(method, params, Opener(self._courier, waiter))

    async def hears(self) -> None:
        if self._courier.ready.is_set():
            self._standing.begin(at_once=True)
        await self._standing.settled()

    def drop(self, call: Call, *, tell: bool) -> None:
        self._withdraw(call, "nobody waits any more", tell=tell)

    async def aclose(self, *, silently: bool = False) -> None:
        if self._closed:
            return
        self._closed = True
        with anyio.CancelScope(shield=True):
            if self.over is None and not silently:
                self._withdraw_all()
            await self._session.aclose()
            await self._say_goodbye()
            await self._courier.aclose()

    # ---- requests

    def _send(
        self, method: str, params: JsonObject | None, waiter: Waiter | Pending, *, progress: bool = False
    ) -> Call:
        """Send a request in a task of its own; what settles it goes to the waiter. Raises ValueError."""
        call, request = self._peer.request(method, params, progress=progress, context=waiter)
        if self.over is not None:
            self._peer.withdraw(call)
            waiter.lose(self.over)
            return call
        try:
            body = encode(request)
        except ValueError:
            self._peer.withdraw(call)
            raise
        renew = None if method == INITIALIZE else self._renewal.instead_of
        errand = self._errands[call] = Errand(call, body, self._courier, self._peer, self._loop, self._pace, renew)
        self._loop.keep(self._run(errand, call))
        if self._courier.ready.is_set():
            self._standing.begin()
        return call

    async def _run(self, errand: Errand, call: Call) -> None:
        try:
            await errand.run()
        finally:
            self._errands.pop(call, None)

    def _withdraw(self, call: Call, reason: str, *, tell: bool = True) -> None:
        """Nobody waits any more. To leave is no cancellation, so the server is told."""
        notification = self._peer.withdraw(call, reason)
        errand = self._errands.pop(call, None)
        if errand is not None:
            errand.scope.cancel()
        if tell and notification is not None and self.over is None:
            self._session.send(notification)

    def _withdraw_all(self) -> None:
        for call in self._peer.lose_calls():
            call.context.lose("closed here")  # type: ignore[attr-defined]  # a `Waiter`, which the core does not know
            if call.method not in NEVER_CANCELLED:
                params: JsonObject = {"requestId": call.id, "reason": "the client is closing"}
                self._session.send(Notification(CANCELLED, params))

    # ---- the session

    async def _begin_speaking(self) -> None:
        """Say that the session is open, before anything else is said in it."""
        try:
            await self._begun()
        finally:
            self._courier.ready.set()

    async def _begun(self) -> None:
        await self._outbox.deliver(encode(Notification(INITIALIZED, None)))
        self._standing.end()
        if self.over is None:
            self._standing.begin()

    async def _begun_anew(self) -> None:
        await self._begun()
        if self._owner.renewed is not None:
            self._owner.renewed()
        self._loop.keep(self._catch_up())

    async def _catch_up(self) -> None:
        """What changed before the stream of the new session was open may have gone unheard."""
        await self._standing.settled()
        self._missed()

    async def _initialize(self, params: JsonObject) -> Outcome:
        """Open a session once more."""
        promise = self._loop.promise()
        call = self._send(INITIALIZE, params, Opener(self._courier, Answer(promise)))
        try:
            settled: Outcome = await promise
        except BaseException:
            self._withdraw(call, "too late")
            raise
        return settled

    def _gone(self, id: str) -> None:
        """The stream that stands belongs to a session that the server has forgotten."""
        self._loop.keep(self._renew(id))

    async def _renew(self, id: str) -> None:
        try:
            await self._renewal.instead_of(id)
        except Broken as error:
            log.info("%s", error)
            self._deaf(str(error))

    def _missed(self) -> None:
        if self._owner.missed is not None:
            self._owner.missed()

    def _deaf(self, reason: str) -> None:
        if self._owner.deaf is not None:
            self._owner.deaf(reason)

    # ---- the end

    def _ended(self, reason: str) -> None:
        """Nothing more is asked or heard; what the session has still to say may leave."""
        self._standing.end()
        for errand in tuple(self._errands.values()):
            errand.scope.cancel()
        self._courier.ready.set()
        self._owner.hooks.ended(reason)
        self._session.stop_running("the server is gone")

    async def _say_goodbye(self) -> None:
        with anyio.move_on_after(GOODBYE_SECONDS):
            try:
                await self._courier.delete()
            except Unreachable as error:
                log.debug("the server did not hear that the session is over: %s", error)
