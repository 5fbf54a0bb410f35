"""How many calls of a handler may run at a time, and whose turn comes next."""

from __future__ import annotations

import threading

import anyio
import anyio.lowlevel
import pytest

from mcport import Server
from mcport.core.events import Asked
from mcport.server.limiting.limiting import Gate
from mcport.session.exchange import Exchange
from mcport.session.loop import current_loop
from tests.server.wire import NEW, SECONDS, Json, Wire, serving

REVISION = NEW[0]
SHORT = 0.02
"""Seconds of a time-out that is meant to be up."""


class Outlet:
    """As much of an outlet as a gate needs."""

    def __init__(self) -> None:
        self.loop = current_loop()


async def test_a_turn_that_comes_in_the_moment_of_a_cancellation_is_passed_on() -> None:
    gate, outlet = Gate(1), Outlet()
    first, second, third = (Exchange(Asked(number, "tools/call", {}), outlet, None) for number in range(3))  # type: ignore[arg-type]
    assert await gate.enter(first)
    entered: dict[str, bool] = {}

    async def wait(name: str, exchange: Exchange) -> None:
        entered[name] = await gate.enter(exchange)

    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait, "second", second)
            while second.stop is None:
                await anyio.lowlevel.checkpoint()
            tasks.start_soon(wait, "third", third)
            while third.stop is None:
                await anyio.lowlevel.checkpoint()
            gate.leave()
            second.cancel()
    assert entered == {"second": False, "third": True}


class Desk:
    """A handler that waits until it is let go, and knows who is at it."""

    def __init__(self) -> None:
        self.order: list[int] = []
        self.most = 0
        self.here = 0
        self.news = anyio.Event()
        self.go: dict[int, anyio.Event] = {}

    async def serve(self, number: int) -> str:
        self.order.append(number)
        self.here += 1
        self.most = max(self.most, self.here)
        event = self.go.setdefault(number, anyio.Event())
        self.news.set()
        try:
            await event.wait()
        finally:
            self.here -= 1
        return f"served {number}"

    async def began(self, count: int) -> None:
        """Wait until so many calls have begun."""
        with anyio.fail_after(SECONDS):
            while len(self.order) < count:
                self.news = anyio.Event()
                await self.news.wait()

    def finish(self, number: int) -> None:
        self.go[number].set()


def calls(wire: Wire, numbers: range, tool: str = "serve") -> list[Json]:
    return [wire.request("tools/call", {"name": tool, "arguments": {"number": number}}) for number in numbers]


@pytest.mark.parametrize("most", [1, 2])
async def test_so_many_calls_run_at_a_time_and_the_others_follow_one_by_one(most: int) -> None:
    server, desk = Server("demo"), Desk()
    server.add_tool(desk.serve, max_concurrency=most)
    async with serving(server, REVISION) as wire:
        calls(wire, range(5))
        for count in range(5):
            await desk.began(min(count + most, 5))
            assert len(desk.order) == min(count + most, 5)
            done = desk.order[count]
            desk.finish(done)
            assert (await wire.read())["result"]["content"][0]["text"] == f"served {done}"
        assert desk.most == most


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_calls_get_their_turn_in_the_order_in_which_they_came(anyio_backend: str) -> None:
    server, desk = Server("demo"), Desk()
    server.add_tool(desk.serve, max_concurrency=1)
    async with serving(server, REVISION) as wire:
        calls(wire, range(6))
        for number in range(6):
            await desk.began(number + 1)
            desk.finish(number)
        assert desk.order == list(range(6))


async def test_the_bound_holds_over_all_connections() -> None:
    server, desk = Server("demo"), Desk()
    server.add_tool(desk.serve, max_concurrency=1)
    async with serving(server, REVISION) as one, serving(server, REVISION) as other:
        calls(one, range(1))
        await desk.began(1)
        calls(other, range(1, 2))
        await other.silent()
        assert desk.order == [0]
        desk.finish(0)
        await desk.began(2)
        desk.finish(1)
        assert (await other.read())["result"]["content"][0]["text"] == "served 1"


async def test_a_call_that_waits_for_its_turn_can_be_cancelled_and_is_never_run() -> None:
    server, desk = Server("demo"), Desk()
    server.add_tool(desk.serve, max_concurrency=1)
    async with serving(server, REVISION) as wire:
        (first,) = calls(wire, range(1))
        await desk.began(1)
        second, third = calls(wire, range(1, 3))
        wire.notify("notifications/cancelled", {"requestId": second})
        await wire.silent()
        desk.finish(0)
        assert (await wire.read())["id"] == first
        await desk.began(2)
        assert desk.order == [0, 2]
        desk.finish(2)
        assert (await wire.read())["id"] == third
        (last,) = calls(wire, range(3, 4))
        await desk.began(3)
        desk.finish(3)
        assert (await wire.read())["id"] == last


async def test_a_call_that_is_cancelled_while_it_runs_makes_room() -> None:
    server, desk = Server("demo"), Desk()
    server.add_tool(desk.serve, max_concurrency=1)
    async with serving(server, REVISION) as wire:
        (first,) = calls(wire, range(1))
        await desk.began(1)
        (second,) = calls(wire, range(1, 2))
        wire.notify("notifications/cancelled", {"requestId": first})
        await desk.began(2)
        desk.finish(1)
        assert (await wire.read())["id"] == second


async def test_the_time_begins_when_the_turn_comes() -> None:
    server, desk = Server("demo"), Desk()

    @server.tool(max_concurrency=1, timeout=2 * SHORT)
    async def serve(number: int) -> str:
        if number:
            return "in time"
        return await desk.serve(number)

    async with serving(server, REVISION) as wire:
        (first,) = calls(wire, range(1))
        await desk.began(1)
        (second,) = calls(wire, range(1, 2))
        answers = {(answer := await wire.read())["id"]: answer["result"]["content"][0]["text"] for _ in range(2)}
        assert "took longer" in answers[first]
        assert answers[second] == "in time"


async def test_a_plain_function_keeps_its_turn_until_its_thread_is_done() -> None:
    server, running, go = Server("demo"), threading.Semaphore(0), threading.Event()

    @server.tool(timeout=SHORT, max_concurrency=1)
    def blocking(number: int) -> str:
        running.release()
        if number == 0:
            go.wait(SECONDS)
        return f"served {number}"

    async with serving(server, REVISION) as wire:
        assert "took longer" in await wire.text("blocking", {"number": 0})
        assert running.acquire(timeout=SECONDS)
        (id,) = calls(wire, range(1, 2), "blocking")
        await wire.silent()
        assert not running.acquire(blocking=False)
        go.set()
        answer = await wire.read()
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (id, "served 1")


async def test_a_plain_function_that_is_cancelled_before_its_thread_begins_is_never_run_and_makes_room() -> None:
    server = Server("demo", limits=Server("x").limits.but(worker_threads=1))
    go, ran = threading.Event(), []

    @server.tool
    def block() -> str:
        go.wait(SECONDS)
        return "free"

    @server.tool(max_concurrency=1)
    def note(number: int) -> str:
        ran.append(number)
        return f"noted {number}"

    async with serving(server, REVISION) as wire:
        blocked = wire.request("tools/call", {"name": "block"})
        await wire.silent()
        (first,) = calls(wire, range(1), "note")
        await wire.silent()
        wire.notify("notifications/cancelled", {"requestId": first})
        await wire.silent()
        go.set()
        assert (await wire.read())["id"] == blocked
        assert await wire.text("note", {"number": 1}) == "noted 1"
        assert ran == [1]
