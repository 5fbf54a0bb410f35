"""A glimpse of a message that cannot be read: which request it is, or which one it answers.

Whoever waits for it can then be told, instead of waiting for ever. What is seen here is never acted upon otherwise:
nothing of it reaches a handler or a caller. It works on bytes and knows only the names of the outermost members.
Below: the JSON parser, in its lenient mode.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from jiter import from_json

_BODY: Final = re.compile(rb'"(result|error|params)"\s*:')
"""The member that makes a message long; what comes before it is short."""

_ID_AT_THE_END: Final = re.compile(
    rb'"id"\s*:\s*(?:-?\d{1,30}|"[^"\\]{0,500}")\s*(?:,\s*"(?:jsonrpc|method)"\s*:\s*"[^"\\]{0,500}"\s*){0,2}\}\s*$'
)
"""The last brace of a line closes the message itself, so an id shortly before it is the message's own."""

_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was seen: the id, and whether it is an answer or names a method."""

    id: int | str | None
    answers: bool
    names_method: bool


def of_line(data: bytes) -> Glimpse:
    """Look at a whole line that the strict door refused.

    A server that writes NaN, half a surrogate pair or a key twice has still said which request it answers.
    """
    text = _SURROGATE.sub(rb"\\ufffd", data.decode("utf-8", "replace").encode())
    members = _members(text)
    if not members:
        return of_ends(data[:2048], b"")
    return _glimpse(members, "result" in members or "error" in members)


def of_ends(head: bytes, tail: bytes) -> Glimpse:
    """Look at the first and the last bytes of a line that is too long to be kept."""
    body = _BODY.search(head)
    members = _members(head[: body.start() if body else head.rfind(b",") + 1], partial=True)
    last = _ID_AT_THE_END.search(tail)
    if last is not None:
        members = _members(b"{" + last[0].strip()) | members
    return _glimpse(members, body is not None and body[1] != b"params")


def _glimpse(members: dict[str, Any], has_outcome: bool) -> Glimpse:
    id, names_method = members.get("id"), "method" in members
    return Glimpse(id if type(id) is int or type(id) is str else None, has_outcome and not names_method, names_method)


def _members(text: bytes, partial: bool = False) -> dict[str, Any]:
    try:
        value = from_json(text, partial_mode="on" if partial else "off")
    except ValueError:
        return {}
    return value if type(value) is dict else {}
