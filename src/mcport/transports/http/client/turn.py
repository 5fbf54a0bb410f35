"""A call whose answer is read in its caller's own task: the clock ends it by a cancel scope, not by a promise.

Below: `session.waiting`.
"""

from __future__ import annotations

from typing import TypeAlias

from mcport.session.loop import Loop
from mcport.session.waiting import Clock, Failed, OnProgress, Pending, Refusal, Settled

Outcome: TypeAlias = Settled | Refusal | Failed
"""How a call over HTTP can end."""


class Turn(Pending):
    """One call. What is done in `scope` stops when the time is up, or when the link ends; then `answer` says why."""

    __slots__ = ("answer", "scope")

    def __init__(
        self,
        loop: Loop,
        clock: Clock,
        *,
        seconds: float | None = None,
        most: float | None = None,
        on_progress: OnProgress | None = None,
    ) -> None:
        self.scope = loop.scope()
        self.answer: Outcome | None = None
        super().__init__(loop, clock, seconds=seconds, most=most, on_progress=on_progress)

    def settle(self, answer: Settled) -> None:
        """The wait is over: whoever reads stops reading."""
        self.stop()
        if self.answer is None:
            self.answer = answer
            self.scope.cancel()
