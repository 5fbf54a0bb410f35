"""Trace context in `_meta`: whether a value has the form that W3C Trace Context or W3C Baggage gives it.

(2026-07-28 basic/index "OpenTelemetry trace context".) It knows forms only; what a trace is for is the business of
whoever traces. Nothing sits below.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

MOST_STATES: Final = 32
"""How many members a tracestate may have."""

_PARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?")
_STATE: Final = re.compile(
    r"([a-z0-9][a-z0-9_*/-]{0,255}|[a-z0-9][a-z0-9_*/-]{0,240}@[a-z][a-z0-9_*/-]{0,13})=(.{1,256})"
)
_STATE_VALUE: Final = re.compile(r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]*[\x21-\x2b\x2d-\x3c\x3e-\x7e]")
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BAGGAGE_VALUE: Final = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")


def is_traceparent(value: str) -> bool:
    """Whether a text is a traceparent: version, trace id, parent id, flags. Later versions may say more after them."""
    found = _PARENT.fullmatch(value)
    if found is None or found[1] == "ff" or (found[1] == "00" and found[4] is not None):
        return False
    return bool(found[2].strip("0")) and bool(found[3].strip("0"))


def is_tracestate(value: str) -> bool:
    """Whether a text is a tracestate: at most 32 members with different keys; empty members do not count."""
    members = [_STATE.fullmatch(member) for member in map(_bare, value.split(",")) if member]
    if not all(found is not None and _STATE_VALUE.fullmatch(found[2]) for found in members):
        return False
    return len(members) <= MOST_STATES and len({found[1] for found in members if found}) == len(members)


def is_baggage(value: str) -> bool:
    """Whether a text is baggage: at least one key with its value, each with properties or without."""
    return all(_is_entry(member) for member in value.split(","))


def _is_entry(member: str) -> bool:
    first, *properties = member.split(";")
    return "=" in first and _is_pair(first) and all(_is_pair(each) for each in properties)


def _is_pair(text: str) -> bool:
    key, _, value = text.partition("=")
    return bool(_TOKEN.fullmatch(_bare(key))) and bool(_BAGGAGE_VALUE.fullmatch(_bare(value)))


def _bare(text: str) -> str:
    return text.strip(" \t")


FORMS: Final[Mapping[str, Callable[[str], bool]]] = {
    "traceparent": is_traceparent,
    "tracestate": is_tracestate,
    "baggage": is_baggage,
}
"""The keys that need no prefix in `_meta`, and the form of each."""
