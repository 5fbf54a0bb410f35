"""HTTP+SSE, the pair of endpoints of 2024-11-05, as a server offers it beside the endpoint of all other revisions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urljoin

import anyio
import pytest

from mcport import Context, Server
from mcport.core.http.hosts import LOOPBACK, Gate
from mcport.core.jsonrpc import parse_json
from mcport.core.limits import Limits
from mcport.stores.notices import MemoryNotices
from mcport.stores.sessions import MemorySessions
from mcport.transports.http.server import residence
from mcport.transports.http.server.app import HttpApp
from mcport.transports.http.server.sharing import Sharing

from .bridge import Answer, ask, stateless
from .raw_session import call, message, session
from .test_life import as_user
from .test_sessions import reply_to, server

pytestmark = pytest.mark.anyio

STREAM: dict[str, str | None] = {"accept": "text/event-stream", "content-type": None}


class Pair:
    """A connection over the pair: the stream that is heard, and where to post, in whichever worker."""

    def __init__(self, app: Any, stream: Answer, endpoint: str) -> None:
        self.app = app
        self.stream = stream
        self.endpoint = endpoint

    def post(self, body: bytes, app: Any = None) -> Any:
        return ask(app or self.app, body, path=self.endpoint)

    async def say(self, body: bytes, app: Any = None) -> None:
        async with self.post(body, app) as answer:
            assert (answer.status, await answer.body()) == (202, b"")

    async def ask(self, body: bytes, app: Any = None) -> Any:
        await self.say(body, app)
        return await self.stream.event()


@asynccontextmanager
async def connected(app: Any) -> AsyncIterator[Pair]:
    async with ask(app, b"", STREAM, "/sse", "GET") as stream:
        assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream")
        first = await stream.raw_event()
        assert first.event == "endpoint"
        yield Pair(app, stream, urljoin("/sse", first.text))


@asynccontextmanager
async def opened(app: Any, **capabilities: Any) -> AsyncIterator[Pair]:
    info = {"name": "raw", "version": "1"}
    body = message("initialize", protocolVersion="2024-11-05", capabilities=capabilities, clientInfo=info)
    async with connected(app) as pair:
        assert (await pair.ask(body))["result"]["protocolVersion"] == "2024-11-05"
        await pair.say(message("notifications/initialized", None))
        yield pair


def workers(made: Server, **options: Any) -> tuple[HttpApp, HttpApp]:
    """Two apps of one server that share what workers share."""
    sharing = Sharing(**options)
    web = made._web()
    gate = Gate(LOOPBACK, ())
    return HttpApp(web, gate, sharing=sharing), HttpApp(web, gate, sharing=sharing)


@pytest.mark.requirement("http-sse.two-endpoints", revisions=["2024-11-05"])
@pytest.mark.requirement("http-sse.endpoint-event", revisions=["2024-11-05"])
@pytest.mark.requirement("http-sse.message-events", revisions=["2024-11-05"])
async def test_the_stream_tells_first_where_to_post_and_then_brings_every_answer_as_a_message() -> None:
    app = server().asgi()
    async with opened(app) as pair:
        await pair.say(call("add", a=1, b=2))
        event = await pair.stream.raw_event()
        assert event.event == "message"
        assert parse_json(event.data)["result"]["content"][0]["text"] == "3"
    await app.aclose()


@pytest.mark.requirement("http-sse.server-hosts-both")
@pytest.mark.parametrize("revision", ["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
async def test_the_pair_stands_beside_the_endpoint_of_the_other_revisions(revision: str) -> None:
    app = server().asgi()
    async with opened(app) as pair:
        if revision == "2026-07-28":
            async with ask(app, **stateless("tools/list")) as answer:
                assert answer.status == 200
        else:
            async with session(app, revision) as beside:
                assert await beside.result(message("ping")) == {}
        await pair.say(call("add", a=1, b=2))
        assert (await pair.stream.event())["result"]["content"][0]["text"] == "3"
    await app.aclose()


async def test_progress_questions_and_changes_come_on_the_same_stream() -> None:
    made = server()
    app = made.asgi()
    async with opened(app, roots={}) as pair:

        @made.tool
        async def root(ctx: Context) -> str:
            """Ask where to work."""
            return str((await ctx.list_roots())[0].uri)

        assert (await pair.stream.event())["method"] == "notifications/tools/list_changed"
        progress = await pair.ask(call("steps", 2, meta={"progressToken": 5}))
        assert progress["params"]["progress"] == 1
        assert [await pair.stream.event() for _ in range(3)][-1]["id"] == 2
        question = await pair.ask(call("root", 3))
        assert question["method"] == "roots/list"
        answer = await pair.ask(reply_to(question, {"roots": [{"uri": "file:///work"}]}))
        assert answer["result"]["content"][0]["text"] == "file:///work"
    await app.aclose()


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/messages", 400),
        ("/messages?session_id=", 400),
        ("/messages?session_id=unknown", 404),
        ("/messages?session_id=" + "x" * 500, 404),
    ],
)
async def test_what_is_posted_to_no_connection_is_refused(path: str, status: int) -> None:
    app = server().asgi()
    async with ask(app, call("add", a=1, b=2), path=path) as answer:
        assert answer.status == status
    await app.aclose()


async def test_a_connection_is_over_when_its_client_has_left_and_what_it_asked_for_ends() -> None:
    made, begun, stopped = server(), anyio.Event(), anyio.Event()

    @made.tool
    async def wait() -> None:
        """Wait."""
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    app = made.asgi()
    async with opened(app) as pair:
        await pair.say(call("wait"))
        await begun.wait()
    with anyio.fail_after(5):
        await stopped.wait()
    async with pair.post(call("add", a=1, b=2)) as answer:
        assert answer.status == 404
    await app.aclose()


@pytest.mark.parametrize(("path", "method"), [("/sse", "POST"), ("/sse", "DELETE"), ("/messages", "GET")])
async def test_each_endpoint_has_one_method(path: str, method: str) -> None:
    app = server().asgi()
    async with ask(app, b"{}", path=path, method=method) as answer:
        assert answer.status == 405
        assert answer.headers["allow"] == ("GET" if path == "/sse" else "POST")
    await app.aclose()


@pytest.mark.parametrize("path", ["/sse", "/messages?session_id=x"])
async def test_both_endpoints_stand_behind_the_guard(path: str) -> None:
    app = server().asgi()
    method = "GET" if path == "/sse" else "POST"
    async with ask(app, b"{}", {"host": "evil.example"}, path, method) as answer:
        assert answer.status == 421
    async with ask(app, b"{}", {"origin": "https://evil.example"}, path, method) as answer:
        assert answer.status == 403
    await app.aclose()


async def test_posts_are_bounded_like_all_others() -> None:
    app = Server("s", limits=Limits(message_bytes=100)).asgi()
    async with ask(app, b" " * 101, path="/messages?session_id=x") as answer:
        assert answer.status == 413
    async with ask(app, b"{}", {"content-type": "text/plain"}, "/messages?session_id=x") as answer:
        assert answer.status == 415
    await app.aclose()


async def test_the_endpoint_of_the_other_revisions_never_tells_where_to_post() -> None:
    app = server().asgi()
    async with ask(app, b"", STREAM, method="GET") as answer:
        assert answer.status == 400
        assert b"endpoint" not in await answer.body()
    await app.aclose()


async def test_a_handler_is_told_on_whose_behalf_and_with_what_headers_a_connection_came() -> None:
    made = server()

    @made.tool
    async def whose(ctx: Context) -> str:
        """Say who asks."""
        return f"{ctx.principal} {(ctx.headers or {})['accept']}"

    app = made.asgi()
    async with opened(as_user(app, "ada")) as pair:
        answer = await pair.ask(call("whose"))
        assert answer["result"]["content"][0]["text"] == "ada text/event-stream"
    await app.aclose()


@pytest.mark.parametrize("somebody", ["eve", "", None])
async def test_a_connection_is_unknown_to_every_other_principal_at_every_worker(somebody: str | None) -> None:
    one, other = workers(server())
    async with opened(as_user(one, "ada")) as pair:
        for app in (one, other):
            async with pair.post(call("add", a=1, b=2), as_user(app, somebody)) as answer:
                assert answer.status == 404
        text = await pair.ask(call("add", a=1, b=2), as_user(other, "ada"))
        assert text["result"]["content"][0]["text"] == "3"
    await one.aclose()
    await other.aclose()


async def test_requests_beyond_what_may_wait_are_refused_on_the_stream_which_goes_on() -> None:
    made, begun = Server("s", limits=Limits(requests_in_flight=1, requests_queued=1)), anyio.Event()

    @made.tool
    async def wait() -> None:
        """Wait."""
        begun.set()
        await anyio.sleep_forever()

    app = made.asgi()
    async with opened(app) as pair:
        await pair.say(call("wait", 1))
        await begun.wait()
        await pair.say(call("wait", 2))
        refused = await pair.ask(call("wait", 3))
        assert (refused["id"], refused["error"]["code"]) == (3, -32603)
        for id in (2, 1):
            await pair.say(message("notifications/cancelled", None, requestId=id))
        assert (await pair.ask(message("ping", 4)))["id"] == 4
    await app.aclose()


@pytest.mark.parametrize(("refused", "status", "code"), [(b"{", 400, -32700), (b" " * 201, 413, -32600)])
async def test_a_refused_post_is_nothing_to_the_connection(refused: bytes, status: int, code: int) -> None:
    app = Server("s", limits=Limits(message_bytes=200)).asgi()
    async with opened(app) as pair:
        async with pair.post(refused) as answer:
            assert (answer.status, (await answer.json())["error"]["code"]) == (status, code)
        assert (await pair.ask(message("ping", 4)))["id"] == 4
    await app.aclose()


async def test_a_message_that_cannot_be_handed_on_is_503_and_may_be_posted_again() -> None:
    notices = MemoryNotices()
    one, other = workers(server(), notices=notices)

    def broken(notice: bytes) -> None:
        raise OSError("down")

    async with opened(one) as pair:
        async with ask(other, message("ping"), path="/messages?session_id=none") as warm:
            assert warm.status == 404
        publish, notices.publish = notices.publish, broken  # type: ignore[method-assign]
        async with pair.post(message("ping", 4), other) as answer:
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        notices.publish = publish  # type: ignore[method-assign]
        assert (await pair.ask(message("ping", 5), other))["id"] == 5
    await one.aclose()
    await other.aclose()


async def test_the_pair_says_that_it_is_deprecated_and_the_log_does_so_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mcport.http")
    app = server().asgi()
    assert not caplog.records
    for _ in range(2):
        async with opened(app) as pair:
            assert pair.stream.headers["deprecation"] == "@1742947200"
            async with pair.post(message("ping")) as answer:
                assert answer.headers["deprecation"] == "@1742947200"
    assert [each.message for each in caplog.records if "deprecated" in each.message] == [
        "a client uses /sse, which is deprecated (asgi(sse=False) turns it off)"
    ]
    async with session(app) as beside, beside.post(message("ping")) as answer:
        assert "deprecation" not in answer.headers
    await app.aclose()


async def test_there_is_no_pair_where_it_is_turned_off() -> None:
    app = server().asgi(sse=False)
    async with ask(app, b"", STREAM, "/sse", "GET") as answer:
        assert answer.status == 404
    await app.aclose()


async def test_p9_any_worker_takes_what_is_posted() -> None:
    one, other = workers(server())
    async with opened(one, elicitation={}) as pair:
        answer = await pair.ask(call("add", 7, a=1, b=2), other)
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (7, "3")
        async with pair.post(b"{", other) as refused:
            assert refused.status == 400
    async with pair.post(call("add", a=1, b=2), other) as gone:
        assert gone.status == 404
    await one.aclose()
    await other.aclose()


async def test_news_of_other_kinds_leave_connections_alone() -> None:
    sharing = Sharing()
    made = server()
    web = made._web()
    app = HttpApp(web, Gate(LOOPBACK, ()), sharing=sharing)
    async with opened(app) as pair:
        for notice in (b"{", b"[]", b'{"session":"x"}', b'{"other":1}'):
            sharing.notices.publish(notice)
        assert (await pair.ask(call("add", a=1, b=2)))["result"]["content"][0]["text"] == "3"
    await app.aclose()


async def test_streams_end_when_the_server_goes() -> None:
    app = server().asgi()
    async with opened(app) as pair, anyio.create_task_group() as tasks:
        tasks.start_soon(app.aclose)
        with anyio.fail_after(5):
            assert await pair.stream.events() == []


async def test_a_quiet_stream_says_that_it_lives_and_stays_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residence, "ALIVE_SECONDS", 0.01)
    sharing = Sharing(idle_seconds=0.2)
    made = server()
    web = made._web()
    app = HttpApp(web, Gate(LOOPBACK, ()), sharing=sharing)
    async with opened(app) as pair:
        for _ in range(30):
            assert await pair.stream._chunk() == b": \n"
        await pair.say(call("add", a=1, b=2))
    await app.aclose()


async def test_too_many_connections_are_told_to_come_back_later() -> None:
    app = Server("s", limits=Limits(sessions=1)).asgi()
    async with connected(app), ask(app, b"", STREAM, "/sse", "GET") as refused:
        assert (refused.status, refused.headers["retry-after"]) == (503, "30")
    await app.aclose()


async def test_a_connection_that_the_store_has_forgotten_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residence, "ALIVE_SECONDS", 0.005)
    now = [0.0]
    app = server().asgi(sessions=MemorySessions(now=lambda: now[0]))
    async with connected(app) as pair:
        now[0] = 1e6
        assert await pair.stream.events() == []
    await app.aclose()
