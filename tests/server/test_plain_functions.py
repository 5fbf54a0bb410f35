"""`def` handlers: in worker threads, so that they never stop the loop, and what becomes of them when nobody waits."""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.from_thread
import pytest

from mcport import Context, Limits, Server, ToolError
from tests.server.wire import NEW, Wire, serving

REVISION = NEW[0]
PATIENCE = 5.0


class Held:
    """A `def` tool that blocks its thread until the test lets it go."""

    def __init__(self, threads: int = 4) -> None:
        self.server = Server("held", limits=Limits(worker_threads=threads))
        self.go = threading.Event()
        self.began = threading.Semaphore(0)
        self.running = 0
        self.most = 0
        self.stopped: list[bool] = []
        self.lock = threading.Lock()
        self.server.tool(self.hold)
        self.server.tool(self.where)

    def hold(self, ctx: Context) -> str:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.began.release()
        assert self.go.wait(PATIENCE)
        with self.lock:
            self.running -= 1
        try:
            anyio.from_thread.check_cancelled()
        except BaseException:
            self.stopped.append(ctx.cancelled)
            raise
        return "done"

    def where(self) -> str:
        return threading.current_thread().name


async def begun(held: Held, count: int = 1) -> None:
    """Wait until so many calls block, and let the loop run meanwhile."""
    for _ in range(count):
        assert await anyio.to_thread.run_sync(held.began.acquire, True, PATIENCE)


async def answers(wire: Wire, count: int) -> list[str]:
    return [(await wire.read())["result"]["content"][0]["text"] for _ in range(count)]


async def test_a_blocking_function_stops_neither_the_loop_nor_other_calls() -> None:
    held = Held()
    async with serving(held.server, REVISION) as wire:
        wire.request("tools/call", {"name": "hold"})
        await begun(held)
        await wire.silent()
        assert await wire.text("where") != threading.current_thread().name
        held.go.set()
        assert await answers(wire, 1) == ["done"]


async def test_no_more_functions_run_at_once_than_there_may_be_threads() -> None:
    held = Held(threads=2)
    async with serving(held.server, REVISION) as wire:
        for _ in range(5):
            wire.request("tools/call", {"name": "hold"})
        await begun(held, 2)
        await wire.silent()
        held.go.set()
        assert await answers(wire, 5) == ["done"] * 5
        assert held.most == 2


async def test_a_cancelled_call_is_dropped_at_once_and_keeps_its_slot_until_its_thread_ends() -> None:
    held = Held(threads=1)
    async with serving(held.server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "hold"})
        await begun(held)
        wire.notify("notifications/cancelled", {"requestId": id})
        await wire.silent()
        wire.request("tools/call", {"name": "where"})
        await wire.silent()
        held.go.set()
        assert len(await answers(wire, 1)) == 1
        await wire.silent()
        assert held.stopped == [True]


async def test_a_call_that_is_cancelled_while_it_waits_for_a_thread_never_runs() -> None:
    held = Held(threads=1)
    ran: list[int] = []
    held.server.tool(marker(ran))
    async with serving(held.server, REVISION) as wire:
        wire.request("tools/call", {"name": "hold"})
        await begun(held)
        id = wire.request("tools/call", {"name": "mark"})
        wire.notify("notifications/cancelled", {"requestId": id})
        await wire.silent()
        held.go.set()
        await answers(wire, 1)
        await wire.text("where")
        assert not ran


def marker(ran: list[int]) -> Callable[[], None]:
    def mark() -> None:
        ran.append(1)

    return mark


async def test_context_variables_that_a_function_sets_stay_in_its_call() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    server = Server("context")

    @server.tool
    def swap() -> str:
        before = variable.get()
        variable.set("from the thread")
        return before

    async with serving(server, REVISION) as wire:
        assert [await wire.text("swap") for _ in range(2)] == ["unset"] * 2
    assert variable.get() == "unset"


async def test_functions_may_call_back_into_the_loop() -> None:
    server, loops = Server("loop"), threading.current_thread()

    async def inside() -> bool:
        await anyio.lowlevel.checkpoint()
        return threading.current_thread() is loops

    @server.tool
    def ask() -> list[bool]:
        here = anyio.from_thread.run_sync(threading.current_thread) is loops
        return [anyio.from_thread.run(inside), here, threading.current_thread() is loops]

    async with serving(server, REVISION) as wire:
        assert await wire.text("ask") == "[true,true,false]"


async def test_a_function_may_run_a_loop_of_its_own() -> None:
    server = Server("own")

    @server.tool
    def own() -> int:
        async def inside() -> int:
            await anyio.lowlevel.checkpoint()
            return 5

        return anyio.run(inside)

    async with serving(server, REVISION) as wire:
        assert await wire.text("own") == "5"


def simple_decorator(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    """As people write them: a plain function around a coroutine function."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Awaitable[Any]:
        return function(*args, **kwargs)

    return wrapper


async def test_a_plain_function_that_returns_something_to_await_is_awaited_on_the_loop() -> None:
    server, began, ended = Server("decorated"), anyio.Event(), anyio.Event()

    @server.tool
    @simple_decorator
    async def twice(a: int) -> int:
        await anyio.lowlevel.checkpoint()
        return 2 * a

    @server.tool
    @simple_decorator
    async def refuse() -> int:
        raise ToolError("no")

    @server.tool
    @simple_decorator
    async def wait() -> None:
        began.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.set()

    async with serving(server, REVISION) as wire:
        assert await wire.text("twice", {"a": 4}) == "8"
        assert await wire.text("refuse") == "no"
        id = wire.request("tools/call", {"name": "wait"})
        await began.wait()
        wire.notify("notifications/cancelled", {"requestId": id})
        await ended.wait()
        await wire.silent()


async def test_the_servers_own_threads_end_with_it(anyio_backend_name: str) -> None:
    held = Held()
    held.go.set()
    async with serving(held.server, REVISION) as wire:
        await wire.text("hold")
        mine = [each for each in threading.enumerate() if each.name.startswith("mcport worker")]
        assert bool(mine) == (anyio_backend_name == "asyncio")
    for thread in mine:
        await anyio.to_thread.run_sync(thread.join, PATIENCE)
        assert not thread.is_alive()


async def test_a_thread_that_never_ends_does_not_keep_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcport.server.connection.GRACE", 0.01)
    held = Held()
    with anyio.fail_after(PATIENCE):
        async with serving(held.server, REVISION) as wire:
            wire.request("tools/call", {"name": "hold"})
            await begun(held)
    held.go.set()


@pytest.mark.parametrize("count", [1, 50])
async def test_many_calls_are_all_answered(count: int) -> None:
    held = Held(threads=3)
    held.go.set()
    async with serving(held.server, REVISION) as wire:
        for _ in range(count):
            wire.request("tools/call", {"name": "hold"})
        assert await answers(wire, count) == ["done"] * count
        assert held.most <= 3
