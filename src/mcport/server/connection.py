"""One connection that a server serves over a stream of messages: a session, its conversation and the kernel.

Below: `kernel`, `session`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import anyio

from mcport.core.events import Asked, Told
from mcport.core.jsonrpc import Malformed
from mcport.core.limits import Limits
from mcport.session.channel import Channel
from mcport.session.exchange import Answer, Exchange
from mcport.session.loop import Loop
from mcport.session.session import Hooks, Session

from .kernel import Kernel
from .living import Life, Visit
from .telling import subscribing

log: Final = logging.getLogger("mcport.server")

GRACE: Final = 1.0
"""Seconds that running requests may go on for once the client has stopped sending."""

CLEANUP: Final = 5.0
"""Seconds that stopped handlers have to clean up."""


class Connection:
    """Serves one client until it is gone. `mark` says of each request what came with it, where anything did."""

    def __init__(
        self,
        kernel: Kernel,
        channel: Channel,
        loop: Loop,
        limits: Limits,
        life: Life | None,
        mark: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.conversation = Visit(life=life, reception=kernel.reception, routes=kernel.routes)
        self._gone = loop.promise()
        self._hearing = kernel.hearing
        hooks = Hooks(
            told=self._told, ended=self._ended, malformed=_malformed, serves=_always, batches=self._allows_batches
        )
        self.session = Session(
            channel,
            loop,
            limits,
            answer=kernel.answer if mark is None else _marked(kernel.answer, mark),
            hooks=hooks,
            conversation=self.conversation,
            runs_through=kernel.runs_through,
        )

    async def serve(self) -> None:
        """Serve until the client is gone, then let what runs end within `GRACE` seconds and clean up."""
        try:
            self.session.open()
            await self._gone
            await self.session.finish(GRACE, CLEANUP)
        finally:
            # Whoever serves may be cancelled: handlers clean up all the same before the server's life may end.
            with anyio.CancelScope(shield=True):
                subscribing.end(self.conversation)
                self.session.end_open("the server is shutting down")
                self.session.stop_running("the server is shutting down")
                await self.session.idle(CLEANUP)
                await self.session.aclose()

    def stop(self) -> None:
        """Take no more requests, as if the client had gone."""
        self.session.ended("the server is shutting down")

    @property
    def busy(self) -> bool:
        """Whether requests of the client run."""
        return self.session.running > 0

    def _told(self, event: Told) -> None:
        if event.method == "notifications/initialized" and self.conversation.opened is not None:
            self.conversation.initialized = True
            subscribing.begin(self.conversation, self.session)
        opened = self.conversation.opened
        self._hearing.take(event, self.session.loop, None if opened is None else opened.revision)

    def _ended(self, reason: str) -> None:
        log.debug("the client is gone: %s", reason)
        if not self._gone.done():
            self._gone.set_result(None)

    def _allows_batches(self) -> bool:
        opened = self.conversation.opened
        return opened is not None and opened.revision.allows_batches


def _marked(answer: Answer, mark: Callable[[Exchange], None]) -> Answer:
    async def answered(exchange: Exchange) -> object:
        mark(exchange)
        return await answer(exchange)

    return answered


def _malformed(message: Malformed) -> bool:
    log.debug("malformed message: %s", message.reason)
    return True


def _always(asked: Asked) -> bool:
    return True
