"""What a client of the stateless era makes of the answers that it gets over HTTP, and of those that it does not get."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest
from pydantic_core import to_json

from mcport import (
    Client,
    ConnectFailed,
    ConnectionLost,
    HttpRefused,
    InvalidAnswer,
    RemoteError,
    Timeout,
)
from mcport.core.limits import CLIENT_LIMITS

from .origin import Asked, origin, usual

pytestmark = pytest.mark.anyio


def progress(token: Any, value: int) -> dict[str, Any]:
    params = {"progressToken": token, "progress": value}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": params}


@pytest.mark.requirement("http.response.client-supports-both", revisions=["2026-07-28"])
@pytest.mark.requirement("http.sse.comments-ignored", revisions=["2026-07-28"])
@pytest.mark.requirement("http.post.no-client-responses", revisions=["2026-07-28"])
@pytest.mark.parametrize("way", ["plain", "auth", "client"])
async def test_a_stream_brings_progress_and_logs_and_ends_with_the_answer(way: str) -> None:
    async def play(asked: Asked) -> None:
        await asked.begin_events()
        await asked.raw(b": nothing yet\r\n\r\n")
        await asked.event({"jsonrpc": "2.0", "id": 7, "method": "sampling/createMessage", "params": {}})
        for value in (1, 2):
            await asked.event(progress(asked.params["_meta"]["progressToken"], value))
        params = {"level": "info", "data": "half way"}
        await asked.event({"jsonrpc": "2.0", "method": "notifications/message", "params": params})
        await asked.last_event(content=[])
        await asked.gone()

    seen: list[float] = []
    logged: list[Any] = []

    async def report(value: float, total: float | None, message: str | None) -> None:
        seen.append(value)

    async with httpx.AsyncClient() as mine, origin(play) as server:
        options: dict[str, Any] = {"auth": {"auth": httpx.BasicAuth("a", "b")}, "client": {"http_client": mine}}
        client = Client(server.url, log=lambda message: logged.append(message.data), **options.get(way, {}))
        await client.connect()
        await client.call_tool("slow", progress=report)
        server.play = usual
        await client.list_tools()
        await client.aclose()
    assert seen == [1, 2]
    assert logged == ["half way"]
    assert [each.method for each in server.asked] == ["server/discover", "tools/call", "tools/list"]


async def test_events_are_read_however_they_are_cut() -> None:
    async def play(asked: Asked) -> None:
        await asked.begin_events()
        result = {"content": [{"type": "text", "text": "ü"}]}
        text = to_json({"jsonrpc": "2.0", "id": asked.message["id"], "result": result}).decode()
        for byte in f"event: message\r\nid: 1\r\ndata: {text}\r\n\r\n".encode():
            await asked.raw(bytes([byte]))
            await anyio.lowlevel.checkpoint()
        await asked.hang_up()

    async with origin(play) as server, Client(server.url) as client:
        result = await client.request("tools/call", {"name": "t"})
    assert result["content"][0]["text"] == "ü"


async def test_calls_side_by_side_get_each_its_own_answer() -> None:
    both = anyio.Event()

    async def play(asked: Asked) -> None:
        if len(server.of("tools/call")) == 2:
            both.set()
        await both.wait()
        await asked.result(content=[{"type": "text", "text": asked.params["name"]}])

    found: dict[str, Any] = {}

    async def call(name: str) -> None:
        found[name] = (await client.request("tools/call", {"name": name}))["content"][0]["text"]

    async with origin(play) as server, Client(server.url) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(call, "a")
        tasks.start_soon(call, "b")
    assert found == {"a": "a", "b": "b"}


@pytest.mark.requirement("cancel.client-notifies", revisions=["2026-07-28"])
@pytest.mark.parametrize("how", ["cancelled", "overdue"])
async def test_giving_a_call_up_closes_its_answer(how: str) -> None:
    begun, closed = anyio.Event(), anyio.Event()

    async def play(asked: Asked) -> None:
        await asked.begin_events()
        await asked.event(progress(asked.params["_meta"].get("progressToken"), 1))
        begun.set()
        await asked.gone()
        closed.set()

    with anyio.fail_after(10):
        async with origin(play) as server, Client(server.url) as client:
            if how == "overdue":
                with pytest.raises(Timeout, match=r"tools/call wait on server 'http://.*': no answer within 0.2 s"):
                    await client.call_tool("wait", timeout=0.2)
            else:
                call = client.start_tool("wait")
                await begun.wait()
                call.cancel()
            await closed.wait()
            server.play = usual
            await client.list_tools()
    assert "notifications/cancelled" not in [each.method for each in server.asked]


Play = Callable[[Asked], Awaitable[None]]


def answers(status: int, body: bytes = b"", **headers: str) -> Play:
    async def play(asked: Asked) -> None:
        await asked.status(status, body, **headers)

    return play


PAGE = b"<html>Bad gateway</html>"
NO_ENDPOINT = "no MCP endpoint there (the default path is /mcp)"


@pytest.mark.parametrize(
    ("play", "line"),
    [
        (answers(401), "answered 401: it wants to be told who asks (auth= or headers=)"),
        (answers(403, PAGE, content_type="text/html"), "answered 403: it does not let this client in"),
        (answers(404, PAGE, content_type="text/html"), f"answered 404: {NO_ENDPOINT}"),
        (answers(405), f"answered 405: {NO_ENDPOINT}"),
        (answers(429, retry_after="7"), "answered 429: too many requests; to be tried again in 7 s"),
        (answers(502, PAGE, content_type="text/html"), "answered 502: Bad Gateway"),
        (answers(503), "answered 503: it is not available now"),
        (answers(302, location="https://elsewhere.example/mcp"), "answered 302: it sends requests elsewhere"),
        (answers(307, location="https://elsewhere.example/mcp"), "answered 307: it sends requests elsewhere"),
    ],
)
async def test_a_status_that_is_no_success_is_one_plain_line(play: Play, line: str) -> None:
    async with origin() as server, Client(server.url) as client:
        server.play = play
        with pytest.raises(HttpRefused) as caught:
            await client.call_tool("forecast")
        assert str(caught.value).startswith(f"tools/call forecast on server '{server.url}': {line}")
        assert str(caught.value.status) in line
        assert len(server.of("tools/call")) == 1
        server.play, server.plays_opening = play, True
        with pytest.raises(ConnectFailed) as failed:
            await Client(server.url).connect()
        assert str(failed.value).startswith(f"{server.url} {line}")


@pytest.mark.parametrize(
    ("play", "line"),
    [
        (answers(200, PAGE, content_type="text/html"), "answered with text/html, which is no MCP answer"),
        (answers(200, b"", content_type="application/json"), "answered with nothing"),
        (answers(202), "answered 202, which is no answer to a request"),
        (answers(200, b"{", content_type="application/json"), "Parse error"),
        (
            answers(200, b"{}", content_type="application/json", content_encoding="gzip"),
            "answered with gzip compression",
        ),
        (
            answers(200, b'{"jsonrpc":"2.0","id":99,"result":{}}', content_type="application/json"),
            "answered with something that is not the answer to this request",
        ),
    ],
)
async def test_an_answer_that_is_none_is_one_plain_line(play: Play, line: str) -> None:
    async with origin() as server, Client(server.url) as client:
        server.play = play
        with pytest.raises(InvalidAnswer) as caught:
            await client.call_tool("forecast")
        assert str(caught.value).startswith(f"tools/call forecast on server '{server.url}': {line}")


@pytest.mark.parametrize("status", [200, 400, 404])
async def test_an_error_of_the_protocol_is_one_whatever_its_status_and_id(status: int) -> None:
    async def play(asked: Asked) -> None:
        await asked.error(-32601, "no such method", status, id=None if status == 400 else "x")

    async with origin() as server, Client(server.url) as client:
        server.play = play
        with pytest.raises(RemoteError) as caught:
            await client.request("tools/call", {"name": "x"})
    assert (caught.value.code, caught.value.message) == (-32601, "no such method")


@pytest.mark.parametrize("kind", ["json", "event", "endless line"])
async def test_an_answer_over_the_limit_is_given_up(kind: str) -> None:
    async def play(asked: Asked) -> None:
        if kind == "json":
            await asked.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        else:
            await asked.begin_events()
            await asked.raw(b'data: {"jsonrpc":"2.0","id":%d,"result":{"x":"' % asked.message["id"])
        try:
            for _ in range(64):
                await asked.raw(b"x" * 65536)
            if kind == "event":
                await asked.raw(b'"}}\n\n')
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            return
        await asked.hang_up()

    async with origin(play) as server, Client(server.url, limits=CLIENT_LIMITS.but(message_bytes=100_000)) as client:
        with pytest.raises((InvalidAnswer, ConnectionLost)) as caught:
            await client.call_tool("big")
    said = "connection lost" if kind == "endless line" else "limit of 100000 bytes (Limits.message_bytes)"
    assert said in str(caught.value)


@pytest.mark.requirement("http.sse.broken-stream-new-request", revisions=["2026-07-28"])
@pytest.mark.parametrize("when", ["before the head", "in the head", "in the body", "in an event", "after an event"])
async def test_a_server_that_dies_fails_the_pending_call_and_the_next_one_reaches_it_anew(when: str) -> None:
    async def play(asked: Asked) -> None:
        if when == "in the head":
            await asked.raw(b"HTTP/1.1 20")
        elif when == "in the body":
            await asked.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{")
        elif when == "in an event":
            await asked.begin_events()
            await asked.raw(b'data: {"json')
        elif when == "after an event":
            await asked.begin_events()
            await asked.raw(b"id: 5\nretry: 0\ndata:\n\n")
        await asked.hang_up()

    async with origin(play) as server, Client(server.url) as client:
        with pytest.raises(ConnectionLost, match=f"tools/call a on server '{server.url}': connection lost, it "):
            await client.call_tool("a")
        assert client.connected
        server.play = usual
        await client.call_tool("a")
    lost, repeated = server.of("tools/call")
    assert [each.params["name"] for each in (lost, repeated)] == ["a", "a"]
    assert lost.message["id"] != repeated.message["id"]
    assert not any("last-event-id" in each.headers for each in server.asked)


async def test_a_url_where_nothing_answers_is_named_with_the_reason() -> None:
    async with origin() as server:
        pass
    with pytest.raises(ConnectFailed) as caught:
        await Client(server.url + "?key=secret").connect()
    assert str(caught.value) == f"Cannot reach {server.url}: connection refused. Is the server running?"


async def test_a_server_that_never_answers_ends_the_opening_in_time() -> None:
    async with origin(lambda asked: asked.gone(), plays_opening=True) as server:
        with pytest.raises(Timeout) as caught:
            await Client(server.url, connect_timeout=0.2).connect()
    assert str(caught.value) == f"Cannot connect to server '{server.url}': no answer to server/discover within 0.2 s"


async def test_closing_fails_what_is_pending() -> None:
    begun = anyio.Event()

    async def play(asked: Asked) -> None:
        begun.set()
        await asked.gone()

    async with origin(play) as server:
        client = Client(server.url)
        await client.connect()
        call = client.start_tool("wait")
        await begun.wait()
        await client.aclose()
        with pytest.raises(ConnectionLost, match="closed here"):
            await call


async def test_an_event_of_another_kind_and_one_without_data_are_passed_over() -> None:
    async def play(asked: Asked) -> None:
        await asked.begin_events()
        other = {"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": [], "resultType": "complete"}}
        await asked.raw(b"event: other\ndata: " + to_json(other) + b"\n\nid: 1\n\ndata:\n\n")
        await asked.last_event(content=[{"type": "text", "text": "this one"}])
        await asked.hang_up()

    async with origin(play) as server, Client(server.url) as client:
        assert (await client.call_tool("forecast")).text() == "this one"
