"""`subscriptions/listen` on the wire: acknowledged first, then what was asked for, then a result (stateless era)."""

from __future__ import annotations

import json

import anyio
import pytest

from mcport import Context, Server
from mcport.core.limits import SERVER_LIMITS
from tests.server.test_notifications import ALL_LISTS, NOTE, NOTIFY, SUBSCRIPTION, attend, attending, heard, noticeboard
from tests.server.wire import NEW, VERSION, Json, Wire, serving

pytestmark = pytest.mark.parametrize("revision", NEW)

LISTEN = "subscriptions/listen"
IDS: list[Json] = [0, 7, "7", "", 1.0, 2**53]


async def listen(wire: Wire, wanted: Json, id: Json = None) -> Json:
    """Open a listening request and return the acknowledgment."""
    wire.request(LISTEN, {"notifications": wanted}, id)
    return await wire.read()


def subscription(message: Json) -> Json:
    return message["params"]["_meta"][SUBSCRIPTION]


@pytest.mark.parametrize("id", IDS)
@pytest.mark.requirement(
    "subscriptions.acknowledged-first", "subscriptions.id-is-request-id", "subscriptions.id-on-every-notification"
)
async def test_the_first_word_is_the_acknowledgment_and_every_word_bears_the_id_with_its_type(
    revision: str, id: Json
) -> None:
    server = noticeboard()
    async with serving(server, revision) as wire:
        wanted = {**ALL_LISTS, "resourceSubscriptions": [NOTE]}
        acknowledged = await listen(wire, wanted, id)
        assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
        assert acknowledged["params"]["notifications"] == wanted
        for notify in NOTIFY.values():
            notify(server)
        told = [acknowledged, *[await wire.read() for _ in NOTIFY]]
        assert [message["method"] for message in told[1:]] == [*NOTIFY]
        assert [(subscription(message), type(subscription(message))) for message in told] == [(id, type(id))] * 5


@pytest.mark.requirement("base.support-core-stateless")
async def test_a_server_that_offers_nothing_knows_every_pattern_of_the_protocol(revision: str) -> None:
    async with serving(Server("bare", log_level=None), revision) as wire:
        found = (await wire.ask("server/discover"))["result"]
        assert (revision in found["supportedVersions"], found["capabilities"]) == (True, {})
        assert (await wire.error("tools/list"))["code"] == -32601
        assert (await wire.error("server/discover", **{VERSION: "1999-01-01"}))["code"] == -32022
        wire.send(b"{")
        assert (await wire.read())["error"]["code"] == -32700
        assert (await listen(wire, ALL_LISTS, "open"))["params"]["notifications"] == {}
        wire.notify("notifications/cancelled", {"requestId": "open"})
        wire.notify("notifications/nobody-knows")
        await wire.silent()


@pytest.mark.requirement("subscriptions.nothing-before-ack")
async def test_no_change_is_told_before_the_acknowledgment(revision: str) -> None:
    server = noticeboard()
    async with serving(server, revision) as wire:
        for _ in range(5):
            server.notify_tools_changed()
            wire.request(LISTEN, {"notifications": ALL_LISTS})
            server.notify_tools_changed()
            await wire.rest()
        first: dict[Json, str] = {}
        for line in wire.raw:
            message = json.loads(line)
            if "method" in message:
                first.setdefault(subscription(message), message["method"])
        assert [*first.values()] == ["notifications/subscriptions/acknowledged"] * 5


@pytest.mark.parametrize("member", [*ALL_LISTS, "resourceSubscriptions"])
@pytest.mark.requirement(
    "subscriptions.only-requested-types",
    "subscriptions.filter-optional-fields",
    "notifications.list-changed-only-on-listen",
)
async def test_a_listening_request_hears_only_what_it_asked_for(revision: str, member: str) -> None:
    server = noticeboard()
    wanted: Json = {member: [NOTE] if member == "resourceSubscriptions" else True}
    others = {name: False for name in ALL_LISTS if name != member and name != "toolsListChanged"}
    async with serving(server, revision) as wire:
        assert (await listen(wire, {**others, **wanted}))["params"]["notifications"] == wanted
        for notify in NOTIFY.values():
            notify(server)
        server.notify_resource_updated("note://2/lines")
        methods = [*NOTIFY]
        expected = dict(zip([*ALL_LISTS, "resourceSubscriptions"], methods, strict=True))[member]
        assert [message["method"] for message in await wire.rest()] == [expected]


@pytest.mark.requirement("subscriptions.only-requested-types", "notifications.list-changed-only-on-listen")
async def test_who_does_not_listen_hears_nothing(revision: str) -> None:
    server = noticeboard()
    async with serving(server, revision) as wire:
        assert (await listen(wire, {}))["params"]["notifications"] == {}
        for notify in NOTIFY.values():
            notify(server)
        server.notify("notifications/weather")
        await wire.silent()


@pytest.mark.requirement("subscriptions.ack-subset", "resources.updates-declared")
async def test_only_what_was_declared_is_acknowledged_and_only_resources_that_there_are(revision: str) -> None:
    wanted = {**ALL_LISTS, "resourceSubscriptions": [NOTE, "note://9", NOTE, "note://2/lines"], "newsOfTomorrow": True}
    bare = Server("bare")
    async with serving(bare, revision) as wire:
        assert (await listen(wire, wanted))["params"]["notifications"] == {}
        bare.tool(anyio.sleep)
        await wire.silent()
        assert (await listen(wire, wanted))["params"]["notifications"] == {"toolsListChanged": True}
    async with serving(noticeboard(), revision) as wire:
        honoured = {**ALL_LISTS, "resourceSubscriptions": [NOTE, "note://2/lines"]}
        assert (await listen(wire, wanted))["params"]["notifications"] == honoured


@pytest.mark.requirement("subscriptions.ack-subset")
async def test_a_resource_that_may_not_be_seen_cannot_be_followed(revision: str) -> None:
    server = noticeboard()

    @server.resource("note://secret", visible=lambda ctx: False)
    def secret() -> str:
        return "hush"

    async with serving(server, revision) as wire:
        acknowledged = await listen(wire, {"resourceSubscriptions": ["note://secret"]})
        assert acknowledged["params"]["notifications"] == {"resourceSubscriptions": []}
        server.notify_resource_updated("note://secret")
        await wire.silent()


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({}, "notifications is missing"),
        ({"notifications": None}, "notifications must be an object"),
        ({"notifications": []}, "notifications must be an object"),
        ({"notifications": {"toolsListChanged": "yes"}}, "toolsListChanged must be true or false"),
        ({"notifications": {"toolsListChanged": None}}, "toolsListChanged must be true or false"),
        ({"notifications": {"resourceSubscriptions": "note://1"}}, "resourceSubscriptions must be a list of strings"),
        ({"notifications": {"resourceSubscriptions": [1]}}, "resourceSubscriptions must be a list of strings"),
        ({"notifications": {"resourceSubscriptions": True}}, "resourceSubscriptions must be a list of strings"),
    ],
)
@pytest.mark.requirement("subscriptions.filter-optional-fields")
async def test_a_filter_that_is_none_is_refused_in_one_line(revision: str, params: Json, fault: str) -> None:
    async with serving(noticeboard(), revision) as wire:
        error = await wire.error(LISTEN, params)
        assert (error["code"], error["message"]) == (-32602, f"{LISTEN}: {fault}")
        assert not wire.raw[:-1]


@pytest.mark.requirement("subscriptions.multiple", "subscriptions.interleaving")
async def test_several_listening_requests_hear_their_own_each(revision: str) -> None:
    server = noticeboard()
    async with serving(server, revision) as wire:
        await listen(wire, {"toolsListChanged": True}, 1)
        await listen(wire, {"promptsListChanged": True}, "1")
        await listen(wire, {"toolsListChanged": True, "resourceSubscriptions": [NOTE]}, 3)
        server.notify_prompts_changed()
        server.notify_tools_changed()
        server.notify_resource_updated(NOTE)
        told = [(subscription(message), heard(message)[0].split("/")[1]) for message in await wire.rest()]
        assert sorted(told, key=str) == [("1", "prompts"), (1, "tools"), (3, "resources"), (3, "tools")]
        assert [topic for id, topic in told if id == 3] == ["tools", "resources"]


@pytest.mark.requirement(
    "subscriptions.ends-on-client-cancel", "subscriptions.scoped-to-request", "cancel.no-further-messages"
)
async def test_a_cancelled_listening_request_hears_nothing_more_and_its_id_is_free(revision: str) -> None:
    server = noticeboard(limits=SERVER_LIMITS.but(listens=2))
    async with serving(server, revision) as wire:
        await listen(wire, ALL_LISTS, 5)
        await listen(wire, ALL_LISTS, 6)
        server.notify_tools_changed()
        wire.notify("notifications/cancelled", {"requestId": 5})
        await wire.rest()
        server.notify_prompts_changed()
        assert [subscription(message) for message in await wire.rest()] == [6]
        (audience,) = server._telling._audiences
        assert len(audience) == 1
        assert (await listen(wire, ALL_LISTS, 5))["params"]["notifications"] == ALL_LISTS


@pytest.mark.requirement("subscriptions.scoped-to-request")
async def test_nothing_is_kept_of_a_client_that_is_gone(revision: str) -> None:
    server = noticeboard()
    async with serving(server, revision) as staying:
        async with attending(server, revision, NOTE):
            (audience,) = server._telling._audiences
            assert len(audience) == 1
        await staying.silent()
        assert len(audience) == 0
        assert audience._by_topic == {}


@pytest.mark.parametrize("id", [3, "three"])
@pytest.mark.requirement(
    "subscriptions.graceful-response",
    "cancel.server-teardown-notifies",
    "cancel.server-only-for-listen",
    "subscriptions.id-is-request-id",
)
async def test_the_server_ends_a_listening_request_with_what_was_left_to_tell_a_result_and_a_cancellation(
    revision: str, id: Json
) -> None:
    server = noticeboard()
    async with serving(server, revision) as wire:
        await listen(wire, ALL_LISTS, id)
        server.notify_tools_changed()
        wire.hang_up()
        told, result, cancelled = [await wire.read() for _ in range(3)]
        assert (heard(told)[0], subscription(told)) == ("notifications/tools/list_changed", id)
        assert (result["id"], result["result"]["resultType"]) == (id, "complete")
        assert result["result"]["_meta"][SUBSCRIPTION] == id
        assert cancelled["method"] == "notifications/cancelled"
        assert cancelled["params"]["requestId"] == id


async def test_listening_requests_do_not_hold_up_calls_nor_the_end(revision: str) -> None:
    server = noticeboard(limits=SERVER_LIMITS.but(requests_in_flight=2))
    async with serving(server, revision) as wire:
        for _ in range(20):
            await listen(wire, ALL_LISTS)
        assert await wire.text("look") == "here"
        with anyio.fail_after(0.5):
            wire.hang_up()
            for _ in range(20):
                assert "result" in await wire.read()
                assert (await wire.read())["method"] == "notifications/cancelled"


async def test_listening_requests_need_no_task(revision: str) -> None:
    async with serving(noticeboard(), revision) as wire:
        for _ in range(50):
            await listen(wire, ALL_LISTS)
        await wire.silent()
        assert len(anyio.get_running_tasks()) < 10


async def test_the_listening_requests_of_one_connection_are_bounded(revision: str) -> None:
    async with serving(noticeboard(limits=SERVER_LIMITS.but(listens=2)), revision) as wire:
        await listen(wire, ALL_LISTS, 1)
        await listen(wire, ALL_LISTS, 2)
        error = await wire.error(LISTEN, {"notifications": ALL_LISTS})
        assert error["message"] == f"{LISTEN}: 2 are open on this connection already (Limits.listens)"
        wire.notify("notifications/cancelled", {"requestId": 1})
        await listen(wire, ALL_LISTS, 3)


async def test_the_listeners_of_one_server_are_bounded(revision: str) -> None:
    server = noticeboard(limits=SERVER_LIMITS.but(listeners=2))
    async with attending(server, revision), attending(server, revision), serving(server, revision) as wire:
        assert "too many clients listen" in (await wire.error(LISTEN, {"notifications": {}}))["message"]


async def test_the_resources_that_are_followed_are_bounded(revision: str) -> None:
    async with serving(noticeboard(limits=SERVER_LIMITS.but(subscriptions=2)), revision) as wire:
        wanted = {"resourceSubscriptions": ["a", "b", "c"]}
        error = await wire.error(LISTEN, {"notifications": wanted})
        assert error["message"] == f"{LISTEN}: resourceSubscriptions has more than 2 members (Limits.subscriptions)"


@pytest.mark.requirement("subscriptions.no-request-scoped", "logging.own-stream-only")
async def test_progress_and_logs_of_calls_bear_no_id_of_a_listening_request(revision: str) -> None:
    server = noticeboard()

    @server.tool
    async def talk(ctx: Context) -> str:
        await ctx.report_progress(1)
        await ctx.info("talking")
        return "done"

    async with serving(server, revision) as wire:
        await attend(wire)
        await wire.rest()
        wire.request("tools/call", {"name": "talk"}, progressToken="t", **{"io.modelcontextprotocol/logLevel": "info"})
        progress, said, result = [await wire.read() for _ in range(3)]
        assert (progress["method"], said["method"]) == ("notifications/progress", "notifications/message")
        assert "_meta" not in progress["params"]
        assert "_meta" not in said["params"]
        assert "result" in result
        await wire.silent()


@pytest.mark.requirement("resources.capability-declared", "tools.capability-declared", "prompts.capability-declared")
async def test_what_there_is_is_declared_and_that_it_can_change(revision: str) -> None:
    async with serving(noticeboard(), revision) as wire:
        assert (await wire.ask("server/discover"))["result"]["capabilities"] == {
            "logging": {},
            "tools": {"listChanged": True},
            "resources": {"listChanged": True, "subscribe": True},
            "prompts": {"listChanged": True},
        }


async def test_listening_is_no_part_of_a_session(revision: str) -> None:
    async with serving(noticeboard(), "2025-11-25") as wire:
        assert (await wire.error(LISTEN, {"notifications": ALL_LISTS}))["code"] == -32601
