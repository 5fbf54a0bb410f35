"""What a `Context` knows of a request beyond its arguments, and reading resources of the same server."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from mcport import Context, Depends, InputRequired, Middleware, Next, ResourceNotFound, ResourceRead, Server, ToolError
from mcport.session.exchange import Exchange
from tests.server.wire import ALL, NEW, serving

REVISION = NEW[0]


@pytest.mark.parametrize("revision", ALL)
async def test_over_streams_there_are_no_headers_and_no_principal(revision: str) -> None:
    server = Server("context")

    @server.tool
    async def tell(ctx: Context) -> str:
        return f"{ctx.headers} {ctx.principal}"

    async with serving(server, revision) as wire:
        assert await wire.text("tell") == "None None"


async def test_headers_and_principal_are_those_of_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server("context")

    @server.tool
    async def tell(ctx: Context) -> str:
        assert ctx.headers is not None
        return f"{ctx.headers['x-demo']} {ctx.principal}"

    before = Exchange.__init__

    def init(self: Any, *args: Any) -> None:
        before(self, *args)
        self.headers, self.principal = {"x-demo": "here"}, "ada"

    monkeypatch.setattr(Exchange, "__init__", init)
    async with serving(server, REVISION) as wire:
        assert await wire.text("tell") == "here ada"


@pytest.mark.parametrize("revision", ALL)
async def test_metadata_of_a_request_reaches_its_handler(revision: str) -> None:
    server = Server("context")

    @server.tool
    async def tell(ctx: Context) -> Any:
        return str(ctx.meta.get("com.example/x"))

    async with serving(server, revision) as wire:
        result = await wire.call("tell", {}, **{"com.example/x": "mine"})
        assert result["content"][0]["text"] == "mine"
        assert await wire.text("tell") == "None"


def reader() -> Server:
    server = Server("reader")

    @server.resource("text://x", mime_type="text/plain")
    def text() -> str:
        return "some text"

    @server.resource("bytes://{name}")
    async def data(name: str, ctx: Context) -> bytes:
        await ctx.report_progress(1)
        return name.encode()

    @server.resource("deep://x")
    async def deep(ctx: Context) -> str:
        (found,) = await ctx.read_resource("text://x")
        return "deep " + getattr(found, "text", "")

    @server.resource("broken://x")
    async def broken() -> str:
        raise RuntimeError("the password is x")

    @server.resource("slow://x")
    async def slow() -> str:
        await anyio.sleep_forever()
        return ""

    @server.tool
    async def read(uri: str, ctx: Context) -> str:
        contents = await ctx.read_resource(uri)
        return " ".join(f"{type(each).__name__} {getattr(each, 'text', None) or each.blob}" for each in contents)  # type: ignore[union-attr]

    @server.tool
    async def look(uri: str, ctx: Context) -> str:
        try:
            await ctx.read_resource(uri)
        except ResourceNotFound as error:
            raise ToolError(f"not there: {error.message}") from None
        return "there"

    return server


@pytest.mark.parametrize("revision", ALL)
async def test_a_handler_reads_resources_of_its_server_as_typed_contents(revision: str) -> None:
    async with serving(reader(), revision) as wire:
        assert await wire.text("read", {"uri": "text://x"}) == "TextResourceContents some text"
        assert await wire.text("read", {"uri": "bytes://abc"}) == "BlobResourceContents YWJj"
        assert await wire.text("read", {"uri": "deep://x"}) == "TextResourceContents deep some text"


@pytest.mark.parametrize("revision", ALL)
async def test_reading_from_a_handler_fails_with_the_errors_of_reading(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(reader(), revision) as wire:
        assert await wire.text("look", {"uri": "none://x"}) == "not there: Resource not found: none://x"
        directly = await wire.error("resources/read", {"uri": "none://x"})
        assert await wire.error("tools/call", {"name": "read", "arguments": {"uri": "none://x"}}) == directly
        error = await wire.error("tools/call", {"name": "read", "arguments": {"uri": "broken://x"}})
        assert error["message"].startswith("Resource 'broken://x' failed unexpectedly (error ")
    assert "RuntimeError: the password is x" in caplog.text


async def test_a_server_without_resources_has_none_to_read() -> None:
    server = Server("none")

    @server.tool
    async def read(ctx: Context) -> str:
        return str(await ctx.read_resource("text://x"))

    async with serving(server, REVISION) as wire:
        assert (await wire.error("tools/call", {"name": "read"}))["message"] == "Resource not found: text://x"


async def test_a_withdrawn_request_stops_the_resource_that_it_reads() -> None:
    server, began, ended = Server("slow"), anyio.Event(), anyio.Event()

    @server.resource("slow://x")
    async def slow() -> str:
        began.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()
        return ""

    @server.tool
    async def read(ctx: Context) -> str:
        return str(await ctx.read_resource("slow://x"))

    async with serving(server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "read"})
        await began.wait()
        wire.notify("notifications/cancelled", {"requestId": id})
        with anyio.fail_after(5):
            await ended.wait()
        await wire.silent()


async def test_middleware_and_dependencies_stand_around_a_resource_that_a_handler_reads() -> None:
    seen: list[str] = []

    class Watching(Middleware):
        async def on_read_resource(self, request: ResourceRead, next: Next[ResourceRead, Any]) -> Any:
            seen.append(request.uri)
            return await next(request)

    server = reader()
    server.add_middleware(Watching())

    async def through(ctx: Context) -> str:
        return getattr((await ctx.read_resource("text://x"))[0], "text", "")

    @server.tool
    async def use(found: str = Depends(through)) -> str:
        return found

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "some text"
    assert seen == ["text://x"]


async def test_a_resource_that_asks_by_returning_can_only_be_read_by_the_client() -> None:
    server = Server("asks")

    @server.resource("asks://x")
    async def asks() -> InputRequired:
        return InputRequired(state="again")

    @server.tool
    async def read(ctx: Context) -> str:
        return str(await ctx.read_resource("asks://x"))

    async with serving(server, REVISION) as wire:
        error = await wire.error("tools/call", {"name": "read"})
    assert error["message"].startswith("the resource 'asks://x' asks by returning InputRequired")
