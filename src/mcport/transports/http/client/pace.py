"""When to connect again, and how often in a row: what the server asks for, longer each time, and never quite at once.

It waits for nothing itself. Below: nothing of mcport.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

POLLS: Final = 1000
"""So often in a row a stream may end where the server has said when to come back."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Waits in seconds between tries; the server's own wish counts if it is longer, up to a bound, `longest_wish`.

    `most` failures in a row are borne. A little chance (`jitter`, a share of the wait) keeps the clients of a server
    that has stopped from coming back all at once.
    """

    first: float = 1.0
    longest: float = 30.0
    longest_wish: float = 3600.0
    jitter: float = 0.1
    most: int = 5
    chance: Callable[[], float] = random.random

    def before(self, failures: int, wished: float | None) -> float:
        """Return how long to wait after so many failures in a row; 0 failures is a server that let go."""
        wait = 0.0 if failures == 0 else min(self.first * 2.0 ** (failures - 1), self.longest)
        wait = max(wait, self.first if wished is None else min(wished, self.longest_wish))
        return wait * (1.0 + self.jitter * self.chance())
