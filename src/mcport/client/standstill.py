"""Time that stands still: bounds of an opening that do not run while a person is asked for something, such as a login.

Below: anyio.
"""

from __future__ import annotations

import math
from types import TracebackType

import anyio


class Standstill:
    """Bounds blocks of code in time, and holds that time as long as it was held more often than released."""

    def __init__(self) -> None:
        self._held = 0
        self._running: list[Bound] = []

    def within(self, seconds: float | None) -> Bound:
        """Return what bounds a block: that is left when so many seconds have run; None for never."""
        return Bound(math.inf if seconds is None else seconds, self)

    def hold(self) -> None:
        """Let no time run until `release` was called as often."""
        self._held += 1
        if self._held == 1:
            for bound in self._running:
                bound.stop()

    def release(self) -> None:
        """Let time run on from where it stood."""
        self._held -= 1
        if self._held == 0:
            for bound in self._running:
                bound.go_on()

    def began(self, bound: Bound) -> None:
        """A block is entered (the bound's word)."""
        self._running.append(bound)
        if self._held:
            bound.stop()

    def ended(self, bound: Bound) -> None:
        """A block is left (the bound's word)."""
        self._running.remove(bound)


class Bound:
    """One block with a bound in time; `scope` is cancelled when that is over."""

    def __init__(self, seconds: float, time: Standstill) -> None:
        self.scope = anyio.CancelScope()
        self._left = seconds
        self._time = time

    def __enter__(self) -> anyio.CancelScope:
        self.scope.__enter__()
        self.go_on()
        self._time.began(self)
        return self.scope

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self._time.ended(self)
        return bool(self.scope.__exit__(kind, error, trace))

    def stop(self) -> None:
        """Let its time stand still."""
        self._left = self.scope.deadline - anyio.current_time()
        self.scope.deadline = math.inf

    def go_on(self) -> None:
        """Let its time run."""
        self.scope.deadline = anyio.current_time() + self._left
