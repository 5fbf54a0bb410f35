"""An ASGI application called in the same process, with answers that stream.

httpx's own bridge hands an answer over when it is complete; a stream that stays open could not be seen through it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from pydantic_core import to_json

from mcport.core.dialects.contract import META_CAPABILITIES, META_VERSION
from mcport.core.http.headers import mirrored
from mcport.core.jsonrpc import parse_json
from mcport.core.sse import EventDecoder, ServerSentEvent
from mcport.spec.revisions import STATELESS

STATELESS_VERSION = STATELESS[0].name
USUAL = {
    "host": "localhost",
    "content-type": "application/json",
    "accept": "application/json, text/event-stream",
}


class Answer:
    """One answer, read as it comes."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.started = anyio.Event()
        self.leave = anyio.Event()
        self.chunks: list[bytes] = []
        self._more = anyio.Event()
        self._whole = False
        self._decoder = EventDecoder(1 << 20)
        self._events: list[Any] = []
        self.last_event_id = ""

    async def take(self, event: Any) -> None:
        """What the application sends (ASGI)."""
        if event["type"] == "http.response.start":
            assert not self.status, "an answer begins once"
            self.status = event["status"]
            self.headers = {name.decode(): value.decode() for name, value in event["headers"]}
            self.started.set()
        else:
            self.chunks.append(event.get("body", b""))
            self._whole = not event.get("more_body", False)
            self._more.set()
            self._more = anyio.Event()

    @property
    def retry(self) -> float | None:
        """How long the client is asked to wait before it comes back."""
        return self._decoder.retry

    async def _chunk(self) -> bytes | None:
        """Return the next bytes, None when there are no more."""
        while not self.chunks and not self._whole:
            with anyio.fail_after(5):
                await self._more.wait()
        return self.chunks.pop(0) if self.chunks else None

    async def body(self) -> bytes:
        """Return all that is still to come."""
        found = b""
        while (chunk := await self._chunk()) is not None:
            found += chunk
        return found

    async def json(self) -> Any:
        """Return the body of an answer in one piece."""
        assert self.headers["content-type"] == "application/json"
        return parse_json(await self.body())

    async def event(self) -> Any:
        """Return the next message of a stream; raises `EndOfStream` of anyio when there is none."""
        event = await self.raw_event()
        return parse_json(event.data) if event.data else await self.event()

    async def raw_event(self) -> ServerSentEvent:
        """Return the next event of a stream as it came; raises `EndOfStream` of anyio when there is none."""
        assert self.headers["content-type"] == "text/event-stream"
        while not self._events:
            chunk = await self._chunk()
            if chunk is None:
                raise anyio.EndOfStream
            self._events += self._decoder.feed(chunk)
        event = self._events.pop(0)
        assert isinstance(event, ServerSentEvent)
        self.last_event_id = event.id
        return event

    async def events(self) -> list[Any]:
        """Return all messages that are still to come."""
        found = []
        try:
            while True:
                found.append(await self.event())
        except anyio.EndOfStream:
            return found


@asynccontextmanager
async def ask(app: Any, *arguments: Any, **keywords: Any) -> AsyncIterator[Answer]:
    """Send one request and yield its answer, once it has begun."""
    async with asked(app, *arguments, **keywords) as answer:
        with anyio.fail_after(5):
            await answer.started.wait()
        yield answer


def scope_of(headers: dict[str, str | None] | None, path: str = "/mcp", method: str = "POST") -> dict[str, Any]:
    """Return what ASGI says of a request; a header that is None is left out."""
    path, _, query = path.partition("?")
    fields = {name: value for name, value in {**USUAL, **(headers or {})}.items() if value is not None}
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields.items()],
    }


@asynccontextmanager
async def asked(
    app: Any,
    body: bytes | None = b"",
    headers: dict[str, str | None] | None = None,
    path: str = "/mcp",
    method: str = "POST",
) -> AsyncIterator[Answer]:
    """Send one request and yield its answer at once; on leaving, the client goes away if it is not complete.

    Without a body (None) nothing comes after the head.
    """
    scope = scope_of(headers, path, method)
    answer = Answer()
    pieces = iter([] if body is None else [{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        for piece in pieces:
            return piece
        await answer.leave.wait()
        return {"type": "http.disconnect"}

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(app, scope, receive, answer.take)
        try:
            yield answer
        finally:
            answer.leave.set()


def stateless(method: str, id: int = 1, meta: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
    """Return the arguments of `ask` for a request of the stateless era."""
    params["_meta"] = {META_VERSION: STATELESS_VERSION, META_CAPABILITIES: {}, **(meta or {})}
    body = to_json({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
    return {"body": body, "headers": {"mcp-protocol-version": STATELESS_VERSION, **mirrored(method, params)}}
