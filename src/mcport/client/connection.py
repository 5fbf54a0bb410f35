"""One open conversation with a server: the link, the revision that was agreed, and what the server said of itself.

It sends what may be sent, reads what comes back, and answers the few things that a server may ask. Which way the
messages go it does not know. Below: `session.link`, `core.dialects.speaking`, `failures`, `target`.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeGuard

from mcport.core.dialects.speaking import Complete, Invalid, Reading, Speaker
from mcport.core.dialects.speaking import InputRequired as Asks
from mcport.core.events import Asked, Call, Told
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject, Malformed
from mcport.core.limits import Limits
from mcport.errors import (
    URL_ELICITATION_REQUIRED,
    ConnectionLost,
    InternalError,
    InvalidAnswer,
    InvalidRequest,
    RemoteError,
    VisitRequired,
)
from mcport.session.exchange import Exchange
from mcport.session.link import Owner, subject_of
from mcport.session.loop import Loop
from mcport.session.session import Hooks
from mcport.session.waiting import OnProgress, Waiter
from mcport.spec.revisions import Revision

from .answering.visits import Visits
from .callbacks import Callback
from .failures import Failures, Remains
from .target import Contact
from .timing import ROUNDS, Patience

if TYPE_CHECKING:
    from .answering.answering import Answering
    from .answering.rounds import Found, Rounds

log: Final = logging.getLogger("mcport.client")

EARLY: Final = 100
"""So many notifications are kept of those that come before the conversation is open."""


class Connection:
    """A conversation over any link. Until `begin` it can only be opened.

    Each of `hearers` is told of every notification that is neither progress nor the withdrawal of a request, and each
    of `enders` once, why the conversation is over. Both are called while messages are read, and must not wait. Each of
    `renewers` is called when the server had forgotten all that it was told, and the conversation was begun anew; each
    of `missers` when notifications may have been lost on their way; each of `deafeners`, with the reason, when no more
    come, although the server can be asked. `pace` is when to ask again for a stream that was lost, None where all is
    lost with it. `attend` makes what answers the server's questions, when there is a first one.
    """

    def __init__(
        self, server: str, contact: Contact, loop: Loop, limits: Limits, named: Mapping[str, str] | None = None
    ) -> None:
        self.server = server
        self.failures = Failures(server)
        self.speaker: Speaker | None = None
        self.declared: JsonObject = {}
        self.expected: Revision | None = None
        self.hearers: list[Callable[[Told], None]] = []
        self.enders: list[Callable[[str], None]] = []
        self.renewers: list[Callable[[], None]] = []
        self.missers: list[Callable[[], None]] = []
        self.deafeners: list[Callable[[str], None]] = []
        self.pace = contact.pace
        self._deaf = False
        self.attend: Callable[[], Answering] | None = None
        self._answering: Answering | None = None
        self.most_rounds = ROUNDS
        self.visits = Visits()
        self.hearers.append(self.visits.hear)
        self._early: deque[Told] = deque(maxlen=EARLY)
        self.bad_lines = 0
        self._contact = contact
        self._limits = limits
        hooks = Hooks(
            told=self._told, ended=self._ended, malformed=self._malformed, serves=self._serves, batches=self._batches
        )
        self.loop = loop
        owner = Owner(server, self._answer, hooks, self.lost, self._renewed, self._missed, self._deafened, named or {})
        self.link = contact.link(owner, loop, limits)

    async def ask(
        self,
        method: str,
        params: JsonObject | None,
        patience: Patience,
        on_progress: OnProgress | None = None,
        rounds: int | None = None,
    ) -> JsonObject | InputRequired:
        """Send a request and return its complete result.

        Questions that come instead of it are answered for so many rounds, None for this connection's own number; with
        0 rounds they are returned. Raises `NotDeclared` for what the server did not declare, before anything is sent,
        the errors of `Link.ask`, and those of `Rounds`.
        """
        speaker, begun = self.speaker, self.loop.time()
        assert speaker is not None, "the conversation is not open yet"
        speaker.check(method, self.declared)
        try:
            raw = await self.link.ask(
                method, speaker.stamp(params), seconds=patience.silent, most=patience.total, on_progress=on_progress
            )
        except RemoteError as error:
            found: Found = self._pages_of(error)
        else:
            reading = speaker.read(method, raw)
            if type(reading) is Complete:
                return reading.result
            found = self._checked(method, params, reading)
        going = self.rounds_of(method, params, patience, on_progress, rounds)
        if rounds != 0:
            return await going.finish(found, _left(patience, self.loop.time() - begun))
        if isinstance(found, VisitRequired):
            raise going.judged(found)
        assert type(found) is Asks
        return going.pending(found)

    def rounds_of(
        self,
        method: str,
        params: JsonObject | None,
        patience: Patience,
        on_progress: OnProgress | None = None,
        rounds: int | None = None,
    ) -> Rounds:
        """Return what answers the questions of one call."""

        async def turn(params: JsonObject) -> Found:
            return await self._turn(method, params, patience, on_progress)

        from .answering.rounds import Rounds

        most = self.most_rounds if rounds is None else rounds
        return Rounds(self.server, method, params or {}, turn, self.answering, self.visits, patience, most)

    async def _turn(self, method: str, params: JsonObject, patience: Patience, on_progress: OnProgress | None) -> Found:
        """Send a request of a call that takes several; who waits for it has the clock for all of them."""
        assert self.speaker is not None
        try:
            raw = await self.link.ask(
                method, self.speaker.stamp(params), seconds=patience.silent, on_progress=on_progress
            )
        except RemoteError as error:
            return self._pages_of(error)
        return self._checked(method, params, self.speaker.read(method, raw))

    def _checked(self, method: str, params: JsonObject | None, reading: Reading) -> Complete | Asks:
        if type(reading) is Invalid:
            raise self.invalid(method, reading.reason, subject_of(method, params))
        return reading  # type: ignore[return-value]

    def _pages_of(self, error: RemoteError) -> VisitRequired:
        """Return the error that lists pages to visit; raises any other one."""
        pages = error.data.get("elicitations") if isinstance(error.data, dict) else None
        identified = self.expected is not None and self.expected.identifies_url_elicitations
        if error.code != URL_ELICITATION_REQUIRED or not identified or not _are_pages(pages):
            raise error
        return VisitRequired(error.message, elicitations=pages, data=error.data, server=error.server, phase=error.phase)

    def tell(self, method: str, params: JsonObject | None) -> None:
        """Send a notification; never waits. Raises `NotDeclared` and `ConnectionLost`."""
        assert self.speaker is not None, "the conversation is not open yet"
        if self.link.over is not None:
            raise self.lost(method, self.link.over)
        self.speaker.check(method, self.declared)
        self.link.tell(method, params)

    def open_stream(self, method: str, params: JsonObject, waiter: Waiter) -> Call:
        """Send a request that stays open; what settles it goes to the waiter. Raises `NotDeclared`, never waits.

        What comes meanwhile carries the id of the call that is returned (2026-07-28 basic/patterns/subscriptions).
        """
        assert self.speaker is not None, "the conversation is not open yet"
        self.speaker.check(method, self.declared)
        return self.link.start(method, self.speaker.stamp(params), waiter)

    async def hears(self, patience: Patience) -> None:
        """Wait until notifications come. If they had stopped, they come again: a link listens while it is used."""
        if self._deaf:
            await self.ask("ping", None, patience)
            self._deaf = False
        await self.link.hears()

    def close_stream(self, call: Call, *, tell: bool) -> None:
        """Withdraw such a request, or only forget it where the server ended it; harmless once it is settled."""
        self.link.drop(call, tell=tell)

    def begin(self, speaker: Speaker, declared: JsonObject) -> None:
        """The opening is done: from now on speak what was agreed."""
        self.expected = speaker.revision
        self.speaker = speaker
        self.declared = declared
        self.link.begin(speaker.revision)

    @property
    def answering(self) -> Answering:
        """What answers the questions of the server."""
        if self._answering is None:
            assert self.attend is not None, "the conversation is not open yet"
            self._answering = self.attend()
        return self._answering

    @property
    def declares_changing_roots(self) -> bool:
        """Whether the server was told that it will hear of other roots."""
        roots = self.answering.declared.get("roots")
        return roots is not None and "listChanged" in roots

    async def ask_host(self, callback: Callback, *arguments: object) -> Any:
        """Call a callback of the host that answers something."""
        return await self.answering.ask_host(callback, *arguments)

    @property
    def over(self) -> bool:
        """Whether nothing can be asked any more."""
        return self.link.over is not None

    @property
    def remains(self) -> Remains:
        """What is left of the server, as far as it has ended."""
        return self._contact.remains()

    async def aclose(self) -> None:
        """End the conversation; pending calls fail with `ConnectionLost`. One that never began ends without a word."""
        await self.link.aclose(silently=self.speaker is None)
        if self._answering is not None:
            self._answering.close()

    # ---- errors

    def lost(self, phase: str, reason: str, subject: str | None = None) -> ConnectionLost:
        """Return the error for a call that was pending, or came, when the conversation was over."""
        return self.failures.lost(phase, reason, self.remains, subject)

    def invalid(self, method: str, reason: str, subject: str | None = None) -> InvalidAnswer:
        """Return the error for an answer that is none; `subject` is what it is the answer to."""
        line = f"{subject or method} on server '{self.server}': {reason}"
        return InvalidAnswer(line, server=self.server, phase=method, cause=reason)

    # ---- what comes unasked

    async def _answer(self, exchange: Exchange) -> JsonObject:
        """Answer a request of the server. While a question is open, no call of ours grows older in its silence."""
        method, params = exchange.asked.method, exchange.asked.params
        if method == "ping":
            return {}
        if self.attend is None:
            raise InvalidRequest(f"{method:.60}: the conversation is not initialized yet")
        scope = self.loop.scope()
        exchange.stop = scope.cancel
        self.link.hold()
        try:
            with scope:
                return await self.answering.answer(method, params)
        finally:
            self.link.release()
        raise InternalError("withdrawn")  # nobody hears it: the request is no longer open

    def catch_up(self) -> None:
        """Tell the hearers, who are there now, what was told while the conversation was being opened."""
        while self._early:
            self.hear(self._early.popleft())

    def _told(self, event: Told) -> None:
        if self.speaker is None:
            self._early.append(event)
        else:
            self.hear(event)

    def hear(self, event: Told) -> None:
        """Tell the hearers of a notification, or of what may have been one."""
        for hear in self.hearers:
            hear(event)

    def _ended(self, reason: str) -> None:
        log.debug("server '%s': %s", self.server, reason)
        for end in self.enders:
            end(reason)

    def _renewed(self) -> None:
        for renew in self.renewers:
            renew()

    def _missed(self) -> None:
        for miss in self.missers:
            miss()

    def _deafened(self, reason: str) -> None:
        self._deaf = True
        for deafen in self.deafeners:
            deafen(reason)

    def _malformed(self, message: Malformed) -> bool:
        """Tolerate a few lines that are no message, such as a banner; they get no reply.

        An answer that cannot be read fails its own call, and there may be many of those.
        """
        if message.answers is not None:
            return False
        self.bad_lines += 1
        log.info("server '%s' sent something that is no message: %s", self.server, message.reason)
        if self.bad_lines > self._limits.bad_lines:
            self.link.give_up(f"it sent more than {self._limits.bad_lines} lines that are no messages")
        return False

    def _serves(self, asked: Asked) -> bool:
        """In the stateless era a server never asks, and a client never answers (basic/transports/stdio)."""
        return self.expected is None or self.expected.era == "handshake"

    def _batches(self) -> bool:
        return self.expected is not None and self.expected.allows_batches


def _left(patience: Patience, spent: float) -> float | None:
    """How many seconds of all that a call may take are left."""
    return None if patience.total is None else max(0.0, patience.total - spent)


def _are_pages(value: Any) -> TypeGuard[list[dict[str, object]]]:
    """Whether a value is a list of pages to visit, each with its id (2025-11-25 client/elicitation)."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(
            isinstance(each, dict) and each.get("mode") == "url" and isinstance(each.get("elicitationId"), str)
            for each in value
        )
    )
