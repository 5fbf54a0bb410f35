"""The link to a server over HTTP whose era is yet to be found out: stateless, until a session is to be opened.

Below: `link` (the stateless era), `handshake`, `endpoint`.
"""

from __future__ import annotations

from collections.abc import Callable

from mcport.core.dialects.opening.conversation import INITIALIZE
from mcport.core.events import Call
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import Limits
from mcport.session.channel import Trace
from mcport.session.link import Link, Owner
from mcport.session.loop import Loop
from mcport.session.waiting import OnProgress, Waiter
from mcport.spec.revisions import Revision

from .endpoint import Endpoint
from .link import HttpLink


class FacingLink:
    """A link to one endpoint in either era; `connect` opens the way there, `trace` is shown every message."""

    def __init__(
        self, connect: Callable[[], Endpoint], owner: Owner, loop: Loop, limits: Limits, trace: Trace | None = None
    ) -> None:
        self._endpoint = connect()
        self._owner = owner
        self._loop = loop
        self._limits = limits
        self._trace = trace
        self._begun = False
        self._held: list[Link] = []
        self._stateless = HttpLink(lambda: self._endpoint, owner, loop, limits, trace)
        self._link: Link = self._stateless

    @property
    def over(self) -> str | None:
        return self._link.over

    def open(self) -> None:
        self._link.open()

    def begin(self, revision: Revision) -> None:
        self._begun = True
        self._link.begin(revision)

    async def ask(
        self,
        method: str,
        params: JsonObject | None,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> object:
        return await self._link.ask(method, params, seconds=seconds, most=most, on_progress=on_progress)

    def tell(self, method: str, params: JsonObject | None = None) -> None:
        self._link.tell(method, params)

    def start(self, method: str, params: JsonObject | None, waiter: Waiter) -> Call:
        if method == INITIALIZE:
            from .handshake import HandshakeLink

            self._link = HandshakeLink(self._endpoint, self._owner, self._loop, self._limits, trace=self._trace)
            self._link.open()
        elif not self._begun:
            self._link = self._stateless  # a server that was taken for an older one is asked what it is
        return self._link.start(method, params, waiter)

    async def hears(self) -> None:
        await self._link.hears()

    def drop(self, call: Call, *, tell: bool) -> None:
        self._link.drop(call, tell=tell)

    def hold(self) -> None:
        self._held.append(self._link)
        self._link.hold()

    def release(self) -> None:
        self._held.pop().release()

    def give_up(self, reason: str) -> None:
        self._link.give_up(reason)

    async def aclose(self, *, silently: bool = False) -> None:
        await self._link.aclose(silently=silently)
