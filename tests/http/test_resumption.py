"""Streams of a session that break off, and sessions that a server has forgotten: what a client does to go on."""

from __future__ import annotations

import anyio
import httpx
import pytest

from mcport import Client, ResourceUpdated, ToolsChanged
from mcport.core.jsonrpc import parse_json
from mcport.errors import ConnectionLost
from mcport.transports.http.client.pace import Pace

from .scripted import Message, OldServer, Stream, piece, result, text, waits

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("waits")]
__all__ = ["waits"]

HTTP = ["2025-03-26", "2025-06-18", "2025-11-25"]
LATEST = ["2025-11-25"]


class Calls:
    """The calls of tools that a server was asked for, each answered with the next of `answers`."""

    def __init__(self, server: OldServer, *answers: httpx.Response | Stream | Exception) -> None:
        self.messages: list[Message] = []
        self._answers = list(answers)
        server.on["tools/call"] = self._answer

    async def _answer(self, message: Message) -> httpx.Response:
        self.messages.append(message)
        answer = self._answers.pop(0) if self._answers else piece(text(message, "fine"))
        if isinstance(answer, Exception):
            raise answer
        return answer.response if isinstance(answer, Stream) else answer


@pytest.fixture
def revision() -> str:
    return HTTP[-1]


@pytest.fixture
def server(revision: str) -> OldServer:
    return OldServer(revision)


def answering(id: int, said: str) -> Stream:
    """A stream that ends with the answer to a request."""
    stream = Stream().say(text({"id": id}, said), "9")
    stream.end()
    return stream


async def called(client: Client) -> str:
    return (await client.call_tool("a", timeout=5)).text()


CALL = 1
"""The id of the first request after `initialize`."""


# ---- streams


@pytest.mark.requirement("http.resume.client-last-event-id", revisions=HTTP)
@pytest.mark.requirement("http.resume.event-ids", revisions=HTTP)
@pytest.mark.parametrize("revision", HTTP)
@pytest.mark.parametrize("break_off", [Stream.cut, Stream.end])
async def test_p11_a_call_goes_on_after_the_last_event_that_came(server: OldServer, break_off: object) -> None:
    stream = Stream().say(None, "1").say({"jsonrpc": "2.0", "method": "notifications/x"}, "2")
    break_off(stream)  # type: ignore[operator]
    calls = Calls(server, stream)
    server.resumed = [answering(CALL, "found").response]
    async with server.connect() as client:
        assert await called(client) == "found"
    assert len(calls.messages) == 1
    (get,) = [each for each in server.of("GET") if "last-event-id" in each.headers]
    assert get.headers["last-event-id"] == "2"
    assert get.headers["mcp-session-id"] == "one"
    assert get.headers["accept"] == "text/event-stream"


@pytest.mark.requirement("http.sse.client-polls", revisions=LATEST)
@pytest.mark.requirement("http.sse.retry-field-respected", revisions=LATEST)
async def test_a_server_that_lets_go_is_asked_again_when_it_has_said(
    server: OldServer, waits: list[tuple[int, float | None]]
) -> None:
    first = Stream().say(None, "1", retry=0.7)
    first.end()
    Calls(server, first)
    quiet = [Stream().end() for _ in range(7)]
    server.resumed = [*quiet, answering(CALL, "at last").response]
    async with server.connect() as client:
        assert await called(client) == "at last"
    assert waits == [(0, 0.7)] * 8


@pytest.mark.requirement("http.sse.retry-field-respected", revisions=LATEST)
def test_no_wait_is_shorter_than_the_server_wishes_and_each_failure_makes_it_longer() -> None:
    pace = Pace(chance=lambda: 0.0)
    jittery = Pace(chance=lambda: 1.0)
    # The fixture of this file stands in for `before`; here it is the real one that counts.
    before = REAL_BEFORE
    assert before(pace, 0, 0.7) == 0.7
    assert before(pace, 0, None) == 1.0
    assert [before(pace, failures, None) for failures in range(1, 7)] == [1, 2, 4, 8, 16, 30]
    assert before(pace, 2, 20.0) == 20.0
    assert before(jittery, 0, 1.0) == pytest.approx(1.1)


REAL_BEFORE = Pace.before


async def test_p11_a_stream_that_cannot_be_gone_on_with_fails_its_call_after_so_many_tries(
    server: OldServer, waits: list[tuple[int, float | None]]
) -> None:
    stream = Stream().say(None, "1")
    stream.cut()
    Calls(server, stream)
    server.resumed = [httpx.ConnectError("refused"), httpx.Response(503), httpx.Response(429), httpx.Response(500)]
    server.resumed += [answering(CALL, "too late").response]
    async with server.connect() as client:
        with pytest.raises(ConnectionLost):
            await called(client)
        assert await called(client) == "fine"
    assert [failures for failures, _ in waits] == [1, 2, 3, 4]


async def test_what_a_server_does_not_continue_fails_at_once(server: OldServer) -> None:
    stream = Stream().say(None, "1")
    stream.cut()
    Calls(server, stream)
    server.resumed = [httpx.Response(400), answering(CALL, "never asked for").response]
    async with server.connect() as client:
        with pytest.raises(ConnectionLost, match="cannot be continued"):
            await called(client)
    assert len(server.resumed) == 1


async def test_p3_a_stream_without_event_ids_that_breaks_off_fails_its_own_call_and_no_other(server: OldServer) -> None:
    first, second = Stream(), Stream()
    calls = Calls(server, first, second)
    async with server.connect() as client, anyio.create_task_group() as tasks:
        lost = anyio.Event()

        async def fails() -> None:
            with pytest.raises(ConnectionLost):
                await called(client)
            lost.set()

        async def succeeds() -> None:
            assert await called(client) == "still here"

        tasks.start_soon(fails)
        await server.until(lambda: len(calls.messages) == 1)
        tasks.start_soon(succeeds)
        await server.until(lambda: len(calls.messages) == 2)
        first.cut()
        await lost.wait()
        second.say(text(calls.messages[1], "still here")).end()
    assert len(server.of("GET")) == 1


async def test_the_stream_that_stands_goes_on_where_it_broke_off(server: OldServer) -> None:
    first = Stream().say({"jsonrpc": "2.0", "method": "notifications/x"}, "7")
    server.streams = [first.cut()]
    server.resumed = [Stream().response]
    async with server.connect():
        await server.until(lambda: len(server.of("GET")) == 2)
    assert [each.headers.get("last-event-id") for each in server.of("GET")] == [None, "7"]


async def test_the_stream_that_stands_begins_anew_where_the_server_does_not_know_the_place(server: OldServer) -> None:
    first = Stream().say({"jsonrpc": "2.0", "method": "notifications/x"}, "7")
    server.streams = [first.cut(), Stream().response]
    server.resumed = [httpx.Response(400)]
    async with server.connect():
        await server.until(lambda: len(server.of("GET")) == 3)
    assert [each.headers.get("last-event-id") for each in server.of("GET")] == [None, "7", None]


async def test_the_stream_that_stands_is_given_up_after_so_many_tries_and_opened_again_with_the_next_request(
    server: OldServer,
) -> None:
    Calls(server)
    server.streams = [Stream().cut(), *[httpx.ConnectError("refused")] * 10]
    async with server.connect() as client:
        await server.until(lambda: len(server.of("GET")) == 5)
        await anyio.wait_all_tasks_blocked()
        assert len(server.of("GET")) == 5
        server.streams = [Stream().response]
        assert await called(client) == "fine"
        await server.until(lambda: len(server.of("GET")) == 6)


async def test_a_stream_that_says_something_each_time_before_it_ends_is_opened_again_without_end(
    server: OldServer, waits: list[tuple[int, float | None]]
) -> None:
    def news(number: int) -> httpx.Response:
        return Stream().say({"jsonrpc": "2.0", "method": "notifications/x", "params": {"number": number}}).end()

    server.streams = [*map(news, range(20)), Stream().response]
    async with server.connect():
        await server.until(lambda: len(server.of("GET")) == 21)
    assert {failures for failures, _ in waits} == {0}


# ---- sessions


@pytest.mark.requirement("http.session.client-404-reinitialize", revisions=HTTP)
@pytest.mark.parametrize("revision", HTTP)
async def test_p10_a_session_that_the_server_has_forgotten_is_begun_anew_and_the_call_made_in_it(revision: str) -> None:
    server = OldServer(revision)
    calls = Calls(server)
    async with server.connect() as client:
        assert await called(client) == "fine"
        server.gone.add("one")
        assert await called(client) == "fine"
    assert len(calls.messages) == 2
    first, again = server.sent("initialize")
    assert "mcp-session-id" not in again.headers
    assert parse_json(again.content)["params"] == parse_json(first.content)["params"]
    assert [each.headers["mcp-session-id"] for each in server.sent("notifications/initialized")] == ["one", "two"]
    assert [each.headers["mcp-session-id"] for each in server.sent("tools/call")] == ["one", "one", "two"]
    assert server.of("DELETE")[0].headers["mcp-session-id"] == "two"


async def test_p10_many_calls_that_meet_a_forgotten_session_begin_one_new_one(server: OldServer) -> None:
    calls = Calls(server)
    async with server.connect() as client:
        server.gone.add("one")
        async with anyio.create_task_group() as tasks:
            for _ in range(10):
                tasks.start_soon(called, client)
    assert len(calls.messages) == 10
    assert len(server.sent("initialize")) == 2


@pytest.mark.parametrize(
    ("method", "repeated"), [("tools/call", False), ("tools/list", True), ("resources/read", True)]
)
async def test_p10_what_may_have_been_carried_out_is_repeated_only_where_that_changes_nothing(
    server: OldServer, method: str, repeated: bool
) -> None:
    asked = 0

    async def answer(message: Message) -> httpx.Response:
        nonlocal asked
        asked += 1
        if asked > 1:
            return piece(result(message, tools=[], contents=[]))
        stream = Stream().say(None, "1")
        server.gone.add("one")
        return stream.cut()

    server.on[method] = answer
    async with server.connect() as client:
        if repeated:
            await client.request(method, {"uri": "a:b"} if method == "resources/read" else {})
        else:
            with pytest.raises(ConnectionLost, match="forgot the session"):
                await called(client)
    assert asked == (2 if repeated else 1)


async def test_a_new_session_that_is_forgotten_as_well_is_the_end_of_the_call(server: OldServer) -> None:
    Calls(server)
    async with server.connect() as client:
        server.gone |= {"one", "two"}
        with pytest.raises(ConnectionLost, match="as well"):
            await called(client)
        assert await called(client) == "fine"
    assert [each.headers["mcp-session-id"] for each in server.sent("tools/call")] == ["one", "two", "two", "three"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (httpx.Response(503), "cannot be opened: answered 503"),
        (httpx.ConnectError("refused"), "cannot be opened: refused"),
    ],
)
async def test_a_session_that_cannot_be_begun_anew_says_why(
    server: OldServer, answer: httpx.Response | Exception, words: str
) -> None:
    Calls(server)
    async with server.connect() as client:
        server.gone.add("one")

        async def initialize(message: Message) -> httpx.Response:
            if isinstance(answer, Exception):
                raise answer
            return answer

        server.on["initialize"] = initialize
        with pytest.raises(ConnectionLost, match=words):
            await called(client)
        del server.on["initialize"]
        assert await called(client) == "fine"


async def test_a_new_session_in_another_revision_is_none(server: OldServer) -> None:
    Calls(server)
    async with server.connect() as client:
        server.gone.add("one")
        server.revision = "2025-06-18"
        with pytest.raises(ConnectionLost, match="another revision"):
            await called(client)


async def test_a_caller_that_is_cancelled_does_not_stop_the_new_session_for_the_others(server: OldServer) -> None:
    calls = Calls(server)
    async with server.connect() as client, anyio.create_task_group() as tasks:
        server.gone.add("one")
        release, opened = anyio.Event(), dict(server.on)

        async def initialize(message: Message) -> httpx.Response:
            await release.wait()
            server.on = opened
            return await server._posted(message)

        server.on["initialize"] = initialize
        impatient = anyio.CancelScope()

        async def give_up() -> None:
            with impatient:
                await called(client)

        tasks.start_soon(give_up)
        await server.until(lambda: len(server.sent("initialize")) == 2)
        tasks.start_soon(called, client)
        await anyio.wait_all_tasks_blocked()
        impatient.cancel()
        await anyio.wait_all_tasks_blocked()
        release.set()
    assert len(calls.messages) == 1
    assert len(server.sent("initialize")) == 2


async def test_p10_a_new_session_is_told_again_what_the_old_one_was_told_and_listeners_miss_nothing(
    server: OldServer,
) -> None:
    Calls(server)
    capabilities = {"tools": {"listChanged": True}, "resources": {"subscribe": True}, "logging": {}}

    async def opened(message: Message) -> httpx.Response:
        return server.initialized(message, capabilities)

    async def fine(message: Message) -> httpx.Response:
        return piece(result(message))

    server.on |= {"initialize": opened, "logging/setLevel": fine, "resources/subscribe": fine}
    server.on["resources/unsubscribe"] = fine
    async with server.connect() as client:
        await client.set_log_level("warning")
        async with client.listen(tools=True, uris=["a:b"]) as changes:
            server.gone.add("one")
            assert await called(client) == "fine"
            with anyio.fail_after(5):
                assert [await anext(changes), await anext(changes)] == [ToolsChanged(), ResourceUpdated("a:b")]
            await server.until(lambda: len(server.sent("logging/setLevel")) == 2)
    for method in ("logging/setLevel", "resources/subscribe"):
        assert [each.headers["mcp-session-id"] for each in server.sent(method)] == ["one", "two"]


async def test_a_server_that_answers_404_where_it_has_no_stream_has_not_forgotten_the_session(
    server: OldServer,
) -> None:
    server.streams = [httpx.Response(404), httpx.Response(404)]
    Calls(server)
    async with server.connect() as client:
        await server.until(lambda: server.of("GET"))
        assert await called(client) == "fine"
    assert len(server.of("GET")) == 1
    assert len(server.sent("initialize")) == 1


async def test_a_forgotten_session_is_noticed_by_its_stream_as_well(server: OldServer) -> None:
    stream = Stream().say({"jsonrpc": "2.0", "method": "notifications/x"}, "7")
    server.streams = [stream.response, Stream().response]
    async with server.connect():
        await server.until(lambda: server.of("GET"))
        server.gone.add("one")
        stream.cut()
        await server.until(lambda: len(server.of("GET")) == 3)
    assert [each.headers["mcp-session-id"] for each in server.of("GET")] == ["one", "one", "two"]


@pytest.mark.requirement("http.session.client-404-reinitialize", revisions=HTTP)
@pytest.mark.parametrize("revision", HTTP)
async def test_the_stream_of_a_new_session_is_opened_whatever_was_said_of_that_of_the_old_one(
    server: OldServer,
) -> None:
    server.streams = [
        httpx.Response(404),
        Stream().response,
    ]  # it is gone, or has no stream: the same word
    Calls(server)
    async with server.connect() as client:
        await server.until(lambda: server.of("GET"))
        assert await called(client) == "fine"
        server.gone.add("one")
        assert await called(client) == "fine"
        await server.until(lambda: len(server.of("GET")) == 2)
    assert [each.headers["mcp-session-id"] for each in server.of("GET")] == ["one", "two"]
