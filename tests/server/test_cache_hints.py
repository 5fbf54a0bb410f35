"""How long and for whom results may be kept: per server, per list, per resource, by the handler; never for a retry."""

from __future__ import annotations

from typing import Any

import pytest

from mcport import CacheHint, Context, Server
from mcport.server.offering.cache_hint import is_retry
from mcport.spec.types import ReadResourceResult, TextResourceContents
from tests.server.wire import ALL, CAPABILITIES, NEW, OLD, Json, Wire, serving

LISTS = {"tools": "tools/list", "prompts": "prompts/list", "resources": "resources/list"}
LISTS |= {"templates": "resources/templates/list", "discover": "server/discover"}
MINUTE = CacheHint(ttl_ms=60_000, scope="public")
NOTE = "note://1"
NONE = (0, "private")


def shelf(**options: Any) -> Server:
    server = Server("shelf", **options)

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


async def hints(wire: Wire, method: str, params: Json = None) -> Json:
    """Ask, and return what the result says of caching."""
    result = (await wire.ask(method, params))["result"]
    return result["ttlMs"], result["cacheScope"]


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("cache.hints-required", "cache.public-awareness")
async def test_every_cacheable_result_has_hints_that_allow_nothing_unless_the_author_says_so(revision: str) -> None:
    async with serving(shelf(), revision) as wire:
        for method in LISTS.values():
            assert await hints(wire, method) == NONE, method
        assert await hints(wire, "resources/read", {"uri": NOTE}) == NONE
        assert await hints(wire, "resources/read", {"uri": "note://2/lines"}) == NONE


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("cache.hints-required", "cache.ttl-with-list-changed", "cache.server-may-change-early")
async def test_the_hint_of_the_server_holds_for_all_six_methods(revision: str) -> None:
    server = shelf(cache=MINUTE)
    async with serving(server, revision) as wire:
        for method in LISTS.values():
            assert await hints(wire, method) == (60_000, "public"), method
        assert await hints(wire, "resources/read", {"uri": NOTE}) == (60_000, "public")
        server.remove_tool("look")
        assert (await wire.ask("tools/list"))["result"]["tools"] == []
        assert await hints(wire, "tools/list") == (60_000, "public")


@pytest.mark.parametrize("revision", NEW)
async def test_other_results_have_no_hints(revision: str) -> None:
    async with serving(shelf(cache=MINUTE), revision) as wire:
        called = (await wire.ask("tools/call", {"name": "look"}))["result"]
        got = (await wire.ask("prompts/get", {"name": "ask"}))["result"]
        assert not {"ttlMs", "cacheScope"} & (called.keys() | got.keys())


@pytest.mark.parametrize("revision", OLD)
async def test_revisions_without_caching_are_sent_no_hints(revision: str) -> None:
    server = shelf(cache=MINUTE)
    server.resource("note://own", ttl_ms=5)(own_hint)
    async with serving(server, revision) as wire:
        answers = [await wire.ask(method) for method in LISTS.values() if method != "server/discover"]
        answers += [await wire.ask("resources/read", {"uri": uri}) for uri in (NOTE, "note://own")]
        for answer in answers:
            assert not {"ttlMs", "cacheScope"} & answer["result"].keys()


def own_hint() -> ReadResourceResult:
    contents = TextResourceContents(uri="note://own", text="x")
    return ReadResourceResult(contents=[contents], ttl_ms=7, cache_scope="public")


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize("kind", LISTS)
async def test_each_list_can_have_a_hint_of_its_own(revision: str, kind: str) -> None:
    server = shelf(cache=CacheHint(5), cache_lists={kind: MINUTE})
    async with serving(server, revision) as wire:
        for name, method in LISTS.items():
            assert await hints(wire, method) == ((60_000, "public") if name == kind else (5, "private")), method


@pytest.mark.parametrize("revision", NEW)
async def test_one_hint_for_all_lists_leaves_the_rest_alone(revision: str) -> None:
    async with serving(shelf(cache_lists=MINUTE), revision) as wire:
        assert await hints(wire, "prompts/list") == (60_000, "public")
        assert await hints(wire, "server/discover") == NONE
        assert await hints(wire, "resources/read", {"uri": NOTE}) == NONE


@pytest.mark.parametrize("revision", NEW)
async def test_a_resource_can_have_hints_of_its_own_and_its_handler_the_last_word(revision: str) -> None:
    server = shelf(cache=CacheHint(5))
    server.resource("note://long", ttl_ms=100)(text)
    server.resource("note://all", cache_scope="public")(text)
    server.resource("note://own", ttl_ms=100)(own_hint)
    server.resource("part://{id}", ttl_ms=9, cache_scope="public")(by_id)
    expected = {"note://long": (100, "private"), "note://all": (5, "public"), "note://own": (7, "public")}
    expected |= {"part://1": (9, "public"), NOTE: (5, "private")}
    async with serving(server, revision) as wire:
        for uri, hint in expected.items():
            assert await hints(wire, "resources/read", {"uri": uri}) == hint, uri


def text() -> str:
    return "x"


def by_id(id: str) -> str:
    return id


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("cache.mrtr-results-not-cached", "cache.no-hints-on-input-required")
async def test_a_question_has_no_hints_and_the_result_of_a_retry_may_never_be_kept(revision: str) -> None:
    server = shelf(cache=MINUTE)

    @server.resource("note://sure", ttl_ms=100)
    async def sure(ctx: Context) -> ReadResourceResult:
        await ctx.elicit("Sure?", bool)
        return own_hint()

    able: Json = {CAPABILITIES: {"elicitation": {}}}
    async with serving(server, revision) as wire:
        asked = (await wire.ask("resources/read", {"uri": "note://sure"}, **able))["result"]
        assert asked["resultType"] == "input_required"
        assert not {"ttlMs", "cacheScope"} & asked.keys()
        answers = {key: {"action": "accept", "content": {"value": True}} for key in asked["inputRequests"]}
        retry = {"uri": "note://sure", "inputResponses": answers, "requestState": asked["requestState"]}
        result = (await wire.ask("resources/read", retry, **able))["result"]
        assert (result["contents"][0]["text"], result["ttlMs"], result["cacheScope"]) == ("x", *NONE)


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("cache.mrtr-results-not-cached")
async def test_answers_that_nobody_asked_for_make_a_result_that_may_not_be_kept(revision: str) -> None:
    server = shelf(cache=MINUTE)
    server.resource("note://own", ttl_ms=100)(own_hint)
    async with serving(server, revision) as wire:
        for uri in (NOTE, "note://own"):
            assert await hints(wire, "resources/read", {"uri": uri, "inputResponses": {}}) == NONE


@pytest.mark.parametrize("params", [{"inputResponses": {}}, {"requestState": "s"}])
def test_a_retry_is_known_by_its_answers_or_its_state(params: Json) -> None:
    assert is_retry({"uri": NOTE, **params})
    assert not is_retry({"uri": NOTE})


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("cache.public-awareness")
async def test_what_not_everybody_may_see_is_never_public(revision: str) -> None:
    server = shelf(cache=MINUTE)
    server.resource("note://some", visible=lambda ctx: True, cache_scope="public")(text)
    async with serving(server, revision) as wire:
        assert await hints(wire, "resources/list") == (60_000, "private")
        assert await hints(wire, "resources/read", {"uri": "note://some"}) == (60_000, "private")
        assert await hints(wire, "tools/list") == (60_000, "public")
        server.remove_resource("note://some")
        assert await hints(wire, "resources/list") == (60_000, "public")


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.requirement("cache.scope-same-on-pages")
async def test_all_pages_of_a_list_have_the_same_scope(revision: str, hidden: bool) -> None:
    server = shelf(cache_lists=MINUTE, page_size=2)
    for number in range(5):
        server.tool(name=f"tool{number}", visible=(lambda ctx: True) if hidden and number == 4 else None)(text)
    async with serving(server, revision) as wire:
        scopes: list[str] = []
        params: Json = {}
        while True:
            result = (await wire.ask("tools/list", params))["result"]
            scopes.append(result["cacheScope"])
            if "nextCursor" not in result:
                break
            params = {"cursor": result["nextCursor"]}
        assert scopes == ["private" if hidden else "public"] * 3


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("cache.ttl-non-negative")
async def test_a_time_below_zero_that_a_handler_passes_on_does_not_leave_the_server(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("relay")

    @server.resource(NOTE)
    async def note() -> ReadResourceResult:
        return ReadResourceResult.from_wire({"contents": [{"uri": NOTE, "text": "x"}], "ttlMs": -5})

    async with serving(server, revision) as wire:
        assert (await wire.error("resources/read", {"uri": NOTE}))["code"] == -32603
    assert "ttl_ms is a number of milliseconds, 0 or more, not -5" in caplog.text


@pytest.mark.requirement("cache.ttl-non-negative")
@pytest.mark.parametrize("ttl", [-1, 1.5, "5", None, True])
def test_a_time_is_a_number_of_milliseconds(ttl: Any) -> None:
    with pytest.raises(ValueError, match="ttl_ms is a number of milliseconds, 0 or more"):
        CacheHint(ttl)


@pytest.mark.parametrize("scope", ["Public", "", None])
def test_a_scope_is_one_of_two(scope: Any) -> None:
    with pytest.raises(ValueError, match='"public" or "private"'):
        CacheHint(0, scope)


def test_hints_that_cannot_be_are_refused_where_they_are_given() -> None:
    server = shelf()
    with pytest.raises(ValueError, match="ttl_ms"):
        server.resource("note://bad", ttl_ms=-1)(text)
    with pytest.raises(ValueError, match="cache_lists has no 'tool'; it takes tools, prompts, resources"):
        Server("bad", cache_lists={"tool": MINUTE})


@pytest.mark.parametrize("revision", ALL)
async def test_a_list_keeps_its_bytes_whatever_is_notified(revision: str) -> None:
    server = shelf(cache=MINUTE)
    async with serving(server, revision) as wire:
        await wire.ask("tools/list")
        page = server._tools.listing._now().pages[None]
        for _ in range(3):
            server.notify_tools_changed()
        await wire.rest()
        assert (await wire.ask("tools/list"))["result"]["tools"]
        assert server._tools.listing._now().pages[None] is page
