"""The plain way to a server: connections that are kept as long as they are good, and answers framed in every way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from pydantic_core import to_json

from mcport import Client, ConnectFailed, ConnectionLost

from .origin import Asked, origin, usual

pytestmark = pytest.mark.anyio


def answer_of(asked: Asked) -> bytes:
    return to_json({"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": []}})


async def chunked(asked: Asked) -> None:
    body = answer_of(asked)
    framed = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"
    for byte in head + framed:
        await asked.raw(bytes([byte]))


async def until_the_end(asked: Asked) -> None:
    await asked.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + answer_of(asked))
    await asked.hang_up()


async def after_hints(asked: Asked) -> None:
    await asked.raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n")
    await asked.status(200, answer_of(asked), content_type="application/json")


async def closing(asked: Asked) -> None:
    await asked.status(200, answer_of(asked), content_type="application/json", connection="close")
    await asked.hang_up()


@pytest.mark.parametrize(
    ("play", "connections"), [(chunked, 1), (until_the_end, 3), (after_hints, 1), (closing, 3), (usual, 1)]
)
async def test_answers_are_read_however_they_are_framed(
    play: Callable[[Asked], Awaitable[None]], connections: int
) -> None:
    async with origin(play) as server, Client(server.url) as client:
        for _ in range(3):
            await client.call_tool("forecast")
    assert server.connections == connections


async def test_a_connection_that_the_server_closed_meanwhile_is_not_used_again() -> None:
    hung_up = anyio.Event()

    async def play(asked: Asked) -> None:
        await usual(asked)
        await asked.hang_up()
        hung_up.set()

    async with origin(play) as server, Client(server.url) as client:
        await client.call_tool("first")
        await hung_up.wait()
        await anyio.wait_all_tasks_blocked()
        server.play = usual
        await client.call_tool("second")
    assert [each.params["name"] for each in server.of("tools/call")] == ["first", "second"]


async def test_what_comes_behind_an_answer_is_never_taken_for_the_next_one() -> None:
    async def play(asked: Asked) -> None:
        body = answer_of(asked)
        extra = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        await asked.raw(head + body + extra)

    async with origin(play) as server, Client(server.url) as client:
        for _ in range(2):
            await client.call_tool("forecast")
    assert server.connections == 2


async def test_what_is_no_http_is_named_so() -> None:
    async with origin(lambda asked: asked.raw(b"220 mail.example ESMTP\r\n\r\n"), plays_opening=True) as server:
        with pytest.raises(
            ConnectFailed, match=r"Cannot reach .*: it does not answer as HTTP does: a first line such as"
        ):
            await Client(server.url).connect()


async def test_a_chunked_answer_that_breaks_off_is_a_lost_connection() -> None:
    async def play(asked: Asked) -> None:
        await asked.raw(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n4\r\n{"
        )
        await asked.hang_up()

    async with origin(play) as server, Client(server.url) as client:
        with pytest.raises(ConnectionLost, match="it closed the connection before the answer was complete"):
            await client.call_tool("forecast")


async def test_tls_with_a_server_that_speaks_none_fails_in_one_line() -> None:
    async def serve(stream: SocketStream) -> None:
        async with stream:
            await stream.receive()
            await stream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    url = f"https://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/mcp"
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        with pytest.raises(ConnectFailed) as caught:
            await Client(url, connect_timeout=5).connect()
        tasks.cancel_scope.cancel()
    assert str(caught.value) == f"Cannot reach {url}: TLS failed: WRONG_VERSION_NUMBER"
