"""Waiting for the answers to calls: a promise each, one clock for all of them, and the ways in which a wait can end.

Most calls are answered long before their time is up, so they share one timer: it rings when the first of them could
be overdue, and not once a call. Below: `core`'s events and `loop`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

from mcport.core.events import Progressed
from mcport.core.jsonrpc import ErrorResponse, Malformed, Response
from mcport.errors import ConversationError
from mcport.record import Record

from .loop import Loop, Promise, Stoppable

log: Final = logging.getLogger("mcport.session")

OnProgress: TypeAlias = Callable[[Progressed], None]
"""Told of each report on a call."""

EARLY: Final = 0.0005
"""Loops may ring a timer this many seconds before its time."""


class Refusal(Record, frozen=False):
    """An HTTP status that is no success: what it means, the JSON-RPC error that came with it, when to try again."""

    status: int
    reason: str
    error: ErrorResponse | None = None
    retry_after: float | None = None


class Failed(Record, frozen=False):
    """The request did not get through, for a reason that has an error of its own, such as `AuthFailed`."""

    error: ConversationError


Arrived: TypeAlias = Response | ErrorResponse | Malformed | Refusal | Failed
"""What can come as the answer to a call."""


class Waiter(Protocol):
    """Whoever waits for the answer to a call of a session. Calls come in the loop's thread and must not wait."""

    def settle(self, answer: Arrived) -> None:
        """The answer is here."""
        ...

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        ...

    def progressed(self, event: Progressed) -> None:
        """The other side reports progress."""
        ...


class Lost(Record, frozen=False):
    """The connection ended before the answer came."""

    reason: str


class Overdue(Record, frozen=False):
    """The time was up before the answer came. `cause` says which time."""

    cause: str


Unanswered: TypeAlias = ErrorResponse | Malformed | Lost | Overdue
"""How a call can be settled otherwise than by its result."""

Settled: TypeAlias = Response | Unanswered
"""How a call can be settled."""


class Clock:
    """The one timer of all calls that wait on one connection.

    While it is held, no call grows older in its silence: somebody here is thinking about a question of the other side.
    What a call may take in all goes on.
    """

    __slots__ = ("_held", "_loop", "_rings", "_timer", "_waiting", "time")

    def __init__(self, loop: Loop) -> None:
        self.time = loop.time
        self._loop = loop
        self._waiting: set[Pending] = set()
        self._rings = math.inf
        self._timer: Stoppable | None = None
        self._held = 0

    @property
    def held(self) -> bool:
        """Whether silence is not counted now."""
        return self._held > 0

    def hold(self) -> None:
        """Count no silence until `release` was called as often as this."""
        self._held += 1
        if self._held == 1:
            now = self.time()
            for pending in self._waiting:
                pending.hold(now)

    def release(self) -> None:
        """Count silence again, from where it stood."""
        self._held -= 1
        if self._held == 0 and self._waiting:
            now = self.time()
            for pending in self._waiting:
                pending.release(now)
            first = min(pending.due for pending in self._waiting)
            if first < self._rings:
                self._wind(first)

    def add(self, pending: Pending) -> None:
        """See to it that the timer rings no later than the call is due."""
        self._waiting.add(pending)
        if self._held:
            pending.hold(self.time())
        if pending.due < self._rings:
            self._wind(pending.due)

    def discard(self, pending: Pending) -> None:
        """Forget a call. The timer goes on: winding it back would cost more than one ring in vain."""
        self._waiting.discard(pending)

    def stop(self) -> None:
        """Ring no more."""
        self._waiting.clear()
        self._rings = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wind(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings = when
        self._timer = self._loop.later(max(0.0, when - self.time()), self._ring)

    def _ring(self) -> None:
        """Give up what is due, and wait for the next one."""
        self._timer, self._rings = None, math.inf
        now = self.time() + EARLY
        for pending in [each for each in self._waiting if each.due <= now]:
            pending.expire()
        first = min((pending.due for pending in self._waiting), default=math.inf)
        if first < math.inf:
            self._wind(first)


class Pending:
    """One call that waits. `seconds` is how long it may be silent, `most` how long it may take in all."""

    __slots__ = ("_clock", "_end", "_left", "_most", "_on_progress", "_seconds", "due", "promise")

    def __init__(
        self,
        loop: Loop,
        clock: Clock,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.promise: Promise[Settled] = loop.promise()
        self.due = math.inf
        self._clock = clock
        self._on_progress = on_progress
        self._seconds = seconds
        self._most = most
        if seconds is not None or most is not None:
            now = clock.time()
            self._end = math.inf if most is None else now + most
            self.due = self._end if seconds is None else min(now + seconds, self._end)
            clock.add(self)

    def settle(self, answer: Settled) -> None:
        """The wait is over."""
        self._clock.discard(self)
        if not self.promise.done():
            self.promise.set_result(answer)

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        self.settle(Lost(reason))

    def progressed(self, event: Progressed) -> None:
        """The other side is alive and working: the silence begins anew, but not the time in all."""
        if self._seconds is not None:
            if self._clock.held:
                self._left = self._seconds
            else:
                self.due = min(self._clock.time() + self._seconds, self._end)
        if self._on_progress is not None:
            try:
                self._on_progress(event)
            except Exception:
                log.exception("a progress callback failed")

    def hold(self, now: float) -> None:
        """Let the silence stand still (the clock's word)."""
        self._left, self.due = self.due - now, self._end

    def release(self, now: float) -> None:
        """Let the silence go on (the clock's word)."""
        self.due = min(now + self._left, self._end)

    def stop(self) -> None:
        """Nobody waits any more."""
        self._clock.discard(self)

    def expire(self) -> None:
        """The time is up."""
        if self._most is not None and self.due >= self._end:
            self.settle(Overdue(f"not done within {self._most:g} s"))
        else:
            self.settle(Overdue(f"no answer within {self._seconds:g} s"))
