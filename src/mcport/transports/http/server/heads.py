"""The heads of requests that are simple: one POST to the endpoint, whose body has a length, with nothing odd about it.

What is not read here is not refused, it is left to uvicorn: so this reads strictly, and in doubt not at all. Clients
send the same heads again and again; the latest are known by their bytes, and all that is known of one follows from
those. Below: `patience`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

from .patience import HEAD_BYTES

END: Final = b"\r\n\r\n"

_AS_IT_IS: Final = "/:@!$&'()*+,;=~"
"""What a path has in it that clients do not encode."""

_FIELDS: Final = re.compile(rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*\r\n)+\r\n")

_ODD: Final = frozenset({"expect", "origin", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"})
"""Whoever sends one of these wants more than to be answered."""

_PLAIN: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "accept-language",
        "connection",
        "content-length",
        "content-type",
        "host",
        "mcp-method",
        "mcp-name",
        "mcp-protocol-version",
        "mcp-session-id",
        "sec-fetch-mode",
        "user-agent",
        "via",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-real-ip",
    }
)
"""What is no secret, and comes again: a head is known again if it has nothing else. (The id of a session is a secret,
which its session keeps in memory anyway.)"""

_LONGEST: Final = 2048
_MOST: Final = 512


class Head:
    """The head of a request: how many bytes it has, how many the body has, and its headers.

    `judged` says that a request with this head was let in before.
    """

    __slots__ = ("headers", "judged", "length", "size")

    def __init__(self, size: int, length: int, headers: Mapping[str, str]) -> None:
        self.size = size
        self.length = length
        self.headers = headers
        self.judged = False


class Heads:
    """Reads the heads of simple requests to a path; bodies have at most so many bytes."""

    def __init__(self, path: str, most_bytes: int) -> None:
        self._begin = f"POST {quote(path, _AS_IT_IS)} HTTP/1.1\r\n".encode()
        self._most_bytes = most_bytes
        self._known: dict[bytes, Head] = {}

    def read(self, data: bytes) -> Head | None:
        """Return the head that data begins with; None where it is not simple, not all there, or too large."""
        end = data.find(END)
        if not 0 <= end <= HEAD_BYTES:
            return None
        bytes_of_head = data[: end + len(END)]
        return self._known.get(bytes_of_head) or self._read(bytes_of_head)

    def _read(self, data: bytes) -> Head | None:
        begin = len(self._begin)
        if not data.startswith(self._begin) or not _FIELDS.fullmatch(data, begin):
            return None
        lines = data[begin : -len(END)].decode("ascii").split("\r\n")
        headers = dict(map(_field, lines))
        length = headers.get("content-length", "")
        if (
            len(headers) < len(lines)  # one came twice
            or "host" not in headers
            or headers.get("connection", "keep-alive").lower() != "keep-alive"
            or not _ODD.isdisjoint(headers)
            or not length.isdecimal()
            or len(length) > 15
            or int(length) > self._most_bytes
        ):
            return None
        head = Head(len(data), int(length), MappingProxyType(headers))
        if len(data) <= _LONGEST and headers.keys() <= _PLAIN:
            self._keep(data, head)
        return head

    def _keep(self, data: bytes, head: Head) -> None:
        if len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[data] = head


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.lower(), value.strip(" \t")
