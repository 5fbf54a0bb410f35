"""How long a client waits, how often it may be asked, and how a call says that it wants something else.

In every place None means without end. A call that says nothing has the client's own time, so "nothing" needs a value
of its own. Below: nothing of mcport.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from mcport.record import Record

CONNECT_SECONDS: Final = 30.0
"""How long an opening may take."""

SILENT_SECONDS: Final = 300.0
"""How long a call may be silent."""

TOTAL_SECONDS: Final = 3600.0
"""How long a call may take in all, progress or not (basic/lifecycle, Timeouts: a bound always)."""

ROUNDS: Final = 10
"""So often a client goes along with a server that asks, unless it is told otherwise."""


class Unset(Enum):
    """What stands where nothing was said."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Unset.UNSET

Seconds: TypeAlias = float | Unset | None
"""So many seconds; None for as long as it takes; `UNSET` for what the client was made with."""


class Patience(Record):
    """How long the calls of one client may be silent, and how long they may take in all."""

    silent: float | None = SILENT_SECONDS
    total: float | None = TOTAL_SECONDS

    def __post_init__(self) -> None:
        check_seconds("timeout", self.silent)
        check_seconds("total_timeout", self.total)

    def with_call(self, timeout: float | None) -> Patience:
        """Return what holds for a call that names a time: None is no limit at all, a long one is granted in full."""
        if timeout is None:
            return ENDLESS
        check_seconds("timeout", timeout)
        return Patience(timeout, self.total if self.total is None else max(self.total, timeout))


def check_seconds(name: str, seconds: object) -> None:
    """Raise TypeError or ValueError for a time of this name that cannot be waited."""
    if seconds is None:
        return
    line = f"{name} is a positive number of seconds, or None for no limit"
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"{line}; got {type(seconds).__name__}")
    if not seconds > 0:
        raise ValueError(f"{line}; got {seconds!r}")


ENDLESS: Final = Patience(None, None)


def check_rounds(rounds: int) -> int:
    """Return a number of rounds. Raises ValueError for what is none."""
    if type(rounds) is not int or rounds < 1:
        raise ValueError(f"rounds is how often a server may ask in one call, at least 1; got {rounds!r}")
    return rounds
