"""uvicorn's protocol on h11, which is there where httptools is not. Below: `direct`, `uvicorn`."""

from __future__ import annotations

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .direct import Direct


class Knowing(H11Protocol):
    """Knows where in a request it is."""

    @property
    def stands_between(self) -> bool:
        """Whether all requests have been read."""
        return self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]


class ByH11(Direct, Knowing):
    """A connection whose requests are read by h11, unless they are simple."""
