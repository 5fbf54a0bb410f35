"""Middleware: what it sees of a request and its result, what it may change, and in which order."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from mcport import (
    ClientNotification,
    Context,
    ListRequest,
    Middleware,
    Next,
    PromptGet,
    ProtocolError,
    Request,
    ResourceRead,
    Server,
    ToolCall,
    ToolError,
)
from mcport.spec.types import (
    CallToolResult,
    GetPromptResult,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    ReadResourceResult,
    TextContent,
)
from tests.server.wire import ALL, NEW, OLD, SERVER_INFO, serving

REVISION = NEW[0]


def demo(*middleware: Middleware) -> Server:
    server = Server("demo", middleware=middleware)

    @server.tool
    async def add(a: int, b: int = 0) -> int:
        return a + b

    @server.tool
    def say(word: str) -> list[str]:
        return [word, word]

    @server.tool
    async def fail() -> str:
        raise ToolError("it failed")

    @server.tool
    async def wait() -> str:
        await anyio.sleep_forever()
        return ""

    @server.resource("fixed://x")
    async def fixed() -> str:
        return "fixed"

    @server.resource("of://{name}")
    async def of(name: str) -> str:
        return name

    @server.prompt
    async def ask(word: str) -> str:
        return word

    return server


class Seen(Middleware):
    """Writes down what passes."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.results: list[Any] = []

    async def on_request(self, request: Request, next: Next[Request, Any]) -> Any:
        self.requests.append(request)
        result = await next(request)
        self.results.append(result)
        return result


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("method", "params", "view", "result"),
    [
        ("tools/call", {"name": "add", "arguments": {"a": 1}}, ToolCall, CallToolResult),
        ("tools/call", {"name": "say", "arguments": {"word": "x"}}, ToolCall, CallToolResult),
        ("tools/call", {"name": "fail"}, ToolCall, CallToolResult),
        ("tools/list", {}, ListRequest, ListToolsResult),
        ("resources/read", {"uri": "fixed://x"}, ResourceRead, ReadResourceResult),
        ("resources/list", {}, ListRequest, ListResourcesResult),
        ("resources/templates/list", {}, ListRequest, ListResourceTemplatesResult),
        ("prompts/get", {"name": "ask", "arguments": {"word": "x"}}, PromptGet, GetPromptResult),
        ("prompts/list", {}, ListRequest, ListPromptsResult),
    ],
)
async def test_a_middleware_sees_typed_requests_and_results_and_changes_nothing_by_looking(
    revision: str, method: str, params: dict[str, Any], view: type, result: type
) -> None:
    seen = Seen()
    async with serving(demo(), revision) as wire:
        plain = (await wire.ask(method, params))["result"]
    async with serving(demo(seen), revision) as wire:
        assert (await wire.ask(method, params))["result"] == plain
    assert [type(each) for each in seen.requests] == [view]
    assert [isinstance(each, result) for each in seen.results] == [True]
    assert SERVER_INFO not in (seen.results[0].meta or {})
    assert seen.requests[0].method == method
    assert seen.requests[0].context.revision == revision


@pytest.mark.parametrize("revision", ALL)
async def test_every_list_and_call_has_a_hook_of_its_own(revision: str) -> None:
    passed: list[str] = []

    class Each(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            passed.append(f"call {request.name} {request.arguments}")
            return await next(request)

        async def on_read_resource(self, request: ResourceRead, next: Next[ResourceRead, Any]) -> Any:
            passed.append(f"read {request.uri}")
            return await next(request)

        async def on_get_prompt(self, request: PromptGet, next: Next[PromptGet, Any]) -> Any:
            passed.append(f"get {request.name} {request.arguments}")
            return await next(request)

        async def on_list_tools(self, request: ListRequest, next: Next[ListRequest, Any]) -> Any:
            passed.append(f"tools {request.cursor}")
            return await next(request)

        async def on_list_resources(self, request: ListRequest, next: Next[ListRequest, Any]) -> Any:
            passed.append("resources")
            return await next(request)

        async def on_list_resource_templates(self, request: ListRequest, next: Next[ListRequest, Any]) -> Any:
            passed.append("templates")
            return await next(request)

        async def on_list_prompts(self, request: ListRequest, next: Next[ListRequest, Any]) -> Any:
            passed.append("prompts")
            return await next(request)

    async with serving(demo(Each()), revision) as wire:
        assert await wire.text("add", {"a": 1}) == "1"
        await wire.ask("resources/read", {"uri": "of://me"})
        await wire.ask("prompts/get", {"name": "ask", "arguments": {"word": "x"}})
        for method in ("tools/list", "resources/list", "resources/templates/list", "prompts/list"):
            await wire.ask(method)
    assert passed == [
        "call add {'a': 1}",
        "read of://me",
        "get ask {'word': 'x'}",
        "tools None",
        "resources",
        "templates",
        "prompts",
    ]


async def test_the_first_middleware_is_the_outermost_and_on_request_stands_outside_of_the_other_hooks() -> None:
    order: list[str] = []

    class Named(Middleware):
        def __init__(self, name: str) -> None:
            self.name = name

        async def on_request(self, request: Request, next: Next[Request, Any]) -> Any:
            order.append(f"{self.name} request")
            result = await next(request)
            order.append(f"{self.name} result")
            return result

        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            order.append(f"{self.name} call")
            return await next(request)

    server = demo(Named("a"))
    async with serving(server, REVISION) as wire:
        await wire.call("add", {"a": 1})
        assert order == ["a request", "a call", "a result"]
        order.clear()
        server.add_middleware(Named("b"))
        await wire.call("add", {"a": 1})
    assert order == ["a request", "a call", "b request", "b call", "b result", "a result"]


async def test_a_middleware_may_change_arguments_and_leaves_the_request_as_it_came() -> None:
    class Doubling(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            request.arguments["a"] *= 2
            request.arguments = {**request.arguments, "b": 1}
            return await next(request)

        async def on_get_prompt(self, request: PromptGet, next: Next[PromptGet, Any]) -> Any:
            request.arguments["word"] = "changed"
            return await next(request)

        async def on_read_resource(self, request: ResourceRead, next: Next[ResourceRead, Any]) -> Any:
            request.uri = "fixed://x"
            return await next(request)

    class After(Middleware):
        params: Any = None

        async def on_request(self, request: Request, next: Next[Request, Any]) -> Any:
            try:
                return await next(request)
            finally:
                self.params = request.context._exchange.asked.params

    after = After()
    async with serving(demo(after, Doubling()), REVISION) as wire:
        assert await wire.text("add", {"a": 5}) == "11"
        assert after.params["arguments"] == {"a": 5}
        got = (await wire.ask("prompts/get", {"name": "ask", "arguments": {"word": "x"}}))["result"]
        assert got["messages"][0]["content"]["text"] == "changed"
        read = (await wire.ask("resources/read", {"uri": "of://me"}))["result"]
        assert read["contents"][0]["text"] == "fixed"


@pytest.mark.parametrize("revision", ALL)
async def test_a_middleware_may_answer_itself_change_a_result_and_leave_members_of_a_list_out(revision: str) -> None:
    class Own(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            if request.name == "cached":
                return CallToolResult(content=[TextContent(type="text", text="from the cache")])
            result = await next(request)
            result.content.append(TextContent(type="text", text="and more"))
            return result

        async def on_list_tools(self, request: ListRequest, next: Next[ListRequest, Any]) -> Any:
            result = await next(request)
            result.tools = [tool for tool in result.tools if tool.name != "wait"]
            result.tools[0].description = f"{result.tools[0].description or ''}changed"
            return result

    server = demo(Own())
    async with serving(server, revision) as wire:
        assert await wire.text("cached") == "from the cache"
        assert [block["text"] for block in (await wire.call("add", {"a": 1}))["content"]] == ["1", "and more"]
        for _ in range(2):
            tools = (await wire.ask("tools/list"))["result"]["tools"]
            assert [(tool["name"], tool.get("description")) for tool in tools] == [
                ("add", "changed"),
                ("say", None),
                ("fail", None),
            ]
    kept = server._tools.listing.get("add")
    assert kept is not None
    assert kept.description is None


@pytest.mark.parametrize("revision", ALL)
async def test_errors_of_a_middleware_are_told_as_those_of_a_handler(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    class Raising(Middleware):
        error: Exception = ToolError("not today")

        async def on_request(self, request: Request, next: Next[Request, Any]) -> Any:
            raise self.error

    raising = Raising()
    async with serving(demo(raising), revision) as wire:
        result = await wire.call("add", {"a": 1})
        assert (result["isError"], result["content"][0]["text"]) == (True, "not today")
        assert (await wire.error("tools/list"))["message"] == "not today"
        raising.error = ProtocolError("go away", code=-31000)
        for method, params in (("tools/call", {"name": "add"}), ("tools/list", {})):
            assert await wire.error(method, params) == {"code": -31000, "message": "go away"}
        raising.error = RuntimeError("the password is x")
        text = await wire.text("add")
        assert text.startswith("The middleware of tools/call failed unexpectedly (error ")
        error = await wire.error("tools/list")
        assert error["code"] == -32603
        assert error["message"].startswith("The middleware of tools/list failed unexpectedly (error ")
    assert "password" not in text + error["message"]
    assert "RuntimeError: the password is x" in caplog.text


@pytest.mark.parametrize("revision", ALL)
async def test_a_middleware_sees_protocol_errors_and_p24_lines_of_what_is_inside(revision: str) -> None:
    seen: list[str] = []

    class Watching(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            try:
                return await next(request)
            except ProtocolError as error:
                seen.append(error.message)
                raise

    async with serving(demo(Watching()), revision) as wire:
        error = await wire.error("tools/call", {"name": "ad"})
        assert error["message"] == "Unknown tool 'ad' on server 'demo'. Did you mean 'add'?"
        assert (await wire.error("tools/call", {"name": 5}))["message"] == "tools/call: name must be a string"
        wrong = {"name": "add", "arguments": [1]}
        assert (await wire.error("tools/call", wrong))["message"] == "add: arguments must be an object"
        line = "add: argument 'a' must be an integer, got 'x'"
        answer = await wire.ask("tools/call", {"name": "add", "arguments": {"a": "x"}})
        assert line in str(answer)
    assert len(seen) == (3 if "result" in answer else 4)


async def test_a_middleware_may_try_again() -> None:
    server, tries = Server("again"), iter(range(3))

    @server.tool
    async def fickle() -> int:
        if (count := next(tries)) < 2:
            raise ToolError("again")
        return count

    class Again(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            while (result := await next(request)).is_error:
                pass
            return result

    server.add_middleware(Again())
    async with serving(server, REVISION) as wire:
        assert await wire.text("fickle") == "2"


@pytest.mark.parametrize("where", ["before", "inside", "after"])
async def test_a_withdrawn_request_stops_its_middleware_wherever_it_is(where: str) -> None:
    began, ended = anyio.Event(), anyio.Event()

    class Waiting(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            began.set()
            try:
                if where == "before":
                    await anyio.sleep_forever()
                result = await next(request)
                if where == "after":
                    await anyio.sleep_forever()
                return result
            finally:
                ended.set()

    async with serving(demo(Waiting()), REVISION) as wire:
        name = "wait" if where == "inside" else "say"
        id = wire.request("tools/call", {"name": name, "arguments": {"word": "x"} if name == "say" else {}})
        await began.wait()
        await wire.silent()
        wire.notify("notifications/cancelled", {"requestId": id})
        with anyio.fail_after(5):
            await ended.wait()
        await wire.silent()


def test_methods_that_no_middleware_hooks_keep_their_routes() -> None:
    class Calls(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            return await next(request)

    plain, hooked = demo(), demo(Calls())
    for server, own in ((plain, True), (hooked, False)):
        for revision in server._offer.revisions.values():
            table = server._routes.table(revision)
            assert (table["tools/call"] == server._tools.call) is own
            assert table["tools/list"] == server._tools.listing.answer


def test_what_is_no_middleware_is_refused() -> None:
    with pytest.raises(TypeError, match="a middleware is an object of a class derived from Middleware"):
        Server("demo", middleware=[Seen])  # type: ignore[list-item]


@pytest.mark.parametrize("revision", ALL)
async def test_notifications_of_clients_pass_through_middleware(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    heard, last = [], anyio.Event()

    class Ear(Middleware):
        async def on_notification(self, notice: ClientNotification, next: Next[ClientNotification, None]) -> None:
            heard.append((notice.method, notice.params))
            await next(notice)
            if notice.method == "notifications/last":
                last.set()
                raise RuntimeError("nobody is told")

    async with serving(demo(Ear()), revision) as wire:
        wire.notify("notifications/other", {"a": 1})
        wire.notify("notifications/last")
        with anyio.fail_after(5):
            await last.wait()
        await wire.silent()
    opening = ["notifications/initialized"] if revision in OLD else []
    assert [method for method, _ in heard] == [*opening, "notifications/other", "notifications/last"]
    assert heard[-2][1] == {"a": 1}
    assert "RuntimeError: nobody is told" in caplog.text


async def test_handlers_get_their_own_context_and_lifespan_behind_middleware() -> None:
    server = Server("context", middleware=[Seen()])

    @server.tool
    async def id(ctx: Context) -> str:
        await ctx.report_progress(1)
        return str(ctx.request_id)

    async with serving(server, REVISION) as wire:
        asked = wire.request("tools/call", {"name": "id"}, progressToken="p")
        assert (await wire.read())["method"] == "notifications/progress"
        assert (await wire.read())["result"]["content"][0]["text"] == asked


async def test_what_middleware_lets_out_ends_nothing_but_its_own_request() -> None:
    class Quitting(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> CallToolResult:
            raise SystemExit(3)

        async def on_notification(self, notice: ClientNotification, next: Next[ClientNotification, None]) -> None:
            raise SystemExit(4)

    server = demo(Quitting())
    server.tool(name="quiet")(lambda: "never")
    async with serving(server, REVISION) as wire:
        wire.notify("notifications/other")
        result = await wire.call("quiet")
        assert result["isError"]
        assert "failed unexpectedly" in result["content"][0]["text"]
        await wire.silent()
