"""Tools, resources and prompts that are not for everybody: neither listed nor there for those who may not see them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mcport import Context, Server
from mcport.session.exchange import Exchange
from tests.server.test_registration import LISTS, listed
from tests.server.wire import ALL, NEW, Wire, serving

REVISION = NEW[0]


def one_text(b: str = "") -> str:
    return b


def fixed() -> str:
    return "fixed"


def admins(ctx: Context) -> bool:
    return ctx._exchange.principal == "admin"


def guarded(page_size: int | None = None) -> Server:
    """A server of which half is for the admin only."""
    server = Server("Guarded", page_size=page_size)
    for number in range(6):
        hidden = {"visible": admins} if number % 2 else {}
        options: Any = hidden
        server.add_tool(one_text, name=f"tool{number}", **options)
        server.add_prompt(one_text, name=f"prompt{number}", **options)
        server.add_resource(f"a://fixed{number}", fixed, **options)
        server.add_resource(f"b{number}://{{b}}", one_text, **options)
    return server


@asynccontextmanager
async def visited(server: Server, revision: str, who: str | None, monkeypatch: Any) -> AsyncIterator[Wire]:
    """Serve a server to a principal, as a transport with authorization would."""
    made = Exchange.__init__

    def known(self: Exchange, *args: Any) -> None:
        made(self, *args)
        self.principal = who

    monkeypatch.setattr(Exchange, "__init__", known)
    async with serving(server, revision) as wire:
        yield wire


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("who", "count"), [(None, 3), ("guest", 3), ("admin", 6)])
@pytest.mark.parametrize("page_size", [None, 1, 2])
@pytest.mark.requirement("tools.list-by-authorization", "tools.list-answered", revisions=NEW)
@pytest.mark.requirement("prompts.list-by-authorization", "resources.list-by-authorization", revisions=NEW)
async def test_p23_what_somebody_may_not_see_is_on_no_page_of_any_list(
    revision: str, who: str | None, count: int, page_size: int | None, monkeypatch: Any
) -> None:
    async with visited(guarded(page_size), revision, who, monkeypatch) as wire:
        for method, member in LISTS:
            entries = await listed(wire, method, member)
            seen = [entry.get("uri") or entry.get("uriTemplate") or entry["name"] for entry in entries]
            numbers = [next(int(letter) for letter in name if letter.isdigit()) for name in seen]
            assert numbers == list(range(0, 6, 6 // count))
            first = (await wire.ask(method))["result"]
            assert len(first[member]) == min(page_size or count, count)


@pytest.mark.parametrize("revision", ALL)
async def test_p23_what_somebody_may_not_see_is_answered_exactly_like_what_is_not_there(
    revision: str, monkeypatch: Any
) -> None:
    server = guarded()
    asked = [
        ("tools/call", "name", "tool1", "toolx"),
        ("prompts/get", "name", "prompt1", "promptx"),
        ("resources/read", "uri", "a://fixed1", "a://fixedx"),
        ("resources/read", "uri", "b1://x", "bx://x"),
    ]
    async with visited(server, revision, "guest", monkeypatch) as wire:
        for method, member, hidden, absent in asked:
            found, missing = [await wire.error(method, {member: name}) for name in (hidden, absent)]
            assert str(found).replace(hidden, "?") == str(missing).replace(absent, "?")
            assert "ool1'?" not in found["message"]
    async with visited(server, revision, "admin", monkeypatch) as wire:
        assert await wire.text("tool1", {"b": "x"}) == "x"
        for method, member, hidden, _ in asked[1:]:
            assert "result" in await wire.ask(method, {member: hidden})


async def test_p23_the_nearest_name_is_never_one_that_may_not_be_seen(monkeypatch: Any) -> None:
    server = Server("Guarded")
    server.add_tool(one_text, name="delete_all", visible=admins)
    async with visited(server, REVISION, "guest", monkeypatch) as wire:
        error = await wire.error("tools/call", {"name": "delete_al"})
        assert error["message"] == "Unknown tool 'delete_al' on server 'Guarded'."
    async with visited(server, REVISION, "admin", monkeypatch) as wire:
        error = await wire.error("tools/call", {"name": "delete_al"})
        assert error["message"].endswith("Did you mean 'delete_all'?")


async def test_p23_a_cursor_of_the_admin_tells_a_guest_nothing(monkeypatch: Any) -> None:
    server = guarded(page_size=2)
    async with visited(server, REVISION, "admin", monkeypatch) as wire:
        cursor = (await wire.ask("tools/list"))["result"]["nextCursor"]
    async with visited(server, REVISION, "guest", monkeypatch) as wire:
        assert (await wire.error("tools/list", {"cursor": cursor}))["code"] == -32602
        server.remove_tool("tool1")
        assert (await wire.error("tools/list", {"cursor": cursor}))["code"] == -32602


@pytest.mark.requirement("tools.list-not-per-connection", revisions=NEW)
@pytest.mark.requirement("prompts.list-not-per-connection", "resources.list-not-per-connection")
async def test_lists_are_the_same_on_every_connection_and_after_any_other_request() -> None:
    server = guarded(page_size=2)
    found = []
    async with serving(server, REVISION) as one, serving(server, REVISION) as other:
        for wire in (one, other, one):
            found.append([await listed(wire, *each) for each in LISTS])
            await wire.call("tool0", {"b": "x"})
            await wire.ask("prompts/get", {"name": "prompt0"})
            await wire.ask("resources/read", {"uri": "a://fixed0"})
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("result", ["yes", 1, [True]])
async def test_only_true_makes_visible_and_a_check_that_fails_hides(
    result: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def wrong(ctx: Context) -> Any:
        return result

    def broken(ctx: Context) -> bool:
        raise RuntimeError("hunter2")

    server = Server("demo")
    server.add_tool(one_text, name="wrong", visible=wrong)
    server.add_tool(one_text, name="broken", visible=broken)
    server.add_tool(one_text, name="open", visible=lambda ctx: True)
    async with serving(server, REVISION) as wire:
        assert [tool["name"] for tool in await listed(wire, "tools/list", "tools")] == ["open"]
        assert "hunter2" not in str(await wire.error("tools/call", {"name": "broken"}))
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert any("The visibility of 'wrong'" in text for text in texts)
    assert any("hunter2" in text for text in texts)


def test_visible_is_a_plain_function() -> None:
    async def later(ctx: Context) -> bool:
        return True

    server: Any = Server("demo")
    for wrong in (later, True, "admin"):
        with pytest.raises(TypeError, match="visible is a"):
            server.tool(visible=wrong)(lambda: None)
