"""Which message a line was that is too long to be read.

Whoever waits for it is told: the sender of a request gets an error, a call of ours fails. Below: `framing`, `glimpse`,
`jsonrpc`.
"""

from __future__ import annotations

from mcport.core import glimpse
from mcport.errors import INVALID_REQUEST

from .framing import Oversized
from .jsonrpc import Malformed


def read_oversized(line: Oversized, limit: int) -> Malformed:
    """Return what can be said of a line over `limit` bytes; a notification and an answer get no reply."""
    seen = glimpse.of_ends(line.head, line.tail)
    reason = f"a message of {line.size} bytes is over the limit of {limit} bytes (Limits.message_bytes)"
    if seen.answers:
        return Malformed(INVALID_REQUEST, reason, answers=seen.id, wants_reply=False)
    return Malformed(INVALID_REQUEST, reason, seen.id, wants_reply=seen.id is not None or not seen.names_method)
