"""One open conversation with a server: the session, the revision that was agreed, and what the server said of itself.

It sends what may be sent, reads what comes back, and answers the few things that a server may ask. Below: `session`,
`core.dialects.speaking`, `failures`, `target`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from mcport.core.dialects.speaking import Complete, Speaker
from mcport.core.events import Asked, Call, Told
from mcport.core.jsonrpc import JsonObject, Malformed
from mcport.core.limits import Limits
from mcport.errors import ConnectionLost, InvalidAnswer, MethodNotFound
from mcport.session.exchange import Exchange
from mcport.session.link import SessionLink
from mcport.session.loop import Loop
from mcport.session.session import Hooks, Session
from mcport.session.waiting import OnProgress, Waiter
from mcport.spec.revisions import Revision

from .failures import Failures, Remains
from .target import Contact
from .timing import Patience

log: Final = logging.getLogger("mcport.client")


class Connection:
    """A conversation over a stream of messages. Until `begin` it can only be opened.

    Each of `hearers` is told of every notification that is neither progress nor the withdrawal of a request, and each
    of `enders` once, why the conversation is over. Both are called while messages are read, and must not wait.
    """

    def __init__(self, server: str, contact: Contact, loop: Loop, limits: Limits) -> None:
        self.server = server
        self.failures = Failures(server)
        self.speaker: Speaker | None = None
        self.declared: JsonObject = {}
        self.expected: Revision | None = None
        self.hearers: list[Callable[[Told], None]] = []
        self.enders: list[Callable[[str], None]] = []
        self.bad_lines = 0
        self._contact = contact
        self._limits = limits
        hooks = Hooks(
            told=self._told, ended=self._ended, malformed=self._malformed, serves=self._serves, batches=self._batches
        )
        channel = contact.channel
        self.session = Session(channel, loop, limits, answer=self._answer, hooks=hooks)
        self.link = SessionLink(self.session, channel, server=server, lost=self.lost, full=limits.outbox_bytes)

    async def ask(
        self, method: str, params: JsonObject | None, patience: Patience, on_progress: OnProgress | None = None
    ) -> JsonObject:
        """Send a request and return its complete result.

        Raises `NotDeclared` for what the server did not declare, before anything is sent, and the errors of `Link.ask`.
        """
        speaker = self.speaker
        assert speaker is not None, "the conversation is not open yet"
        speaker.check(method, self.declared)
        raw = await self.link.ask(
            method, speaker.stamp(params), seconds=patience.silent, most=patience.total, on_progress=on_progress
        )
        reading = speaker.read(method, raw)
        if type(reading) is Complete:
            return reading.result
        reason = getattr(reading, "reason", "it asks for input, though this client declared no way to give any")
        raise self.invalid(method, reason)

    def tell(self, method: str, params: JsonObject | None) -> None:
        """Send a notification; never waits. Raises `NotDeclared` and `ConnectionLost`."""
        assert self.speaker is not None, "the conversation is not open yet"
        if self.session.over is not None:
            raise self.lost(method, self.session.over)
        self.speaker.check(method, self.declared)
        self.link.tell(method, params)

    def open_stream(self, method: str, params: JsonObject, waiter: Waiter) -> Call:
        """Send a request that stays open; what settles it goes to the waiter. Raises `NotDeclared`, never waits.

        What comes meanwhile carries the id of the call that is returned (2026-07-28 basic/patterns/subscriptions).
        """
        assert self.speaker is not None, "the conversation is not open yet"
        self.speaker.check(method, self.declared)
        return self.start_asking(method, self.speaker.stamp(params) or {}, waiter)

    def close_stream(self, call: Call, *, tell: bool) -> None:
        """Withdraw such a request, or only forget it where the server ended it; harmless once it is settled."""
        notification = self.session.peer.withdraw(call)
        if tell and notification is not None and self.session.over is None:
            self.session.send(notification)

    def start_asking(self, method: str, params: JsonObject, waiter: Waiter) -> Call:
        """Send a request of the opening, as it is; its answer goes to the waiter."""
        call, request = self.session.peer.request(method, params, context=waiter)
        if self.session.over is not None:
            waiter.lose(self.session.over)
        else:
            self.session.send(request)
        return call

    def forget(self, call: Call) -> None:
        """Wait no more for the answer to a request of the opening, without a word to the server."""
        self.session.peer.withdraw(call)

    def begin(self, speaker: Speaker, declared: JsonObject) -> None:
        """The opening is done: from now on speak what was agreed."""
        self.expected = speaker.revision
        self.speaker = speaker
        self.declared = declared
        # A stateless server never asks, so nothing is answered: not even a request that is broken.
        self.session.peer.serves = speaker.revision.era == "handshake"

    @property
    def over(self) -> bool:
        """Whether nothing can be asked any more."""
        return self.session.over is not None

    @property
    def remains(self) -> Remains:
        """What is left of the server, as far as it has ended."""
        return self._contact.remains()

    async def aclose(self) -> None:
        """End the conversation; pending calls fail with `ConnectionLost`. One that never began ends without a word."""
        await (self.link if self.speaker is not None else self.session).aclose()

    # ---- errors

    def lost(self, phase: str, reason: str) -> ConnectionLost:
        """Return the error for a call that was pending, or came, when the conversation was over."""
        return self.failures.lost(phase, reason, self.remains)

    def invalid(self, method: str, reason: str) -> InvalidAnswer:
        """Return the error for an answer that is none."""
        line = f"{method} on server '{self.server}': {reason}"
        return InvalidAnswer(line, server=self.server, phase=method, cause=reason)

    # ---- what comes unasked

    async def _answer(self, exchange: Exchange) -> JsonObject:
        """Answer a request of the server."""
        if exchange.asked.method == "ping":
            return {}
        raise MethodNotFound(f"Method not found: {exchange.asked.method}")

    def _told(self, event: Told) -> None:
        for hear in self.hearers:
            hear(event)

    def _ended(self, reason: str) -> None:
        log.debug("server '%s': %s", self.server, reason)
        self.link.ended()
        for end in self.enders:
            end(reason)

    def _malformed(self, message: Malformed) -> bool:
        """Tolerate a few lines that are no message, such as a banner; they get no reply.

        An answer that cannot be read fails its own call, and there may be many of those.
        """
        if message.answers is not None:
            return False
        self.bad_lines += 1
        log.info("server '%s' sent something that is no message: %s", self.server, message.reason)
        if self.bad_lines > self._limits.bad_lines:
            self.session.ended(f"it sent more than {self._limits.bad_lines} lines that are no messages")
        return False

    def _serves(self, asked: Asked) -> bool:
        """In the stateless era a server never asks, and a client never answers (basic/transports/stdio)."""
        return self.expected is None or self.expected.era == "handshake"

    def _batches(self) -> bool:
        return self.expected is not None and self.expected.allows_batches
