"""Tools, resources and prompts that are added and removed while the server runs, and lists that change meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from mcport import Server
from mcport.server.offering.listing import Listing
from tests.server.test_registration import LISTS, listed, many
from tests.server.wire import ALL, NEW, OLD, Json, Wire, opened, serving, unopened

REVISION = NEW[0]


def greet(b: str = "x") -> str:
    return f"hello {b}"


def fixed() -> str:
    return "fixed"


async def names(wire: Wire, method: str, member: str) -> list[str]:
    entries = await listed(wire, method, member)
    return [entry.get("uri") or entry.get("uriTemplate") or entry["name"] for entry in entries]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("prompts.list-may-vary-in-time", "resources.list-may-vary-in-time", revisions=NEW)
@pytest.mark.requirement("tools.list-answered", revisions=NEW)
async def test_what_is_added_and_removed_while_a_client_is_connected_shows_at_once(revision: str) -> None:
    server = Server("changing", offers=["tools", "resources", "prompts"])
    async with serving(server, revision) as wire:
        for method, member in LISTS:
            assert await names(wire, method, member) == []
        server.add_tool(greet, name="hi", title="T")
        server.add_prompt(greet)
        server.add_resource("a://fixed", fixed, mime_type="text/plain")
        server.add_resource("a://{b}", greet)
        assert await wire.text("hi", {"b": "you"}) == "hello you"
        assert [await names(wire, *each) for each in LISTS] == [["hi"], ["greet"], ["a://fixed"], ["a://{b}"]]
        server.remove_tool("hi")
        server.remove_prompt("greet")
        server.remove_resource("a://fixed")
        server.remove_resource("a://{b}")
        assert [await names(wire, *each) for each in LISTS] == [[], [], [], []]
        assert (await wire.error("tools/call", {"name": "hi"}))["code"] == -32602
        assert (await wire.error("prompts/get", {"name": "greet"}))["code"] == -32602
        assert (await wire.error("resources/read", {"uri": "a://fixed"}))["data"] == {"uri": "a://fixed"}


def test_what_is_not_there_cannot_be_removed_and_the_nearest_name_is_told() -> None:
    server = Server("demo")
    server.add_tool(greet)
    for remove, line in [
        (server.remove_tool, "there is no tool 'gret'. Did you mean 'greet'?"),
        (server.remove_prompt, "there is no prompt 'gret'."),
        (server.remove_resource, "there is no resource 'gret'."),
    ]:
        with pytest.raises(KeyError) as caught:
            remove("gret")
        assert str(caught.value) == line


def test_an_option_that_does_not_exist_is_refused_with_the_nearest_one() -> None:
    server: Any = Server("demo")
    for register in (server.tool, server.prompt, lambda **options: server.resource("a://b", **options)):
        with pytest.raises(TypeError, match=r"there is no option 'tilte'\. Did you mean 'title'\?"):
            register(tilte="x")(greet)
    with pytest.raises(TypeError, match="there is no option 'uri'"):
        server.add_tool(greet, uri="x")
    assert len(server._tools.listing) == 0


@pytest.mark.parametrize("revision", ALL)
async def test_offers_declares_what_comes_later_and_what_was_once_there_stays_declared(revision: str) -> None:
    server = Server("later", offers=["tools"])
    server.add_prompt(greet)
    server.remove_prompt("greet")
    async with unopened(server, revision) as wire:
        if revision in OLD:
            declared = (await opened(wire))["capabilities"]
        else:
            declared = (await wire.ask("server/discover"))["result"]["capabilities"]
        assert {"tools", "prompts"} <= declared.keys()
        assert "resources" not in declared
        assert (await wire.ask("prompts/list"))["result"]["prompts"] == []
        assert (await wire.error("resources/list"))["code"] == -32601


def test_offers_of_what_does_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match=r"there is no kind 'tool'; known: tools, resources, prompts"):
        Server("demo", offers=["tool"])


async def test_a_call_that_runs_ends_well_although_its_tool_is_removed() -> None:
    server, started, go = Server("demo"), anyio.Event(), anyio.Event()

    @server.tool
    async def slow() -> str:
        started.set()
        await go.wait()
        return "done"

    async with serving(server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "slow"})
        await started.wait()
        server.remove_tool("slow")
        assert (await wire.error("tools/call", {"name": "slow"}))["code"] == -32602
        go.set()
        answer = await wire.read()
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (id, "done")


async def test_threads_add_and_remove_while_lists_are_served_and_no_page_is_stale() -> None:
    server = Server("busy", page_size=5, offers=["tools"])

    def change(thread: int) -> None:
        for number in range(30):
            server.add_tool(greet, name=f"t{thread}-{number}")
            if number % 3:
                server.remove_tool(f"t{thread}-{number}")

    async with serving(server, REVISION) as wire:
        threads = [threading.Thread(target=change, args=[number]) for number in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            assert "result" in await wire.ask("tools/list")
        for thread in threads:
            thread.join()
        kept = {f"t{thread}-{number}" for thread in range(4) for number in range(0, 30, 3)}
        assert set(await names(wire, "tools/list", "tools")) == kept


def test_the_hook_of_a_list_is_called_after_each_change_by_the_thread_that_changes(monkeypatch: Any) -> None:
    heard: list[tuple[int, list[str]]] = []
    server = Server("demo")
    listing: Listing[Any] = server._tools.listing
    monkeypatch.setattr(listing, "_changed", lambda: heard.append((threading.get_ident(), listing.keys())))

    def elsewhere() -> None:
        server.add_tool(greet)
        server.remove_tool("greet")

    thread = threading.Thread(target=elsewhere)
    thread.start()
    here = thread.ident
    thread.join()
    assert heard == [(here, ["greet"]), (here, [])]


# ---- lists that change under a client


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("pagination.stable-cursors")
async def test_a_cursor_gives_the_same_page_as_often_as_it_is_used(revision: str) -> None:
    async with serving(many(5, 2), revision) as wire:
        for method, _ in LISTS:
            cursor = (await wire.ask(method))["result"]["nextCursor"]
            first, second = [(await wire.ask(method, {"cursor": cursor}))["result"] for _ in range(2)]
            assert first == second


def remover(server: Server, method: str) -> Callable[[str], None]:
    if method == "tools/list":
        return server.remove_tool
    return server.remove_prompt if method == "prompts/list" else server.remove_resource


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("gone", [slice(0, 1), slice(1, 2), slice(0, 2)], ids=["before", "at", "both"])
@pytest.mark.requirement("pagination.stable-cursors")
async def test_a_cursor_goes_on_where_it_was_although_entries_before_and_at_it_are_removed(
    revision: str, gone: slice
) -> None:
    """As often as it is used, also where the page begins elsewhere now and is made anew each time."""
    for method, member in LISTS:
        server = many(6, 2)
        async with serving(server, revision) as wire:
            page = (await wire.ask(method))["result"]
            second = (await wire.ask(method, {"cursor": page["nextCursor"]}))["result"]
            keys = [each.get("uri") or each.get("uriTemplate") or each["name"] for each in page[member]]
            for key in keys[gone]:
                remover(server, method)(key)
            for _ in range(2):
                after = (await wire.ask(method, {"cursor": page["nextCursor"]}))["result"]
                assert after[member] == second[member]


async def test_an_entry_that_is_replaced_moves_to_the_end_and_nothing_is_skipped() -> None:
    server = many(6, 2)
    async with serving(server, REVISION) as wire:
        cursor = (await wire.ask("tools/list"))["result"]["nextCursor"]
        server.remove_tool("item1")
        server.add_tool(greet, name="item1")
        rest: list[Json] = []
        while cursor is not None:
            page = (await wire.ask("tools/list", {"cursor": cursor}))["result"]
            rest, cursor = [*rest, *page["tools"]], page.get("nextCursor")
        assert [tool["name"][:5] for tool in rest] == ["item2", "item3", "item4", "item5", "item1"]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("pagination.invalid-cursor-32602", "pagination.invalid-cursor-graceful")
async def test_a_cursor_of_another_list_or_of_any_size_is_refused_in_one_line_and_the_server_serves_on(
    revision: str,
) -> None:
    async with serving(many(5, 2), revision) as wire:
        prompts = (await wire.ask("prompts/list"))["result"]["nextCursor"]
        for cursor in ("x" * 1_000_000, "nonsense", prompts[:-1]):
            error = await wire.error("tools/list", {"cursor": cursor})
            assert error == {"code": -32602, "message": "the cursor is not one of this list of tools"}
        assert "result" in await wire.ask("tools/list")


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("pagination.supported-lists")
async def test_all_four_lists_are_paged(revision: str) -> None:
    async with serving(many(5, 2), revision) as wire:
        for method, member in LISTS:
            first = (await wire.ask(method))["result"]
            second = (await wire.ask(method, {"cursor": first["nextCursor"]}))["result"]
            third = (await wire.ask(method, {"cursor": second["nextCursor"]}))["result"]
            assert [len(page[member]) for page in (first, second, third)] == [2, 2, 1]
            assert "nextCursor" not in third
