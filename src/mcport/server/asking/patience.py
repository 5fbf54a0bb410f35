"""How long a server waits for what it asked of a client. A value; nothing sits below."""

from __future__ import annotations

import math

from mcport.record import Record


class Patience(Record):
    """How long a client may be silent while a question is open, and how long it may take in all, in seconds."""

    silence: float
    most: float

    def __post_init__(self) -> None:
        if not 0 < self.silence <= self.most < math.inf:
            raise ValueError("ask_timeout and ask_total are seconds: ask_timeout is above 0 and at most ask_total")
