"""`ctx.blocking`: the coroutines of the context for `def` handlers, which wait in their worker threads."""

from __future__ import annotations

import contextvars
import inspect
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.from_thread
import pytest

from mcport import Context, Depends, Elicit, Server
from mcport.server.handling.blocking import Blocking
from mcport.session.crossing import Withdrawn
from tests.server.answering import EVERYTHING, ROOTS, SAID, Seen, accept, said
from tests.server.wire import ALL, NEW, serving

REVISION = NEW[0]
ASKING = ["2025-06-18", "2025-11-25", *NEW]


def coroutines() -> list[str]:
    return sorted(name for name, each in inspect.getmembers(Context, inspect.iscoroutinefunction) if name[0] != "_")


def test_every_coroutine_of_the_context_has_a_blocking_twin_with_the_same_parameters() -> None:
    assert len(coroutines()) > 10
    for name in coroutines():
        own, twin = inspect.signature(getattr(Context, name)), inspect.signature(getattr(Blocking, name))
        assert list(own.parameters) == list(twin.parameters), name
        for each, other in zip(own.parameters.values(), twin.parameters.values(), strict=True):
            assert (each.kind, each.default) == (other.kind, other.default), name


@pytest.mark.parametrize("revision", ALL)
async def test_a_plain_function_reports_progress_and_reads_resources(revision: str) -> None:
    server = Server("blocking")

    @server.resource("text://x")
    def text() -> str:
        return "some text"

    @server.tool
    def work(ctx: Context) -> str:
        ctx.blocking.report_progress(1, 2)
        ctx.blocking.report_progress(2, 2)
        (found,) = ctx.blocking.read_resource("text://x")
        return getattr(found, "text", "")

    async with serving(server, revision) as wire:
        id = wire.request("tools/call", {"name": "work"}, progressToken="p")
        assert [(await wire.read())["params"]["progress"] for _ in range(2)] == [1, 2]
        answer = await wire.read()
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (id, "some text")


@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
async def test_a_plain_function_writes_to_the_clients_log(revision: str) -> None:
    server = Server("blocking")

    @server.tool
    def work(ctx: Context) -> str:
        ctx.blocking.warning({"a": 1}, logger="me")
        return "done"

    level = {"io.modelcontextprotocol/logLevel": "debug"} if revision in NEW else {}
    async with serving(server, revision) as wire:
        wire.request("tools/call", {"name": "work"}, **level)
        told = (await wire.read())["params"]
        assert (told["level"], told["data"], told["logger"]) == ("warning", {"a": 1}, "me")
        assert (await wire.read())["result"]["content"][0]["text"] == "done"


@pytest.mark.parametrize("revision", ASKING)
async def test_a_plain_function_asks_by_the_same_questions_in_both_eras(revision: str) -> None:
    server, ran, cleaned = Server("blocking"), [], []

    @server.tool
    def ask(ctx: Context) -> str:
        ran.append(1)
        try:
            nights = ctx.blocking.elicit("How many nights?", int)
            said = ctx.blocking.sample("Where to?")
            roots = ctx.blocking.list_roots()
            both = ctx.blocking.ask_all(a=Elicit("A?", int), b=Elicit("B?", int))
            return f"{nights.data} {said.content.text} {roots[0].name} {both['a'].data} {both['b'].data}"  # type: ignore[union-attr]
        except Exception:
            raise AssertionError("a stop is no error of the handler") from None
        finally:
            cleaned.append(1)

    seen = Seen(accept(value=2), SAID, ROOTS, accept(value=3), accept(value=3))
    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "ask", seen) == "2 Paris home 3 3"
    assert len(ran) == len(cleaned) == (5 if revision in NEW else 1)


@pytest.mark.parametrize("revision", ASKING)
async def test_once_calls_a_plain_function_in_the_waiting_thread_and_a_coroutine_on_the_loop(revision: str) -> None:
    server, loop, calls = Server("blocking"), threading.current_thread(), []

    @server.tool
    def work(ctx: Context) -> str:
        me = threading.current_thread()

        def effect() -> int:
            calls.append(threading.current_thread() is me)
            return 5

        async def other() -> bool:
            await anyio.lowlevel.checkpoint()
            return threading.current_thread() is loop

        value = ctx.blocking.once("effect", effect)
        on_loop = ctx.blocking.once("other", other)
        ctx.blocking.elicit("Well?", int)
        return f"{value} {on_loop}"

    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "work", Seen(accept(value=1))) == "5 True"
    assert calls == [True]


async def test_errors_come_out_in_the_thread() -> None:
    server = Server("blocking")

    @server.tool
    def work(ctx: Context) -> str:
        try:
            ctx.blocking.report_progress(float("nan"))
        except ValueError as error:
            return str(error)
        return "no error"

    async with serving(server, REVISION) as wire:
        assert await wire.text("work") == "progress and total are finite numbers"


async def test_on_a_thread_that_runs_a_loop_it_refuses_in_one_line() -> None:
    server = Server("blocking")

    @server.tool
    async def work(ctx: Context) -> str:
        try:
            ctx.blocking.report_progress(1)
        except RuntimeError as error:
            return str(error)
        return "no error"

    async with serving(server, REVISION) as wire:
        line = "this blocks, and an event loop runs in this thread: await the coroutine itself"
        assert await wire.text("work") == line


@pytest.mark.parametrize("revision", ["2025-11-25"])
async def test_a_withdrawn_request_wakes_the_thread_that_waits_for_an_answer(revision: str) -> None:
    server, ended = Server("blocking"), threading.Event()
    raised: list[BaseException] = []

    @server.tool
    def work(ctx: Context) -> str:
        try:
            ctx.blocking.elicit("Well?", int)
        except Exception:
            return "swallowed"
        except BaseException as error:
            raised.append(error)
            raise
        finally:
            ended.set()
        return "answered"

    async with serving(server, revision, EVERYTHING) as wire:
        id = wire.request("tools/call", {"name": "work"})
        question = await wire.read()
        assert question["method"] == "elicitation/create"
        wire.notify("notifications/cancelled", {"requestId": id})
        assert await anyio.to_thread.run_sync(ended.wait, 5)
        assert (await wire.read())["method"] == "notifications/cancelled"
        await wire.silent()
    assert [type(error) for error in raised] == [Withdrawn]


async def test_context_variables_of_the_thread_hold_in_what_runs_for_it() -> None:
    server, variable = Server("blocking"), contextvars.ContextVar("variable", default="unset")

    @server.tool
    def work(ctx: Context) -> Any:
        async def read() -> str:
            return variable.get()

        variable.set("from the thread")
        return ctx.blocking.once("x", read)

    async with serving(server, REVISION) as wire:
        assert await wire.text("work") == "from the thread"


async def test_several_threads_of_one_handler_may_wait_at_once() -> None:
    server = Server("blocking")

    @server.tool
    def work(ctx: Context) -> str:
        found: list[str] = []

        def read() -> None:
            found.append(getattr(ctx.blocking.read_resource("text://x")[0], "text", ""))

        threads = [threading.Thread(target=read) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
        return " ".join(found)

    @server.resource("text://x")
    async def text() -> str:
        return "x"

    async with serving(server, REVISION) as wire:
        assert await wire.text("work") == "x x x x x"


@pytest.mark.parametrize("revision", ASKING)
async def test_dependencies_are_cleaned_up_each_round_and_ask_themselves(revision: str) -> None:
    server, rounds = Server("rounds"), []

    async def opened() -> AsyncIterator[str]:
        rounds.append("open")
        try:
            yield "o"
        finally:
            rounds.append("close")

    def name(ctx: Context) -> Iterator[str]:
        yield str(ctx.blocking.elicit("Name?", str).data)

    @server.tool
    def greet(ctx: Context, opened: str = Depends(opened), name: str = Depends(name)) -> str:
        age = ctx.blocking.elicit("Age?", int).data
        return f"{opened} {name} {age}"

    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "greet", Seen(accept(value="Ada"), accept(value=7))) == "o Ada 7"
    assert rounds == ["open", "close"] * (3 if revision in NEW else 1)


SHORT = 0.02
"""Seconds of a time-out that is meant to be up."""


async def test_what_a_thread_waits_for_is_stopped_when_the_time_of_its_tool_is_up() -> None:
    server, stopped, ended = Server("blocking"), anyio.Event(), threading.Event()
    raised: list[BaseException] = []

    @server.resource("slow://x")
    async def slow() -> str:
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()
        return "never"

    @server.tool(timeout=SHORT)
    def work(ctx: Context) -> str:
        try:
            ctx.blocking.read_resource("slow://x")
        except BaseException as error:
            raised.append(error)
            raise
        finally:
            ended.set()
        return "read"

    async with serving(server, REVISION) as wire:
        assert "took longer" in await wire.text("work")
        with anyio.fail_after(5):
            await stopped.wait()
        assert await anyio.to_thread.run_sync(ended.wait, 5)
    assert [type(error) for error in raised] == [Withdrawn]


@pytest.mark.parametrize("with_dependency", [False, True])
async def test_a_thread_whose_time_is_up_begins_nothing_more_on_the_loop(with_dependency: bool) -> None:
    server, go, ended, ran = Server("blocking"), threading.Event(), threading.Event(), []

    @server.resource("text://x")
    async def text() -> str:
        ran.append(1)
        await anyio.lowlevel.checkpoint()
        return "text"

    def late(ctx: Context) -> str:
        assert go.wait(5)
        try:
            ctx.blocking.read_resource("text://x")
        finally:
            ended.set()
        return "read"

    def late_with_dependency(ctx: Context, a: str = Depends(lambda: "a")) -> str:
        return late(ctx)

    server.add_tool(late_with_dependency if with_dependency else late, name="late", timeout=SHORT)
    async with serving(server, REVISION) as wire:
        assert "took longer" in await wire.text("late")
        go.set()
        assert await anyio.to_thread.run_sync(ended.wait, 5)
        await wire.silent()
    assert ran == []
