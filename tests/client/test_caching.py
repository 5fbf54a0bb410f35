"""Results that the client keeps: how long, for which requests, and what makes it forget them."""

from typing import Any

import anyio
import pytest

from mcport import RemoteError, ResultCache
from mcport.core.events import Told
from tests.client.counterpart import HANDSHAKE, STATELESS, error, notification, result, usual
from tests.client.playing import Wire, client_of, of

NEW = STATELESS[0]
TOOL = {"name": "t", "inputSchema": {"type": "object", "properties": {"a": {"type": "string"}}}}
UPDATED = "notifications/resources/updated"


class Watch:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def cached(**bounds: int) -> tuple[ResultCache, Watch]:
    watch = Watch()
    return ResultCache(clock=watch, **bounds), watch


def tools(ttl: object = 60_000, scope: str = "private", **members: Any) -> dict[str, Any]:
    hints = {} if ttl is None else {"ttlMs": ttl, "cacheScope": scope}
    return result({"resultType": "complete", "tools": [TOOL], **hints, **members})


def wired(answers: dict[str, list[Any]], revision: str = NEW) -> Wire:
    return Wire({**usual(revision), **answers})


def asked(wire: Wire, method: str = "tools/list") -> int:
    return len(of(wire.messages, method))


# ---- how long


@pytest.mark.requirement("cache.ttl-fresh-option", "cache.ttl-positive-fresh", "cache.stale-refetch")
async def test_a_result_is_good_for_its_milliseconds_and_stale_at_exactly_that_moment() -> None:
    wire, (cache, watch) = wired({"tools/list": [tools(1500)]}), cached()
    async with client_of(wire, NEW, cache=cache) as client:
        first = await client.list_tools()
        watch.now += 1.499
        assert await client.list_tools() == first
        assert asked(wire) == 1
        watch.now += 0.001
        await client.list_tools()
        assert asked(wire) == 2


@pytest.mark.requirement("cache.ttl-zero-stale", "cache.ttl-absent-zero", "cache.ttl-negative-zero")
@pytest.mark.parametrize("ttl", [0, None, -1, -(10**30), 0.0])
async def test_a_result_without_a_time_is_stale_at_once_and_raises_nothing(ttl: object) -> None:
    wire, (cache, _) = wired({"tools/list": [tools(ttl)]}), cached()
    async with client_of(wire, NEW, cache=cache) as client:
        for _ in range(2):
            assert [tool.name for tool in (await client.list_tools()).tools] == ["t"]
    assert asked(wire) == 2
    assert len(cache) == 0


@pytest.mark.parametrize("ttl", [True, "60000", [1], {}, None])
def test_a_time_that_is_no_number_keeps_nothing(ttl: object) -> None:
    cache, _ = cached()
    cache.keep("tools/list", {}, {"tools": [], "ttlMs": ttl}, cache.ticket("tools/list"))
    assert len(cache) == 0


def test_a_time_without_end_can_be_added() -> None:
    cache, watch = cached()
    cache.keep("tools/list", {}, {"tools": [], "ttlMs": 10**400}, cache.ticket("tools/list"))
    watch.now += 3e7
    assert cache.find("tools/list", {}) is not None


@pytest.mark.requirement("cache.no-background-polling")
async def test_nothing_is_sent_when_the_time_runs_out_and_nobody_asks() -> None:
    wire, (cache, watch) = wired({"tools/list": [tools(1)]}), cached()
    async with client_of(wire, NEW, cache=cache) as client:
        await client.list_tools()
        watch.now += 3600
        before = len(wire.messages)
        await anyio.wait_all_tasks_blocked()
        assert len(wire.messages) == before


@pytest.mark.requirement("cache.early-refetch")
async def test_fresh_asks_the_server_and_keeps_what_it_says_now() -> None:
    wire, (cache, _) = wired({"tools/list": [tools()]}), cached()
    async with client_of(wire, NEW, cache=cache) as client:
        await client.list_tools()
        wire.counterpart.table["tools/list"] = [tools(tools=[])]
        assert (await client.list_tools(fresh=True)).tools == []
        assert (await client.list_tools()).tools == []
    assert asked(wire) == 2


@pytest.mark.requirement("cache.snapshot-from-start")
async def test_a_fresh_walk_fetches_every_page_from_the_beginning() -> None:
    wire, (cache, _) = wired({"tools/list": [tools()]}), cached()
    async with client_of(wire, NEW, cache=cache) as client:
        for _ in range(2):
            assert [tool.name async for tool in client.each_tool(fresh=True)] == ["t"]
    assert asked(wire) == 2


# ---- which results


@pytest.mark.parametrize(
    ("call", "arguments", "method", "members"),
    [
        ("discover", (), "server/discover", {"supportedVersions": [NEW], "capabilities": {}}),
        ("list_tools", (), "tools/list", {"tools": []}),
        ("list_prompts", (), "prompts/list", {"prompts": []}),
        ("list_resources", (), "resources/list", {"resources": []}),
        ("list_resource_templates", (), "resources/templates/list", {"resourceTemplates": []}),
        ("read_resource", ("x://a",), "resources/read", {"contents": []}),
    ],
)
async def test_each_of_the_six_results_is_kept_by_default(
    call: str, arguments: tuple[Any, ...], method: str, members: dict[str, Any]
) -> None:
    wire = wired({})
    async with client_of(wire, NEW) as client:
        wire.counterpart.table[method] = [result({"resultType": "complete", "ttlMs": 60_000, **members})]
        before = asked(wire, method)
        for _ in range(2):
            await getattr(client, call)(*arguments)
        assert asked(wire, method) == before + 1


async def test_other_results_are_never_kept_whatever_they_say() -> None:
    hints = {"resultType": "complete", "ttlMs": 60_000, "cacheScope": "public"}
    answers = {"prompts/get": [result({"messages": [], **hints})], "tools/call": [result({"content": [], **hints})]}
    wire = wired(answers)
    async with client_of(wire, NEW) as client:
        for _ in range(2):
            await client.get_prompt("p")
            await client.call_tool("t")
    assert asked(wire, "prompts/get") == asked(wire, "tools/call") == 2


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_the_handshake_era_has_no_hints_so_nothing_is_kept(revision: str) -> None:
    wire = wired({"tools/list": [tools()]}, revision)
    async with client_of(wire, revision) as client:
        for _ in range(2):
            await client.list_tools()
    assert asked(wire) == 2


async def test_a_client_told_so_keeps_nothing() -> None:
    wire = wired({"tools/list": [tools()]})
    async with client_of(wire, NEW, cache=False) as client:
        for _ in range(2):
            await client.list_tools()
    assert asked(wire) == 2


@pytest.mark.requirement("cache.key-method-params")
async def test_a_kept_result_serves_only_the_same_method_and_parameters() -> None:
    wire = wired({"resources/read": [result({"resultType": "complete", "contents": [], "ttlMs": 60_000})]})
    wire.counterpart.table["tools/list"] = [tools()]
    async with client_of(wire, NEW) as client:
        for uri in ("x://a", "x://b", "x://a"):
            await client.read_resource(uri)
        for cursor in (None, "", "c", "", None):
            await client.list_tools(cursor)
        await client.request("tools/list")
    assert asked(wire, "resources/read") == 2
    assert asked(wire) == 4


async def test_what_is_asked_with_metadata_goes_to_the_server_and_is_not_kept() -> None:
    wire = wired({"tools/list": [tools()]})
    async with client_of(wire, NEW) as client:
        for _ in range(2):
            await client.list_tools(meta={"a.example/b": 1})
        await client.list_tools()
    assert asked(wire) == 3


@pytest.mark.requirement("cache.mrtr-results-not-cached")
@pytest.mark.parametrize("extra", [{"inputResponses": {}}, {"requestState": "s"}])
def test_the_result_of_a_retry_is_not_kept(extra: dict[str, Any]) -> None:
    cache, _ = cached()
    params = {"uri": "x://a", **extra}
    cache.keep("resources/read", params, {"contents": [], "ttlMs": 60_000}, cache.ticket("resources/read"))
    assert len(cache) == 0


@pytest.mark.requirement("cache.private-not-shared", "cache.private-same-context")
@pytest.mark.parametrize("scope", ["private", "public"])
async def test_what_one_client_keeps_no_other_client_is_given(scope: str) -> None:
    """A client acts for one authorization context, and its cache is its own, whichever way that was made."""
    wires, (cache, _) = [wired({"tools/list": [tools(scope=scope)]}) for _ in range(3)], cached()
    clients = [client_of(wires[0], NEW, cache=cache), client_of(wires[1], NEW), client_of(wires[2], NEW)]
    for client in clients:
        async with client:
            for _ in range(2):
                assert [tool.name for tool in (await client.list_tools()).tools] == ["t"]
    assert [asked(wire) for wire in wires] == [1, 1, 1]
    with pytest.raises(ValueError, match="a ResultCache belongs to one client"):
        client_of(wired({}), NEW, cache=cache)


@pytest.mark.requirement("cache.public-shared")
@pytest.mark.parametrize(("scope", "shared"), [("private", False), ("public", True), (None, False), ("other", False)])
def test_a_private_result_stays_in_its_context_and_a_public_one_does_not(scope: str | None, shared: bool) -> None:
    cache, _ = cached()
    said = {"tools": [], "ttlMs": 60_000, **({} if scope is None else {"cacheScope": scope})}
    cache.keep("tools/list", {}, said, cache.ticket("tools/list"), "alice")
    assert cache.find("tools/list", {}, "alice") == said
    assert (cache.find("tools/list", {}, "bob") == said) is shared


def test_a_private_result_takes_the_place_of_a_public_one() -> None:
    cache, _ = cached()
    for scope in ("public", "private"):
        said = {"tools": [], "ttlMs": 60_000, "cacheScope": scope}
        cache.keep("tools/list", {}, said, cache.ticket("tools/list"), "alice")
    assert cache.find("tools/list", {}, "bob") is None


async def test_what_a_caller_does_to_a_result_does_not_spoil_the_next_one() -> None:
    wire = wired({"tools/list": [tools()]})
    async with client_of(wire, NEW) as client:
        for _ in range(3):
            [tool] = (await client.list_tools()).tools
            assert tool.input_schema == TOOL["inputSchema"]
            tool.input_schema["properties"].clear()
            tool.name = "spoilt"
    assert asked(wire) == 1


# ---- pages


@pytest.mark.requirement("cache.page-refetch")
async def test_an_expired_page_is_fetched_again_by_its_own_cursor() -> None:
    wire, (cache, watch) = wired({"tools/list": [tools(60_000, nextCursor="two")]}), cached()
    async with client_of(wire, NEW, cache=cache) as client:
        await client.list_tools()
        wire.counterpart.table["tools/list"] = [tools(1000)]
        await client.list_tools("two")
        watch.now += 1
        assert [tool.name async for tool in client.each_tool()] == ["t", "t"]
        cursors = [each["params"].get("cursor") for each in of(wire.messages, "tools/list")]
    assert cursors == [None, "two", "two"]


class PagedWire(Wire):
    """A server whose list became another one after its first page was kept."""

    def named(self, name: str, **members: Any) -> dict[str, Any]:
        return tools(60_000, tools=[{**TOOL, "name": name}], **members)

    async def send(self, message: bytes) -> None:
        if b'"cursor":"old"' in message:
            self.counterpart.table["tools/list"] = [error(-32602, "Invalid cursor")]
        elif b'"cursor":"new"' in message:
            self.counterpart.table["tools/list"] = [self.named("c")]
        elif b'"tools/list"' in message and b'"cursor"' in b"".join(self.counterpart.lines):
            self.counterpart.table["tools/list"] = [
                tools(60_000, tools=[{**TOOL, "name": name} for name in ("b", "a")], nextCursor="new")
            ]
        await super().send(message)


@pytest.mark.requirement("cache.invalid-cursor-discards")
async def test_an_invalid_cursor_discards_all_pages_and_the_walk_begins_anew_giving_nothing_twice() -> None:
    wire = PagedWire(usual(NEW))
    wire.counterpart.table["tools/list"] = [wire.named("a", nextCursor="old")]
    async with client_of(wire, NEW) as client:
        await client.list_tools()
        assert [tool.name async for tool in client.each_tool()] == ["a", "b", "c"]
        cursors = [each["params"].get("cursor") for each in of(wire.messages, "tools/list")]
    assert cursors == [None, "old", None, "new"]


async def test_an_invalid_cursor_is_an_error_where_nothing_was_kept() -> None:
    wire = wired({"tools/list": [tools(0, nextCursor="old")]})
    async with client_of(wire, NEW) as client:
        walk = client.each_tool()
        await anext(walk)
        wire.counterpart.table["tools/list"] = [error(-32602, "Invalid cursor")]
        with pytest.raises(RemoteError, match="Invalid cursor"):
            await anext(walk)


# ---- what makes it forget


@pytest.mark.requirement("cache.notification-invalidates")
@pytest.mark.parametrize(
    ("told", "forgotten"),
    [
        ("notifications/tools/list_changed", {"tools/list"}),
        ("notifications/prompts/list_changed", {"prompts/list"}),
        (
            "notifications/resources/list_changed",
            {"resources/list", "resources/templates/list", "resources/read x://a", "resources/read x://b"},
        ),
        (f"{UPDATED} x://a", {"resources/read x://a"}),
        (f"{UPDATED} x://a/part", {"resources/read x://a"}),
        (f"{UPDATED} x://ab", set()),
        (UPDATED, {"resources/read x://a", "resources/read x://b"}),
        ("notifications/message", set()),
    ],
)
@pytest.mark.parametrize("scope", ["private", "public"])
def test_a_notification_makes_what_it_concerns_stale_at_once(told: str, forgotten: set[str], scope: str) -> None:
    cache, _ = cached()
    kept = ["server/discover", "tools/list", "prompts/list", "resources/list", "resources/templates/list"]
    kept += ["resources/read x://a", "resources/read x://b"]

    def at(name: str) -> tuple[str, dict[str, Any]]:
        method, _, uri = name.partition(" ")
        return method, {"uri": uri} if uri else {}

    for name in kept:
        cache.keep(*at(name), {"ttlMs": 60_000, "cacheScope": scope}, cache.ticket(at(name)[0]))
    cache.hear(Told(*at(told)))
    assert {name for name in kept if cache.find(*at(name)) is None} == forgotten


@pytest.mark.requirement("cache.notification-invalidates")
async def test_a_change_told_while_the_client_listens_has_it_ask_again() -> None:
    declared = {"tools": {"listChanged": True}}
    subscription = {"io.modelcontextprotocol/subscriptionId": "$id"}
    acknowledged = {"notifications": {"toolsListChanged": True}, "_meta": subscription}
    listen = [notification("notifications/subscriptions/acknowledged", acknowledged)]
    wire = Wire({**usual(NEW, declared), "tools/list": [tools()], "subscriptions/listen": listen})
    async with client_of(wire, NEW) as client, client.listen(tools=True) as changes:
        await client.list_tools()
        meta = {"io.modelcontextprotocol/subscriptionId": of(wire.messages, "subscriptions/listen")[0]["id"]}
        wire.push(notification("notifications/tools/list_changed", {"_meta": meta}))
        await anext(changes)
        await client.list_tools()
    assert asked(wire) == 2


@pytest.mark.requirement("cache.notification-invalidates")
@pytest.mark.parametrize(
    ("told", "method", "params"),
    [
        ("notifications/prompts/list_changed", "prompts/list", {}),
        ("notifications/resources/list_changed", "resources/read", {"uri": "x://a"}),
        (UPDATED, "resources/read", {"uri": "x://a"}),
    ],
)
def test_what_was_asked_before_a_change_was_told_is_stale_when_it_comes(
    told: str, method: str, params: dict[str, Any]
) -> None:
    cache, _ = cached()
    ticket = cache.ticket(method)
    cache.hear(Told(told, {"uri": "x://a"}))
    cache.keep(method, params, {"ttlMs": 60_000}, ticket)
    assert cache.find(method, params) is None
    cache.keep(method, params, {"ttlMs": 60_000}, cache.ticket(method))
    assert cache.find(method, params) is not None


@pytest.mark.requirement("cache.notification-invalidates")
async def test_a_result_that_may_be_older_than_a_change_is_not_kept() -> None:
    changed = notification("notifications/tools/list_changed")
    wire = wired({"tools/list": [changed, tools()]})
    async with client_of(wire, NEW) as client:
        await client.list_tools()
        wire.counterpart.table["tools/list"] = [tools()]
        for _ in range(2):
            await client.list_tools()
    assert asked(wire) == 2


async def test_a_new_connection_knows_nothing_of_the_one_before() -> None:
    wires = [wired({"tools/list": [tools()]}) for _ in range(2)]
    coming = iter(wires)

    async def dial() -> Wire:
        return next(coming)

    client = client_of(dial, NEW)  # type: ignore[arg-type]
    for wire in wires:
        async with client:
            await client.list_tools()
        assert asked(wire) == 1


# ---- bounds


def test_the_results_unused_for_longest_make_room() -> None:
    cache, _ = cached(entries=2)
    for name in ("a", "b"):
        cache.keep("resources/read", {"uri": name}, {"ttlMs": 1000}, cache.ticket("resources/read"))
    cache.find("resources/read", {"uri": "a"})
    cache.keep("resources/read", {"uri": "c"}, {"ttlMs": 1000}, cache.ticket("resources/read"))
    assert [cache.find("resources/read", {"uri": name}) is not None for name in "abc"] == [True, False, True]


def test_p12_the_bytes_that_are_kept_are_bounded() -> None:
    cache, _ = cached(size=400)
    for name in "abcdefgh":
        said = {"ttlMs": 1000, "contents": "x" * 60}
        cache.keep("resources/read", {"uri": name}, said, cache.ticket("resources/read"))
        assert len(cache) <= 4
    cache.keep("resources/read", {"uri": "large"}, {"ttlMs": 1000, "contents": "x" * 200}, 0)
    assert cache.find("resources/read", {"uri": "large"}) is None
    assert cache.find("resources/read", {"uri": "h"}) is not None
    cache.clear()
    assert len(cache) == 0
