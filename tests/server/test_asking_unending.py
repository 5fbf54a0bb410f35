"""Runs that do not end after they have asked: their requests are answered all the same, with the questions."""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcport import Context, Limits, Middleware, Server
from tests.server.answering import ELICITS, accept, asked, retry
from tests.server.wire import NEW, serving

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("revision", NEW)]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcport.server.asking.cleaning_up.CLEANUP", 0.01)


class Stubborn:
    """A server with a tool that does not end before `go` is set."""

    def __init__(self, **options: Any) -> None:
        self.server = Server("x", **options)
        self.go, self.ended = anyio.Event(), anyio.Event()

    async def shielded(self, ctx: Context) -> str:
        try:
            return str((await ctx.elicit("?", str, key="k")).data)
        finally:
            with anyio.CancelScope(shield=True):
                await self.go.wait()
            self.ended.set()

    async def swallowing(self, ctx: Context) -> str:
        while True:
            try:
                return str((await ctx.elicit("?", str, key="k")).data)
            except BaseException:
                if self.go.is_set():
                    self.ended.set()
                    return "swallowed"


@pytest.mark.parametrize("way", ["shielded", "swallowing"])
@pytest.mark.parametrize("options", [{}, {"timeout": 60}, {"max_concurrency": 5}])
async def test_rule_6_a_run_that_cannot_be_stopped_keeps_nobody_waiting(
    revision: str, way: str, options: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stubborn = Stubborn()
    stubborn.server.tool(name="book", **options)(getattr(stubborn, way))
    async with serving(stubborn.server, revision, ELICITS) as wire:
        first = await asked(wire, "book")
        assert not stubborn.ended.is_set()
        assert first["inputRequests"].keys() == {"k"}
        stubborn.go.set()
        await stubborn.ended.wait()
        await wire.silent()  # what the run came to is nobody's
        again = await wire.ask("tools/call", retry({"name": "book", "arguments": {}}, first, {"k": accept(value="y")}))
        assert again["result"]["content"][0]["text"] == "y"
    (line,) = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert line.startswith("tools/call of 'book' still runs")
    assert "shielded scope" in line


async def test_rule_6_what_is_left_to_itself_can_say_nothing_more(revision: str) -> None:
    server, go, seen = Server("x"), anyio.Event(), list[type[BaseException]]()
    done = anyio.Event()

    @server.tool
    async def ask(ctx: Context) -> str:
        try:
            return str((await ctx.elicit("?", str)).data)
        finally:
            with anyio.CancelScope(shield=True):
                await go.wait()
                calls: list[Awaitable[object]] = [ctx.elicit("other?"), ctx.once("k", dict), ctx.info("x")]
                for call in [ctx.report_progress(1), *calls]:
                    try:
                        await call
                    except BaseException as stop:
                        seen.append(type(stop))
            done.set()

    async with serving(server, revision, ELICITS) as wire:
        wire.request("tools/call", {"name": "ask"}, progressToken="t")
        assert (await wire.read())["result"]["resultType"] == "input_required"
        go.set()
        await done.wait()
        await wire.silent()
    assert [each.__name__ for each in seen] == ["RunStopped"] * 4


async def test_rule_6_a_run_left_to_itself_gives_its_place_to_others(revision: str) -> None:
    stubborn = Stubborn(limits=Limits(requests_in_flight=1))
    stubborn.server.tool(name="book")(stubborn.shielded)
    async with serving(stubborn.server, revision, ELICITS) as wire:
        await asked(wire, "book")
        await wire.silent()
        stubborn.go.set()
        await stubborn.ended.wait()


async def test_rule_6_middleware_that_changes_arguments_spoils_no_state_of_such_a_run(revision: str) -> None:
    results: list[str] = []

    class Changing(Middleware):
        async def on_call_tool(self, request: Any, next: Any) -> Any:
            request.arguments["city"] = "Rome"
            result = await next(request)
            results.append(type(result).__name__)
            return result

    stubborn = Stubborn(middleware=[Changing()])

    @stubborn.server.tool
    async def book(city: str, ctx: Context) -> str:
        return city + await stubborn.shielded(ctx)

    async with serving(stubborn.server, revision, ELICITS) as wire:
        first = await asked(wire, "book", city="Lyon")
        stubborn.go.set()
        await stubborn.ended.wait()
        params = {"name": "book", "arguments": {"city": "Lyon"}}
        again = await wire.ask("tools/call", retry(params, first, {"k": accept(value="!")}))
        assert again["result"]["content"][0]["text"] == "Rome!"
    assert results == ["InputRequired", "CallToolResult"]


async def test_rule_6_a_resource_that_a_tool_reads_holds_up_nobody_either(revision: str) -> None:
    stubborn = Stubborn()
    stubborn.server.resource("memo://x")(stubborn.shielded)

    @stubborn.server.tool
    async def read(ctx: Context) -> str:
        return str((await ctx.read_resource("memo://x"))[0].text)  # type: ignore[union-attr]

    async with serving(stubborn.server, revision, ELICITS) as wire:
        first = await asked(wire, "read")
        stubborn.go.set()
        await stubborn.ended.wait()
        again = await wire.ask("tools/call", retry({"name": "read", "arguments": {}}, first, {"k": accept(value="y")}))
        assert again["result"]["content"][0]["text"] == "y"


async def test_rule_6_a_thread_that_never_ends_keeps_its_turn_and_nobody_waiting(revision: str) -> None:
    server, go, ended = Server("x"), threading.Event(), threading.Event()

    @server.tool(max_concurrency=1)
    def ask(ctx: Context) -> str:
        try:
            return str(ctx.blocking.elicit("?", str, key="k").data)
        finally:
            go.wait(30)
            ended.set()

    async with serving(server, revision, ELICITS) as wire:
        try:
            first = await asked(wire, "ask")
            params = retry({"name": "ask", "arguments": {}}, first, {"k": accept(value="y")})
            id = wire.request("tools/call", params)
            await wire.silent()  # its turn comes when the thread is done
            assert not ended.is_set()
        finally:
            go.set()
        answer = await wire.read()
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (id, "y")


async def test_rule_6_a_clean_up_that_takes_longer_than_the_time_out_still_asks(revision: str) -> None:
    server = Server("x")

    @server.tool(timeout=0.002)
    async def ask(ctx: Context) -> str:
        try:
            return str((await ctx.elicit("?", str, key="k")).data)
        finally:
            await anyio.sleep(0.005)

    async with serving(server, revision, ELICITS) as wire:
        assert (await asked(wire, "ask"))["inputRequests"].keys() == {"k"}


async def test_rule_6_a_state_too_large_is_told_for_a_run_that_does_not_end(revision: str) -> None:
    stubborn = Stubborn(limits=Limits(state_bytes=2000))

    @stubborn.server.tool
    async def ask(ctx: Context) -> str:
        await ctx.once("large", lambda: "x" * 3000)
        return await stubborn.shielded(ctx)

    async with serving(stubborn.server, revision, ELICITS) as wire:
        error = await wire.error("tools/call", {"name": "ask", "arguments": {}})
        assert "Limits.state_bytes" in error["message"]
        stubborn.go.set()
        await stubborn.ended.wait()
        await wire.silent()
