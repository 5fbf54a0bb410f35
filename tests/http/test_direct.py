"""Simple requests are answered past ASGI: sooner, and no other than by it."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from pydantic_core import to_json

from mcport import Context, Server
from mcport.core.limits import Limits
from mcport.transports.http.server import direct
from mcport.transports.http.server.app import HttpApp
from mcport.transports.http.server.heads import Heads

from .bridge import STATELESS_VERSION, USUAL, stateless
from .line import Line, running

pytestmark = pytest.mark.anyio

OPENING = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["httptools", "h11"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What reads the requests that are not simple."""
    if request.param == "h11":
        monkeypatch.setitem(sys.modules, "httptools", None)
        for name in ("uvicorn.protocols.http.httptools_impl", "mcport.transports.http.server.by_httptools"):
            monkeypatch.delitem(sys.modules, name, raising=False)
    return str(request.param)


@pytest.fixture
def ways(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which way each request went."""
    found: list[str] = []
    posted, called = HttpApp.posted, HttpApp.__call__

    async def short(app: HttpApp, wire: Any, residence: Any) -> None:
        found.append("short")
        await posted(app, wire, residence)

    async def asgi(app: HttpApp, scope: Any, receive: Any, send: Any) -> None:
        found.append("asgi")
        await called(app, scope, receive, send)

    monkeypatch.setattr(HttpApp, "posted", short)
    monkeypatch.setattr(HttpApp, "__call__", asgi)
    return found


class Waiting:
    """A server with tools of every kind."""

    def __init__(self) -> None:
        self.server = Server("s", limits=Limits(message_bytes=100_000))
        self.begun, self.go, self.stopped = anyio.Event(), anyio.Event(), anyio.Event()

        @self.server.tool
        async def add(a: int, b: int) -> int:
            return a + b

        @self.server.tool
        async def fails() -> None:
            raise ValueError("no")

        @self.server.tool
        async def tells(ctx: Context) -> str:
            await ctx.report_progress(1)
            return "told"

        @self.server.tool
        def blocks() -> str:
            return "blocked"

        @self.server.tool
        async def waits() -> str:
            self.begun.set()
            try:
                await self.go.wait()
            except BaseException:
                self.stopped.set()
                raise
            return "waited"

        self.app = self.server.asgi(allowed_origins=["https://friend.example"])


def request(body: bytes, headers: dict[str, str] | None = None, line: str = "POST /mcp HTTP/1.1") -> bytes:
    """Return the bytes of a request; None takes a header away."""
    fields: dict[str, str | None] = {**USUAL, "content-length": str(len(body)), **(headers or {})}
    head = [line, *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def asked(method: str = "tools/call", headers: dict[str, Any] | None = None, **params: Any) -> bytes:
    """Return the bytes of a request of the stateless era."""
    call = stateless(method, **params)
    return request(call["body"], {**call["headers"], **(headers or {})})


def called(name: str = "add", headers: dict[str, Any] | None = None, **arguments: Any) -> bytes:
    return asked(headers=headers, name=name, arguments=arguments)


ADD = called(a=1, b=2)
DISCOVER = asked("server/discover")


def posted(message: object, **headers: str) -> bytes:
    return request(to_json(message), {name.replace("_", "-"): value for name, value in headers.items()})


TABLE = {
    "a call": (ADD, "short"),
    "one that fails": (called("fails"), "short"),
    "one that tells nobody": (called("tells"), "short"),
    "one in a thread": (called("blocks"), "short"),
    "an unknown tool": (called("nothing"), "short"),
    "wrong arguments": (called(a="x"), "short"),
    "an unknown method": (asked("no/such"), "short"),
    "progress": (asked(name="tells", arguments={}, meta={"progressToken": 1}), "short"),
    "a wrong mirror": (called(a=1, b=2, headers={"mcp-name": "sub"}), "short"),
    "no version": (called(a=1, b=2, headers={"mcp-protocol-version": None}), "short"),
    "a header of another case": (ADD.replace(b"mcp-name", b"Mcp-NAME"), "short"),
    "no JSON": (request(b"{"), "short"),
    "nothing": (request(b""), "short"),
    "a number": (request(b"1"), "short"),
    "an empty batch": (request(b"[]"), "short"),
    "a notification": (
        posted(
            {
                "jsonrpc": "2.0",
                "method": "notifications/x",
                "params": {"_meta": {"io.modelcontextprotocol/protocolVersion": STATELESS_VERSION}},
            }
        ),
        "short",
    ),
    "parameters that are none": (posted({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": 1}), "short"),
    "no session": (posted({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}), "short"),
    "an unknown session": (posted({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}, mcp_session_id="x"), "short"),
    "an opening": (posted({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": OPENING}), "short"),
    "a wrong opening": (posted({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}), "short"),
    "another host": (called(a=1, b=2, headers={"host": "evil.example"}), "short"),
    "a host that is none": (called(a=1, b=2, headers={"host": "a b"}), "short"),
    "another content type": (called(a=1, b=2, headers={"content-type": "text/plain"}), "short"),
    "compressed": (called(a=1, b=2, headers={"content-encoding": "gzip"}), "short"),
    "kept alive": (called(a=1, b=2, headers={"connection": "Keep-Alive"}), "short"),
    "closed": (called(a=1, b=2, headers={"connection": "close"}), "asgi"),
    "a header that comes twice": (ADD.replace(b"host: ", b"accept: a/b\r\nhost: "), "asgi"),
    "a friend's page": (called(a=1, b=2, headers={"origin": "https://friend.example"}), "asgi"),
    "a page": (called(a=1, b=2, headers={"origin": "https://evil.example"}), "asgi"),
    "another path": (ADD.replace(b"/mcp", b"/no"), "asgi"),
    "the root": (ADD.replace(b"/mcp", b"/"), "asgi"),
    "a query": (ADD.replace(b"/mcp", b"/mcp?a=b"), "asgi"),
    "GET": (request(b"", {"accept": "text/plain"}, "GET /mcp HTTP/1.1"), "asgi"),
    "HTTP/1.0": (ADD.replace(b"HTTP/1.1", b"HTTP/1.0"), "asgi"),
    "too large": (request(b"x" * 100_001), "asgi"),
    "a header beyond ASCII": (called(a=1, b=2, headers={"mcp-name": "\u00e4"}), "asgi"),
}


@pytest.mark.parametrize("case", TABLE)
async def test_both_ways_answer_the_same_to_the_byte(
    monkeypatch: pytest.MonkeyPatch, parser: str, ways: list[str], case: str
) -> None:
    sent, way = TABLE[case]
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(sent)
        said = await line.answers()
        assert ways == [way]
        monkeypatch.setattr(Heads, "read", lambda heads, data: None)
        line = Line(runner)
        await line.send(sent)
        assert _plain(said) == _plain(await line.answers())
        assert ways == [way, "asgi"]


def _plain(said: bytes) -> bytes:
    """Leave out what is never twice the same."""
    return re.sub(rb"(date|mcp-session-id): [^\r]*\r\n|\b[0-9a-f]{6,}\b", b"", said.lower())


async def test_a_call_that_waits_for_nothing_is_answered_while_it_is_received_in_one_write(ways: list[str]) -> None:
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(ADD)
        await line.answers()
        await line.send(called(a=3, b=4))
        assert len(line.writes) == 2
        assert b'"text":"7"' in line.writes[1]


@pytest.mark.parametrize("sent", [ADD, DISCOVER], ids=["ADD", "DISCOVER"])
async def test_however_a_request_is_cut_it_is_answered_the_same(parser: str, sent: bytes) -> None:
    async with running(Waiting().app) as runner:
        whole = Line(runner)
        await whole.send(sent)
        expected = await whole.answers()
        for at in range(1, len(sent)):
            line = Line(runner)
            await line.send(sent[:at], sent[at:])
            assert await line.answers() == expected, at


async def test_a_body_that_comes_by_itself_goes_the_short_way_too(ways: list[str]) -> None:
    head = ADD.index(b"\r\n\r\n") + 4
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(ADD[:head], ADD[head:-1], ADD[-1:])
        assert b'"text":"3"' in await line.answers()
        assert ways == ["short"]


async def test_a_body_that_is_late_is_waited_for_by_uvicorn(
    monkeypatch: pytest.MonkeyPatch, parser: str, ways: list[str]
) -> None:
    monkeypatch.setattr(direct, "HELD_SECONDS", 0)
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(ADD[:-1])
        with anyio.fail_after(5):
            while not ways:
                await anyio.sleep(0)
        await line.send(ADD[-1:])
        assert b'"text":"3"' in await line.answers()
        assert ways == ["asgi"]


async def test_a_body_that_drips_is_not_held_any_longer(ways: list[str]) -> None:
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(ADD[:-3])
        until = line.protocol._holding.when()
        read = line.protocol.short.heads.read
        line.protocol.short.heads.read = lambda data: pytest.fail("its head is read again")
        await line.send(ADD[-3:-2], ADD[-2:-1])
        assert line.protocol._holding.when() == until
        line.protocol.short.heads.read = read
        await line.send(ADD[-1:])
        assert (line.protocol._holding, ways) == (None, ["short"])


@pytest.mark.parametrize("first", [ADD, called("blocks")], ids=["ADD", "BLOCKS"])
async def test_requests_that_come_together_are_answered_in_their_order(parser: str, first: bytes) -> None:
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(first + called(a=3, b=4) + called(a=5, b=6))
        said = await line.answers(3)
        assert said.index(b'"text":"7"') < said.index(b'"text":"11"')
        await line.send(ADD)
        assert (await line.answers(4)).count(b"HTTP/1.1 200") == 4


async def test_who_asks_more_before_the_answer_waits_for_it_unread(parser: str) -> None:
    waiting = Waiting()
    async with running(waiting.app) as runner:
        line = Line(runner)
        await line.send(called("waits"), ADD[:50])
        await waiting.begun.wait()
        assert line.paused
        waiting.go.set()
        said = await line.answers()
        assert (b"waited" in said, line.paused) == (True, False)
        await line.send(ADD[50:])
        assert b'"text":"3"' in await line.answers(2)


async def test_ways_follow_one_another_on_a_connection(parser: str, ways: list[str]) -> None:
    get = request(b"", {"accept": "text/plain"}, "GET /mcp HTTP/1.1")
    chunked = ADD.replace(b"content-length: %d" % len(_text(ADD)), b"transfer-encoding: chunked")
    chunked = chunked.replace(_text(ADD), b"%x\r\n%b\r\n0\r\n\r\n" % (len(_text(ADD)), _text(ADD)))
    async with running(Waiting().app) as runner:
        line = Line(runner)
        for number, sent in enumerate([ADD, get, ADD, chunked, ADD]):
            await line.send(sent)
            await line.answers(number + 1)
        assert ways == ["short", "asgi", "short", "asgi", "short"]


def _text(sent: bytes) -> bytes:
    return sent.partition(b"\r\n\r\n")[2]


async def test_what_is_in_a_body_that_was_refused_unread_is_no_request(parser: str, ways: list[str]) -> None:
    body = ADD
    head = request(b"", {"content-type": "text/plain", "content-length": str(len(body)), "origin": "null"})
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(head)
        assert (await line.answers()).startswith(b"HTTP/1.1 403")
        await line.send(body)
        await line.send(ADD)
        await line.answers(2)
        assert b"".join(line.writes).count(b"HTTP/1.1") == 2


async def test_a_client_that_leaves_withdraws_its_request(ways: list[str]) -> None:
    waiting = Waiting()
    async with running(waiting.app) as runner:
        line = Line(runner)
        await line.send(called("waits"))
        await waiting.begun.wait()
        line.leave()
        with anyio.fail_after(5):
            await waiting.stopped.wait()
        assert (ways, line.writes) == (["short"], [])


async def test_a_server_that_ends_lets_calls_end_and_says_so(parser: str) -> None:
    waiting = Waiting()
    async with running(waiting.app) as runner:
        busy, idle, begun = Line(runner), Line(runner), Line(runner)
        await busy.send(called("waits"))
        await idle.send(ADD)
        await begun.send(ADD[:-1])
        await waiting.begun.wait()
        for each in (busy, idle, begun):
            each.protocol.shutdown()
        await idle.end()
        waiting.go.set()
        said = await busy.end()
        assert b"connection: close" in said
        assert b"waited" in said
        await begun.send(ADD[-1:])
        assert b'"text":"3"' in await begun.end()


async def test_what_comes_after_the_end_begins_nothing_anew(parser: str, ways: list[str]) -> None:
    lives = list[str]()

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[None]:
        lives.append("begun")
        yield
        lives.append("over")

    async with running(Server("s", lifespan=lifespan).asgi()) as runner:
        late, later = Line(runner), Line(runner)
        await late.send(ADD[:-1])
        late.protocol.shutdown()
        with anyio.fail_after(5):
            while ways != ["asgi"]:
                await anyio.sleep(0)
        await runner._app.aclose(for_good=True)
        await late.send(ADD[-1:])
        await later.send(ADD)
        for each in (late, later):
            assert (await each.answers()).startswith(b"HTTP/1.1 503")
        assert lives == ["begun", "over"]


async def test_an_idle_connection_is_closed_and_one_that_is_used_is_not(parser: str) -> None:
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(ADD)
        await line.answers()
        line.protocol.timeout_keep_alive_handler()
        assert not line.is_closing()
        line.protocol.timeout_keep_alive = 0
        line.protocol.timeout_keep_alive_handler()
        await line.end()


async def test_a_connection_that_breaks_leaves_no_timer() -> None:
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(ADD)
        await line.answers()
        timer = line.protocol.timeout_keep_alive_task
        line.protocol.connection_lost(ConnectionResetError())
        assert timer.cancelled()


async def test_what_waits_for_its_turn_is_not_run_once_nobody_can_be_answered(ways: list[str]) -> None:
    waiting = Waiting()
    async with running(waiting.app) as runner:
        line = Line(runner)
        await line.send(called("waits"), ADD)
        await waiting.begun.wait()
        answered = line.protocol.answered

        def hang_up() -> None:
            answered()
            line.close()

        line.protocol.answered = hang_up
        waiting.go.set()
        await line.end()
        assert ways == ["short"]


async def test_too_many_connections_are_told_so(parser: str) -> None:
    async with running(Waiting().app) as runner:
        line = Line(runner)
        line.protocol.limit_concurrency = 1
        await line.send(ADD)
        assert (await line.answers()).startswith(b"HTTP/1.1 503")


async def test_a_client_that_reads_nothing_gets_no_further_answer(ways: list[str]) -> None:
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(ADD)
        await line.answers()
        line.protocol.pause_writing()
        await line.send(ADD)
        await anyio.sleep(0)
        assert len(line.writes) == 1
        line.protocol.resume_writing()
        await line.answers(2)
        assert ways == ["short", "short"]


async def test_a_fault_of_ours_is_500_and_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(app: HttpApp, wire: Any, residence: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(HttpApp, "posted", fail)
    async with running(Waiting().app) as runner:
        line = Line(runner)
        await line.send(ADD)
        said = await line.end()
        assert said.startswith(b"HTTP/1.1 500")
        assert said.endswith(b"\r\n\r\nInternal Server Error")
        assert "ours" in caplog.text


async def test_a_head_that_was_refused_is_refused_again(ways: list[str]) -> None:
    async with running(Waiting().app) as runner:
        line = Line(runner)
        for number in range(3):
            await line.send(called(a=1, b=2, headers={"host": "evil.example"}))
            await line.send(called(a=1, b=2, headers={"content-type": "text/plain"}))
            said = await line.answers(2 * number + 2)
        assert (said.count(b"HTTP/1.1 421"), said.count(b"HTTP/1.1 415")) == (3, 3)
        assert ways == ["short"] * 6
