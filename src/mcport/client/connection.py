"""One open conversation with a server: the session, the revision that was agreed, and what the server said of itself.

It sends what may be sent, reads what comes back, and answers the few things that a server may ask. Below: `session`,
`core.dialects.speaking`, `opening`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from ..core.dialects.opening import Approach, Opened
from ..core.dialects.speaking import Complete, InputRequired, Speaker
from ..core.events import Asked, Told
from ..core.jsonrpc import JsonObject, Malformed
from ..core.limits import Limits
from ..errors import InvalidAnswer, MethodNotFound
from ..session.channel import Channel
from ..session.exchange import Exchange
from ..session.link import OnProgress, SessionLink
from ..session.loop import Loop
from ..session.session import Hooks, Session
from ..session.waiting import Waiter
from .target import Target

log: Final = logging.getLogger("mcport.client")


class Connection:
    """A conversation over a stream of messages."""

    def __init__(self, target: Target, channel: Channel, loop: Loop, limits: Limits) -> None:
        self.target = target
        self.speaker: Speaker | None = None
        self.declared: JsonObject = {}
        self.on_told: Callable[[Told], None] | None = None
        self._limits = limits
        self._bad_lines = 0
        hooks = Hooks(
            told=self._told, ended=self._ended, malformed=self._malformed, serves=self._serves, batches=self._batches
        )
        self.session = Session(channel, loop, limits, answer=self._answer, hooks=hooks)
        self.link = SessionLink(self.session, target.name, target.lost)

    async def ask(
        self, method: str, params: JsonObject | None, *, seconds: float | None, on_progress: OnProgress | None = None
    ) -> JsonObject:
        """Send a request and return its complete result.

        Raises `NotDeclared` for what the server did not declare, before anything is sent, and the errors of `Link.ask`.
        """
        speaker = self.speaker
        assert speaker is not None, "the conversation is not open yet"
        speaker.check(method, self.declared)
        raw = await self.link.ask(method, speaker.stamp(params), seconds=seconds, on_progress=on_progress)
        reading = speaker.read(method, raw)
        if type(reading) is Complete:
            return reading.result
        if type(reading) is InputRequired:
            raise self._invalid(method, "it asks for input, though this client declared no way to give any")
        raise self._invalid(method, reading.reason)  # type: ignore[union-attr]

    def start_asking(self, method: str, params: JsonObject, waiter: Waiter) -> None:
        """Send a request of the opening, as it is; its answer goes to the waiter."""
        if self.session.over is not None:
            waiter.lose(self.session.over)
            return
        _, request = self.session.peer.request(method, params, context=waiter)
        self.session.send(request)

    def begin(self, opened: Opened, approach: Approach) -> None:
        """The opening is done: from now on speak what was agreed."""
        revision = opened.revision
        self.declared = opened.capabilities
        self.speaker = Speaker(revision, approach.info(revision), approach.capabilities(revision))

    def _invalid(self, method: str, reason: str) -> InvalidAnswer:
        line = f"{method} on server '{self.target.name}': {reason}"
        return InvalidAnswer(line, server=self.target.name, phase=method, cause=reason)

    async def aclose(self) -> None:
        """End the conversation; pending calls fail with `ConnectionLost`."""
        await self.link.aclose()

    # ---- what comes unasked

    async def _answer(self, exchange: Exchange) -> Any:
        """Answer a request of the server."""
        if exchange.asked.method == "ping":
            return {}
        raise MethodNotFound(f"Method not found: {exchange.asked.method}")

    def _told(self, event: Told) -> None:
        if self.on_told is not None:
            self.on_told(event)

    def _ended(self, reason: str) -> None:
        log.debug("server '%s': %s", self.target.name, reason)

    def _malformed(self, message: Malformed) -> bool:
        """Tolerate a few lines that are no message, such as a banner; they get no reply."""
        self._bad_lines += 1
        log.warning("server '%s' sent something that is no message: %s", self.target.name, message.reason)
        if self._bad_lines > self._limits.bad_lines:
            self.session.ended(f"it sent more than {self._limits.bad_lines} lines that are no messages")
        return False

    def _serves(self, asked: Asked) -> bool:
        """In the stateless era a server never asks, and a client never answers (basic/transports/stdio)."""
        return self.speaker is None or self.speaker.revision.era == "handshake"

    def _batches(self) -> bool:
        return self.speaker is not None and self.speaker.revision.allows_batches
