"""ASGI as this package speaks it: its types, and a request that came by it.

What of ASGI is needed is here. Below: `wire`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

import anyio

from .watch import Watch
from .wire import GONE, JSON_HEADERS, Gone, Left, RawHeaders, Wire

Scope: TypeAlias = MutableMapping[str, Any]
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

PRINCIPAL: Final = "mcport.principal"
"""Where a scope says on whose behalf a request comes, once somebody in front has checked its authorization."""


class AsgiWire(Wire):
    """A request that came by ASGI."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(headers_of(scope), scope.get(PRINCIPAL))
        self.scope = scope
        self.receive = receive
        self.send = send
        self.closes: bool = scope.get("http_version", "1.1") < "2"
        self._left: Left | None = None
        self._watch: Watch | None = None
        self._watching: anyio.CancelScope | None = None
        self._watcher: object = None

    def all_of(self, name: str) -> list[str]:
        return all_of(self.scope, name.encode("latin-1"))

    async def piece(self) -> tuple[bytes, bool]:
        event = await self.receive()
        if event["type"] == "http.disconnect":
            raise Gone
        return event.get("body", b""), event.get("more_body", False)

    async def answer(self, status: int, body: bytes = b"", fields: RawHeaders | None = None) -> None:
        await answer(self.send, status, body, fields)

    async def begin(self, fields: RawHeaders) -> None:
        await self.send({"type": "http.response.start", "status": 200, "headers": fields})

    async def write(self, data: bytes) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self) -> None:
        await self.send({"type": "http.response.body", "body": b""})

    # ---- the client leaves

    def heed(self, left: Left, watch: Watch) -> None:
        self._left = left
        self._watch = watch
        watch.add(self)

    def unheed(self) -> None:
        if self._watch is not None:
            self._watch.discard(self)
        if self._watching is not None:
            self._watching.cancel()

    def watch(self) -> None:
        """The answer takes its time (`watch.Watched`): have a task wait for the client to leave."""
        if self._watching is None and self._watch is not None:
            loop = self._watch.loop
            self._watching = loop.scope()
            self._watcher = loop.spawn(self._until_left(self._watching))

    async def left(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass

    async def _until_left(self, watching: anyio.CancelScope) -> None:
        with watching:
            await self.left()
            if self._left is not None:
                self._left(GONE)


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


async def answer(send: Send, status: int, body: bytes = b"", fields: RawHeaders | None = None) -> None:
    """Answer with one piece (`Wire.answer`)."""
    fields = [*(fields or (JSON_HEADERS if body else ())), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": fields})
    await send({"type": "http.response.body", "body": body})
