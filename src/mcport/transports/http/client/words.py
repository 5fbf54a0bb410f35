"""Plain words for what HTTP does instead of answering: causes that fit behind the name of a server.

It knows httpx's exceptions by what lies beneath them, and statuses by what they mean for this protocol. Below: nothing
of mcport.
"""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from socket import gaierror
from typing import Final

CUT: Final = "it closed the connection before the answer was complete"
DEFAULT_PATH: Final = "/mcp"

YEAR: Final = 366 * 24 * 3600.0
"""A server that wants to be left alone for longer means for ever."""

_DIGITS: Final = re.compile(r"[0-9]+\Z")

_STATUSES: Final = {
    401: "it wants to be told who asks (auth= or headers=)",
    403: "it does not let this client in",
    404: f"no MCP endpoint there (the default path is {DEFAULT_PATH})",
    405: f"no MCP endpoint there (the default path is {DEFAULT_PATH})",
    429: "too many requests",
    503: "it is not available now",
}

_TOO_LATE: Final = {
    "ConnectTimeout": "no connection in time",
    "PoolTimeout": "all connections to it are in use, and none became free",
    "WriteTimeout": "it did not take the request in time",
}
"""What httpx says without a word, by the names of its exceptions."""

_ERRNOS: Final = {
    errno.ECONNREFUSED: "connection refused. Is the server running?",
    errno.ECONNRESET: "it reset the connection",
    errno.EPIPE: "it closed the connection",
    errno.EHOSTUNREACH: "no route to that host",
    errno.ENETUNREACH: "that network cannot be reached",
}


def of_status(status: int, retry_after: float | None = None) -> str:
    """Say what an answer with this status means."""
    meaning = _STATUSES.get(status) or _phrase(status)
    again = "" if retry_after is None else f"; to be tried again in {retry_after:g} s"
    return f"answered {status}: {meaning}{again}"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no status that HTTP knows"


def of_content(content_type: str) -> str:
    """Say that an answer is of a kind that is none here."""
    kind = content_type.partition(";")[0].strip() or "no content type"
    return f"answered with {shown(kind)}, which is no MCP answer (the default path is {DEFAULT_PATH})"


def of_coding(coding: str) -> str:
    """Say that an answer is compressed, and so may be of any size."""
    return f"answered with {shown(coding)} compression, which it was told not to use"


def shown(value: str) -> str:
    """Return the value of a header as an error may show it: short, and without what steers a terminal."""
    return f"{value:.80}" if value.isprintable() else f"{value!r:.80}"


def of_failure(error: BaseException) -> str:
    """Say why nothing was reached, or why what was reached broke off."""
    for each in _beneath(error):
        if isinstance(each, ssl.SSLCertVerificationError):
            return f"its certificate cannot be trusted: {each.verify_message}"
        if isinstance(each, ssl.SSLError):
            return f"TLS failed: {each.reason or each}"
        if isinstance(each, gaierror):
            return "there is no host of that name"
        if isinstance(each, OSError) and each.errno in _ERRNOS:
            return _ERRNOS[each.errno]
    text = " ".join(str(error).split())
    if text.startswith(("Server disconnected", "peer closed connection")):
        return CUT
    return text or _TOO_LATE.get(type(error).__name__, type(error).__name__)


def _beneath(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it was raised from, each once: what is raised again may lie beneath itself."""
    left: list[BaseException | None] = [error]
    seen: set[BaseException] = set()
    while left:
        each = left.pop()
        if each is None or each in seen:
            continue
        seen.add(each)
        yield each
        left.append(each.__cause__ or each.__context__)
        if isinstance(each, BaseExceptionGroup):
            left.extend(reversed(each.exceptions))


def seconds_of(retry_after: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for, a year at most; None for what cannot be read."""
    text = (retry_after or "").strip()
    if _DIGITS.match(text):
        return min(float(text), YEAR)
    try:
        when = parsedate_to_datetime(text)
        seconds = (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return float(min(max(0, round(seconds)), YEAR))
