"""What server/tools of the specification asks of a server, in every revision: calling, refusing, failing, listing."""

from __future__ import annotations

from typing import Any

import pytest

from mcport import Context, Middleware, RateLimit, Server, ToolError
from mcport.content import embed, link
from mcport.errors import InvalidParams
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import CallToolResult
from tests.server.wire import ALL, NEW, Json, serving

NAMED = ["2025-11-25", "2026-07-28"]


@pytest.mark.requirement("tools.capability-declared", revisions=NEW)
@pytest.mark.requirement("tools.list-answered", revisions=NEW)
@pytest.mark.parametrize("revision", ALL)
async def test_a_server_with_a_tool_says_so_and_lists_it_and_one_without_does_not(revision: str) -> None:
    for tools in (0, 1):
        server = Server("demo")
        for _ in range(tools):
            server.add_tool(print_, name="print")
        async with serving(server, revision) as wire:
            if revision in NEW:
                capabilities = (await wire.ask("server/discover"))["result"]["capabilities"]
                assert ("tools" in capabilities) is bool(tools)
            answer = await wire.ask("tools/list")
            if tools:
                assert [tool["name"] for tool in answer["result"]["tools"]] == ["print"]
            else:
                assert answer["error"]["code"] == -32601


def print_(text: str = "") -> str:
    return text


@pytest.mark.requirement("tools.unknown-tool-32602")
@pytest.mark.parametrize("revision", ALL)
async def test_an_unknown_tool_is_an_error_of_the_protocol(revision: str) -> None:
    server = Server("demo")
    server.add_tool(print_)
    async with serving(server, revision) as wire:
        for params in ({"name": "print"}, {"name": ""}, {"name": "PRINT_", "arguments": {}}):
            error = await wire.error("tools/call", params)
            assert error["code"] == -32602
            assert error["message"].startswith(f"Unknown tool {params['name']!r}")


@pytest.mark.requirement("tools.input-schema-object")
@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_without_parameters_takes_an_object_and_nothing_in_it(revision: str) -> None:
    server = Server("demo")

    @server.tool
    async def now() -> str:
        return "now"

    async with serving(server, revision) as wire:
        (tool,) = (await wire.ask("tools/list"))["result"]["tools"]
        assert tool["inputSchema"]["type"] == "object"
        assert await wire.text("now") == "now"


@pytest.mark.requirement("tools.validate-inputs")
@pytest.mark.parametrize("revision", ALL)
async def test_arguments_are_checked_before_the_handler_runs(revision: str) -> None:
    server, calls = Server("demo"), []

    @server.tool
    async def twice(number: int) -> int:
        calls.append(number)
        return 2 * number

    async with serving(server, revision) as wire:
        for wrong in ({}, {"number": "x"}, {"number": 1, "more": 2}, {"number": None}):
            answer = await wire.ask("tools/call", {"name": "twice", "arguments": wrong})
            assert "error" in answer or answer["result"]["isError"] is True
        assert calls == []
        assert await wire.text("twice", {"number": 2}) == "4"


@pytest.mark.requirement("tools.execution-errors-in-result")
@pytest.mark.parametrize("revision", ALL)
async def test_what_goes_wrong_inside_a_tool_is_a_result_for_the_model(revision: str) -> None:
    server = Server("demo")

    @server.tool
    async def fail(how: str) -> str:
        raise ToolError("the date is in the past") if how == "told" else ZeroDivisionError("secret")

    @server.tool
    async def give() -> CallToolResult:
        return CallToolResult(content=[], is_error=True)

    async with serving(server, revision) as wire:
        told = await wire.call("fail", {"how": "told"})
        assert told["isError"] is True
        assert told["content"] == [{"type": "text", "text": "the date is in the past"}]
        unexpected = await wire.call("fail", {"how": "other"})
        assert unexpected["isError"] is True
        assert "secret" not in str(unexpected)
        assert (await wire.call("give"))["isError"] is True
        if REVISIONS[revision].tool_argument_errors_are_results:
            assert (await wire.call("fail", {"how": 1}))["isError"] is True
        else:
            assert (await wire.error("tools/call", {"name": "fail", "arguments": {"how": 1}}))["code"] == -32602


@pytest.mark.requirement("tools.content-required")
@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_returns_nothing_gives_an_empty_list_of_content(revision: str) -> None:
    server = Server("demo")

    @server.tool
    async def nothing() -> None:
        return None

    async with serving(server, revision) as wire:
        assert (await wire.call("nothing"))["content"] == []


class Guard(Middleware):
    """Lets nobody call what deletes."""

    async def on_call_tool(self, request: Any, next: Any) -> Any:
        if request.name.startswith("delete"):
            raise InvalidParams("You may not call this tool.")
        return await next(request)


@pytest.mark.requirement("tools.access-controls")
@pytest.mark.parametrize("revision", ALL)
async def test_who_may_not_call_a_tool_gets_no_result_and_the_tool_is_not_run(revision: str) -> None:
    server, calls = Server("demo", middleware=[Guard()]), []

    def work(name: str) -> Any:
        async def run() -> str:
            calls.append(name)
            return name

        return run

    server.add_tool(work("delete"), name="delete_all")
    server.add_tool(work("read"), name="read_all")
    server.add_tool(work("hidden"), name="hidden", visible=lambda ctx: False)
    async with serving(server, revision) as wire:
        error = await wire.error("tools/call", {"name": "delete_all"})
        assert error == {"code": -32602, "message": "You may not call this tool."}
        assert (await wire.error("tools/call", {"name": "hidden"}))["code"] == -32602
        assert calls == []
        assert await wire.text("read_all") == "read"


@pytest.mark.requirement("tools.rate-limit")
@pytest.mark.parametrize("revision", ALL)
async def test_a_call_beyond_the_rate_does_not_reach_the_tool(revision: str, monkeypatch: Any) -> None:
    server, calls = Server("demo", middleware=[RateLimit(3)]), []
    now = [100.0]

    @server.tool
    async def count(ctx: Context) -> int:
        calls.append(1)
        return len(calls)

    async with serving(server, revision) as wire:
        monkeypatch.setattr("mcport.server.middleware.rate_limit.now", lambda exchange: now[0])
        for number in range(3):
            assert await wire.text("count") == str(number + 1)
        refused = await wire.call("count")
        assert refused["isError"] is True
        assert "at most 3 a second" in refused["content"][0]["text"]
        assert len(calls) == 3
        assert len((await wire.ask("tools/list"))["result"]["tools"]) == 1
        now[0] += 0.4
        assert await wire.text("count") == "4"
        assert (await wire.call("count"))["isError"] is True


def test_a_rate_is_at_least_one() -> None:
    with pytest.raises(ValueError, match="per_second is at least 1, not 0"):
        RateLimit(0)


@pytest.mark.requirement("tools.list-deterministic-order", "tools.list-may-vary-in-time", revisions=NEW)
@pytest.mark.parametrize("revision", ALL)
async def test_a_list_keeps_its_order_and_follows_what_comes_and_goes(revision: str) -> None:
    server = Server("demo")
    names = ["b", "a", "c", "B"]
    for name in names:
        server.add_tool(print_, name=name)

    async with serving(server, revision) as wire:

        async def listed() -> list[str]:
            id = wire.request("tools/list")
            while (message := await wire.read()).get("id") != id:
                assert message["method"] == "notifications/tools/list_changed"
            return [tool["name"] for tool in message["result"]["tools"]]

        assert await listed() == await listed() == names
        server.remove_tool("a")
        server.add_tool(print_, name="d")
        assert await listed() == ["b", "c", "B", "d"]
        for name in ("b", "c", "B", "d"):
            server.remove_tool(name)
        assert await listed() == []


@pytest.mark.requirement("tools.name-case-sensitive", revisions=NAMED)
@pytest.mark.parametrize("revision", ALL)
async def test_names_are_told_apart_by_case(revision: str) -> None:
    server = Server("demo")
    for name in ("getUser", "getuser"):
        server.add_tool(lambda name=name: name, name=name, structured=False)
    async with serving(server, revision) as wire:
        assert await wire.text("getUser") == "getUser"
        assert await wire.text("getuser") == "getuser"
        assert (await wire.error("tools/call", {"name": "GETUSER"}))["code"] == -32602


@pytest.mark.requirement("tools.name-unique", revisions=NAMED)
def test_a_second_tool_of_a_name_is_refused() -> None:
    server = Server("demo")
    server.add_tool(print_, name="a")
    for add in (server.add_tool, lambda function, name: server.add_raw_tool(name, raw, input_schema=ANY)):
        with pytest.raises(ValueError, match="the tool 'a' is there already"):
            add(print_, name="a")


ANY: Json = {"type": "object"}


async def raw(arguments: Json) -> str:
    return str(arguments)


@pytest.mark.requirement("tools.name-characters", "tools.name-length", "tools.name-no-specials", revisions=NAMED)
@pytest.mark.parametrize("name", ["", "a b", "a,b", "ä", "a" * 129, "a/b", "a@b", "a:b", "a#b"])
def test_a_name_that_clients_may_refuse_gives_a_warning(name: str, caplog: pytest.LogCaptureFixture) -> None:
    Server("demo").add_raw_tool(name, raw, input_schema=ANY)
    assert "clients may refuse it; use 1 to 128 of letters, digits, '_', '-' and '.'" in caplog.text


@pytest.mark.requirement("tools.name-characters", revisions=NAMED)
@pytest.mark.parametrize("name", ["A-z_0.9" + "a" * 121, "7zip", "_", "-", ".", "a.b"])
def test_a_name_of_what_names_are_made_of_gives_no_warning(name: str, caplog: pytest.LogCaptureFixture) -> None:
    Server("demo").add_tool(print_, name=name)
    assert not caplog.records


@pytest.mark.requirement("tools.embedded-needs-resources")
@pytest.mark.parametrize("revision", [name for name in ALL if REVISIONS[name].has_resource_links])
@pytest.mark.parametrize("offers", [[], ["resources"]])
async def test_who_embeds_resources_and_offers_none_is_told_once(
    revision: str, offers: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("demo", offers=offers)

    @server.tool
    async def give() -> CallToolResult:
        return CallToolResult(content=[embed("a://b", "c")])

    @server.tool
    async def point() -> CallToolResult:
        return CallToolResult(content=[link("a://b", "c")])

    async with serving(server, revision) as wire:
        for tool in ("point", "give", "give"):
            assert "isError" not in await wire.call(tool)
    told = [record.getMessage() for record in caplog.records if record.name == "mcport.server"]
    line = "tool 'give' embeds a resource, and the server offers no resources: say Server(offers=['resources'])"
    assert told == ([] if offers else [line])


@pytest.mark.parametrize("revision", ALL)
async def test_metadata_of_tools_results_and_content_is_kept_with_its_nulls(revision: str) -> None:
    meta = {"example.org/a": {"b": None, "c": [None]}}
    server, has = Server("demo"), REVISIONS[revision].has_titles

    @server.tool(meta=meta)
    async def give() -> CallToolResult:
        return CallToolResult(content=[embed("a://b", "c", meta=meta)], meta=meta)

    async with serving(server, revision) as wire:
        (tool,) = (await wire.ask("tools/list"))["result"]["tools"]
        result = await wire.call("give")
    assert tool.get("_meta") == (meta if has else None)
    assert result["content"][0].get("_meta") == (meta if has else None)
    assert result["_meta"].items() >= meta.items()
