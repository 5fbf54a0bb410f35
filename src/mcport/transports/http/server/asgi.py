"""ASGI as this package speaks it: the types, and answers of one piece.

It knows nothing of the protocol but the shape of its errors. Below: `core.jsonrpc`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any, Final, TypeAlias

from mcport.core.jsonrpc import ErrorResponse, Id, encode
from mcport.errors import INVALID_REQUEST

Scope: TypeAlias = MutableMapping[str, Any]
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

PRINCIPAL: Final = "mcport.principal"
"""Where a scope says on whose behalf a request comes, once somebody in front has checked its authorization."""

JSON_TYPE: Final = (b"content-type", b"application/json")
_JSON_HEADERS: Final = [JSON_TYPE]

_UNREAD: Final = (408, 413)
"""The statuses of requests whose body was not read to its end."""


class Refused(Exception):
    """A request that is answered before the protocol sees it: the HTTP status, and one line for whoever reads it."""

    def __init__(self, status: int, line: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(line)
        self.status = status
        self.line = line
        self.headers = headers or {}


def headers_of(scope: Scope) -> dict[str, str]:
    """Return the headers of a request by their names in lower case; those that came twice are put together.

    Whoever looked at one of them on the way must not be told something else than what counts here (RFC 9110 5.3).
    """
    raw = scope["headers"]
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) < len(raw):
        return {name: ", ".join(all_of(scope, name.encode("latin-1"))) for name in headers}
    return headers


def all_of(scope: Scope, name: bytes) -> list[str]:
    """Return every value of a header."""
    return [value.decode("latin-1") for each, value in scope["headers"] if each == name]


async def answer(send: Send, status: int, body: bytes = b"", headers: RawHeaders | None = None) -> None:
    """Answer with one piece: JSON, unless the headers say otherwise; nothing at all without a body."""
    fields = [*(headers or (_JSON_HEADERS if body else ())), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})


async def refuse(scope: Scope, send: Send, refused: Refused) -> None:
    """Answer with one line of JSON: an error that belongs to no request.

    Where the rest of a body may still come, without end perhaps, the connection is closed (HTTP/2 needs no word of it).
    """
    body = error_body(None, INVALID_REQUEST, refused.line)
    fields = [JSON_TYPE, *_raw(refused.headers.items())]
    if refused.status in _UNREAD and scope.get("http_version", "1.1") < "2":
        fields.append((b"connection", b"close"))
    await answer(send, refused.status, body, fields)


def error_body(id: Id | None, code: int, message: str, data: object = None) -> bytes:
    """Return an error as the body of an answer."""
    return encode(ErrorResponse(id, code, message, data))


def _raw(headers: Iterable[tuple[str, str]]) -> RawHeaders:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
