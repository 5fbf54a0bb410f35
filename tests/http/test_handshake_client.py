"""A client of the handshake era over HTTP: what it sends, and how it takes what comes on any stream."""

from __future__ import annotations

import logging

import anyio
import httpx
import pytest

from mcport import ToolsChanged
from mcport.core.jsonrpc import parse_json
from mcport.errors import ConnectionLost, HttpRefused, InvalidAnswer, RemoteError, Timeout

from .scripted import URL, Message, OldServer, Stream, piece, result, text

pytestmark = pytest.mark.anyio

HTTP = ["2025-03-26", "2025-06-18", "2025-11-25"]
LATER = ["2025-06-18", "2025-11-25"]


def echoing(server: OldServer) -> OldServer:
    async def call(message: Message) -> httpx.Response:
        return piece(text(message, message["params"]["name"]))

    server.on["tools/call"] = call
    return server


@pytest.fixture
def revision() -> str:
    return HTTP[-1]


@pytest.fixture
def server(revision: str) -> OldServer:
    return echoing(OldServer(revision))


# ---- what is sent


@pytest.mark.parametrize("revision", HTTP)
@pytest.mark.requirement("http.post.new-request-per-message", revisions=HTTP)
@pytest.mark.requirement("http.post.accept-header", revisions=HTTP)
@pytest.mark.requirement("http.post.body-single-message", revisions=HTTP)
@pytest.mark.requirement("http.get.accept-header", revisions=HTTP)
async def test_each_message_is_a_post_that_takes_json_and_streams(revision: str) -> None:
    server = echoing(OldServer(revision))
    async with server.connect() as client:
        await client.call_tool("a")
        await client.call_tool("b")
        await server.until(lambda: server.of("GET"))
    posts = [each for each in server.requests if each.method == "POST"]
    methods = [parse_json(each.content)["method"] for each in posts]
    assert methods == ["initialize", "notifications/initialized", "tools/call", "tools/call"]
    assert {each.headers["accept"] for each in posts} == {"application/json, text/event-stream"}
    assert {each.headers["content-type"] for each in posts} == {"application/json"}
    assert [each.headers["accept"] for each in server.of("GET")] == ["text/event-stream"]
    assert {str(each.url) for each in server.requests} == {URL}


@pytest.mark.requirement("http.session.client-echoes", revisions=HTTP)
@pytest.mark.requirement("http.session.client-delete", revisions=HTTP)
@pytest.mark.requirement("http.version-header.client-sends", revisions=LATER)
@pytest.mark.requirement("http.version-header.negotiated", revisions=LATER)
@pytest.mark.parametrize("revision", HTTP)
async def test_every_request_after_the_first_names_session_and_revision_up_to_the_last(revision: str) -> None:
    server = echoing(OldServer(revision))
    async with server.connect() as client:
        await client.call_tool("a")
        await server.until(lambda: server.of("GET"))
    first, *later = server.requests
    assert "mcp-session-id" not in first.headers
    assert "mcp-protocol-version" not in first.headers
    assert {each.headers["mcp-session-id"] for each in later} == {"one"}
    assert {each.headers["mcp-protocol-version"] for each in later} == {revision}
    assert server.requests[-1].method == "DELETE"


async def test_a_server_without_sessions_is_sent_none_and_nothing_is_deleted() -> None:
    server = echoing(OldServer(sessions=[]))
    async with server.connect() as client:
        assert (await client.call_tool("a")).text() == "a"
    assert not any("mcp-session-id" in each.headers for each in server.requests)
    assert not server.of("DELETE")


@pytest.mark.requirement("http.session.delete-405", revisions=HTTP)
@pytest.mark.parametrize("revision", HTTP)
@pytest.mark.parametrize("status", [200, 405, 500])
async def test_closing_is_fine_whatever_the_server_says_to_it(server: OldServer, status: int) -> None:
    server.deleted = status
    async with server.connect() as client:
        await client.call_tool("a")
    assert len(server.of("DELETE")) == 1


async def test_nothing_is_said_in_a_session_before_the_server_knows_that_it_is_open(server: OldServer) -> None:
    release = anyio.Event()

    async def initialized(message: Message) -> httpx.Response:
        await release.wait()
        return httpx.Response(202)

    server.on["notifications/initialized"] = initialized
    async with server.connect() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.call_tool, "a")
        await server.until(lambda: server.sent("notifications/initialized"))
        await anyio.wait_all_tasks_blocked()
        assert not server.sent("tools/call")
        release.set()
    assert len(server.sent("tools/call")) == 1


@pytest.mark.requirement("http.session.client-secure-handling", revisions=["2025-11-25"])
async def test_a_session_id_is_in_no_log_and_follows_no_redirect_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mcport")
    server = OldServer(sessions=["secret-session"])

    async def elsewhere(message: Message) -> httpx.Response:
        return httpx.Response(307, headers={"location": "http://evil.test/mcp"})

    server.on["tools/call"] = elsewhere
    async with server.connect() as client:
        with pytest.raises(HttpRefused, match="307"):
            await client.call_tool("a")
    assert {each.url.host for each in server.requests} == {"old.test"}
    assert "secret-session" not in caplog.text


# ---- what comes back


@pytest.mark.requirement("http.response.client-supports-both", revisions=HTTP)
@pytest.mark.parametrize("revision", HTTP)
@pytest.mark.parametrize("streams", [False, True])
async def test_answers_may_be_one_piece_or_a_stream(server: OldServer, streams: bool) -> None:
    async def call(message: Message) -> httpx.Response:
        return Stream().say(text(message, "x")).end() if streams else piece(text(message, "x"))

    server.on["tools/call"] = call
    async with server.connect() as client:
        assert (await client.call_tool("a")).text() == "x"


async def test_an_event_without_data_is_no_message(server: OldServer) -> None:
    async def call(message: Message) -> httpx.Response:
        return Stream().say(None, "1").say(text(message, "x"), "2").end()

    server.on["tools/call"] = call
    async with server.connect() as client:
        assert (await client.call_tool("a")).text() == "x"


async def test_progress_and_questions_come_on_the_stream_of_a_call_and_are_answered_beside_it(
    server: OldServer,
) -> None:
    stream = Stream()

    async def call(message: Message) -> httpx.Response:
        token = message["params"]["_meta"]["progressToken"]
        progress = {"progressToken": token, "progress": 1}
        stream.say({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress})
        question = {"message": "Who?", "requestedSchema": {"type": "object", "properties": {}}}
        for id in ("q1", "q2"):
            stream.say({"jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": question})

        async def answered(answer: Message) -> httpx.Response:
            server.heard.append(answer)
            if len(server.heard) == 2:
                stream.say(text(message, "both"))
                stream.end()
            return httpx.Response(202)

        server.on[""] = answered
        server.heard.clear()
        return stream.response

    both, asked = anyio.Event(), 0

    async def elicit(question: object) -> dict[str, object]:
        nonlocal asked
        asked += 1
        if asked == 2:
            both.set()
        await both.wait()
        return {}

    server.on["tools/call"] = call
    reported: list[float] = []
    async with server.connect(elicit=elicit) as client:
        done = await client.call_tool("a", progress=lambda progress, *_: reported.append(progress))
    assert done.text() == "both"
    assert reported == [1]
    assert sorted(each["id"] for each in server.heard) == ["q1", "q2"]


@pytest.mark.requirement("http.streams.multiple", revisions=HTTP)
@pytest.mark.parametrize("revision", HTTP)
async def test_several_streams_at_once_lose_and_double_nothing(server: OldServer) -> None:
    streams: dict[str, tuple[Stream, Message]] = {}

    async def call(message: Message) -> httpx.Response:
        stream = Stream()
        streams[message["params"]["name"]] = (stream, message)
        return stream.response

    server.on["tools/call"] = call
    found: list[str] = []
    async with server.connect() as client, anyio.create_task_group() as tasks:

        async def ask(name: str) -> None:
            found.append((await client.call_tool(name)).text())

        for name in "abc":
            tasks.start_soon(ask, name)
        await server.until(lambda: len(streams) == 3)
        for name in "cab":
            stream, message = streams[name]
            stream.say(text(message, name)).end()
    assert sorted(found) == ["a", "b", "c"]


@pytest.mark.requirement("http.get.client-may-open", revisions=HTTP)
@pytest.mark.parametrize("revision", HTTP)
async def test_changes_come_on_the_stream_that_belongs_to_no_request(server: OldServer) -> None:
    stream = Stream()
    server.streams.append(stream.response)

    async def initialize(message: Message) -> httpx.Response:
        opened = {"protocolVersion": server.revision, "capabilities": {"tools": {"listChanged": True}}}
        return piece(result(message, **opened, serverInfo={"name": "old", "version": "1"}))

    server.on["initialize"] = initialize
    async with server.connect() as client, client.listen(tools=True) as changes:
        stream.say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        async for change in changes:
            assert isinstance(change, ToolsChanged)
            break


async def test_a_server_that_cannot_open_the_stream_now_is_not_asked_for_it_with_each_request(
    server: OldServer,
) -> None:
    server.streams = [httpx.Response(500), httpx.Response(503)]
    async with server.connect() as client:
        await server.until(lambda: server.of("GET"))
        for _ in range(3):
            await client.call_tool("a")
            await anyio.wait_all_tasks_blocked()
        assert len(server.of("GET")) == 1


async def test_a_server_that_has_no_such_stream_is_asked_for_it_once(server: OldServer) -> None:
    async with server.connect() as client:
        await server.until(lambda: server.of("GET"))
        for _ in range(3):
            await client.call_tool("a")
        assert len(server.of("GET")) == 1


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (httpx.Response(500), HttpRefused, "answered 500"),
        (httpx.Response(202), InvalidAnswer, "answered 202"),
        (httpx.Response(200, html="<p>"), InvalidAnswer, "text/html"),
        (httpx.Response(200, json={"jsonrpc": "2.0", "id": 99, "result": {}}), InvalidAnswer, "not the answer"),
        (
            httpx.Response(400, json={"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no"}}),
            RemoteError,
            "no",
        ),
    ],
)
async def test_an_answer_that_is_none_fails_its_own_call_and_no_other(
    server: OldServer, answer: httpx.Response, error: type[Exception], words: str
) -> None:
    async def call(message: Message) -> httpx.Response:
        return answer if message["params"]["name"] == "bad" else piece(text(message, "fine"))

    server.on["tools/call"] = call
    async with server.connect() as client:
        with pytest.raises(error, match=words):
            await client.call_tool("bad")
        assert (await client.call_tool("good")).text() == "fine"


async def test_p3_a_server_that_cannot_be_reached_fails_the_call_and_the_next_one_reaches_it_again(
    server: OldServer,
) -> None:
    working = server.on["tools/call"]

    async def call(message: Message) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    server.on["tools/call"] = call
    async with server.connect() as client:
        with pytest.raises(ConnectionLost, match="refused"):
            await client.call_tool("a")
        server.on["tools/call"] = working
        assert (await client.call_tool("a")).text() == "a"


# ---- withdrawing


@pytest.mark.requirement("http.cancel.explicit-notification", revisions=HTTP)
@pytest.mark.parametrize("revision", HTTP)
async def test_a_caller_that_is_cancelled_tells_the_server_so_and_does_not_just_leave(server: OldServer) -> None:
    stream = Stream()

    async def call(message: Message) -> httpx.Response:
        return stream.response

    server.on["tools/call"] = call
    async with server.connect() as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.call_tool, "a")
        await server.until(lambda: server.sent("tools/call"))
        tasks.cancel_scope.cancel()
    (asked,) = server.sent("tools/call")
    (told,) = server.sent("notifications/cancelled")
    assert parse_json(told.content)["params"]["requestId"] == parse_json(asked.content)["id"]
    assert told.headers["mcp-session-id"] == "one"
    await stream.closed.wait()


async def test_a_call_whose_time_is_up_is_withdrawn(server: OldServer) -> None:
    async def call(message: Message) -> httpx.Response:
        return Stream().response

    server.on["tools/call"] = call
    async with server.connect() as client:
        with pytest.raises(Timeout):
            await client.call_tool("a", timeout=0.01)
        await server.until(lambda: server.sent("notifications/cancelled"))


async def test_closing_fails_what_is_pending_and_withdraws_it_before_the_session_ends(server: OldServer) -> None:
    async def call(message: Message) -> httpx.Response:
        return Stream().response

    server.on["tools/call"] = call
    client = server.connect()
    await client.connect()
    async with anyio.create_task_group() as tasks:

        async def ask() -> None:
            with pytest.raises(ConnectionLost):
                await client.call_tool("a")

        tasks.start_soon(ask)
        await server.until(lambda: server.sent("tools/call"))
        await client.aclose()
    assert len(server.sent("notifications/cancelled")) == 1
    assert server.requests[-1].method == "DELETE"
