"""Clients that do not come to the point are not waited for: heads have a time and a size."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.abc
import pytest

from mcport import Server
from mcport.transports.http.server.binding import listen
from mcport.transports.http.server.patience import HEAD_BYTES, Patience

from .bridge import stateless
from .line import Line, running

pytestmark = pytest.mark.anyio

HEAD = b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["httptools", "h11"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What reads requests."""
    if request.param == "h11":
        without_httptools(monkeypatch)
    return str(request.param)


def without_httptools(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if httptools were not installed."""
    monkeypatch.setitem(sys.modules, "httptools", None)
    for name in ("uvicorn.protocols.http.httptools_impl", "mcport.transports.http.server.by_httptools"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@asynccontextmanager
async def connected() -> AsyncIterator[anyio.abc.SocketStream]:
    """A connection to a server that runs in this loop."""
    [listening] = listen("127.0.0.1", 0)
    port, ready = listening.getsockname()[1], anyio.Event()
    async with anyio.create_task_group() as tasks:

        async def serve() -> None:
            await Server("s").serve_http(sockets=[listening], listening=lambda url: ready.set())

        tasks.start_soon(serve)
        with anyio.fail_after(10):
            await ready.wait()
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                yield stream
        tasks.cancel_scope.cancel()


async def rest(stream: anyio.abc.SocketStream) -> bytes:
    """All that comes until the other side ends the connection."""
    found = b""
    try:
        while True:
            found += await stream.receive()
    except (anyio.EndOfStream, anyio.BrokenResourceError):
        return found


async def test_a_head_without_end_is_refused_before_it_fills_the_memory(parser: str) -> None:
    async with connected() as stream:
        await stream.send(HEAD)
        sent = 0
        try:
            while sent < 40 * HEAD_BYTES:
                await stream.send(b"x-more: " + b"a" * 8000 + b"\r\n")
                sent += 8000
        except anyio.BrokenResourceError:
            pass
        assert sent < 40 * HEAD_BYTES or (await rest(stream)).startswith(b"HTTP/1.1 400")


async def test_a_large_body_and_requests_in_a_row_are_no_large_head(parser: str) -> None:
    call = stateless("server/discover", padding="a" * (3 * HEAD_BYTES))
    fields = b"".join(f"{name}: {value}\r\n".encode() for name, value in call["headers"].items())
    length = f"content-length: {len(call['body'])}\r\n\r\n".encode()
    async with connected() as stream:
        for _ in range(3):
            await stream.send(HEAD + fields + length)
            await stream.send(call["body"])
            assert (await stream.receive()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [b"", HEAD])
async def test_a_head_that_does_not_come_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, parser: str, sent: bytes
) -> None:
    monkeypatch.setattr("mcport.transports.http.server.running.Patience", lambda: Patience(0))
    async with connected() as stream:
        if sent:
            await stream.send(sent)
        assert await rest(stream) == b""


async def test_a_client_that_takes_nothing_of_its_answer_is_not_waited_for() -> None:
    async with running(Server("s").asgi()) as runner:
        line, patience = Line(runner), Patience(0, reader_seconds=100)
        line.protocol.pause_writing()
        for now, unread in [(0, 9000), (90, 8000), (180, 8000)]:
            line.unread = unread
            patience.look([line.protocol], now)
            assert not line.is_closing()
        patience.look([line.protocol], 190)
        assert line.is_closing()


async def test_a_client_that_reads_again_has_time_again() -> None:
    async with running(Server("s").asgi()) as runner:
        line, patience = Line(runner), Patience(reader_seconds=100)
        line.unread = 8000
        for now in (0, 90, 180):
            line.protocol.pause_writing()
            patience.look([line.protocol], now)
            line.protocol.resume_writing()
            patience.look([line.protocol], now)
        assert not line.is_closing()
