"""HTTP+SSE, the pair of endpoints of 2024-11-05, as a client finds it and speaks over it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from mcport import Client
from mcport.core.jsonrpc import parse_json
from mcport.core.sse import encode_event
from mcport.errors import ConnectFailed, ConnectionLost, RemoteError
from mcport.transports.http.client import eras, sse

from .scripted import Message, Stream, piece, result, text

pytestmark = pytest.mark.anyio

URL = "http://older.test/sse"


@pytest.fixture(autouse=True)
def nothing_is_known_of_the_server() -> None:
    eras.forget(URL)


class PairServer(httpx.AsyncBaseTransport):
    """A server that speaks HTTP+SSE: POSTs to its stream get `status`, and `endpoint` is where it wants them."""

    def __init__(self, endpoint: str = "/messages?session_id=1", status: int = 405) -> None:
        self.stream = Stream()
        self.endpoint = endpoint
        self.status = status
        self.posted: list[httpx.Request] = []
        self.refused: list[Any] = []
        self.refusal = b""
        self.on: dict[str, Callable[[Message], Any]] = {"tools/call": lambda message: text(message, "fine")}
        self.accepted = 202
        self.client = httpx.AsyncClient(transport=self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            self.stream.put(encode_event(self.endpoint.encode(), event="endpoint"))
            return self.stream.response
        if request.url.path == "/sse":
            self.refused.append(parse_json(request.content)["method"])
            return httpx.Response(self.status, content=self.refusal)
        self.posted.append(request)
        message = parse_json(request.content)
        if message.get("method") == "initialize":
            info = {"name": "older", "version": "1"}
            self.stream.say(result(message, protocolVersion="2024-11-05", capabilities={"tools": {}}, serverInfo=info))
        elif message.get("method", "") in self.on:
            answer = self.on[message.get("method", "")](message)
            if answer is not None:
                self.stream.say(answer)
        return httpx.Response(self.accepted)

    def connect(self, **options: Any) -> Client:
        return Client(URL, http_client=self.client, **options)


@pytest.mark.requirement("http-sse.client-posts-there", revisions=["2024-11-05"])
@pytest.mark.requirement("http-sse.client-fallback")
@pytest.mark.parametrize("status", [400, 404, 405])
@pytest.mark.parametrize("body", [b"", b"no", b'{"detail":"no"}'])
async def test_a_client_that_is_turned_away_looks_for_a_stream_that_tells_where_to_post(
    status: int, body: bytes
) -> None:
    server = PairServer(status=status)
    server.refusal = body
    async with server.connect() as client:
        assert client.revision == "2024-11-05"
        assert (await client.call_tool("a")).text() == "fine"
    assert server.refused == ["server/discover", "initialize"]
    methods = [parse_json(each.content)["method"] for each in server.posted]
    assert methods == ["initialize", "notifications/initialized", "tools/call"]
    assert {str(each.url) for each in server.posted} == {"http://older.test/messages?session_id=1"}
    assert {each.headers["content-type"] for each in server.posted} == {"application/json"}
    assert server.stream.closed.is_set()


@pytest.mark.requirement("http-sse.client-fallback", revisions=["2026-07-28"])
@pytest.mark.parametrize("code", [-32020, -32021])
async def test_a_server_of_the_newer_era_is_not_asked_for_such_a_stream(code: int) -> None:
    said = {"jsonrpc": "2.0", "id": 1, "error": {"code": code, "message": "no"}}
    asked: list[str] = []

    async def play(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        return piece(said, 400)

    client = Client(URL, http_client=httpx.AsyncClient(transport=httpx.MockTransport(play)))
    with pytest.raises(ConnectFailed, match=str(code)):
        await client.connect()
    assert asked == ["POST"]


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("messages?s=1", "http://older.test/messages?s=1"),
        ("/deep/messages", "http://older.test/deep/messages"),
        ("http://older.test/elsewhere", "http://older.test/elsewhere"),
        ("http://older.test:80/elsewhere", "http://older.test/elsewhere"),
    ],
)
@pytest.mark.requirement("http-sse.client-posts-there", revisions=["2024-11-05"])
async def test_where_to_post_may_be_told_in_any_way_within_the_origin(endpoint: str, url: str) -> None:
    server = PairServer(endpoint)
    async with server.connect() as client:
        assert (await client.call_tool("a")).text() == "fine"
    assert {str(each.url) for each in server.posted} == {url}


@pytest.mark.parametrize(
    "endpoint", ["http://evil.test/messages", "https://older.test/m", "http://older.test:81/m", "//evil.test/m", ""]
)
async def test_nothing_is_posted_to_another_origin(endpoint: str) -> None:
    server = PairServer(endpoint)
    with pytest.raises(ConnectFailed, match="answered 405"):
        await server.connect().connect()
    assert not server.posted
    assert server.stream.closed.is_set()


async def test_a_stream_that_tells_something_else_first_is_no_such_server() -> None:
    server = PairServer()
    server.stream.say({"jsonrpc": "2.0", "method": "notifications/x"})
    with pytest.raises(ConnectFailed, match="answered 405"):
        await server.connect().connect()
    assert server.stream.closed.is_set()


async def test_a_stream_that_tells_nothing_is_not_waited_for_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "ENDPOINT_SECONDS", 0.01)
    server = PairServer()
    server.endpoint = "x" * 2_000_000  # too long to be told, so that nothing ever is
    server.stream.put = lambda item: server.stream  # type: ignore[method-assign]
    with pytest.raises(ConnectFailed, match="answered 405"):
        await server.connect().connect()
    assert server.stream.closed.is_set()


async def test_questions_of_the_server_are_answered_by_post() -> None:
    server = PairServer()
    question = {"jsonrpc": "2.0", "id": "q", "method": "roots/list"}
    waiting: list[Message] = []

    def call(message: Message) -> Message:
        waiting.append(message)
        return question

    def answered(message: Message) -> Message:
        return text(waiting[0], message["result"]["roots"][0]["uri"])

    server.on = {"tools/call": call, "": answered}
    async with server.connect(roots=["file:///work"]) as client:
        assert (await client.call_tool("a")).text() == "file:///work"


@pytest.mark.parametrize("break_off", [Stream.cut, Stream.end])
async def test_p3_when_the_stream_ends_the_pending_calls_are_lost(break_off: Callable[[Stream], object]) -> None:
    server = PairServer()
    server.on["tools/call"] = lambda message: break_off(server.stream) and None
    async with server.connect() as client:
        with pytest.raises(ConnectionLost):
            await client.call_tool("a")
        assert not client.connected


async def test_p3_a_server_that_takes_no_more_messages_ends_the_connection() -> None:
    server = PairServer()
    async with server.connect() as client:
        server.accepted = 404
        server.on.clear()
        with pytest.raises(ConnectionLost, match="404"):
            await client.call_tool("a")


@pytest.mark.parametrize("status", [400, 413, 429, 503])
async def test_a_message_that_a_server_refuses_fails_its_own_call_and_no_other(status: int) -> None:
    server, begun = PairServer(), anyio.Event()
    waiting: list[Message] = []

    def keep(message: Message) -> None:
        waiting.append(message)
        begun.set()

    async with server.connect() as client:
        server.on["tools/call"] = keep
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "slow")
            await begun.wait()
            server.accepted, server.on["tools/call"] = status, lambda message: None
            with anyio.fail_after(5), pytest.raises(RemoteError, match=f"answered {status}") as refused:
                await client.call_tool("a")
            assert refused.value.code == -32603
            server.accepted = 202
            server.stream.say(text(waiting[0], "late"))
        server.on["tools/call"] = lambda message: text(message, "fine")
        assert (await client.call_tool("a")).text() == "fine"


async def test_a_notification_that_a_server_refuses_is_nothing_to_anybody() -> None:
    server = PairServer()
    async with server.connect() as client:
        server.accepted = 503
        client.notify("com.example/x")
        with anyio.fail_after(5):
            while parse_json(server.posted[-1].content)["method"] != "com.example/x":
                await anyio.lowlevel.checkpoint()
        server.accepted = 202
        assert (await client.call_tool("a")).text() == "fine"


async def test_a_server_that_speaks_neither_is_named_by_its_first_answer() -> None:
    async def nothing(request: httpx.Request) -> httpx.Response:
        return httpx.Response(404) if request.method == "GET" else piece({}, 404)

    client = Client("http://none.test/wrong", http_client=httpx.AsyncClient(transport=httpx.MockTransport(nothing)))
    with pytest.raises(ConnectFailed, match="no MCP endpoint there"):
        with anyio.fail_after(5):
            await client.connect()
