"""Places on this machine that answer HTTP in tests, on either event loop, and a protected server among them."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio
from anyio.abc import SocketAttribute, SocketStream

Answer: TypeAlias = tuple[int, dict[str, str], bytes]
Answers: TypeAlias = Callable[[str, str, Mapping[str, str], bytes], Answer]


@asynccontextmanager
async def place(answers: Callable[[str], Answers]) -> AsyncGenerator[str]:
    """Serve on a port of this machine what `answers` makes of the origin; return that origin."""
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as group:
        origin = f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}"
        handler = answers(origin)

        async def serve(stream: SocketStream) -> None:
            async with stream:
                try:
                    await _serve(stream, handler)
                except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                    return

        group.start_soon(listener.serve, serve)
        yield origin
        group.cancel_scope.cancel()


async def _serve(stream: SocketStream, answers: Answers) -> None:
    """Answer one request after the other on a connection."""
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            buffer += await stream.receive()
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        size = int(headers.get("content-length", 0))
        while len(buffer) < size:
            buffer += await stream.receive()
        body, buffer = buffer[:size], buffer[size:]
        status, fields, content = answers(method, target, headers, body)
        said = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        await stream.send(f"HTTP/1.1 {status} X\r\n{said}content-length: {len(content)}\r\n\r\n".encode() + content)


class Protected:
    """A server that wants a token: `good` says which; it speaks just enough of the protocol to be talked to."""

    def __init__(self, origin: str, issuer: str, good: Callable[[str], bool]) -> None:
        self.url = f"{origin}/mcp"
        self.good = good
        self.scope: str | None = None
        self.challenge: dict[str, str] = {}
        self.seen: list[tuple[str, str | None]] = []
        self.metadata: dict[str, object] = {"resource": self.url, "authorization_servers": [issuer]}

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if target == "/.well-known/oauth-protected-resource/mcp":
            return 200, {"content-type": "application/json"}, json.dumps(self.metadata).encode()
        if not target.startswith("/mcp"):
            return 404, {}, b""
        self.seen.append((method, headers.get("authorization")))
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not self.good(token):
            return 401, {"www-authenticate": "Bearer"}, b"no"
        return 200, {"content-type": "application/json"}, _result(json.loads(body or b"{}"))


def _result(request: dict[str, Any]) -> bytes:
    """Answer a request of the stateless era."""
    results: dict[str, dict[str, Any]] = {
        "server/discover": {
            "supportedVersions": ["2026-07-28"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "protected", "version": "1"},
            "ttlMs": 0,
            "cacheScope": "private",
        },
        "tools/list": {"tools": [], "ttlMs": 0, "cacheScope": "private"},
    }
    result = {"resultType": "complete", **results.get(request.get("method", ""), {})}
    return json.dumps({"jsonrpc": "2.0", "id": request.get("id"), "result": result}).encode()
