"""The port to the event loops: tasks, promises, timers and watches do the same on asyncio and on trio."""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import ModuleType
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import trio

from mcport.session.loop import Loop, Stoppable, current_loop
from mcport.session.thread_pool import ThreadPool
from mcport.session.workers import workers_for

settle = anyio.wait_all_tasks_blocked
color: contextvars.ContextVar[str] = contextvars.ContextVar("color", default="none")

needs_watches = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot watch pipes")


@pytest.fixture
async def loop() -> Loop:
    return current_loop()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    fds = os.pipe()
    yield fds
    for fd in fds:
        os.close(fd)


def test_there_is_no_port_without_a_loop() -> None:
    with pytest.raises(RuntimeError):
        current_loop()


async def test_a_trio_that_another_thread_is_just_importing_is_no_loop(
    loop: Loop, anyio_backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("trio", "trio.lowlevel"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    if anyio_backend == "asyncio":
        assert type(current_loop()) is type(loop)
        assert isinstance(workers_for(loop, 1), ThreadPool)
    else:
        with pytest.raises(RuntimeError):
            current_loop()


# ---- tasks


@pytest.mark.parametrize("verb", ["spawn", "spawn_now"])
async def test_tasks_begin_in_the_order_in_which_they_were_started(loop: Loop, verb: str) -> None:
    began: list[int] = []

    async def note(number: int) -> None:
        began.append(number)
        await anyio.lowlevel.checkpoint()

    kept = [getattr(loop, verb)(note(number)) for number in range(50)]
    await settle()
    assert began == list(range(50))
    assert len(kept) == 50


@pytest.mark.parametrize("verb", ["spawn", "spawn_now"])
async def test_a_task_sees_the_context_of_the_port_and_keeps_its_own_to_itself(verb: str) -> None:
    color.set("port's")
    loop = current_loop()
    color.set("caller's")
    seen: list[str] = []

    async def paint(own: str) -> None:
        seen.append(color.get())
        color.set(own)
        await anyio.lowlevel.checkpoint()
        seen.append(color.get())

    kept = [getattr(loop, verb)(paint(own)) for own in ("red", "blue")]
    await settle()
    assert sorted(seen) == ["blue", "port's", "port's", "red"]
    assert color.get() == "caller's"
    assert len(kept) == 2


async def test_a_kept_task_has_the_context_of_its_caller(loop: Loop) -> None:
    color.set("caller's")
    seen: list[str] = []

    async def look() -> None:
        seen.append(color.get())

    loop.keep(look())
    await settle()
    assert seen == ["caller's"]


async def test_a_task_may_be_cancelled_through_a_scope_that_it_entered(loop: Loop) -> None:
    scope = loop.scope()
    seen: list[str] = []

    async def wait() -> None:
        with scope:
            await anyio.sleep_forever()
        seen.append("cancelled")

    kept = loop.spawn_now(wait())
    await settle()
    scope.cancel()
    await settle()
    assert seen == ["cancelled"]
    assert kept is not None


# ---- promises


async def test_a_promise_gives_its_value_whether_it_is_awaited_before_or_after(loop: Loop) -> None:
    early, late = loop.promise(), loop.promise()
    late.set_result("late")
    loop.soon(lambda: early.set_result("early"))
    assert not early.done()
    assert (await early, await late) == ("early", "late")
    assert early.done()


async def test_a_promise_raises_the_exception_that_it_was_given(loop: Loop) -> None:
    promise = loop.promise()
    loop.soon(lambda: promise.set_exception(ZeroDivisionError("told")))
    with pytest.raises(ZeroDivisionError, match="told"):
        await promise


async def test_waiting_for_a_promise_can_be_cancelled(loop: Loop) -> None:
    promise = loop.promise()
    with anyio.move_on_after(0) as scope:
        await promise
    assert scope.cancelled_caught
    if not promise.done():
        promise.set_result("nobody waits")


# ---- timers and turns


async def test_calls_of_one_turn_come_in_order(loop: Loop) -> None:
    seen: list[int] = []
    for number in range(10):
        loop.soon(lambda number=number: seen.append(number))  # type: ignore[misc]
    await settle()
    assert seen == list(range(10))


@pytest.mark.parametrize("seconds", [0, -1, 0.001])
async def test_a_timer_rings_once(loop: Loop, seconds: float) -> None:
    rings: list[float] = []
    rang = anyio.Event()

    def ring() -> None:
        rings.append(loop.time())
        rang.set()

    start = loop.time()
    loop.later(seconds, ring)
    with anyio.fail_after(5):
        await rang.wait()
    await settle()
    assert len(rings) == 1
    assert rings[0] >= start + seconds - 0.0005


async def test_a_timer_that_is_stopped_does_not_ring(loop: Loop) -> None:
    rings: list[str] = []
    last = anyio.Event()
    loop.later(0, lambda: rings.append("stopped")).cancel()
    loop.later(0.001, last.set)
    await last.wait()
    assert rings == []


async def test_a_thread_may_call_into_the_loop(loop: Loop) -> None:
    called: list[int] = []
    done = anyio.Event()

    def call() -> None:
        called.append(threading.get_ident())
        done.set()

    threading.Thread(target=loop.soon_from_thread, args=(call,)).start()
    with anyio.fail_after(5):
        await done.wait()
    assert called == [threading.get_ident()]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_thread_that_calls_into_a_loop_that_is_gone_hears_nothing(backend: str) -> None:
    async def main() -> Loop:
        return current_loop()

    anyio.run(main, backend=backend).soon_from_thread(lambda: None)


# ---- watches


@needs_watches
async def test_a_watch_calls_whenever_there_is_something_to_read(loop: Loop, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    got: list[bytes] = []
    watch = loop.watch_reading(reading, lambda: got.append(os.read(reading, 100)))
    for word in (b"one", b"two"):
        os.write(writing, word)
        with anyio.fail_after(5):
            while word not in got:
                await anyio.lowlevel.checkpoint()
    watch.cancel()
    watch.cancel()
    os.write(writing, b"three")
    await turn(loop)
    assert got == [b"one", b"two"]


@needs_watches
async def test_a_watch_calls_when_something_can_be_written(loop: Loop, pipe: tuple[int, int]) -> None:
    reading, writing = pipe
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 65536)
    writable = anyio.Event()
    watch = loop.watch_writing(writing, writable.set)
    await turn(loop)
    assert not writable.is_set()
    os.read(reading, 65536)
    with anyio.fail_after(5):
        await writable.wait()
    watch.cancel()


@needs_watches
async def test_a_watch_that_was_stopped_never_calls_though_it_was_about_to(loop: Loop) -> None:
    """Two descriptors become readable in one turn, and the first call stops both watches: each may be closed by now."""
    pipes = [os.pipe(), os.pipe()]
    watches: list[Stoppable] = []
    calls: list[int] = []

    def ready(number: int) -> Callable[[], None]:
        def call() -> None:
            calls.append(number)
            for watch in watches:
                watch.cancel()

        return call

    watches += [loop.watch_reading(reading, ready(number)) for number, (reading, _) in enumerate(pipes)]
    await settle()
    for _, writing in pipes:
        os.write(writing, b"x")
    with anyio.fail_after(5):
        while not calls:
            await anyio.lowlevel.checkpoint()
    await turn(loop)
    assert len(calls) == 1
    for fd in (fd for pipe in pipes for fd in pipe):
        os.close(fd)


async def turn(loop: Loop) -> None:
    """Let the loop look at its descriptors once more."""
    done = anyio.Event()
    loop.later(0.001, done.set)
    await done.wait()
    await settle()


# ---- the end of a loop


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_what_is_still_going_on_does_not_keep_a_loop_from_ending(backend: str, pipe: tuple[int, int]) -> None:
    seen: list[str] = []

    async def stay() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            seen.append("cleaned up")

    async def main() -> None:
        loop = current_loop()
        loop.keep(stay())
        loop.later(3600, lambda: None)
        if loop.can_watch:
            loop.watch_reading(pipe[0], lambda: None)
        await settle()

    anyio.run(main, backend=backend)
    assert seen == ["cleaned up"]


async def test_the_port_is_the_one_of_the_running_loop(anyio_backend_name: str, loop: Loop) -> None:
    assert type(loop).__name__ == {"asyncio": "AsyncioLoop", "trio": "TrioLoop"}[anyio_backend_name]


async def test_trio_may_be_guest_in_a_process_that_also_runs_asyncio(anyio_backend_name: str) -> None:
    """That trio is imported does not say that it runs."""
    other: list[Any] = []

    def run() -> None:
        async def main() -> None:
            other.append(type(current_loop()).__name__)

        (trio.run(main) if anyio_backend_name == "asyncio" else asyncio.run(main()))

    await anyio.to_thread.run_sync(run)
    assert other != [type(current_loop()).__name__]


async def test_what_takes_longer_than_it_may_is_stopped_and_what_does_not_is_left_alone(loop: Loop) -> None:
    reached = []
    with loop.within(30):
        reached.append("quick")
    with loop.within(0.001):
        await anyio.sleep_forever()
        reached.append("never")
    await anyio.lowlevel.checkpoint()
    with anyio.CancelScope() as scope:
        with loop.within(30):
            scope.cancel()
            await anyio.sleep_forever()
        reached.append("not when somebody else stops it")
    assert (reached, scope.cancelled_caught) == (["quick"], True)
