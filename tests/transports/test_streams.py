"""Servers and clients over TCP and Unix sockets, on the loopback: framing, several clients at once, and the end."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import pytest

from mcport import Client, Context, Server
from mcport.core.limits import SERVER_LIMITS
from mcport.session.channel import EndOfStream, Transport
from mcport.spec.revisions import REVISIONS
from mcport.transports.streams import StreamTransport, connect_tcp, connect_unix, serve_tcp, serve_unix
from tests.transports.children import PATIENCE

OPEN = b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
OPEN += b'"clientInfo":{"name":"raw","version":"1"}}}\n'


def call(id: int, name: str, **arguments: Any) -> bytes:
    params = {"name": name, "arguments": arguments}
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).encode() + b"\n"


class Notes:
    """A server that echoes and meets, and what its handlers noted."""

    def __init__(self, **options: Any) -> None:
        self.server = Server("notes", **options)
        self.entered = 0
        self.both = anyio.Event()
        self.stopped: list[str] = []

        @self.server.tool
        async def echo(text: str) -> str:
            return text

        @self.server.tool
        async def meet(ctx: Context) -> str:
            "Returns when two are here."
            self.entered += 1
            if self.entered == 2:
                self.both.set()
            await self.both.wait()
            return "met"

        @self.server.tool
        async def stay() -> str:
            self.entered += 1
            try:
                await anyio.sleep_forever()
            finally:
                self.stopped.append("stay")
            return ""


@asynccontextmanager
async def listening(server: Server, **options: Any) -> AsyncIterator[int]:
    async with anyio.create_task_group() as tasks:
        yield await tasks.start(partial(serve_tcp, server, **options))
        tasks.cancel_scope.cancel()


class Raw:
    """A client that writes bytes and reads lines."""

    def __init__(self, stream: anyio.abc.ByteStream) -> None:
        self.stream = stream
        self._rest = b""

    async def line(self) -> Any:
        with anyio.fail_after(PATIENCE):
            while b"\n" not in self._rest:
                self._rest += await self.stream.receive()
        line, self._rest = self._rest.split(b"\n", 1)
        return json.loads(line)

    async def ended(self) -> bytes:
        """Read to the end; return what still came."""
        with anyio.fail_after(PATIENCE):
            try:
                while True:
                    self._rest += await self.stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return self._rest


@asynccontextmanager
async def raw(port: int) -> AsyncIterator[Raw]:
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        yield Raw(stream)


def text_of(answer: Any) -> str:
    text: str = answer["result"]["content"][0]["text"]
    return text


# ---- servers and clients


@pytest.mark.requirement("transport.custom-preserve")
@pytest.mark.requirement("transport.custom-reuse-stdio-framing", revisions=["2026-07-28"])
@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_client_talks_to_a_server_over_tcp(revision: str) -> None:
    text = "grüße\nüber zwei Zeilen"
    async with (
        listening(Notes().server) as port,
        Client(lambda: connect_tcp("127.0.0.1", port), revision=revision) as client,
    ):
        result = await client.call_tool("echo", {"text": text})
        assert result.model_dump()["content"][0]["text"] == text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no Unix sockets here")
async def test_a_client_talks_to_a_server_over_a_unix_socket_that_is_private(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with anyio.create_task_group() as tasks:
        await tasks.start(serve_unix, Notes().server, path)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        async with Client(await connect_unix(path)) as client:
            assert (await client.call_tool("echo", {"text": "hello"})).is_error is not True
        tasks.cancel_scope.cancel()
    assert not path.exists()


async def test_a_listener_of_ones_own_serves_a_stream() -> None:
    notes = Notes()
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener, anyio.create_task_group() as tasks:

        async def welcome(stream: anyio.abc.ByteStream) -> None:
            await notes.server.serve(StreamTransport(stream))

        tasks.start_soon(listener.serve, welcome)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        async with Client(await connect_tcp("127.0.0.1", port)) as client:
            assert [tool.name for tool in (await client.list_tools()).tools] == ["echo", "meet", "stay"]
        tasks.cancel_scope.cancel()


async def test_two_clients_are_served_at_once_by_one_server_with_the_same_ids() -> None:
    notes = Notes()
    async with listening(notes.server) as port, raw(port) as one, raw(port) as other:
        for client in (one, other):
            await client.stream.send(OPEN + call(7, "meet"))
        for client in (one, other):
            assert (await client.line())["id"] == 0
            answer = await client.line()
            assert (answer["id"], text_of(answer)) == (7, "met")
        await one.stream.send(call(8, "echo", text="mine"))
        await other.stream.send(call(8, "echo", text="yours"))
        assert text_of(await one.line()) == "mine"
        assert text_of(await other.line()) == "yours"


# ---- framing


async def test_a_long_line_may_come_in_pieces_and_go_out_long() -> None:
    long = "x" * 300_000
    request = OPEN + call(1, "echo", text=long)
    async with listening(Notes().server) as port, raw(port) as client:
        for start in range(0, len(request), 70_000):
            await client.stream.send(request[start : start + 70_000])
            await anyio.lowlevel.checkpoint()
        assert (await client.line())["id"] == 0
        assert text_of(await client.line()) == long


async def test_a_line_over_the_bound_is_refused_and_the_connection_goes_on() -> None:
    limits = SERVER_LIMITS.but(message_bytes=10_000)
    async with listening(Notes(limits=limits).server) as port, raw(port) as client:
        await client.stream.send(OPEN + call(1, "echo", text="x" * 50_000) + call(2, "echo", text="still here"))
        lines = [await client.line(), await client.line()]
        refused, opened = sorted(lines, key=lambda line: "result" in line)
        assert (opened["id"], refused["id"], "10000 bytes" in refused["error"]["message"]) == (0, 1, True)
        assert text_of(await client.line()) == "still here"


async def test_a_client_that_has_said_all_still_gets_its_answers() -> None:
    """As `printf ... | nc` does; the last line lacks its newline."""
    async with listening(Notes().server) as port, raw(port) as client:
        await client.stream.send(OPEN + call(1, "echo", text="bye")[:-1])
        await client.stream.send_eof()
        lines = (await client.ended()).splitlines()
        assert [json.loads(line)["id"] for line in lines] == [0, 1]


class Ended:
    """A byte stream that gives its pieces and then fails as told."""

    def __init__(self, *pieces: bytes, then: Exception) -> None:
        self._pieces, self._then = list(pieces), then

    async def receive(self, max_bytes: int = 65536) -> bytes:
        if not self._pieces:
            raise self._then
        return self._pieces.pop(0)


@pytest.mark.parametrize("fault", [anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError])
async def test_the_end_of_the_stream_ends_the_transport_after_what_had_come(fault: type[Exception]) -> None:
    stream: Any = Ended(b"one\ntw", b"o\nlast", then=fault())
    transport = StreamTransport(stream)
    assert [await transport.receive() for _ in range(3)] == [b"one", b"two", b"last"]
    for _ in range(2):
        with pytest.raises(EndOfStream, match="the other side closed the connection"):
            await transport.receive()


# ---- who may come in


@pytest.mark.parametrize("first", [b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"hello\n", b"\x16\x03\x01\n"])
async def test_who_does_not_begin_with_json_is_not_served(first: bytes) -> None:
    """A web page can make a browser post JSON to any port of this machine."""
    async with listening(Notes().server) as port, raw(port) as client:
        await client.stream.send(first + OPEN + call(1, "echo", text="secret"))
        assert b"secret" not in await client.ended()


async def test_who_has_begun_with_json_may_err_later() -> None:
    async with listening(Notes().server) as port, raw(port) as client:
        await client.stream.send(b" " + OPEN + b"oops\n" + call(2, "echo", text="well"))
        assert {(await client.line()).get("id"), (await client.line()).get("id")} == {0, None}
        assert text_of(await client.line()) == "well"


async def test_so_many_clients_and_no_more() -> None:
    async with listening(Notes().server, connections=1) as port:
        async with raw(port) as one:
            await one.stream.send(OPEN)
            await one.line()
            async with raw(port) as other:
                assert await other.ended() == b""
            await one.stream.send(call(1, "echo", text="first"))
            assert text_of(await one.line()) == "first"
            await one.stream.send_eof()
            await one.ended()
        async with raw(port) as later:
            await later.stream.send(OPEN)
            assert (await later.line())["id"] == 0


async def test_what_goes_wrong_with_one_client_stays_with_that_one(caplog: pytest.LogCaptureFixture) -> None:
    class Faulty:
        limits = SERVER_LIMITS
        served = 0

        async def serve(self, transport: Transport, /) -> None:
            self.served += 1
            if self.served == 1:
                raise ZeroDivisionError
            await transport.send(b"welcome")

    async with anyio.create_task_group() as tasks:
        port = await tasks.start(serve_tcp, Faulty())
        with caplog.at_level(logging.ERROR, "mcport"):
            async with raw(port) as one:
                assert await one.ended() == b""
        async with raw(port) as other:
            assert await other.ended() == b"welcome\n"
        tasks.cancel_scope.cancel()
    assert "ZeroDivisionError" in caplog.text


async def test_the_end_of_serving_ends_every_connection_and_its_handlers() -> None:
    notes = Notes()
    async with anyio.create_task_group() as tasks:
        port = await tasks.start(serve_tcp, notes.server)
        async with raw(port) as client:
            await client.stream.send(OPEN + call(1, "stay"))
            await client.line()
            with anyio.fail_after(PATIENCE):
                while not notes.entered:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                await client.ended()
    await anyio.wait_all_tasks_blocked()
    assert notes.stopped == ["stay"]
    with pytest.raises(OSError, match=r".+"):
        await anyio.connect_tcp("127.0.0.1", port)
