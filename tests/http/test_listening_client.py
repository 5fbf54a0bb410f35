"""Listening to a server at a URL: streams that break off are begun anew, nothing is missed, and trying has an end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx
import pytest

from mcport import Client, ResourcesChanged, ResourceUpdated, ToolsChanged
from mcport.client.listening.listening import Changes
from mcport.errors import ConnectionLost, HttpRefused, RemoteError
from mcport.transports.http.client.pace import Pace

from .origin import DISCOVERED, Asked, Origin, Play, origin, usual
from .scripted import Message, OldServer, Stream, piece, result
from .scripted import waits as waits

pytestmark = pytest.mark.anyio

Waits = list[tuple[int, float | None]]
TOOLS = "notifications/tools/list_changed"
LISTEN = "subscriptions/listen"
CAPABILITIES = {"tools": {"listChanged": True}, "resources": {"listChanged": True, "subscribe": True}}


# ---- the stateless era: a POST for each listening

Part = Callable[[Asked, dict[str, Any]], Awaitable[None]]


async def change(asked: Asked, meta: dict[str, Any]) -> None:
    await asked.event({"jsonrpc": "2.0", "method": TOOLS, "params": {"_meta": meta}})


async def stay(asked: Asked, meta: dict[str, Any]) -> None:
    await asked.gone()


async def end(asked: Asked, meta: dict[str, Any]) -> None:
    await asked.last_event(_meta=meta)


async def fail(asked: Asked, meta: dict[str, Any]) -> None:
    await asked.event({"jsonrpc": "2.0", "id": asked.message["id"], "error": {"code": -32603, "message": "broken"}})


def heard(*parts: Part) -> Play:
    """Return what acknowledges a listening, plays these parts and breaks off."""

    async def play(asked: Asked) -> None:
        meta = {"io.modelcontextprotocol/subscriptionId": asked.message["id"]}
        said = {"notifications": asked.params["notifications"], "_meta": meta}
        await asked.begin_events()
        await asked.event({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": said})
        for part in parts:
            await part(asked, meta)
        await asked.hang_up()

    return play


def answering(status: int, **headers: str) -> Play:
    async def play(asked: Asked) -> None:
        await asked.status(status, b"", **headers)

    return play


@asynccontextmanager
async def listening(*turns: Play, **wanted: Any) -> AsyncIterator[tuple[Origin, Client, Changes]]:
    """Listen to a server that answers each listening in its own way, and from the last on always alike."""
    tools = {"tools": [], "ttlMs": 60_000, "cacheScope": "private"}

    async def play(asked: Asked) -> None:
        if asked.method == LISTEN:
            await turns[min(len(server.of(LISTEN)), len(turns)) - 1](asked)
        elif asked.method == "server/discover":
            await asked.result(**{**DISCOVERED, "capabilities": CAPABILITIES})
        elif asked.method == "tools/list":
            await asked.result(**tools)
        else:
            await usual(asked)

    with anyio.fail_after(10):
        async with (
            origin(play, plays_opening=True) as server,
            Client(server.url) as client,
            client.listen(**(wanted or {"tools": True})) as changes,
        ):
            yield server, client, changes


@pytest.mark.requirement("subscriptions.reconnect-on-drop", revisions=["2026-07-28"])
async def test_p11_a_stream_that_breaks_off_is_begun_anew_and_all_that_may_have_changed_is_told(waits: Waits) -> None:
    wanted = {"resources": True, "uris": ["a:b"]}
    async with listening(heard(), heard(stay), **wanted) as (server, _, changes):
        assert [await anext(changes), await anext(changes)] == [ResourcesChanged(), ResourceUpdated("a:b")]
    first, second = server.of(LISTEN)
    assert first.params["notifications"] == second.params["notifications"]
    assert first.message["id"] != second.message["id"]
    assert waits == [(0, None)]


async def test_what_was_kept_is_asked_for_again_once_changes_may_have_been_missed(waits: Waits) -> None:
    go_on = anyio.Event()

    async def until_kept(asked: Asked, meta: dict[str, Any]) -> None:
        await go_on.wait()

    async with listening(heard(until_kept), heard(stay)) as (server, client, changes):
        for _ in range(2):
            await client.list_tools()
        go_on.set()
        assert await anext(changes) == ToolsChanged()
        await client.list_tools()
    assert len(server.of("tools/list")) == 2


async def test_a_server_that_cannot_answer_now_is_asked_when_it_wished_to_be(waits: Waits) -> None:
    turns = [heard(), answering(503, retry_after="7"), answering(502), heard(change, stay)]
    async with listening(*turns) as (server, _, changes):
        assert await anext(changes) == ToolsChanged()
    assert len(server.of(LISTEN)) == 4
    assert waits == [(0, None), (1, 7.0), (2, None)]


async def test_p11_trying_has_an_end_and_the_error_says_what_was_tried(waits: Waits) -> None:
    async with listening(heard(change), answering(503)) as (server, _, changes):
        assert await anext(changes) == ToolsChanged()
        with pytest.raises(ConnectionLost) as caught:
            await anext(changes)
    line = "answered 503: it is not available now (listened again 5 times in vain)"
    assert str(caught.value) == f"subscriptions/listen on server '{server.url}': connection lost, {line}"
    assert len(server.of(LISTEN)) == 1 + Pace().most == 1 + len(waits)


async def test_a_server_that_breaks_off_again_and_again_is_left_alone_in_the_end(waits: Waits) -> None:
    async with listening(heard()) as (server, _, changes):
        with pytest.raises(ConnectionLost, match=r"before that was complete \(listened again 5 times in vain\)"):
            _ = [each async for each in changes]
    assert len(server.of(LISTEN)) == 1 + Pace().most


async def test_one_that_tells_something_each_time_is_worth_coming_back_to(waits: Waits) -> None:
    async with listening(*[heard(change)] * 9, heard(change, stay)) as (server, _, changes):
        while len(server.of(LISTEN)) < 10:
            assert await anext(changes) == ToolsChanged()
    assert {failures for failures, _ in waits} == {0}


async def test_going_on_after_it_was_given_up_listens_anew(waits: Waits) -> None:
    turns = [heard(), *[answering(503)] * 5, heard(stay)]
    async with listening(*turns) as (server, _, changes):
        with pytest.raises(ConnectionLost):
            await anext(changes)
        assert await anext(changes) == ToolsChanged()
    assert len(server.of(LISTEN)) == 7


@pytest.mark.parametrize(("status", "words"), [(401, "answered 401"), (404, "answered 404"), (400, "answered 400")])
async def test_a_server_that_lets_nobody_listen_any_more_is_not_asked_twice(
    waits: Waits, status: int, words: str
) -> None:
    async with listening(heard(), answering(status)) as (server, _, changes):
        with pytest.raises(HttpRefused, match=words):
            await anext(changes)
    assert len(server.of(LISTEN)) == 2


async def test_an_error_of_the_server_is_the_end(waits: Waits) -> None:
    async with listening(heard(fail)) as (server, _, changes):
        with pytest.raises(RemoteError, match="broken"):
            await anext(changes)
    assert len(server.of(LISTEN)) == 1


async def test_a_server_that_is_replaced_ends_its_streams_and_is_listened_to_again(waits: Waits) -> None:
    async with listening(heard(end), heard(change, stay)) as (_, _, changes):
        assert await anext(changes) == ToolsChanged()


async def test_a_server_that_ends_the_stream_in_good_order_and_then_its_successor_ends_the_loop(waits: Waits) -> None:
    async with listening(heard(end)) as (server, _, changes):
        assert [each async for each in changes] == [ToolsChanged()]
    assert len(server.of(LISTEN)) == 2


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never time to come back."""
    monkeypatch.setattr(Pace, "before", lambda *_: 3600.0)


@pytest.mark.usefixtures("patient")
async def test_leaving_while_a_stream_is_to_be_begun_anew_takes_no_time() -> None:
    async with listening(heard()) as (server, _, _):
        await anyio.wait_all_tasks_blocked()
    assert len(server.of(LISTEN)) == 1


@pytest.mark.usefixtures("patient")
async def test_closing_the_client_ends_the_wait_of_whoever_listens() -> None:
    async with listening(heard()) as (_, client, changes), anyio.create_task_group() as tasks:

        async def close() -> None:
            await anyio.wait_all_tasks_blocked()
            await client.aclose()

        tasks.start_soon(close)
        with pytest.raises(ConnectionLost, match="closed here"):
            await anext(changes)


# ---- the handshake era: one stream for all who listen


def telling() -> OldServer:
    """Return a server that tells of changes."""
    server = OldServer()

    async def initialize(message: Message) -> httpx.Response:
        return server.initialized(message, CAPABILITIES)

    async def fine(message: Message) -> httpx.Response:
        return piece(result(message))

    server.on = {"initialize": initialize, "ping": fine, "resources/subscribe": fine, "resources/unsubscribe": fine}
    return server


@asynccontextmanager
async def following(server: OldServer) -> AsyncIterator[Client]:
    """Be connected to it."""
    with anyio.fail_after(10):
        async with server.connect() as client:
            yield client


def changed() -> Message:
    return {"jsonrpc": "2.0", "method": TOOLS}


async def test_p11_a_stream_without_event_ids_is_begun_anew_and_all_that_may_have_changed_is_told(waits: Waits) -> None:
    server = telling()
    server.streams = [(stream := Stream()).response, Stream().response]
    async with following(server) as client, client.listen(tools=True, uris=["a:b"]) as changes:
        await server.until(lambda: server.of("GET"))
        stream.cut()
        assert [await anext(changes), await anext(changes)] == [ToolsChanged(), ResourceUpdated("a:b")]
    assert len(server.of("GET")) == 2
    assert len(server.sent("resources/subscribe")) == 1


async def test_a_stream_that_is_resumed_tells_what_was_missed_and_no_more(waits: Waits) -> None:
    server = telling()
    server.streams = [(stream := Stream()).response]
    server.resumed = [Stream().say({"jsonrpc": "2.0", "method": "notifications/resources/list_changed"}, "2").response]
    async with following(server) as client, client.listen(tools=True, resources=True) as changes:
        stream.say(changed(), "1").cut()
        assert [await anext(changes), await anext(changes)] == [ToolsChanged(), ResourcesChanged()]
        with anyio.move_on_after(0):
            pytest.fail(f"{await anext(changes)} was told too")
    assert [each.headers.get("last-event-id") for each in server.of("GET")] == [None, "1"]


async def test_p11_a_stream_that_cannot_be_had_again_comes_out_of_the_loop_with_what_was_tried(waits: Waits) -> None:
    server = telling()
    refused: list[httpx.Response | Exception] = [httpx.ConnectError("refused")] * Pace().most
    server.streams = [(stream := Stream()).response, *refused, Stream().response]
    async with following(server) as client, client.listen(tools=True, uris=["a:b"]) as changes:
        await server.until(lambda: server.of("GET"))
        stream.cut()
        with pytest.raises(ConnectionLost, match=r"connection lost, refused \(tried 5 times in a row\)"):
            await anext(changes)
        assert [await anext(changes), await anext(changes)] == [ToolsChanged(), ResourceUpdated("a:b")]
        await server.until(lambda: len(server.of("GET")) == 2 + Pace().most)
    assert len(server.sent("ping")) == 1


async def test_a_stream_that_could_not_be_opened_is_asked_for_at_once_by_whoever_listens() -> None:
    server = telling()
    server.streams = [httpx.Response(503, headers={"retry-after": "1000"}), Stream().response]
    async with following(server) as client:
        await server.until(lambda: server.of("GET"))
        await anyio.wait_all_tasks_blocked()
        await client.ping()
        await anyio.wait_all_tasks_blocked()
        assert len(server.of("GET")) == 1
        async with client.listen(tools=True):
            assert len(server.of("GET")) == 2


@pytest.mark.parametrize("none", [False, True])
async def test_listening_has_begun_once_its_stream_is_open_or_there_is_none(none: bool) -> None:
    server, asked, answer = telling(), anyio.Event(), anyio.Event()
    server.streams = [] if none else [Stream().response]
    opened = anyio.Event()

    async def late(request: httpx.Request) -> None:
        if request.method == "GET":
            asked.set()
            await answer.wait()

    server.client.event_hooks = {"request": [late]}
    async with following(server) as client, anyio.create_task_group() as tasks:

        async def listen() -> None:
            async with client.listen(tools=True):
                opened.set()

        tasks.start_soon(listen)
        await asked.wait()
        await anyio.wait_all_tasks_blocked()
        assert not opened.is_set()
        answer.set()
        await opened.wait()


async def test_a_session_that_cannot_be_begun_anew_comes_out_of_the_loop(waits: Waits) -> None:
    server = telling()
    server.streams = [(stream := Stream()).response]
    async with following(server) as client, client.listen(tools=True) as changes:
        await server.until(lambda: server.of("GET"))

        async def unwilling(message: Message) -> httpx.Response:
            return httpx.Response(500)

        server.on["initialize"] = unwilling
        server.gone.add("one")
        stream.cut()
        with pytest.raises(ConnectionLost, match="the server forgot the session, and a new one cannot be opened"):
            await anext(changes)
