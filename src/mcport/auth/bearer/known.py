"""Tokens that were judged a moment ago: the same one is not judged again with each request.

What is kept is the digest of a token, never itself; and for a bounded time, so that an issuer which takes a token or a
key back is heeded soon. Below: nothing.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from typing import Final

from mcport.core.principal import Principal

MOST: Final = 10_000


class Known:
    """Who stands behind the tokens of the last so many seconds."""

    def __init__(self, seconds: float, most: int = MOST) -> None:
        self._seconds = seconds
        self._most = most
        self._found: OrderedDict[bytes, tuple[Principal, float]] = OrderedDict()

    def get(self, token: str, now: float) -> Principal | None:
        """Return on whose behalf a token speaks that was judged before, None if it has to be judged."""
        found = self._found.get(_digest(token))
        return found[0] if found is not None and now < found[1] else None

    def keep(self, token: str, principal: Principal, now: float) -> None:
        """Remember a good token, no longer than it is good."""
        if self._seconds <= 0:
            return
        until = now + self._seconds
        ends = principal.expires_at
        name = _digest(token)
        self._found[name] = (principal, until if ends is None else min(until, ends))
        self._found.move_to_end(name)
        if len(self._found) > self._most:
            self._found.popitem(last=False)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("latin-1", "replace")).digest()
