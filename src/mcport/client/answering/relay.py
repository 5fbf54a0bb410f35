"""Relaying what comes on the way (progress, log messages) to a function of the host, one thing after the other.

It is never in the way of reading. Below: `session.loop`, `outbreaks`.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import anyio

from mcport.client.callbacks import ProgressCallback
from mcport.core.events import Progressed
from mcport.session.loop import Loop

from .outbreaks import ends_here, pass_on, report

log: Final = logging.getLogger("mcport.client")


WAITING: Final = 1000
"""So many reports wait for a slow callback; of more the oldest are dropped."""


class Relay:
    """Hands reports to a callback, in order; `what` names the callback in the host's log.

    A plain function is called at once. A coroutine function runs in a task of its own, and reports that come meanwhile
    wait for it, a bounded number of them.
    """

    def __init__(self, loop: Loop, callback: Callable[..., Awaitable[object] | object], what: str) -> None:
        self._loop = loop
        self._callback = callback
        self._what = what
        self._reports: deque[tuple[Any, ...]] = deque(maxlen=WAITING)
        self._full = False
        self._running: anyio.Event | None = None
        self._scope: anyio.CancelScope | None = None

    def tell(self, *report: Any) -> None:
        """Take a report; never waits."""
        if self._running is not None:
            if len(self._reports) == WAITING and not self._full:
                self._full = True
                log.warning(
                    "the %s callback is too slow: %d reports wait, and the oldest are dropped", self._what, WAITING
                )
            self._reports.append(report)
            return
        outcome = self._tell(report)
        if outcome is not None:
            self._running = anyio.Event()
            self._scope = self._loop.scope()
            self._loop.keep(self._run(outcome, self._running, self._scope))

    async def finished(self) -> None:
        """Wait until the callback is done with every report."""
        if self._running is not None:
            await self._running.wait()

    def stop(self) -> None:
        """Nobody is interested any more: report no more."""
        self._reports.clear()
        if self._scope is not None:
            self._scope.cancel()

    def _tell(self, report: tuple[Any, ...]) -> Awaitable[object] | None:
        try:
            outcome = self._callback(*report)
        except BaseException as error:
            self._failed(error)
            return None
        return outcome if isinstance(outcome, Awaitable) else None

    async def _run(self, outcome: Awaitable[object], done: anyio.Event, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await self._finish(outcome)
                while self._reports:
                    more = self._tell(self._reports.popleft())
                    if more is not None:
                        await self._finish(more)
        finally:
            self._running = self._scope = None
            done.set()

    async def _finish(self, outcome: Awaitable[object]) -> None:
        try:
            await outcome
        except BaseException as error:
            if ends_here(error, self._loop):
                raise
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        report(f"the {self._what} callback", error)
        pass_on(error)


class ProgressRelay(Relay):
    """The relay of the progress of one call."""

    def __init__(self, loop: Loop, callback: ProgressCallback) -> None:
        super().__init__(loop, callback, "progress")

    def __call__(self, event: Progressed) -> None:
        """Take a report; never waits."""
        self.tell(event.progress, event.total, event.message)
