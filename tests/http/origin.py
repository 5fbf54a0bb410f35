"""A server of HTTP at a loopback port whose answers a test writes, byte by byte if it wants to.

Each request is kept in `asked`; the opening and what no test says anything about is answered as a plain server would
that speaks every revision.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ssl import SSLContext
from typing import Any

import anyio
from anyio.abc import ByteStream, Listener, SocketAttribute
from anyio.streams.buffered import BufferedByteReceiveStream
from anyio.streams.tls import TLSListener
from pydantic_core import to_json

from mcport.core.jsonrpc import parse_json
from mcport.spec.revisions import STATELESS
from mcport.transports.http.client.eras import forget

VERSION = STATELESS[0].name
DISCOVERED = {
    "supportedVersions": [VERSION],
    "capabilities": {"tools": {"listChanged": True}, "resources": {}, "prompts": {}, "logging": {}},
    "resultType": "complete",
    "ttlMs": 0,
    "cacheScope": "private",
}
OPENING = ("server/discover", "initialize", "notifications/initialized", None)
"""What is answered as usual unless a test plays the opening too; None stands for GET and DELETE, which say nothing."""


class Asked:
    """One request, and the ways to answer it."""

    def __init__(self, verb: str, target: str, headers: list[tuple[str, str]], body: bytes, stream: ByteStream) -> None:
        self.verb = verb
        self.path = target
        self.fields = headers
        self.headers = dict(headers)
        self.body = body
        self.message: Any = parse_json(body) if body else None
        self._stream = stream

    @property
    def method(self) -> Any:
        """The method of the message, None for an answer and where there is no message."""
        return None if self.message is None else self.message.get("method")

    @property
    def params(self) -> Any:
        """Its parameters."""
        return self.message["params"]

    async def raw(self, data: bytes) -> None:
        """Send these bytes."""
        await self._stream.send(data)

    async def status(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Send a whole answer; underscores in names of headers are hyphens."""
        fields = {"content-length": str(len(body)), **{name.replace("_", "-"): each for name, each in headers.items()}}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await self.raw(f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body)

    async def json(self, message: Any, status: int = 200) -> None:
        """Answer with one piece of JSON."""
        await self.status(status, to_json(message), content_type="application/json")

    async def result(self, **members: Any) -> None:
        """Answer with a result."""
        result = {"resultType": "complete", **members}
        await self.json({"jsonrpc": "2.0", "id": self.message["id"], "result": result})

    async def error(self, code: int, message: str, status: int = 200, id: Any = ...) -> None:
        """Answer with an error."""
        id = self.message["id"] if id is ... else id
        await self.json({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}, status)

    async def twice(self, edge: int, chunked: bool = False) -> None:
        """Answer, in so many bytes, and at once send what the next request could take for its answer."""
        start = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        first, second = (
            to_json({"jsonrpc": "2.0", "id": self.message["id"] + more, "result": said})
            for more, said in enumerate({"content": [{"type": "text", "text": text}]} for text in ("mine", "evil"))
        )
        length = b"transfer-encoding: chunked\r\n\r\n%08x\r\n" if chunked else b"content-length: %08d\r\n\r\n"
        end = b"\r\n0\r\n\r\n" if chunked else b""
        padded = first.ljust(edge - len(start) - len(length % 0) - len(end))
        extra = start + b"content-length: %d\r\n\r\n%b" % (len(second), second)
        await self.raw(start + length % len(padded) + padded + end + extra)

    async def begin_events(self) -> None:
        """Begin to answer with a stream, which ends with the connection."""
        await self.raw(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")

    async def event(self, message: Any) -> None:
        """Send a message as an event."""
        await self.raw(b"data: " + to_json(message) + b"\n\n")

    async def last_event(self, **members: Any) -> None:
        """Send the result as an event."""
        result = {"resultType": "complete", **members}
        await self.event({"jsonrpc": "2.0", "id": self.message["id"], "result": result})

    async def hang_up(self) -> None:
        """Close the connection."""
        await self._stream.aclose()

    async def gone(self) -> None:
        """Wait until the client closes the connection."""
        try:
            await self._stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            return


Play = Callable[[Asked], Awaitable[None]]


class Origin:
    """A running one; `play` answers what is asked."""

    def __init__(self, play: Play | None, plays_opening: bool) -> None:
        self.play = play or usual
        self.plays_opening = plays_opening
        self.takes = sys.maxsize
        """Of a body that has more bytes nothing is read."""
        self.asked: list[Asked] = []
        self.connections = 0
        self.url = ""

    def of(self, method: str) -> list[Asked]:
        """Return the requests of a method."""
        return [each for each in self.asked if each.method == method]

    async def serve(self, stream: ByteStream) -> None:
        self.connections += 1
        reading = BufferedByteReceiveStream(stream)
        async with stream:
            try:
                while True:
                    asked = await self._read(reading, stream)
                    self.asked.append(asked)
                    await self._answer(asked)
            except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                return

    async def _answer(self, asked: Asked) -> None:
        opens = asked.method in OPENING and not self.plays_opening
        await (usual if opens else self.play)(asked)

    async def _read(self, reading: BufferedByteReceiveStream, stream: ByteStream) -> Asked:
        head = (await reading.receive_until(b"\r\n\r\n", 65536)).decode("latin-1")
        first, *lines = head.split("\r\n")
        headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        size = int(dict(headers).get("content-length", "0"))
        if size > self.takes:
            await anyio.sleep_forever()
        body = await reading.receive_exactly(size)
        verb, target, _ = first.split(" ")
        return Asked(verb, target, headers, body, stream)


async def usual(asked: Asked) -> None:
    """Answer as a server with nothing much does, without sessions and a stream of its own."""
    if asked.message is None:
        await asked.status(405)
        return
    if "id" not in asked.message or asked.method is None:
        await asked.status(202)
        return
    answers: dict[str, dict[str, Any]] = {
        "server/discover": DISCOVERED,
        "initialize": _initialized(asked),
        "tools/list": {"tools": [], "ttlMs": 0, "cacheScope": "private"},
        "tools/call": {"content": [{"type": "text", "text": "done"}]},
    }
    await asked.result(**answers.get(asked.method, {}))


def _initialized(asked: Asked) -> dict[str, Any]:
    revision = asked.params.get("protocolVersion") if asked.method == "initialize" else None
    about = {"name": "origin", "version": "1"}
    return {"protocolVersion": revision, "capabilities": DISCOVERED["capabilities"], "serverInfo": about}


@asynccontextmanager
async def origin(
    play: Play | None = None, *, plays_opening: bool = False, tls: SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Origin]:
    """Serve on a port of its own until the block is left; `play` answers what opens a connection only if it is said."""
    made = Origin(play, plays_opening)
    listener: Listener[Any] = await anyio.create_tcp_listener(local_host=host)
    port = listener.extra(SocketAttribute.local_port)
    made.url = f"{'https' if tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}/mcp"
    forget(made.url)  # an earlier server may have had this port
    if tls is not None:
        listener = TLSListener(listener, tls, standard_compatible=False)
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, made.serve)
        yield made
        tasks.cancel_scope.cancel()
