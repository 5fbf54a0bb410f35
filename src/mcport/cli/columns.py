"""How many columns a text takes on a terminal: characters of East Asia take two, combining marks none.

Below: the standard library.
"""

from __future__ import annotations

import unicodedata
from itertools import accumulate
from typing import Final

_NOTHING_WIDE: Final = ("Mn", "Me", "Cf")


def width(text: str) -> int:
    """Return the columns of a line."""
    return len(text) if text.isascii() else sum(map(_width, text))


def padded(text: str, columns: int) -> str:
    """Return a line that takes so many columns at least."""
    return text + " " * (columns - width(text))


def cut(text: str, columns: int) -> str:
    """Return a line that takes so many columns at most, with an ellipsis where something was cut off."""
    if width(text) <= columns:
        return text
    fitting = sum(end < columns for end in accumulate(map(_width, text)))
    return f"{text[:fitting].rstrip()}…"


def _width(char: str) -> int:
    if unicodedata.category(char) in _NOTHING_WIDE:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
