"""Which message a line was that is too long to be read.

From both ends of the line it finds out whether it was a request or an answer, and its id, so that whoever waits for it
can be told instead of waiting for ever. Below: `framing`, `jsonrpc`.
"""

from __future__ import annotations

import re
from typing import Any, Final

import jiter

from ..errors import INVALID_REQUEST
from .framing import Oversized
from .jsonrpc import Id, Malformed, is_id, parse_json

_ID_AT_THE_END: Final = re.compile(rb'"id"\s*:\s*(-?\d{1,30}|"[^"\\]{0,500}")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$')
"""The last brace of a line closes the message itself, so an id right before it is the message's own."""


def read_oversized(line: Oversized, limit: int) -> Malformed:
    """Return what can be said of a line over `limit` bytes."""
    head = _beginning(line.head)
    id: Id | None = None
    if is_id(head.get("id")):
        id = head["id"]
    elif (found := _ID_AT_THE_END.search(line.tail)) is not None:
        id = parse_json(found[1])
    answers = "method" not in head and ("result" in head or "error" in head or "params" not in head)
    reason = f"a message of {line.size} bytes is over the limit of {limit} bytes (Limits.message_bytes)"
    return Malformed(INVALID_REQUEST, reason, id, answers=answers and id is not None)


def _beginning(head: bytes) -> dict[str, Any]:
    """Return the members that the first bytes of a message hold whole."""
    try:
        value = jiter.from_json(head, partial_mode="trailing-strings")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
