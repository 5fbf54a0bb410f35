"""How often somebody may ask: so many requests a second, and no more than that at once. Below: nothing of mcport."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

_KNOWN: Final = 1000
"""So many askers are remembered; who was not heard of for longest is forgotten first, and begins anew."""


class Rate:
    """A bucket of `most` tokens for each asker, filled again within a second."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._buckets: dict[Hashable, tuple[float, float]] = {}

    def allows(self, who: Hashable, now: float) -> bool:
        """Whether one more request may be served at this time, in seconds of any clock; it counts if it may."""
        tokens, then = self._buckets.pop(who, (float(self._most), now))
        # Loops in other threads have clocks of their own, and time never runs backwards for an asker.
        tokens = min(self._most, tokens + max(0.0, now - then) * self._most)
        allowed = tokens >= 1
        self._buckets[who] = (tokens - allowed, now)
        if len(self._buckets) > _KNOWN:
            del self._buckets[next(iter(self._buckets))]
        return allowed
