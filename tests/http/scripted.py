"""A server of the handshake era that does as a test says, behind httpx's port for transports: no socket, no ASGI.

What was asked of it is kept, header by header, so that tests see what a client really sends.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeAlias

import anyio
import httpx
import pytest
from pydantic_core import to_json

from mcport import Client
from mcport.core.jsonrpc import parse_json
from mcport.core.sse import encode_event
from mcport.transports.http.client.pace import Pace

URL = "http://old.test/mcp"

Message: TypeAlias = dict[str, Any]
Reply: TypeAlias = Callable[[Message], Awaitable[httpx.Response]]


class Stream(httpx.AsyncByteStream):
    """An event stream that a test writes as it goes."""

    def __init__(self) -> None:
        self._items: list[bytes | Exception | None] = []
        self._more = anyio.Event()
        self.closed = anyio.Event()
        self.response = httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=self)

    def say(self, message: Message | None, id: str | None = None, retry: float | None = None) -> Stream:
        return self.put(encode_event(b"" if message is None else to_json(message), id=id, retry=retry))

    def end(self) -> httpx.Response:
        """The server closes the connection."""
        return self.put(None).response

    def cut(self) -> httpx.Response:
        """The connection breaks."""
        return self.put(httpx.ReadError("cut off")).response

    def put(self, item: bytes | Exception | None) -> Stream:
        self._items.append(item)
        self._more.set()
        self._more = anyio.Event()
        return self

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            while not self._items:
                await self._more.wait()
            item = self._items.pop(0)
            if item is None:
                return
            if isinstance(item, Exception):
                raise item
            yield item

    async def aclose(self) -> None:
        self.closed.set()


def result(message: Message, **value: Any) -> Message:
    """Return the result of a request."""
    return {"jsonrpc": "2.0", "id": message["id"], "result": value}


def text(message: Message, said: str) -> Message:
    """Return the result of a tool that says something."""
    return result(message, content=[{"type": "text", "text": said}])


def piece(message: Message, status: int = 200, headers: dict[str, str] | None = None) -> httpx.Response:
    """Return an answer of one piece."""
    return httpx.Response(status, headers=headers, json=message)


class OldServer(httpx.AsyncBaseTransport):
    """A server of a handshake revision.

    `on` answers requests and `heard` collects what is no request; `streams` are what GET brings, one after the other,
    and then 405. `sessions` are the ids that it gives out; a session in `gone` is answered with 404.
    """

    def __init__(self, revision: str = "2025-11-25", sessions: list[str] | None = None) -> None:
        self.revision = revision
        self.sessions = ["one", "two", "three"] if sessions is None else sessions
        self.gone: set[str] = set()
        self.on: dict[str, Reply] = {}
        self.streams: list[httpx.Response | Exception] = []
        self.resumed: list[httpx.Response | Exception] = []
        self.requests: list[httpx.Request] = []
        self.heard: list[Message] = []
        self.deleted = 204
        self._more = anyio.Event()
        self.client = httpx.AsyncClient(transport=self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self._more.set()
        self._more = anyio.Event()
        if request.headers.get("mcp-session-id") in self.gone:
            return httpx.Response(404)
        if request.method == "GET":
            return self._next(self.resumed if "last-event-id" in request.headers else self.streams)
        if request.method == "DELETE":
            return httpx.Response(self.deleted)
        return await self._posted(parse_json(request.content))

    def _next(self, answers: list[httpx.Response | Exception]) -> httpx.Response:
        answer = answers.pop(0) if answers else httpx.Response(405)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _posted(self, message: Message) -> httpx.Response:
        method = message.get("method", "")
        if method in self.on:
            return await self.on[method](message)
        if method == "initialize":
            return self.initialized(message, {"tools": {}, "resources": {}})
        if "id" in message and "method" in message:
            return piece({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": method}})
        self.heard.append(message)
        return httpx.Response(202)

    def initialized(self, message: Message, capabilities: Message) -> httpx.Response:
        """Return the answer to `initialize`, which begins the next session."""
        info = {"name": "old", "version": "1"}
        opened = result(message, protocolVersion=self.revision, capabilities=capabilities, serverInfo=info)
        return piece(opened, headers={"mcp-session-id": self.sessions.pop(0)} if self.sessions else None)

    def sent(self, method: str) -> list[httpx.Request]:
        """Return the POSTs of messages of a method; "" is for answers."""
        posts = [each for each in self.requests if each.method == "POST"]
        return [each for each in posts if parse_json(each.content).get("method", "") == method]

    def of(self, http_method: str) -> list[httpx.Request]:
        """Return what came by GET or DELETE."""
        return [each for each in self.requests if each.method == http_method]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until something is so, looking whenever a request has come."""
        with anyio.fail_after(5):
            while not condition():
                await self._more.wait()

    def connect(self, **options: Any) -> Client:
        """Return a client of this server."""
        return Client(URL, http_client=self.client, revision=self.revision, **options)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, float | None]]:
    """Let no test wait before it connects again; what each wait would have been made of is listed."""
    found: list[tuple[int, float | None]] = []

    def before(self: Pace, failures: int, wished: float | None) -> float:
        found.append((failures, wished))
        return 0.0

    monkeypatch.setattr(Pace, "before", before)
    return found
