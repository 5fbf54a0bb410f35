"""Listening: what a server's notifications become, in both eras, for one listener and for several."""

import gc
from typing import Any

import anyio
import pytest

from mcport import (
    Changes,
    Client,
    NotDeclared,
    Notified,
    PromptsChanged,
    RemoteError,
    ResourcesChanged,
    ResourceUpdated,
    ToolsChanged,
)
from mcport.client.listening.changes import Wanted
from mcport.client.listening.feed import Feed
from tests.client.counterpart import ALL, HANDSHAKE, STATELESS, error, notification, result
from tests.client.notifying import (
    CANCELLED,
    LISTEN,
    NEW,
    PROMPTS,
    RESOURCES,
    SUBSCRIPTION,
    TOOLS,
    UPDATED,
    acknowledging,
    table,
    take,
    tell,
)
from tests.client.playing import Wire, client_of, of

# ---- what comes


@pytest.mark.parametrize("revision", ALL)
async def test_p21_each_kind_of_change_arrives_in_order_whatever_the_revision(revision: str) -> None:
    wire = Wire(table(revision, "x://a"))
    async with (
        client_of(wire, revision) as client,
        client.listen(tools=True, prompts=True, resources=True, uris=["x://a"]) as changes,
    ):
        for method in (TOOLS, PROMPTS, RESOURCES):
            tell(wire, revision, method)
        tell(wire, revision, UPDATED, uri="x://a")
        got = await take(changes, 4)
    assert got == [ToolsChanged(), PromptsChanged(), ResourcesChanged(), ResourceUpdated("x://a")]


@pytest.mark.parametrize("revision", ALL)
async def test_what_was_not_asked_for_is_not_told(revision: str) -> None:
    wire = Wire(table(revision, "x://a"))
    async with client_of(wire, revision) as client, client.listen(prompts=True) as changes:
        for method in (TOOLS, RESOURCES):
            tell(wire, revision, method)
        tell(wire, revision, UPDATED, uri="x://a")
        tell(wire, revision, PROMPTS)
        assert await anext(changes) == PromptsChanged()


@pytest.mark.parametrize("revision", ALL)
async def test_a_plain_loop_listens_too_and_whoever_leaves_it_early_leaves_nothing_behind(revision: str) -> None:
    wire = Wire(table(revision, "x://a"))
    async with client_of(wire, revision) as client:
        async with anyio.create_task_group() as tasks:

            async def listen() -> None:
                async for change in client.listen(uris=["x://a"]):
                    assert change == ResourceUpdated("x://a")
                    break

            tasks.start_soon(listen)
            await wire.wrote(LISTEN if revision in STATELESS else "resources/subscribe")
            tell(wire, revision, UPDATED, uri="x://a")
        gc.collect()
        await wire.wrote(CANCELLED if revision in STATELESS else "resources/unsubscribe")


@pytest.mark.parametrize("revision", ALL)
async def test_a_change_carries_the_metadata_of_its_notification(revision: str) -> None:
    wire = Wire(table(revision, "x://a"))
    async with client_of(wire, revision) as client, client.listen(uris=["x://a"]) as changes:
        id = of(wire.messages, LISTEN)[0]["id"] if revision in STATELESS else 0
        wire.push(notification(UPDATED, {"uri": "x://a", "_meta": {"a.example/b": 1, SUBSCRIPTION: id}}))
        change = await anext(changes)
    assert isinstance(change, ResourceUpdated)
    assert change.meta["a.example/b"] == 1


@pytest.mark.parametrize("revision", ALL)
async def test_a_burst_of_equal_changes_is_one_and_keeps_its_place(revision: str) -> None:
    wire = Wire(table(revision, "x://a", "x://b"))
    async with (
        client_of(wire, revision) as client,
        client.listen(tools=True, uris=["x://a", "x://b"]) as changes,
    ):
        for uri in ("x://a", "x://b", "x://a", "x://a"):
            tell(wire, revision, UPDATED, uri=uri)
        tell(wire, revision, TOOLS)
        tell(wire, revision, UPDATED, uri="x://b")
        await client.request("tools/list")
        assert await take(changes, 3) == [ResourceUpdated("x://a"), ResourceUpdated("x://b"), ToolsChanged()]
        tell(wire, revision, TOOLS)
        assert await anext(changes) == ToolsChanged()


async def test_what_waits_is_bounded() -> None:
    feed = Feed(2)
    for uri in ("x://a", "x://b", "x://c", "x://a"):
        feed.put(ResourceUpdated(uri))
    feed.end()
    assert [await feed.next(), await feed.next()] == [ResourceUpdated("x://a"), ResourceUpdated("x://b")]
    with pytest.raises(StopAsyncIteration):
        await feed.next()


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_an_update_below_a_subscribed_resource_is_told_under_its_own_uri(revision: str) -> None:
    wire = Wire(table(revision))
    async with client_of(wire, revision) as client, client.listen(uris=["x://a"]) as changes:
        for uri in ("x://ab", "x://b", "x://a/part"):
            tell(wire, revision, UPDATED, uri=uri)
        assert await anext(changes) == ResourceUpdated("x://a/part")


@pytest.mark.parametrize("revision", ALL)
async def test_a_malformed_update_is_no_change(revision: str) -> None:
    wire = Wire(table(revision, "x://a"))
    async with client_of(wire, revision) as client, client.listen(tools=True, uris=["x://a"]) as changes:
        for params in ({}, {"uri": 1}):
            tell(wire, revision, UPDATED, **params)
        tell(wire, revision, TOOLS)
        change = await anext(changes)
        while isinstance(change, Notified):
            change = await anext(changes)
    assert change == ToolsChanged()


# ---- what is asked for


@pytest.mark.requirement("subscriptions.filter-optional-fields")
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"tools": True}, {"toolsListChanged": True}),
        ({"prompts": True}, {"promptsListChanged": True}),
        ({"resources": True, "tools": False}, {"resourcesListChanged": True}),
        ({"uris": ["x://a", "x://b", "x://a"]}, {"resourceSubscriptions": ["x://a", "x://b"]}),
    ],
)
async def test_the_filter_has_what_was_asked_for_and_nothing_else(asked: dict[str, Any], said: dict[str, Any]) -> None:
    wire = Wire(table(NEW, "x://a", "x://b"))
    async with client_of(wire, NEW) as client, client.listen(**asked):
        request = of(wire.messages, LISTEN)[0]
    assert request["params"]["notifications"] == said
    assert request["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == NEW


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("asked", "declared", "missing"),
    [
        ({"tools": True}, {"tools": {}}, "tools.listChanged"),
        ({"prompts": True}, {}, "prompts.listChanged"),
        ({"resources": True}, {"resources": {"subscribe": True}}, "resources.listChanged"),
        ({"uris": ["x://a"]}, {"resources": {"listChanged": True, "subscribe": False}}, "resources.subscribe"),
    ],
)
async def test_what_the_server_did_not_declare_is_refused_before_anything_is_sent(
    revision: str, asked: dict[str, Any], declared: dict[str, Any], missing: str
) -> None:
    wire = Wire(table(revision, declared=declared))
    async with client_of(wire, revision) as client:
        with pytest.raises(NotDeclared, match=f"'{missing}'"):
            await client.listen(**asked).__aenter__()
        opening = {"initialize", "notifications/initialized", "server/discover"}
        assert {message["method"] for message in wire.messages} <= opening


def test_listening_to_nothing_or_to_a_string_of_uris_is_a_mistake() -> None:
    client = Client(Wire({}))
    with pytest.raises(ValueError, match="needs to know to what"):
        client.listen()
    with pytest.raises(ValueError, match=r"uris=\['x://a'\]"):
        client.listen(uris="x://a")


@pytest.mark.requirement("subscriptions.client-checks-ack")
async def test_the_caller_learns_what_the_server_will_not_tell(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(table(NEW, listen=[acknowledging(["x://b"], toolsListChanged=True, promptsListChanged=False)]))
    async with (
        client_of(wire, NEW) as client,
        client.listen(tools=True, prompts=True, uris=["x://a", "x://b"]) as changes,
    ):
        assert changes.honoured == Wanted(tools=True, uris=("x://b",))
        assert changes.missing == Wanted(prompts=True, uris=("x://a",))
    assert "will not tell of" in caplog.text
    assert "x://a" in caplog.text


async def test_a_server_that_tells_everything_leaves_nothing_missing(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(table(NEW, "x://a"))
    async with client_of(wire, NEW) as client, client.listen(tools=True, uris=["x://a"]) as changes:
        assert not changes.missing
    assert "will not tell" not in caplog.text


async def test_filters_of_extensions_are_said_and_their_notifications_come() -> None:
    acknowledged = acknowledging(**{"a.example/things": ["t"]})
    wire = Wire(table(NEW, listen=[acknowledged]))
    async with client_of(wire, NEW) as client, client.listen(filters={"a.example/things": ["t"]}) as changes:
        assert of(wire.messages, LISTEN)[0]["params"]["notifications"] == {"a.example/things": ["t"]}
        assert not changes.missing
        tell(wire, NEW, "notifications/a.example/thing", thing="t")
        change = await anext(changes)
    assert isinstance(change, Notified)
    assert (change.method, change.params["thing"]) == ("notifications/a.example/thing", "t")


async def test_filters_of_extensions_need_the_stateless_era() -> None:
    wire = Wire(table(HANDSHAKE[0]))
    async with client_of(wire, HANDSHAKE[0]) as client:
        with pytest.raises(NotDeclared, match=r"a\.example/things is not part of"):
            await client.listen(filters={"a.example/things": True}).__aenter__()


# ---- several listeners


@pytest.mark.requirement("subscriptions.multiple", revisions=STATELESS)
@pytest.mark.parametrize("revision", ALL)
async def test_several_listeners_each_get_their_own(revision: str) -> None:
    wire = Wire(table(revision, "x://a", "x://b"))
    async with (
        client_of(wire, revision) as client,
        client.listen(tools=True, uris=["x://a"]) as one,
        client.listen(uris=["x://b"]) as other,
    ):
        tell(wire, revision, UPDATED, 0, uri="x://a")
        tell(wire, revision, UPDATED, 1, uri="x://b")
        tell(wire, revision, TOOLS, 0)
        assert await take(one, 2) == [ResourceUpdated("x://a"), ToolsChanged()]
        assert await anext(other) == ResourceUpdated("x://b")


@pytest.mark.requirement("resources.subscribe-methods")
@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_listeners_to_one_resource_share_its_subscription(revision: str) -> None:
    wire = Wire(table(revision))
    async with client_of(wire, revision) as client:
        async with client.listen(uris=["x://a"]) as one:
            async with client.listen(uris=["x://a"]) as other:
                tell(wire, revision, UPDATED, uri="x://a")
                assert await anext(one) == await anext(other) == ResourceUpdated("x://a")
            assert not of(wire.messages, "resources/unsubscribe")
        assert [each["params"]["uri"] for each in of(wire.messages, "resources/subscribe")] == ["x://a"]
        assert [each["params"]["uri"] for each in of(wire.messages, "resources/unsubscribe")] == ["x://a"]


@pytest.mark.parametrize("revision", HANDSHAKE[:1])
async def test_a_second_listener_waits_until_the_first_one_is_subscribed(revision: str) -> None:
    wire = Wire({**table(revision), "resources/subscribe": []})
    async with client_of(wire, revision) as client, anyio.create_task_group() as tasks:
        opened: list[Changes] = []

        async def listen() -> None:
            opened.append(await client.listen(uris=["x://a"]).__aenter__())

        tasks.start_soon(listen)
        tasks.start_soon(listen)
        [request] = await wire.wrote("resources/subscribe")
        await client.request("tools/list")
        assert not opened
        wire.push(result({}, request["id"]))
        await wire.until(lambda messages: True)
        while len(opened) < 2:
            await anyio.lowlevel.checkpoint()
        assert len(of(wire.messages, "resources/subscribe")) == 1
        for changes in opened:
            await changes.aclose()


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_a_refused_subscription_is_raised_and_the_others_are_given_back(revision: str) -> None:
    wire = Wire({**table(revision), "resources/subscribe": []})
    async with client_of(wire, revision) as client, anyio.create_task_group() as tasks:

        async def answer() -> None:
            first, second = [(await wire.wrote("resources/subscribe"))[0], None]
            wire.push(result({}, first["id"]))
            second = (await wire.wrote("resources/subscribe", 2))[1]
            wire.push(error(-32002, "Resource not found", id=second["id"]))

        tasks.start_soon(answer)
        with pytest.raises(RemoteError, match="Resource not found"):
            await client.listen(uris=["x://a", "x://none"]).__aenter__()
        [left] = await wire.wrote("resources/unsubscribe")
        assert left["params"]["uri"] == "x://a"
