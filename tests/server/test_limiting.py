"""Time-outs of handlers, and limits that are none."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcport import Client, Context, Server, ToolError
from mcport.server.limiting import deadline as deadlines
from mcport.server.limiting.deadline import Deadline
from mcport.spec.revisions import REVISIONS
from tests.server.wire import ALL, NEW, SECONDS, serving

REVISION = NEW[0]
SHORT = 0.02
"""Seconds of a time-out that is meant to be up."""


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_takes_too_long_is_stopped_and_the_text_names_it_and_the_time(revision: str) -> None:
    server, stopped = Server("demo"), anyio.Event()

    @server.tool(timeout=SHORT)
    async def slow() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    async with serving(server, revision) as wire:
        result = await wire.call("slow")
        assert result["isError"] is True
        assert result["content"] == [
            {"type": "text", "text": f"Tool 'slow' was stopped: it took longer than {SHORT} s"}
        ]
        assert stopped.is_set()
        await wire.silent()


async def test_prompts_and_resources_have_time_outs_too() -> None:
    server = Server("demo")
    server.add_prompt(anyio.sleep_forever, name="slow", timeout=SHORT)
    server.add_resource("a://slow", anyio.sleep_forever, timeout=SHORT)
    async with serving(server, REVISION) as wire:
        error = await wire.error("prompts/get", {"name": "slow"})
        assert error == {"code": -32603, "message": f"Prompt 'slow' was stopped: it took longer than {SHORT} s"}
        error = await wire.error("resources/read", {"uri": "a://slow"})
        assert error == {"code": -32603, "message": f"Resource 'a://slow' was stopped: it took longer than {SHORT} s"}


async def test_a_handler_in_time_answers_as_one_without_time_out() -> None:
    server, words = Server("demo"), contextvars.ContextVar("words", default="unset")

    @server.tool(timeout=60)
    async def quick(ctx: Context, a: int) -> str:
        await ctx.report_progress(1)
        return f"{a} {words.get()} {ctx.request_id}"

    @server.tool(timeout=60)
    def thread(a: int) -> str:
        return f"{a} {threading.current_thread() is threading.main_thread()}"

    @server.tool(timeout=60)
    async def wrong() -> str:
        raise ToolError("plainly wrong")

    @server.tool(timeout=60)
    async def broken() -> str:
        raise RuntimeError("hunter2")

    async with serving(server, REVISION) as wire:
        assert await wire.text("quick", {"a": 5}) == "5 unset r1"
        assert await wire.text("thread", {"a": 5}) == "5 False"
        assert await wire.text("wrong") == "plainly wrong"
        assert "failed unexpectedly" in await wire.text("broken")


async def test_a_handler_that_cannot_be_stopped_is_answered_for_once_its_clean_up_takes_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "CLEANUP", SHORT)
    server, go, ended = Server("demo"), anyio.Event(), anyio.Event()

    @server.tool(timeout=SHORT)
    async def stubborn() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await go.wait()
            ended.set()

    async with serving(server, REVISION) as wire:
        assert "took longer" in await wire.text("stubborn")
        assert not ended.is_set()
        go.set()
        await ended.wait()
        await wire.silent()


async def test_a_plain_function_that_takes_too_long_is_answered_for_at_once() -> None:
    server, go = Server("demo"), threading.Event()

    @server.tool(timeout=SHORT)
    def blocking(ctx: Context) -> str:
        go.wait(SECONDS)
        return "late"

    async with serving(server, REVISION) as wire:
        assert "took longer" in await wire.text("blocking")
        await wire.silent()
        go.set()
        await wire.silent()


async def test_a_value_that_comes_after_the_time_was_up_is_not_the_answer() -> None:
    server = Server("demo")

    @server.tool(timeout=SHORT)
    async def late() -> str:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(2 * SHORT)
        return "late"

    async with serving(server, REVISION) as wire:
        assert "took longer" in await wire.text("late")


async def test_a_call_under_a_time_out_can_be_cancelled() -> None:
    server, started, stopped = Server("demo"), anyio.Event(), anyio.Event()

    @server.tool(timeout=60)
    async def slow() -> None:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    async with serving(server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "slow"})
        await started.wait()
        wire.notify("notifications/cancelled", {"requestId": id})
        await stopped.wait()
        await wire.silent()


async def test_the_time_stands_still_while_a_question_is_open() -> None:
    server = Server("demo")

    @server.tool(timeout=SHORT)
    async def asks(ctx: Context) -> str:
        with ctx._exchange.standing_still():
            await anyio.sleep(3 * SHORT)
        return "answered"

    @server.tool
    async def unlimited(ctx: Context) -> str:
        with ctx._exchange.standing_still():
            return "free"

    async with serving(server, REVISION) as wire:
        assert await wire.text("asks") == "answered"
        assert await wire.text("unlimited") == "free"


@pytest.mark.parametrize("revision", [name for name in ALL if REVISIONS[name].elicits])
async def test_a_person_who_thinks_for_long_costs_a_tool_none_of_its_time(revision: str) -> None:
    server = Server("demo")

    @server.tool(timeout=SHORT, max_concurrency=1)
    async def asks(ctx: Context) -> str:
        answer = await ctx.elicit("Your name?", str)
        return f"hello {answer.data}"

    @server.tool(timeout=SHORT)
    async def dawdles(ctx: Context) -> None:
        await ctx.elicit("Your name?", str)
        await anyio.sleep_forever()

    async def thinking(question: object) -> dict[str, str]:
        await anyio.sleep(3 * SHORT)
        return {"value": "ann"}

    async with Client(server, revision=revision, elicit=thinking) as client:
        for _ in range(2):
            result = await client.call_tool("asks")
            assert result.content[0].to_wire()["text"] == "hello ann"
        result = await client.call_tool("dawdles")
        assert "took longer" in result.content[0].to_wire()["text"]


class Hand:
    """A loop whose clock is turned by hand."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Callable[[], None], list[bool]]] = []

    def time(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> Any:
        alive = [True]
        self.timers.append((self.now + seconds, call, alive))

        class Timer:
            def cancel(self) -> None:
                alive[0] = False

        return Timer()

    def turn(self, seconds: float) -> None:
        self.now += seconds
        for when, call, alive in list(self.timers):
            if alive[0] and when <= self.now:
                alive[0] = False
                call()


def test_a_deadline_counts_only_the_time_in_which_no_question_is_open() -> None:
    loop: Any = Hand()
    rung: list[float] = []
    deadline = Deadline(loop, 10, lambda: rung.append(loop.now))
    loop.turn(100)
    deadline.start()
    loop.turn(4)
    deadline.hold()
    loop.turn(1000)
    deadline.hold()
    deadline.release()
    loop.turn(1000)
    deadline.release()
    loop.turn(5)
    assert rung == []
    loop.turn(1)
    assert rung == [2110.0]
    deadline.hold()
    deadline.release()
    loop.turn(1000)
    assert len(rung) == 1


def test_a_deadline_that_is_held_before_it_starts_begins_with_the_release() -> None:
    loop: Any = Hand()
    rung: list[float] = []
    deadline = Deadline(loop, 10, lambda: rung.append(loop.now))
    deadline.hold()
    deadline.start()
    loop.turn(100)
    deadline.release()
    loop.turn(9)
    assert rung == []
    loop.turn(1)
    assert rung == [110.0]


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"timeout": 0}, ValueError, "positive"),
        ({"timeout": float("inf")}, ValueError, "positive"),
        ({"timeout": float("nan")}, ValueError, "positive"),
        ({"timeout": "5"}, TypeError, "seconds, not str"),
        ({"timeout": True}, TypeError, "seconds, not bool"),
        ({"max_concurrency": 0}, ValueError, "at least 1"),
        ({"max_concurrency": 1.5}, TypeError, "not float"),
    ],
)
def test_limits_that_are_none_are_refused(options: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        Server("demo").tool(**options)(anyio.sleep_forever)


def test_a_tool_without_limits_is_called_as_ever() -> None:
    from mcport.server.handling.calling import call

    server = Server("demo")
    server.add_tool(anyio.sleep_forever, name="a", timeout=None, max_concurrency=None)
    server.add_tool(anyio.sleep_forever, name="b", timeout=5)
    assert server._tools.listing["a"].call is call
    assert server._tools.listing["b"].call is not call


async def test_a_tool_whose_time_is_up_while_it_reads_a_resource_is_stopped_and_the_resource_has_not_failed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, seen = Server("demo"), []

    @server.resource("slow://x")
    async def slow() -> str:
        await anyio.sleep_forever()
        return "never"

    @server.tool(timeout=SHORT)
    async def reads(ctx: Context) -> str:
        try:
            await ctx.read_resource("slow://x")
        except BaseException as error:
            seen.append(isinstance(error, anyio.get_cancelled_exc_class()))
            raise
        return "read"

    async with serving(server, REVISION) as wire:
        assert "took longer" in await wire.text("reads")
    assert seen == [True]
    assert "Resource" not in caplog.text
