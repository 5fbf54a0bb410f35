"""Text of strangers, made harmless for a terminal and a log.

What a child process prints may hold escape sequences that move the cursor, set titles or hide text, and marks that
turn the reading direction around. They are shown as escapes and never sent on. Knows nothing of where the text came
from; only the standard library sits below.
"""

from __future__ import annotations

import re
from typing import Final

# C0 and C1 controls except tab and newline, the line and paragraph separators, everything that steers bidirectional
# text, and lone surrogates (undecodable bytes of file names), which no stream could encode.
_UNSAFE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_BREAKS: Final = re.compile("[\t\n]")


def printable(text: str) -> str:
    """Return `text` with its control characters written as escapes; tabs and newlines stay."""
    return _UNSAFE.sub(_escape, text)


def printable_line(text: str, *, longest: int = 500) -> str:
    """Return `text` as one harmless line of at most `longest` characters, cut in the middle if need be."""
    line = _BREAKS.sub(_escape, printable(text))
    if len(line) <= longest:
        return line
    head = (longest - 1) // 2
    return f"{line[:head]}…{line[head + 1 - longest :]}"


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")
