"""One notification of the server reaches every listener, whatever its revision, from wherever it is called (P21)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import anyio
import anyio.to_thread
import pytest

from mcport import Server
from tests.server.wire import ALL, NEW, OLD, Json, Wire, opened, serving, unopened

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
ALL_LISTS = {"toolsListChanged": True, "promptsListChanged": True, "resourcesListChanged": True}
NOTE = "note://1"


def noticeboard(**options: Json) -> Server:
    server = Server("noticeboard", **options)

    @server.tool
    async def look() -> str:
        return "here"

    @server.prompt
    def ask() -> str:
        return "why?"

    @server.resource(NOTE)
    def note() -> str:
        return "text"

    @server.resource("note://{id}/lines")
    def lines(id: str) -> str:
        return id

    return server


async def attend(wire: Wire, *uris: str) -> None:
    """Follow all lists and these resources, as a client of the wire's revision does."""
    if wire.revision in NEW:
        wire.request("subscriptions/listen", {"notifications": {**ALL_LISTS, "resourceSubscriptions": [*uris]}})
        assert (await wire.read())["method"] == "notifications/subscriptions/acknowledged"
    for uri in uris if wire.revision in OLD else ():
        assert (await wire.ask("resources/subscribe", {"uri": uri}))["result"] == {}


@asynccontextmanager
async def attending(server: Server, revision: str, *uris: str) -> AsyncIterator[Wire]:
    async with serving(server, revision) as wire:
        await attend(wire, *uris)
        await wire.silent()
        yield wire


def heard(message: Json) -> Json:
    """What a notification says, without what names the listener."""
    params = {name: value for name, value in message.get("params", {}).items() if name != "_meta"}
    return (message["method"], params.get("uri"))


NOTIFY: dict[str, Callable[[Server], None]] = {
    "notifications/tools/list_changed": Server.notify_tools_changed,
    "notifications/prompts/list_changed": Server.notify_prompts_changed,
    "notifications/resources/list_changed": Server.notify_resources_changed,
    "notifications/resources/updated": lambda server: server.notify_resource_updated(NOTE),
}


@pytest.mark.parametrize("method", NOTIFY)
@pytest.mark.requirement(
    "tools.list-changed",
    "prompts.list-changed",
    "resources.list-changed",
    revisions=ALL,
)
@pytest.mark.requirement("resources.subscribe-methods", revisions=OLD)
async def test_p21_one_notify_reaches_every_listener_of_every_revision(method: str) -> None:
    server = noticeboard()
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(attending(server, revision, NOTE)) for revision in (*ALL, *ALL)]
        NOTIFY[method](server)
        expected = (method, NOTE if method.endswith("updated") else None)
        for wire in wires:
            assert heard(await wire.read()) == expected
            await wire.silent()


async def test_p21_it_reaches_them_from_another_thread() -> None:
    server = noticeboard()
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(attending(server, revision, NOTE)) for revision in ALL]
        threading.Thread(target=server.notify_resource_updated, args=(NOTE,)).start()
        for wire in wires:
            assert heard(await wire.read()) == ("notifications/resources/updated", NOTE)


def listens_in_a_loop_of_its_own(server: Server, ready: threading.Barrier, found: list[Json]) -> None:
    async def listen() -> None:
        async with attending(server, NEW[0], NOTE) as wire:
            await anyio.to_thread.run_sync(ready.wait)
            found.append(heard(await wire.read()))

    asyncio.run(listen())


async def test_p21_it_reaches_listeners_on_every_loop_of_the_process() -> None:
    server, ready, found = noticeboard(), threading.Barrier(3, timeout=5), list[Json]()
    threads = [threading.Thread(target=listens_in_a_loop_of_its_own, args=(server, ready, found)) for _ in range(2)]
    for thread in threads:
        thread.start()
    await anyio.to_thread.run_sync(ready.wait)
    server.notify_tools_changed()
    for thread in threads:
        await anyio.to_thread.run_sync(thread.join)
    assert found == [("notifications/tools/list_changed", None)] * 2


@pytest.mark.parametrize("revision", ALL)
async def test_a_handler_notifies_too(revision: str) -> None:
    server = noticeboard()

    @server.tool
    async def change() -> str:
        server.notify_resource_updated(NOTE)
        return "changed"

    @server.tool
    def change_in_thread() -> str:
        server.notify_resource_updated(NOTE)
        return "changed"

    async with attending(server, revision, NOTE) as wire:
        for tool in ("change", "change_in_thread"):
            wire.request("tools/call", {"name": tool})
            both = [await wire.read(), await wire.read()]
            assert sorted("result" in message for message in both) == [False, True]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("tools.list-changed", "prompts.list-changed", "resources.list-changed")
async def test_what_is_added_while_the_server_runs_is_told_without_a_word_of_the_author(revision: str) -> None:
    server = noticeboard()
    async with attending(server, revision) as wire:
        server.tool(name="one_more")(anyio.sleep)
        assert heard(await wire.read()) == ("notifications/tools/list_changed", None)
        server.prompt(one_more)
        assert heard(await wire.read()) == ("notifications/prompts/list_changed", None)
        server.resource("note://2")(one_more)
        assert heard(await wire.read()) == ("notifications/resources/list_changed", None)
        server.resource("note://{id}")(by_id)
        assert heard(await wire.read()) == ("notifications/resources/list_changed", None)
        await wire.silent()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("tools.list-changed", "prompts.list-changed", "resources.list-changed")
async def test_what_is_taken_away_while_the_server_runs_is_told_as_well(revision: str) -> None:
    server = noticeboard()
    async with attending(server, revision) as wire:
        server.remove_tool("look")
        assert heard(await wire.read()) == ("notifications/tools/list_changed", None)
        server.remove_prompt("ask")
        assert heard(await wire.read()) == ("notifications/prompts/list_changed", None)
        for uri in (NOTE, "note://{id}/lines"):
            server.remove_resource(uri)
            assert heard(await wire.read()) == ("notifications/resources/list_changed", None)
        await wire.silent()


def one_more() -> str:
    return ""


def by_id(id: str) -> str:
    return id


@pytest.mark.parametrize("revision", ALL)
async def test_changes_that_have_not_left_yet_leave_once(revision: str) -> None:
    server = noticeboard()
    async with attending(server, revision, NOTE, "note://1/lines") as wire:
        for _ in range(100):
            server.notify_tools_changed()
            server.notify_resource_updated(NOTE)
            server.notify_resource_updated("note://1/lines")
        found = [heard(message) for message in await wire.rest()]
        assert found == [
            ("notifications/tools/list_changed", None),
            ("notifications/resources/updated", NOTE),
            ("notifications/resources/updated", "note://1/lines"),
        ]
        server.notify_tools_changed()
        assert heard(await wire.read()) == ("notifications/tools/list_changed", None)


@pytest.mark.parametrize("revision", OLD)
async def test_a_session_hears_nothing_before_it_is_open(revision: str) -> None:
    server = noticeboard()
    async with unopened(server, revision) as wire:
        server.notify_tools_changed()
        params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
        assert "result" in await wire.ask("initialize", params)
        assert (await wire.ask("resources/subscribe", {"uri": NOTE}))["result"] == {}
        server.notify_tools_changed()
        server.notify_resource_updated(NOTE)
        await wire.silent()
        wire.notify("notifications/initialized")
        await wire.silent()
        server.notify_resource_updated(NOTE)
        assert heard(await wire.read()) == ("notifications/resources/updated", NOTE)


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("tools.capability-declared", "prompts.capability-declared", "resources.capability-declared")
async def test_a_session_hears_only_of_what_was_declared_when_it_was_opened(revision: str) -> None:
    server = Server("bare")
    async with unopened(server, revision) as wire:
        assert (await opened(wire))["capabilities"] == {"logging": {}}
        await wire.silent()
        server.tool(anyio.sleep)
        server.notify_resources_changed()
        await wire.silent()
    async with unopened(server, revision) as wire:
        assert (await opened(wire))["capabilities"] == {"logging": {}, "tools": {"listChanged": True}}
        await wire.silent()
        server.notify_tools_changed()
        assert heard(await wire.read()) == ("notifications/tools/list_changed", None)


async def test_a_notification_of_the_application_reaches_every_session_and_no_listening_request() -> None:
    server = noticeboard()
    async with AsyncExitStack() as stack:
        wires = [await stack.enter_async_context(attending(server, revision)) for revision in ALL]
        for wind in (1, 1):
            server.notify("notifications/weather", {"wind": wind})
        told = b'{"jsonrpc":"2.0","method":"notifications/weather","params":{"wind":1}}'
        for wire in wires:
            wire.request("server/discover" if wire.revision in NEW else "ping", id="last")
            while not (wire.raw and b'"last"' in wire.raw[-1]):
                await wire._news.wait()
            assert wire.raw.count(told) == (2 if wire.revision in OLD else 0)


@pytest.mark.parametrize(
    ("method", "params", "fault"),
    [
        ("notifications/message", {"level": "info", "data": "x"}, "belongs to one request"),
        ("notifications/progress", {}, "belongs to one request"),
        ("notifications/cancelled", {"requestId": 1}, "belongs to one request"),
        ("tools/list", {}, "belongs to one request"),
        ("notifications/resources/updated", {}, "uri must be a string"),
        ("notifications/resources/updated", {"uri": 5}, "uri must be a string"),
        ("notifications/weather", {"wind": object()}, "object"),
        ("notifications/weather", {"wind": float("nan")}, "NaN"),
        ("notifications/weather", 5, "params are a dict or None, not int"),
        ("notifications/weather", [], "params are a dict or None, not list"),
        ("notifications/resources/updated", 5, "params are a dict or None, not int"),
        ("", {}, "a notification has a method, such as 'com.example/changed', not ''"),
        (5, {}, "not 5"),
        ([], {}, "a notification has a method"),
    ],
)
def test_what_cannot_be_told_to_everybody_is_the_callers_fault_at_once(method: Json, params: Json, fault: str) -> None:
    with pytest.raises((ValueError, TypeError), match=fault):
        noticeboard().notify(method, params)


async def test_nobody_is_left_behind_when_a_client_goes() -> None:
    server = noticeboard()
    async with serving(server, NEW[0]) as keeping:
        await attend(keeping)
        for revision in ALL:
            async with attending(server, revision, NOTE):
                pass
        (audience,) = server._telling._audiences
        assert len(audience) == 1
        assert [*audience._by_topic] == [(method, None) for method in NOTIFY if method.endswith("list_changed")]
    assert server._telling._audiences == ()
    server.notify_tools_changed()
