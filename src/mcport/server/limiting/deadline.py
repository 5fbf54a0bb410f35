"""The time that a handler has, and how a handler whose time is up is stopped.

It runs in a task of its own, so that the answer need not wait for one that cannot be stopped: its clean-up has
`CLEANUP` seconds, then it is left to itself. The time stands still while a question of its request is open. Handlers
without a time-out never come here. Below: `session.loop`, `session.exchange`, `faults`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

import anyio

from mcport.server.results.faults import Overdue
from mcport.session.exchange import Exchange
from mcport.session.loop import Loop, Promise, Stoppable

CLEANUP: Final = 5.0
"""Seconds that a stopped handler has to clean up before its request is answered without it."""


class Deadline:
    """So many seconds of a handler, from `start` on. `ring` is called once when they are over."""

    __slots__ = ("_began", "_ended", "_held", "_left", "_loop", "_ring", "_timer", "over")

    def __init__(self, loop: Loop, seconds: float, ring: Callable[[], None]) -> None:
        self.over = False
        self._loop = loop
        self._left = seconds
        self._ring = ring
        self._held = 0
        self._ended = False
        self._began: float | None = None
        self._timer: Stoppable | None = None

    def start(self) -> None:
        """The handler begins."""
        if self._began is None and not self.over:
            self._began = self._loop.time()
            if not self._held:
                self._wind()

    def hold(self) -> None:
        """Stand still: a question of the request is open. Several may be open at once."""
        self._held += 1
        if self._timer is not None and self._began is not None:
            self._left -= self._loop.time() - self._began
            self.stop()

    def release(self) -> None:
        """Go on, once no question is open any more."""
        self._held -= 1
        if not self._held and self._began is not None and not self.over:
            self._began = self._loop.time()
            self._wind()

    def end(self) -> None:
        """Ring no more, whatever else is said."""
        self.stop()
        self._ended = True

    def stop(self) -> None:
        """Ring no more for now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind(self) -> None:
        if not self._ended:
            self._timer = self._loop.later(max(self._left, 0.0), self._expire)

    def _expire(self) -> None:
        self._timer = None
        self.over = True
        self._ring()


class _Run:
    """One handler on its way under a deadline: how it ended, or that nobody waits for it any more."""

    def __init__(self, exchange: Exchange, seconds: float) -> None:
        self.loop = exchange.outlet.loop
        self.ended: Promise[tuple[Any, BaseException | None]] = self.loop.promise()
        self.deadline = Deadline(self.loop, seconds, self._expire)
        self._exchange = exchange
        self._patience: Stoppable | None = None

    async def live(self, handler: Coroutine[Any, Any, Any]) -> None:
        """The task of the handler."""
        try:
            self._settle(await handler, None)
        except anyio.get_cancelled_exc_class():
            self._settle(None, None)  # the loop is ending, and whoever waits here ends with it
            raise
        except BaseException as error:
            self._settle(None, error)

    def forget(self) -> None:
        """Nobody waits any more."""
        self.deadline.end()
        if self._patience is not None:
            self._patience.cancel()

    def stop(self) -> None:
        if self._exchange.stop is not None:
            self._exchange.stop()

    def _expire(self) -> None:
        self._patience = self.loop.later(CLEANUP, self._abandon)
        self.stop()

    def _abandon(self) -> None:
        self._settle(None, None)

    def _settle(self, value: Any, error: BaseException | None) -> None:
        if not self.ended.done():
            self.ended.set_result((value, error))


async def within(seconds: float, run: Callable[[Deadline], Coroutine[Any, Any, Any]], exchange: Exchange) -> Any:
    """Run a handler for at most so many seconds and return its value; what it raises comes out.

    `run` is handed the deadline, and starts it when the handler begins. Raises `Overdue` when the time is up and the
    handler has cleaned up, or could not do so in time. A cancelled request comes out as None.
    """
    under = _Run(exchange, seconds)
    exchange.deadline = under.deadline
    under.loop.keep(under.live(run(under.deadline)))
    try:
        value, error = await under.ended
    except BaseException:
        under.stop()
        raise
    finally:
        under.forget()
    if under.deadline.over and not exchange.cancelled:
        raise Overdue(f"it took longer than {seconds:g} s") from error
    if error is not None:
        raise error
    return value
