"""How many log messages may still go to one client, counted by the second. Below: nothing of mcport."""

from __future__ import annotations

import logging
from typing import Final

log: Final = logging.getLogger("mcport.server")


class Allowance:
    """Lets so many through in each second, and counts the others."""

    __slots__ = ("_left", "_until", "dropped")

    def __init__(self) -> None:
        self.dropped = 0
        self._left = 0
        self._until = float("-inf")

    def take(self, now: float, most: int) -> bool:
        """Whether one more may go, of so many a second; one that may not is counted."""
        if now >= self._until:
            if self.dropped:
                log.warning("%d log messages were not sent to the client (Limits.logs_per_second)", self.dropped)
            self._until, self._left, self.dropped = now + 1, most, 0
        if self._left:
            self._left -= 1
            return True
        self.dropped += 1
        return False
