"""The plain way to a server: connections that are kept as long as they are good, and answers framed in every way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream
from pydantic_core import to_json

from mcport import Client, ConnectFailed, ConnectionLost
from mcport.transports.http.client import plain

from .origin import VERSION, Asked, origin, usual

pytestmark = pytest.mark.anyio

EDGE = 64 * 1024
"""So much is read at once."""


@asynccontextmanager
async def listening(serve: Callable[[SocketStream], Awaitable[None]]) -> AsyncIterator[str]:
    """Serve raw connections; yields the URL."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        yield f"http://127.0.0.1:{listener.extra(SocketAttribute.local_port)}/mcp"
        tasks.cancel_scope.cancel()


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


KEPT = {"keep_alive": "timeout=100, max=5"}


@pytest.mark.parametrize(("headers", "connections"), [({}, 4), (KEPT, 2), ({"keep_alive": "max=5;timeout=1"}, 4)])
async def test_a_connection_is_kept_as_long_as_the_server_says_or_else_a_moment(
    monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], connections: int
) -> None:
    monkeypatch.setattr(plain, "IDLE_SECONDS", 0.0)

    async def play(asked: Asked) -> None:
        await asked.status(200, answer_of(asked), content_type="application/json", **headers)

    async with origin(play) as server, Client(server.url, revision=VERSION) as client:
        for _ in range(3):
            await client.call_tool("forecast")
    assert server.connections == connections, "one of them for the opening"


@pytest.mark.parametrize("framing", ["sized", "chunked"])
async def test_what_comes_behind_an_answer_at_the_edge_of_what_is_read_is_not_taken_for_the_next_one(
    framing: str,
) -> None:
    async def play(asked: Asked) -> None:
        await asked.twice(EDGE, chunked=framing == "chunked")

    async with origin(play) as server, Client(server.url) as client:
        for _ in range(3):
            assert (await client.call_tool("forecast")).text() == "mine"
    assert server.connections == 3


async def test_a_list_is_asked_for_again_when_the_kept_connection_ended_just_then() -> None:
    async def play(asked: Asked) -> None:
        await (usual(asked) if len(server.of("tools/list")) == 2 else asked.hang_up())

    async with origin(play) as server, Client(server.url) as client:
        assert (await client.list_tools()).tools == []
    assert len(server.of("tools/list")) == 2
    assert server.connections == 2


async def test_a_tool_is_never_called_again() -> None:
    async with origin(Asked.hang_up) as server, Client(server.url) as client:
        with pytest.raises(ConnectionLost, match="it closed the connection before the answer was complete"):
            await client.call_tool("charge")
    assert len(server.of("tools/call")) == 1


@pytest.mark.parametrize("said", [b"H", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n"])
async def test_what_the_server_has_begun_to_answer_is_not_asked_again(said: bytes) -> None:
    async def play(asked: Asked) -> None:
        await asked.raw(said)
        await asked.hang_up()

    async with origin(play) as server, Client(server.url) as client:
        with pytest.raises(ConnectionLost):
            await client.list_tools()
    assert len(server.of("tools/list")) == 1


async def test_what_a_new_connection_does_not_answer_is_not_asked_again() -> None:
    async def play(asked: Asked) -> None:
        await asked.hang_up()

    async with origin(play) as server, Client(server.url) as client:
        with pytest.raises(ConnectionLost):
            await client.list_tools()
    assert len(server.of("tools/list")) == 2, "on the kept connection, and once more on a new one"


async def test_the_connection_of_a_cancelled_call_is_closed_and_never_used_again() -> None:
    begun, closed = anyio.Event(), anyio.Event()

    async def play(asked: Asked) -> None:
        begun.set()
        await asked.gone()
        closed.set()

    async with origin(play) as server, Client(server.url) as client:
        with anyio.fail_after(5):
            call = client.start_tool("slow")
            await begun.wait()
            call.cancel()
            await closed.wait()
            server.play = usual
            await client.call_tool("quick")
    assert server.connections == 2


async def test_many_calls_at_once_share_a_bounded_number_of_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "MOST_USED", 3)
    monkeypatch.setattr(plain, "MOST_IDLE", 2)
    most = waiting = 0

    async def play(asked: Asked) -> None:
        nonlocal most, waiting
        waiting += 1
        most = max(most, waiting)
        await anyio.wait_all_tasks_blocked()
        waiting -= 1
        await usual(asked)

    async with origin(play) as server, Client(server.url) as client, anyio.create_task_group() as tasks:
        for number in range(12):
            tasks.start_soon(client.call_tool, str(number))
    assert most == 3
    assert len(server.of("tools/call")) == 12


async def test_when_no_connection_becomes_free_the_call_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "MOST_USED", 1)
    begun = anyio.Event()

    async def play(asked: Asked) -> None:
        begun.set()
        await asked.gone()

    async with origin(play) as server, Client(server.url) as client:
        with anyio.fail_after(5):
            call = client.start_tool("slow")
            await begun.wait()
            monkeypatch.setattr(plain, "CONNECT_SECONDS", 0.01)
            with pytest.raises(ConnectionLost, match="1 connections to it are in use, and none became free"):
                await client.call_tool("quick")
            call.cancel()
            monkeypatch.undo()
            server.play = usual
            await client.call_tool("quick")


async def test_a_server_that_refuses_what_it_does_not_read_to_the_end_is_heard() -> None:
    async def serve(stream: SocketStream) -> None:
        async with stream:
            await stream.receive(100)
            await stream.send(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            await stream.send_eof()
            with suppress(anyio.EndOfStream):
                while True:
                    await stream.receive()

    async with listening(serve) as url:
        with pytest.raises(ConnectFailed, match="answered 413"):
            await Client(url, headers={"x-long": "x" * 1_000_000}).connect()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_the_host_is_named_as_the_url_names_it(host: str) -> None:
    try:
        async with origin(host=host) as server, Client(server.url.replace("http://", "http://me:word@")) as client:
            await client.list_tools()
    except OSError:
        pytest.skip(f"this machine has no {host}")
    expected = server.url.removeprefix("http://").removesuffix("/mcp")
    assert {each.headers["host"] for each in server.asked} == {expected}
    assert {each.headers["authorization"] for each in server.asked} == {"Basic bWU6d29yZA=="}


async def test_a_proxy_of_the_environment_is_used_unless_the_host_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    async with origin() as proxy, origin() as server:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/mcp"))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        async with Client(server.url) as client:
            await client.list_tools()
        assert [each.path for each in proxy.asked] == [server.url, server.url]
        assert server.asked == []
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        async with Client(server.url) as client:
            await client.list_tools()
        assert len(server.asked) == len(proxy.asked) == 2


async def test_a_proxy_that_is_none_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "gopher://nowhere")
    with pytest.raises(ConnectFailed, match=r"the proxy that the environment names cannot be used: .*gopher") as caught:
        await Client("http://127.0.0.1:1/mcp").connect()
    assert "\n" not in str(caught.value)


async def test_a_connection_that_nobody_used_for_long_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain, "IDLE_SECONDS", 0.0)
    async with origin() as server, Client(server.url) as client:
        for _ in range(2):
            await client.call_tool("forecast")
    assert server.connections == 3


@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
async def test_everything_goes_over_one_connection_which_ends_with_the_client(revision: str) -> None:
    gone = anyio.Event()

    async def play(asked: Asked) -> None:
        await usual(asked)
        if asked.method == "tools/call" and asked.params["name"] == "last":
            await asked.gone()
            gone.set()

    async with origin(play) as server:
        async with Client(server.url, revision=revision, roots=[]) as client:
            for _ in range(5):
                await client.call_tool("forecast")
                client.set_roots([])
            assert server.connections <= 3, "one each for the server's own words, what is asked, and what is told"
            await client.call_tool("last")
        with anyio.fail_after(5):
            await gone.wait()


async def test_a_proxy_that_the_environment_names_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with origin() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/mcp"))
        monkeypatch.setenv("no_proxy", "")
        async with Client("http://server.test/mcp") as client:
            await client.call_tool("forecast")
    assert {each.path for each in proxy.asked} == {"http://server.test/mcp"}
