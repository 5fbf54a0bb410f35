"""A client whose server breaks off, repeats itself or never ends: one call fails in plain words, and no other.

Without a session and in one: what is asked is a POST in both eras, and they share little else.
"""

from __future__ import annotations

import socket
import struct
import tracemalloc
from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.abc import SocketAttribute
from pydantic_core import to_json

from mcport import Client
from mcport.core.limits import CLIENT_LIMITS
from mcport.errors import ConnectionLost, HttpRefused, InvalidAnswer, Timeout
from tests.http.origin import Asked, Origin, Play, origin, usual

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])]

JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
CHUNKED = b"transfer-encoding: chunked\r\n\r\n"
LIMIT = 100_000

CUTS = {
    "before anything": b"",
    "in the middle of the status": b"HTTP/1.1 2",
    "in the middle of the head": STREAM + b"cache-con",
    "after the head": STREAM + CHUNKED,
    "in the middle of a sized body": JSON + b'content-length: 100\r\n\r\n{"jsonrpc": ',
    "in the middle of a character": JSON + b"content-length: 100\r\n\r\n" + '{"é'.encode()[:-1],
    "in the middle of an event": STREAM + CHUNKED + b'f\r\ndata: {"jsonrpc\r\n',
    "in the middle of a character of an event": STREAM + CHUNKED + b"8\r\ndata: \xc3\xa9"[:-1],
    "in the middle of the size of a chunk": STREAM + CHUNKED + b"1",
    "between two events": STREAM + CHUNKED + b"a\r\ndata: {}\n\n"[:13],
    "at the end of a stream without its answer": STREAM + CHUNKED + b"0\r\n\r\n",
    "by the end of the connection": STREAM + b"connection: close\r\n\r\n: alive\n\n",
}


async def cut(asked: Asked) -> None:
    """Break the connection as a process does that is killed."""
    raw = asked._stream.extra(SocketAttribute.raw_socket)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await asked.hang_up()


async def half_close(asked: Asked) -> None:
    """Say that nothing more will be said, and go on listening."""
    await asked._stream.send_eof()
    await asked.gone()


def spoiling(*ways: Callable[[Asked], Awaitable[None]]) -> Play:
    """Answer the tool "spoilt" in each of these ways, one a call, and everything else as usual."""
    left = list(ways)

    async def play(asked: Asked) -> None:
        spoilt = asked.method == "tools/call" and asked.params["name"] == "spoilt"
        await (left.pop(0) if spoilt and left else usual)(asked)

    return play


@pytest.mark.parametrize("end", [Asked.hang_up, half_close, cut])
@pytest.mark.parametrize("said", CUTS.values(), ids=CUTS)
async def test_an_answer_that_breaks_off_fails_its_call_and_no_other(
    revision: str, said: bytes, end: Callable[[Asked], Awaitable[None]]
) -> None:
    waiting = anyio.Event()

    async def spoil(asked: Asked) -> None:
        await waiting.wait()
        if said:
            await asked.raw(said)
        await end(asked)

    async def slow(asked: Asked) -> None:
        waiting.set()
        await anyio.wait_all_tasks_blocked()
        await usual(asked)

    outcomes: list[str] = []
    async with origin(spoiling(spoil, slow)) as server, Client(server.url, revision=revision) as client:

        async def call() -> None:
            try:
                outcomes.append((await client.call_tool("spoilt")).text())
            except ConnectionLost:
                outcomes.append("lost")

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                tasks.start_soon(call)
            assert sorted(outcomes) == ["done", "lost"]
            assert (await client.call_tool("plain")).text() == "done"


async def test_answers_to_others_late_and_repeated_answers_change_nothing(revision: str) -> None:
    async def spoil(asked: Asked) -> None:
        id = asked.message["id"]
        await asked.begin_events()
        for other in (id + 1, "unknown", id - 1, None):
            await asked.event({"jsonrpc": "2.0", "id": other, "result": {"content": [], "resultType": "complete"}})
        await asked.last_event(content=[{"type": "text", "text": "first"}])
        await asked.last_event(content=[{"type": "text", "text": "second"}])
        await asked.hang_up()

    async with origin(spoiling(spoil)) as server, Client(server.url, revision=revision) as client:
        with anyio.fail_after(5):
            assert (await client.call_tool("spoilt")).text() == "first"
            assert (await client.call_tool("plain")).text() == "done"


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_is_busy_is_named_with_its_wish(revision: str, status: int) -> None:
    async def spoil(asked: Asked) -> None:
        await asked.status(status, retry_after="7")

    async with origin(spoiling(spoil)) as server, Client(server.url, revision=revision) as client:
        with anyio.fail_after(5):
            with pytest.raises(HttpRefused) as caught:
                await client.call_tool("spoilt")
            assert (caught.value.status, caught.value.retry_after) == (status, 7)
            assert (await client.call_tool("plain")).text() == "done"


def redirecting(where: Callable[[Origin], str], times: int, server: list[Origin]) -> Play:
    async def elsewhere(asked: Asked) -> None:
        await asked.status(307, location=where(server[0]))

    return spoiling(*[elsewhere] * times)


@pytest.mark.parametrize(
    ("where", "times", "follows"),
    [
        (lambda server: "/mcp/", 1, True),
        (lambda server: server.url, 1, True),
        (lambda server: "/mcp/", 2, False),
        (lambda server: server.url, 100, False),
        (lambda server: server.url.replace("127.0.0.1", "localhost"), 1, False),
        (lambda server: "http://127.0.0.1:1/mcp", 1, False),
        (lambda server: "https://127.0.0.1:1/mcp", 1, False),
        (lambda server: "file:///etc/passwd", 1, False),
        (lambda server: "//127.0.0.1:1/mcp", 1, False),
    ],
)
async def test_one_redirect_within_the_origin_is_followed_and_no_other(
    revision: str, where: Callable[[Origin], str], times: int, follows: bool
) -> None:
    found: list[Origin] = []
    async with origin(redirecting(where, times, found)) as server, Client(server.url, revision=revision) as client:
        found.append(server)
        with anyio.fail_after(5):
            if follows:
                assert (await client.call_tool("spoilt")).text() == "done"
            else:
                with pytest.raises(HttpRefused, match="elsewhere"):
                    await client.call_tool("spoilt")
            assert len(server.of("tools/call")) <= 2


ENDLESS = {
    "a head": (b"HTTP/1.1 200 OK\r\nx: ", b"y" * 65536, ConnectionLost),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x: y\r\n" * 10000, ConnectionLost),
    "JSON": (JSON + b"connection: close\r\n\r\n", b" " * 65536, InvalidAnswer),
    "a line of a stream": (STREAM + b"connection: close\r\n\r\ndata: ", b"x" * 65536, Timeout),
    "an event of many lines": (STREAM + b"connection: close\r\n\r\n", b"data: x\n" * 8192, Timeout),
    "the size of a chunk": (STREAM + CHUNKED, b"0" * 65536, ConnectionLost),
    "what stands behind a size": (STREAM + CHUNKED + b"1;", b"x" * 65536, ConnectionLost),
}


@pytest.mark.parametrize(("first", "more", "error"), ENDLESS.values(), ids=ENDLESS)
async def test_what_never_ends_is_given_up_and_never_kept(
    revision: str, first: bytes, more: bytes, error: type[Exception]
) -> None:
    """An event that is too long is passed over, as the answer may stand behind it; there the time of the call is up."""
    sent = 0

    async def spoil(asked: Asked) -> None:
        nonlocal sent
        await asked.raw(first)
        while True:
            await asked.raw(more)
            sent += len(more)

    limits = CLIENT_LIMITS.but(message_bytes=LIMIT)
    async with origin(spoiling(spoil)) as server, Client(server.url, revision=revision, limits=limits) as client:
        tracemalloc.start()
        with anyio.fail_after(5), pytest.raises(error):
            await client.call_tool("spoilt", timeout=0.3 if error is Timeout else 5)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (await client.call_tool("plain")).text() == "done"
    assert peak < 2 << 20, f"{peak >> 10} KiB"
    assert error is Timeout or sent < 1 << 26


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", JSON + b"content-length: 9\r\n\r\n{", STREAM + CHUNKED])
async def test_a_server_that_falls_silent_fails_the_call_when_its_time_is_up(revision: str, said: bytes) -> None:
    async def spoil(asked: Asked) -> None:
        if said:
            await asked.raw(said)
        await asked.gone()

    async with origin(spoiling(spoil)) as server, Client(server.url, revision=revision) as client:
        with anyio.fail_after(5):
            with pytest.raises(Timeout):
                await client.call_tool("spoilt", timeout=0.1)
            assert (await client.call_tool("plain")).text() == "done"


async def test_a_server_that_takes_nothing_of_a_request_fails_the_call_when_its_time_is_up(revision: str) -> None:
    async with origin() as server, Client(server.url, revision=revision) as client:
        server.takes = LIMIT
        with anyio.fail_after(5):
            with pytest.raises(Timeout):
                await client.call_tool("spoilt", {"text": "x" * (16 << 20)}, timeout=0.3)
            assert (await client.call_tool("plain")).text() == "done"


async def test_interim_answers_without_end_do_not_outlast_the_call(revision: str) -> None:
    async def spoil(asked: Asked) -> None:
        while True:
            await asked.raw(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)

    async with origin(spoiling(spoil)) as server, Client(server.url, revision=revision) as client:
        with anyio.fail_after(5):
            with pytest.raises((Timeout, ConnectionLost)):
                await client.call_tool("spoilt", timeout=0.2)
            assert (await client.call_tool("plain")).text() == "done"


@pytest.mark.parametrize("kind", ["text/html", "application/octet-stream", "", "application/json-seq", "image/png"])
async def test_another_content_type_is_named(revision: str, kind: str) -> None:
    async def spoil(asked: Asked) -> None:
        body = to_json({"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": []}})
        await asked.status(200, body, content_type=kind)

    async with origin(spoiling(spoil)) as server, Client(server.url, revision=revision) as client:
        with anyio.fail_after(5):
            with pytest.raises(
                InvalidAnswer, match=f"answered with {kind or 'no content type'}, which is no MCP answer"
            ):
                await client.call_tool("spoilt")
            assert (await client.call_tool("plain")).text() == "done"
