"""One request as it came, and the way back to whoever sent it: what the doors know of HTTP.

A request comes by ASGI (`asgi`), or past it where this package serves its own sockets. Nothing here knows how bytes
travel, nor anything of the protocol but the shape of its errors. Below: `watch`, `session.exchange`, `core.jsonrpc`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from mcport.core.jsonrpc import ErrorResponse, Id, encode
from mcport.errors import INVALID_REQUEST
from mcport.session.exchange import own_task

from .watch import Watch

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

Left: TypeAlias = Callable[[str], None]
"""Told that the client is gone, and why."""

JSON_TYPE: Final = (b"content-type", b"application/json")
JSON_HEADERS: Final = [JSON_TYPE]

_UNREAD: Final = (408, 413)
"""The statuses of requests whose body was not read to its end."""

GONE: Final = "the client closed the connection"


class Refused(Exception):
    """A request that is answered before the protocol sees it: the HTTP status, and one line for whoever reads it.

    `id` is the id of the request, once it is read.
    """

    id: Id | None = None

    def __init__(self, status: int, line: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(line)
        self.status = status
        self.line = line
        self.headers = headers or {}


class Gone(Exception):
    """The client went away while it was being read."""


class Wire(ABC):
    """One request and its client. It is answered in one piece (`answer`), or bit by bit (`begin`, `write`, `end`).

    `headers` have their names in lower case; those that came twice are put together. `principal` is on whose behalf
    the request came, once somebody in front has checked its authorization. `body` is there where all of it has come.
    While the request is `taskless`, nothing that answers it may wait but for `own_task`.
    """

    closes = True
    """Whether an answer can close the connection (HTTP/2 has no word for it)."""

    judged = False
    """Whether a request with the same headers was let in before, so that they need not be looked at again."""

    def __init__(self, headers: Mapping[str, str], principal: str | None = None, body: bytes | None = None) -> None:
        self.headers = headers
        self.principal = principal
        self.body = body
        self.taskless = False

    @abstractmethod
    def all_of(self, name: str) -> Sequence[str]:
        """Return every value of a header."""

    @abstractmethod
    async def piece(self) -> tuple[bytes, bool]:
        """Return the next piece of a body that has not come, and whether there is more of it; raises `Gone`."""

    @abstractmethod
    async def answer(self, status: int, body: bytes = b"", fields: RawHeaders | None = None) -> None:
        """Answer with one piece: JSON, unless the fields say otherwise; nothing at all without a body."""

    @abstractmethod
    async def begin(self, fields: RawHeaders) -> None:
        """Begin an answer whose end is not known."""

    @abstractmethod
    async def write(self, data: bytes) -> None:
        """Send some of an answer that has begun; waits while the client is too slow."""

    @abstractmethod
    async def end(self) -> None:
        """That was the answer."""

    @abstractmethod
    def heed(self, left: Left, watch: Watch) -> None:
        """From now on notice if the client leaves; most requests are answered before `watch` looks."""

    @abstractmethod
    def unheed(self) -> None:
        """It does not matter any more whether the client leaves. Harmless where it did not."""

    @abstractmethod
    async def left(self) -> None:
        """Wait until the client leaves."""

    def let_in(self) -> None:  # noqa: B027 - most have nobody to tell
        """Its headers are as they should be."""

    async def may_wait(self) -> None:
        """From here on answering the request may have to wait: go on in a task."""
        if self.taskless:
            await own_task()
            self.taskless = False


async def refuse(wire: Wire, refused: Refused) -> None:
    """Answer with one line of JSON: an error, which repeats the id of its request if that was read.

    Where the rest of a body may still come, without end perhaps, the connection is closed.
    """
    fields = [JSON_TYPE, *_raw(refused.headers.items())]
    if refused.status in _UNREAD and wire.closes:
        fields.append((b"connection", b"close"))
    await wire.answer(refused.status, error_body(refused.id, INVALID_REQUEST, refused.line), fields)


def error_body(id: Id | None, code: int, message: str, data: object = None) -> bytes:
    """Return an error as the body of an answer."""
    return encode(ErrorResponse(id, code, message, data))


def _raw(headers: Iterable[tuple[str, str]]) -> RawHeaders:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
