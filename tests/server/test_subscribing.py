"""`resources/subscribe` and `resources/unsubscribe` on the wire (handshake era)."""

from __future__ import annotations

import pytest

from mcport.core.limits import SERVER_LIMITS
from tests.server.test_notifications import NOTE, heard, noticeboard, one_more
from tests.server.wire import NEW, OLD, Json, opened, serving, unopened

pytestmark = pytest.mark.requirement("resources.subscribe-methods", revisions=OLD)

UPDATED = "notifications/resources/updated"


@pytest.mark.parametrize("revision", OLD)
async def test_a_resource_is_followed_until_it_is_given_up(revision: str) -> None:
    server = noticeboard()
    async with serving(server, revision) as wire:
        server.notify_resource_updated(NOTE)
        await wire.silent()
        assert (await wire.ask("resources/subscribe", {"uri": NOTE}))["result"] == {}
        server.notify_resource_updated(NOTE)
        server.notify_resource_updated("note://2/lines")
        assert await wire.read() == {"jsonrpc": "2.0", "method": UPDATED, "params": {"uri": NOTE}}
        await wire.silent()
        assert (await wire.ask("resources/unsubscribe", {"uri": NOTE}))["result"] == {}
        server.notify_resource_updated(NOTE)
        await wire.silent()


@pytest.mark.parametrize("revision", OLD)
async def test_following_twice_is_following_once(revision: str) -> None:
    server = noticeboard()
    async with serving(server, revision) as wire:
        for _ in range(2):
            assert (await wire.ask("resources/subscribe", {"uri": NOTE}))["result"] == {}
        server.notify_resource_updated(NOTE)
        assert [heard(message) for message in await wire.rest()] == [(UPDATED, NOTE)]
        for _ in range(2):
            assert (await wire.ask("resources/unsubscribe", {"uri": NOTE}))["result"] == {}
        server.notify_resource_updated(NOTE)
        await wire.silent()


@pytest.mark.parametrize("revision", OLD)
async def test_a_resource_of_a_template_can_be_followed(revision: str) -> None:
    server = noticeboard()
    async with serving(server, revision) as wire:
        assert (await wire.ask("resources/subscribe", {"uri": "note://5/lines"}))["result"] == {}
        server.notify_resource_updated("note://6/lines")
        server.notify_resource_updated("note://5/lines")
        assert heard(await wire.read()) == (UPDATED, "note://5/lines")


@pytest.mark.parametrize("revision", OLD)
async def test_a_resource_that_is_not_there_cannot_be_followed(revision: str) -> None:
    server = noticeboard(limits=SERVER_LIMITS.but(uri_bytes=20))
    server.resource("note://secret", visible=lambda ctx: False)(one_more)
    async with serving(server, revision) as wire:
        for uri in ("note://9", "", "note://secret", "note://" + "1" * 20 + "/lines"):
            error = await wire.error("resources/subscribe", {"uri": uri})
            assert (error["code"], error["data"]) == (-32002, {"uri": uri})
            assert (await wire.ask("resources/unsubscribe", {"uri": uri}))["result"] == {}


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.parametrize("params", [{}, {"uri": None}, {"uri": 5}, {"uri": [NOTE]}])
async def test_a_uri_is_a_string(revision: str, params: Json) -> None:
    async with serving(noticeboard(), revision) as wire:
        for method in ("resources/subscribe", "resources/unsubscribe"):
            error = await wire.error(method, params)
            assert error["code"] == -32602
            assert error["message"].startswith(f"{method}: uri ")


@pytest.mark.parametrize("revision", OLD)
async def test_what_one_session_follows_is_bounded(revision: str) -> None:
    async with serving(noticeboard(limits=SERVER_LIMITS.but(subscriptions=2)), revision) as wire:
        for id in ("a", "b"):
            assert "result" in await wire.ask("resources/subscribe", {"uri": f"note://{id}/lines"})
        error = await wire.error("resources/subscribe", {"uri": NOTE})
        assert error == {
            "code": -32602,
            "message": "resources/subscribe: 2 are followed already (Limits.subscriptions)",
        }
        assert "result" in await wire.ask("resources/subscribe", {"uri": "note://a/lines"})
        await wire.ask("resources/unsubscribe", {"uri": "note://a/lines"})
        assert "result" in await wire.ask("resources/subscribe", {"uri": NOTE})


@pytest.mark.parametrize("revision", OLD)
async def test_two_sessions_follow_what_they_asked_for_each(revision: str) -> None:
    server = noticeboard()
    async with serving(server, revision) as one, serving(server, revision) as other:
        await one.ask("resources/subscribe", {"uri": NOTE})
        await other.ask("resources/subscribe", {"uri": "note://2/lines"})
        server.notify_resource_updated(NOTE)
        assert heard(await one.read()) == (UPDATED, NOTE)
        await other.silent()


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("resources.capability-declared", "tools.capability-declared", "prompts.capability-declared")
async def test_what_is_declared_holds_for_the_conversation(revision: str) -> None:
    server = noticeboard()
    async with unopened(server, revision) as wire:
        declared = (await opened(wire))["capabilities"]
        assert declared == {
            "logging": {},
            "tools": {"listChanged": True},
            "resources": {"listChanged": True, "subscribe": True},
            "prompts": {"listChanged": True},
        }
        await wire.silent()
        for uri in (NOTE, "note://{id}/lines"):
            server.remove_resource(uri)
        assert heard(await wire.read()) == ("notifications/resources/list_changed", None)
        assert (await wire.ask("resources/list"))["result"]["resources"] == []
        assert (await wire.error("resources/subscribe", {"uri": NOTE}))["code"] == -32002


@pytest.mark.parametrize("revision", NEW)
async def test_subscribing_is_no_part_of_the_stateless_era(revision: str) -> None:
    async with serving(noticeboard(), revision) as wire:
        for method in ("resources/subscribe", "resources/unsubscribe"):
            assert (await wire.error(method, {"uri": NOTE}))["code"] == -32601
