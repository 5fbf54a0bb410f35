"""Waiting for the answer to one call: a promise, a clock that progress winds up again, and the ways it can end.

Below: `core`'s events and `loop`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from mcport.core.events import Progressed
from mcport.core.jsonrpc import ErrorResponse, Malformed, Response

from .loop import Loop, Promise, Stoppable

log: Final = logging.getLogger("mcport.session")

Settled: TypeAlias = Response | ErrorResponse | Malformed | None
"""How a call can be settled; None stands for silence until its time was up."""


class Waiter(Protocol):
    """Whoever waits for the answer to a call of a session. Calls come in the loop's thread and must not wait."""

    def settle(self, answer: Response | ErrorResponse | Malformed) -> None:
        """The answer is here."""
        ...

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        ...

    def progressed(self, event: Progressed) -> None:
        """The other side reports progress."""
        ...


class Lost(Exception):
    """The connection ended before the answer came. The text is the plain reason."""


class Pending:
    """One call that waits. `seconds` is how long it may be silent, `most` how long it may take in all."""

    __slots__ = ("_began", "_heard", "_loop", "_most", "_on_progress", "_seconds", "_timer", "promise")

    def __init__(
        self,
        loop: Loop,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: Callable[[Progressed], None] | None = None,
    ) -> None:
        self.promise: Promise[Settled] = loop.promise()
        self._loop = loop
        self._on_progress = on_progress
        self._seconds = seconds
        self._most = most
        self._timer: Stoppable | None = None
        if seconds is not None:
            self._began = self._heard = loop.time()
            self._timer = loop.later(seconds, self._tick)

    def settle(self, answer: Response | ErrorResponse | Malformed) -> None:
        """The answer is here."""
        self.stop()
        if not self.promise.done():
            self.promise.set_result(answer)

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        self.stop()
        if not self.promise.done():
            self.promise.set_exception(Lost(reason))

    def progressed(self, event: Progressed) -> None:
        """The other side is alive and working: the silence begins anew."""
        if self._timer is not None:
            self._heard = self._loop.time()
        if self._on_progress is not None:
            try:
                self._on_progress(event)
            except Exception:
                log.exception("a progress callback failed")

    def stop(self) -> None:
        """Stop the clock."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _tick(self) -> None:
        """The timer rang: give up, or wind it up for what is left since the last sign of life."""
        assert self._seconds is not None
        until = self._heard + self._seconds
        if self._most is not None:
            until = min(until, self._began + self._most)
        left = until - self._loop.time()
        if left > 0.0005:
            self._timer = self._loop.later(left, self._tick)
            return
        self._timer = None
        if not self.promise.done():
            self.promise.set_result(None)
