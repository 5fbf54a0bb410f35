"""Waiting on this machine for a browser to come back: one path, GET only, one answer that is always the same page.

Nothing that comes in is ever shown. What does not belong to the login that is waited for is turned away, and the wait
goes on: any page can make a browser ask this port. (RFC 8252, section 7.3.) Below: anyio.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from hmac import compare_digest
from typing import Final
from urllib.parse import parse_qs, urlsplit

import anyio
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.stapled import MultiListener

PATH: Final = "/callback"
HOST: Final = "127.0.0.1"

_MOST_HEAD: Final = 16 * 1024
_HEAD_SECONDS: Final = 10.0
_REQUEST: Final = re.compile(rb"([A-Z]+) (/[\x21-\x7e]*) HTTP/1\.[01]\r?\n")
_HOST: Final = re.compile(rb"\r?\nhost:[ \t]*([^\r\n]*?)[ \t]*\r?\n", re.IGNORECASE)

_PAGE: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<body style="font-family: system-ui, sans-serif; margin: 4em auto; max-width: 30em">
<h1>{title}</h1><p>{text}</p></body></html>
"""
_DONE: Final = _PAGE.format(title="You are back", text="You can close this window and go on in your program.")
_OTHER: Final = _PAGE.format(title="Nothing here", text="No login is waiting for this.")


class Loopback:
    """A port of this machine, open until it is closed."""

    def __init__(self, listener: MultiListener[SocketStream]) -> None:
        self._listener = listener
        self._port = int(listener.extra(SocketAttribute.local_port))
        self._query: str | None = None
        self._came = anyio.Event()
        self._state = ""

    @classmethod
    async def open(cls, port: int, preferred: tuple[str, ...]) -> Loopback:
        """Listen on a port; 0 is any, where possible one of those that the `preferred` URLs have. Raises OSError."""
        for candidate in [port] if port else [*filter(None, map(_port_of, preferred)), 0]:
            try:
                return cls(await anyio.create_tcp_listener(local_host=HOST, local_port=candidate))
            except OSError:
                if candidate == port:
                    raise
        raise OSError("no port is free")

    @property
    def url(self) -> str:
        """The URL to come back to."""
        return f"http://{HOST}:{self._port}{PATH}"

    @asynccontextmanager
    async def serving(self, state: str) -> AsyncGenerator[None]:
        """Answer browsers for the time of a block, until one has come back with this state."""
        self._state = state
        async with anyio.create_task_group() as group:
            group.start_soon(self._listener.serve, self._serve)
            yield
            group.cancel_scope.cancel()

    async def query(self) -> str:
        """Wait for the browser to come back, and return the query that it brings."""
        await self._came.wait()
        assert self._query is not None
        return self._query

    async def aclose(self) -> None:
        """Listen no more."""
        await self._listener.aclose()

    async def _serve(self, stream: SocketStream) -> None:
        async with stream:
            with anyio.move_on_after(_HEAD_SECONDS):
                try:
                    status, page = self._judged(await _head(stream))
                    await stream.send(_answer(status, page))
                except (anyio.BrokenResourceError, anyio.EndOfStream, OSError):
                    return
            if self._query is not None:
                self._came.set()

    def _judged(self, head: bytes) -> tuple[str, str]:
        """Take what came, if it is what is waited for; return the status and the page of the answer."""
        request, host = _REQUEST.match(head), _HOST.search(head)
        if request is None or host is None:
            return "400 Bad Request", _OTHER
        if host[1].decode("latin-1") not in (f"{HOST}:{self._port}", f"localhost:{self._port}"):
            return "421 Misdirected Request", _OTHER
        target = urlsplit(request[2].decode())
        if target.path != PATH:
            return "404 Not Found", _OTHER
        if request[1] != b"GET":
            return "405 Method Not Allowed", _OTHER
        [state, *more] = parse_qs(target.query).get("state", [""])
        if more or not compare_digest(state.encode(), self._state.encode()) or self._query is not None:
            return "400 Bad Request", _OTHER
        self._query = target.query
        return "200 OK", _DONE


def _port_of(url: str) -> int | None:
    parts = urlsplit(url)
    return parts.port if parts.hostname == HOST and parts.path == PATH else None


async def _head(stream: SocketStream) -> bytes:
    """Read the head of a request; what is longer than any browser's is cut off."""
    head = b""
    while b"\r\n\r\n" not in head and b"\n\n" not in head and len(head) < _MOST_HEAD:
        head += await stream.receive()
    return head


def _answer(status: str, page: str) -> bytes:
    body = page.encode()
    lines = (
        f"HTTP/1.1 {status}",
        "content-type: text/html; charset=utf-8",
        f"content-length: {len(body)}",
        "cache-control: no-store",
        "referrer-policy: no-referrer",
        "x-content-type-options: nosniff",
        "content-security-policy: default-src 'none'; style-src 'unsafe-inline'",
        "connection: close",
    )
    return "\r\n".join([*lines, "", ""]).encode() + body
