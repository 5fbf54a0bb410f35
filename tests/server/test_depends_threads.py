"""`def` handlers with dependencies: the threads in which they run, and their limits."""

from __future__ import annotations

import contextvars
import functools
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from mcport import Context, Depends, Middleware, Next, Server, ToolCall, ToolError
from tests.server.depending import Diary, coroutine, plain, steps, stream
from tests.server.wire import ALL, NEW, SECONDS, serving

REVISION = NEW[0]
SHORT = 0.02
"""Seconds of a time-out that is meant to be up."""


@pytest.fixture
def diary() -> Diary:
    return Diary()


def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE words (word TEXT)")
    try:
        with connection:
            yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("revision", ALL)
async def test_a_connection_of_sqlite_is_made_used_and_closed_in_one_thread(revision: str) -> None:
    server = Server("sqlite")

    def count(notes: sqlite3.Connection = Depends(database)) -> int:
        return int(notes.execute("SELECT count(*) FROM words").fetchone()[0])

    @server.tool
    def write(word: str, before: int = Depends(count), notes: sqlite3.Connection = Depends(database)) -> str:
        notes.execute("INSERT INTO words VALUES (?)", (word,))
        return f"{before} {notes.execute('SELECT word FROM words').fetchall()}"

    async with serving(server, revision) as wire:
        # Several at once, so that there are several threads to mix up.
        asked = [wire.request("tools/call", {"name": "write", "arguments": {"word": f"w{n}"}}) for n in range(8)]
        answers = {(answer := await wire.read())["id"]: answer["result"] for _ in asked}
    assert [answers[id]["content"][0]["text"] for id in asked] == [f"0 [('w{n}',)]" for n in range(8)]


class Hops:
    """Counts how often something was run in a worker thread."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        from mcport.session.thread_pool import ThreadPool
        from mcport.session.workers import AnyioWorkers

        self.count = 0
        for workers in (ThreadPool, AnyioWorkers):
            patch.setattr(workers, "run", self._counting(workers.run))

    def _counting(self, run: Callable[..., Any]) -> Callable[..., Any]:
        async def counted(*arguments: Any) -> Any:
            self.count += 1
            return await run(*arguments)

        return counted


async def test_plain_dependencies_their_handler_and_all_clean_up_are_one_hop(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, hops = Server("hops"), Hops(monkeypatch)

    def watched(name: str, value: Any = Depends(plain)) -> Iterator[str]:
        diary(f"{name} begins")
        yield name
        diary(f"{name} ends")

    first, second = functools.partial(watched, "first"), functools.partial(watched, "second")

    @server.tool
    def use(a: str = Depends(first), b: str = Depends(second), c: str = Depends(plain)) -> str:
        diary("handler")
        return f"{a} {b} {c}"

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "first second plain"
    assert diary.taken() == ["first begins", "second begins", "handler", "second ends", "first ends"]
    assert hops.count == 1


async def test_context_variables_that_a_dependency_sets_hold_in_the_handler() -> None:
    server, user = Server("variables"), contextvars.ContextVar("user", default="nobody")

    def logged_in() -> Iterator[None]:
        token = user.set("ann")
        yield
        user.reset(token)

    @server.tool
    def who(a: None = Depends(logged_in)) -> str:
        return user.get()

    async with serving(server, REVISION) as wire:
        assert await wire.text("who") == "ann"


@pytest.mark.parametrize("made_by", [coroutine, steps, stream])
async def test_a_replacement_of_any_kind_may_stand_for_a_plain_function(made_by: Callable[..., Any]) -> None:
    server = Server("override", limits=Server("x").limits.but(worker_threads=1))
    threads: list[threading.Thread] = []

    def here() -> threading.Thread:
        return threading.current_thread()

    @server.tool
    def use(a: str = Depends(plain), made_in: threading.Thread = Depends(here)) -> str:
        threads.append(made_in)
        return f"{a} {made_in is threading.current_thread()}"

    async with serving(server, REVISION) as wire:
        with anyio.fail_after(SECONDS), server.override(plain, made_by):
            assert await wire.text("use") == f"{made_by.__name__} True"
        assert await wire.text("use") == "plain True"


async def test_a_value_of_the_process_needs_no_second_thread_while_one_waits_for_it(
    diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server("process", limits=Server("x").limits.but(worker_threads=1))

    def settings() -> Iterator[str]:
        diary("made")
        yield "settings"
        diary("ended")

    def through(a: str = Depends(settings, scope="process")) -> str:
        return a.upper()

    @server.tool
    def use(a: str = Depends(settings, scope="process"), b: str = Depends(through)) -> str:
        return f"{a} {b}"

    async with serving(server, REVISION) as wire:
        with anyio.fail_after(SECONDS):
            assert await wire.text("use") == "settings SETTINGS"
        hops = Hops(monkeypatch)
        assert await wire.text("use") == "settings SETTINGS"
        assert hops.count == 1
        assert diary.taken() == ["made"]
    assert diary.taken() == ["ended"]


async def test_what_a_plain_function_returns_to_be_awaited_is_awaited_before_clean_up(diary: Diary) -> None:
    server = Server("awaitable")

    async def later(word: str) -> str:
        await anyio.lowlevel.checkpoint()
        diary(word)
        return word

    def wrapped() -> Any:
        return later("dependency")

    def opened() -> Iterator[None]:
        yield
        diary("closed")

    @server.tool
    def use(a: None = Depends(opened), b: str = Depends(wrapped)) -> Any:
        return later(f"handler with {b}")

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "handler with dependency"
    assert diary.taken() == ["dependency", "handler with dependency", "closed"]


async def test_an_error_in_the_thread_is_seen_by_each_clean_up_and_may_be_replaced(diary: Diary) -> None:
    server = Server("errors")

    def outer() -> Iterator[None]:
        try:
            yield
        except ToolError as error:
            diary(f"outer sees {error}")
            raise

    def inner() -> Iterator[None]:
        try:
            yield
        except KeyError as error:
            raise ToolError(f"no entry {error}") from error

    @server.tool
    def use(a: None = Depends(outer), b: None = Depends(inner)) -> str:
        entries: dict[str, str] = {}
        return entries["x"]

    @server.tool
    def twice(a: None = Depends(twice_yielding)) -> str:
        return "done"

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "no entry 'x'"
        assert "failed unexpectedly" in await wire.text("twice")
    assert diary.taken() == ["outer sees no entry 'x'"]


def twice_yielding() -> Iterator[None]:
    yield
    yield


async def test_a_withdrawn_call_is_cleaned_up_when_its_thread_is_done_and_makes_no_more_dependencies(
    diary: Diary,
) -> None:
    server, go, ended = Server("withdrawn"), threading.Event(), threading.Event()
    began = threading.Semaphore(0)

    def opened() -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            diary(type(error).__name__)
            raise
        finally:
            diary("closed")
            ended.set()

    def slow() -> str:
        began.release()
        assert go.wait(SECONDS)
        diary("made")
        return "late"

    @server.tool
    def use(a: None = Depends(opened), b: str = Depends(slow), c: None = Depends(lambda: diary("more"))) -> None:
        diary("handler")

    async with serving(server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "use"})
        assert await anyio.to_thread.run_sync(began.acquire, True, SECONDS)
        wire.notify("notifications/cancelled", {"requestId": id})
        await wire.silent()
        assert diary.taken() == []
        go.set()
        assert await anyio.to_thread.run_sync(ended.wait, SECONDS)
    assert diary.taken() == ["made", "Withdrawn", "closed"]


def opened() -> Iterator[str]:
    yield "opened"


async def opened_on_loop() -> AsyncIterator[str]:
    yield "opened"


def settled() -> str:
    return "opened"


KINDS = pytest.mark.parametrize("need", [Depends(opened), Depends(opened_on_loop), Depends(settled, scope="process")])


class Looking(Middleware):
    async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
        return await next(request)


@KINDS
@pytest.mark.parametrize("middleware", [[], [Looking()]], ids=["bare", "wrapped"])
@pytest.mark.parametrize("how", ["too long", "withdrawn"])
async def test_a_plain_function_with_dependencies_keeps_its_turn_until_its_thread_is_done(
    need: Any, middleware: list[Middleware], how: str
) -> None:
    server, running, go = Server("demo", middleware=middleware), threading.Semaphore(0), threading.Event()

    @server.tool(timeout=SHORT if how == "too long" else None, max_concurrency=1)
    def blocking(number: int, a: str = need) -> str:
        running.release()
        if number == 0:
            go.wait(SECONDS)
        return f"served {number} {a}"

    async with serving(server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "blocking", "arguments": {"number": 0}})
        assert await anyio.to_thread.run_sync(running.acquire, True, SECONDS)
        if how == "too long":
            assert "took longer" in (await wire.read())["result"]["content"][0]["text"]
        else:
            wire.notify("notifications/cancelled", {"requestId": id})
        second = wire.request("tools/call", {"name": "blocking", "arguments": {"number": 1}})
        await wire.silent()
        assert not running.acquire(blocking=False)
        go.set()
        answer = await wire.read()
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (second, "served 1 opened")


@KINDS
@pytest.mark.parametrize("middleware", [[], [Looking()]], ids=["bare", "wrapped"])
async def test_the_time_of_a_plain_function_with_dependencies_begins_in_its_thread(
    need: Any, middleware: list[Middleware]
) -> None:
    server = Server("demo", middleware=middleware, limits=Server("x").limits.but(worker_threads=1))
    running, go, late = threading.Semaphore(0), threading.Event(), threading.Event()

    @server.tool
    def block() -> str:
        running.release()
        go.wait(SECONDS)
        return "free"

    @server.tool(timeout=2 * SHORT)
    def quick(wait: bool, a: str = need) -> str:
        if wait:
            late.wait(SECONDS)
        return f"quick {a}"

    async with serving(server, REVISION) as wire:
        assert await wire.text("quick", {"wait": False}) == "quick opened"
        blocked = wire.request("tools/call", {"name": "block"})
        assert await anyio.to_thread.run_sync(running.acquire, True, SECONDS)
        asked = wire.request("tools/call", {"name": "quick", "arguments": {"wait": False}})
        await anyio.sleep(4 * SHORT)
        await wire.silent()
        go.set()
        answers = {(answer := await wire.read())["id"]: answer["result"]["content"][0]["text"] for _ in range(2)}
        assert answers == {blocked: "free", asked: "quick opened"}
        assert "took longer" in await wire.text("quick", {"wait": True})
        late.set()


async def test_time_spent_by_dependencies_counts() -> None:
    server, go = Server("demo"), threading.Event()

    def slow() -> str:
        go.wait(SECONDS)
        return "late"

    @server.tool(timeout=SHORT)
    def use(a: str = Depends(slow)) -> str:
        return a

    @server.tool(timeout=SHORT)
    def mixed(a: str = Depends(slow), b: str = Depends(coroutine)) -> str:
        return a

    @server.tool(timeout=SHORT)
    def stuck(a: None = Depends(anyio.sleep_forever)) -> str:
        return "never"

    async with serving(server, REVISION) as wire:
        assert "took longer" in await wire.text("use")
        assert "took longer" in await wire.text("stuck")
        assert "took longer" in await wire.text("mixed")
        go.set()


async def test_a_plain_function_with_dependencies_uses_the_blocking_context() -> None:
    server = Server("blocking")

    @server.resource("text://x")
    def text(a: str = Depends(opened)) -> str:
        return a

    def read(ctx: Context) -> Iterator[str]:
        (found,) = ctx.blocking.read_resource("text://x")
        yield getattr(found, "text", "")
        ctx.blocking.report_progress(2, 2)

    @server.tool
    def work(ctx: Context, a: str = Depends(read)) -> str:
        ctx.blocking.report_progress(1, 2)
        return a

    async with serving(server, REVISION) as wire:
        wire.request("tools/call", {"name": "work"}, progressToken="p")
        assert [(await wire.read())["params"]["progress"] for _ in range(2)] == [1, 2]
        assert (await wire.read())["result"]["content"][0]["text"] == "opened"
