"""The clean-up of a run that was stopped to ask: it has `CLEANUP` seconds, is then cancelled, and then left to itself.

The questions are known by then, so that the request is answered whatever the run still does: one that shields itself or
swallows its stop keeps nobody waiting. Below: `session.exchange`.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from .naming import named

if TYPE_CHECKING:
    from mcport.session.exchange import Answer, Exchange
    from mcport.session.loop import Stoppable

log: Final = logging.getLogger("mcport.server")

CLEANUP: Final = 5.0
"""Seconds that a stopped run has to clean up before it is cancelled."""

LAST: Final = 0.1
"""The part of this time in which a run that was cancelled must end; one that does not is not waited for."""


class CleaningUp:
    """The time that one stopped run has. `instead` answers the request of a run that does not end."""

    def __init__(self, exchange: Exchange, instead: Answer) -> None:
        self._exchange = exchange
        self._instead = instead
        self._late = False
        if (deadline := getattr(exchange, "deadline", None)) is not None:
            deadline.hold()  # the time of the handler is not that of its clean-up
        self._timer: Stoppable = exchange.outlet.loop.later(CLEANUP, self._cut)

    def end(self) -> bool:
        """The run has ended; return whether it did so in time."""
        self._timer.cancel()
        if self._late and self._exchange.asked.open:
            log.warning("%s: its clean-up after a question took %g s and was cut short", self._name, CLEANUP)
        return not self._late

    @property
    def _name(self) -> str:
        return named(self._exchange.asked)

    def _cut(self) -> None:
        """The time is over."""
        self._late = True
        self._timer = self._exchange.outlet.loop.later(CLEANUP * LAST, self._leave)
        if self._exchange.stop is not None:
            self._exchange.stop()

    def _leave(self) -> None:
        """The run does not end, though it was cancelled."""
        if self._exchange.asked.open:
            log.warning(
                "%s still runs %g s after it had asked, and is left to itself: it must let pass what is no Exception, "
                "and wait for nothing in a shielded scope without a time-out",
                self._name,
                CLEANUP * (1 + LAST),
            )
            self._exchange.outlet.answer_instead(self._exchange, self._instead)
