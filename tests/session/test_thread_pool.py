"""Worker threads: values, errors and contexts come through, blocking calls run side by side, nothing is lost."""

from __future__ import annotations

import contextvars
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.from_thread
import pytest

from mcport.core.dialects.contract import Conversation
from mcport.core.events import Asked
from mcport.session import thread_pool
from mcport.session.exchange import Exchange
from mcport.session.loop import current_loop
from mcport.session.workers import Workers, workers_for

number: contextvars.ContextVar[int] = contextvars.ContextVar("number", default=0)


@asynccontextmanager
async def working(most: int = 8) -> AsyncIterator[Workers]:
    workers = workers_for(current_loop(), most)
    try:
        yield workers
    finally:
        workers.close()


def exchange() -> Exchange:
    class Nowhere:
        loop = current_loop()
        full = False

        async def ask(self, *question: Any, **waiting: Any) -> Any:
            raise AssertionError

        def answer_instead(self, exchange: object, answer: object) -> None:
            raise AssertionError

        def tell(self, notification: object) -> None:
            raise AssertionError

        async def drained(self) -> None:
            raise AssertionError

    return Exchange(Asked(1, "work", {}), Nowhere(), Conversation())


async def in_parallel(calls: list[Callable[[], Any]], workers: Workers) -> list[Any]:
    results: list[Any] = [None] * len(calls)

    async def one(index: int) -> None:
        results[index] = await workers.run(calls[index], exchange())

    async with anyio.create_task_group() as tasks:
        for index in range(len(calls)):
            tasks.start_soon(one, index)
    return results


async def test_a_function_runs_in_another_thread_and_its_value_comes_back() -> None:
    async with working() as workers:
        ident = await workers.run(threading.get_ident, exchange())
    assert ident != threading.get_ident()


async def test_an_exception_comes_out_where_it_is_awaited() -> None:
    def fail() -> None:
        raise KeyError("mine")

    async with working() as workers:
        with pytest.raises(KeyError, match="mine"):
            await workers.run(fail, exchange())


async def test_a_stop_iteration_does_not_end_the_caller_silently() -> None:
    def stop() -> None:
        raise StopIteration

    async with working() as workers:
        with pytest.raises(RuntimeError):
            await workers.run(stop, exchange())


async def test_context_variables_are_the_callers_and_do_not_leak_back() -> None:
    def look() -> int:
        seen = number.get()
        number.set(99)
        return seen

    number.set(7)
    async with working() as workers:
        assert await workers.run(look, exchange()) == 7
        assert await workers.run(look, exchange()) == 7
    assert number.get() == 7


async def test_blocking_calls_run_side_by_side_up_to_the_bound() -> None:
    meeting = threading.Barrier(4)
    async with working(most=4) as workers:
        with anyio.fail_after(5):
            arrived = await in_parallel([lambda: meeting.wait(timeout=4)] * 4, workers)
    assert sorted(arrived) == [0, 1, 2, 3]


async def test_no_more_calls_run_at_once_than_allowed() -> None:
    running, most, lock = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.002)
        with lock:
            running -= 1

    async with working(most=3) as workers:
        await in_parallel([work] * 30, workers)
    assert most == 3


async def test_many_small_calls_are_all_answered() -> None:
    async with working(most=5) as workers:
        for _ in range(20):
            calls: list[Callable[[], int]] = [lambda value=value: value * 2 for value in range(100)]  # type: ignore[misc]
            assert await in_parallel(calls, workers) == [value * 2 for value in range(100)]


async def test_single_calls_with_pauses_are_all_answered() -> None:
    async with working(most=2) as workers:
        with anyio.fail_after(20):
            for value in range(500):
                assert await workers.run(lambda value=value: value, exchange()) == value  # type: ignore[misc]


async def test_anyio_works_from_the_thread() -> None:
    async def double(value: int) -> int:
        await anyio.lowlevel.checkpoint()
        return value * 2

    async with working() as workers:
        assert await workers.run(lambda: anyio.from_thread.run(double, 21), exchange()) == 42
        ident = await workers.run(lambda: anyio.from_thread.run_sync(threading.get_ident), exchange())
    assert ident == threading.get_ident()


async def test_a_cancelled_call_is_over_at_once_and_its_thread_learns_it() -> None:
    begun, go_on, learnt = threading.Event(), threading.Event(), anyio.Event()
    loop = current_loop()

    def work() -> None:
        begun.set()
        go_on.wait(timeout=5)
        try:
            anyio.from_thread.check_cancelled()
        except BaseException:
            loop.soon_from_thread(learnt.set)
            raise

    served = exchange()
    async with working(most=1) as workers:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(workers.run, work, served)
            await anyio.wait_all_tasks_blocked()
            assert begun.wait(timeout=5)
            served.cancel()
        # The task is over, though the function is not: it still holds the one slot.
        go_on.set()
        with anyio.fail_after(5):
            await learnt.wait()
            assert await workers.run(lambda: 5, exchange()) == 5


async def test_a_call_that_was_cancelled_before_it_began_never_runs() -> None:
    ran: list[int] = []

    def run() -> int:
        ran.append(1)
        return 1

    served = exchange()
    served.cancel()
    async with working() as workers:
        assert await workers.run(run, served) is None
        assert await workers.run(lambda: 2, exchange()) == 2
    assert ran == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_threads_end_when_the_pool_is_closed() -> None:
    before = set(threading.enumerate())
    async with working(most=4) as workers:
        meeting = threading.Barrier(4)
        await in_parallel([lambda: meeting.wait(timeout=4)] * 4, workers)
        ours = set(threading.enumerate()) - before
        assert len(ours) == 4
    for thread in ours:
        thread.join(timeout=5)
        assert not thread.is_alive()


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_burst_of_short_calls_needs_few_threads() -> None:
    before = set(threading.enumerate())
    async with working(most=40) as workers:
        for _ in range(10):
            await in_parallel([lambda: 1] * 64, workers)
        assert len(set(threading.enumerate()) - before) <= 20


def test_anyio_still_notes_its_worker_threads_where_we_look() -> None:
    assert thread_pool.ANYIO_THREAD is sys.modules["anyio._core._eventloop"].threadlocals
