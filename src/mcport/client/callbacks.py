"""Calling what the user gave for progress: plain functions or coroutine functions, one report after the other.

It is never in the way of reading. Below: `session.loop`.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import anyio

from mcport.core.events import Progressed
from mcport.session.loop import Loop

log: Final = logging.getLogger("mcport.client")

ProgressCallback: TypeAlias = Callable[[float, float | None, str | None], Awaitable[None] | None]
"""Called with the progress, the total if it is known, and a message if there is one."""


class ProgressRelay:
    """Hands the progress of one call to a callback, in order.

    A plain function is called at once. A coroutine function runs in a task of its own, and reports that come meanwhile
    wait for it.
    """

    def __init__(self, loop: Loop, callback: ProgressCallback) -> None:
        self._loop = loop
        self._callback = callback
        self._reports: deque[Progressed] = deque()
        self._running: anyio.Event | None = None
        self._scope: anyio.CancelScope | None = None

    def __call__(self, event: Progressed) -> None:
        """Take a report; never waits."""
        if self._running is not None:
            self._reports.append(event)
            return
        outcome = self._tell(event)
        if outcome is not None:
            self._running = anyio.Event()
            self._scope = self._loop.scope()
            self._loop.keep(self._run(outcome, self._running, self._scope))

    async def finished(self) -> None:
        """Wait until the callback is done with every report."""
        if self._running is not None:
            await self._running.wait()

    def stop(self) -> None:
        """The call failed or was withdrawn: report no more."""
        self._reports.clear()
        if self._scope is not None:
            self._scope.cancel()

    def _tell(self, event: Progressed) -> Awaitable[None] | None:
        try:
            return self._callback(event.progress, event.total, event.message)
        except Exception:
            log.exception("the progress callback failed")
            return None

    async def _run(self, outcome: Awaitable[None], done: anyio.Event, scope: anyio.CancelScope) -> None:
        try:
            with scope:
                await _finish(outcome)
                while self._reports:
                    more = self._tell(self._reports.popleft())
                    if more is not None:
                        await _finish(more)
        finally:
            self._running = self._scope = None
            done.set()


async def _finish(outcome: Awaitable[None]) -> None:
    try:
        await outcome
    except Exception:
        log.exception("the progress callback failed")
