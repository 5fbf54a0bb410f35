"""The first step of a task, taken at once on asyncio: in the task itself, with all that a task may expect."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import anyio
import pytest

from mcport.session.exchange import own_task
from mcport.session.loop_asyncio import AsyncioLoop

color: contextvars.ContextVar[str] = contextvars.ContextVar("color", default="none")
Start = Callable[[Coroutine[Any, Any, None]], object]


class Played:
    """Calls of the loop's own, as a channel makes them: `play` runs a function outside of every task."""

    def __init__(self) -> None:
        self.port = AsyncioLoop()
        self.kept: list[object] = []

    async def play(self, function: Callable[[], object]) -> Any:
        """Run `function` as a callback of the loop, and return what it returns."""
        done = asyncio.get_running_loop().create_future()

        def call() -> None:
            try:
                done.set_result(function())
            except BaseException as error:
                done.set_exception(error)

        asyncio.get_running_loop().call_soon(call)
        return await done

    async def prepare(self) -> None:
        """Have the port run something through, which the first time needs a task and a turn of the loop."""

        async def nothing() -> None:
            return

        async def play() -> bool:
            run = nothing()
            done: bool = await self.play(lambda: self.port.begin(run))
            run.close()
            return done

        assert [await play(), await play()] == [False, True]

    def spawn(self, run: Coroutine[Any, Any, None]) -> object:
        self.kept.append(self.port.spawn_now(run))
        return self.kept[-1]


def run(main: Callable[[Played], Coroutine[Any, Any, None]], **options: Any) -> None:
    """Run a scene on asyncio; what the loop would report is raised."""
    faults: list[dict[str, Any]] = []

    async def body() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
        await main(Played())

    with asyncio.Runner(**options) as runner:
        runner.run(body())
    assert faults == []


plain_and_debug = pytest.mark.parametrize("debug", [False, True])


@plain_and_debug
def test_the_first_step_is_taken_at_once_in_the_task_itself(debug: bool) -> None:
    async def main(played: Played) -> None:
        seen: list[Any] = []

        async def step() -> None:
            seen.append(asyncio.current_task())
            await asyncio.sleep(0)
            seen.append(asyncio.current_task())

        def call() -> None:
            task = played.spawn(step())
            seen.append(("after", asyncio.current_task()))
            seen.append(task)

        await played.play(call)
        while len(seen) < 4:
            await asyncio.sleep(0)
        first, after, task, second = seen
        assert first is second is task
        assert after == ("after", None)

    run(main, debug=debug)


@plain_and_debug
def test_tasks_that_do_not_wait_are_done_at_once_and_in_order(debug: bool) -> None:
    async def main(played: Played) -> None:
        done: list[int] = []

        async def step(number: int) -> None:
            done.append(number)

        def call() -> list[int]:
            for number in range(100):
                played.spawn(step(number))
            return list(done)

        assert await played.play(call) == list(range(100))

    run(main, debug=debug)


def test_what_was_scheduled_before_still_comes_in_its_order() -> None:
    async def main(played: Played) -> None:
        seen: list[str] = []

        async def step() -> None:
            seen.append("step")

        def call() -> None:
            asyncio.get_running_loop().call_soon(seen.append, "first")
            asyncio.get_running_loop().call_soon(seen.append, "second")
            played.spawn(step())

        await played.play(call)
        assert seen == ["step", "first", "second"]

    run(main)


async def _cancel_scope() -> None:
    with anyio.CancelScope() as scope:
        scope.cancel()
        await anyio.sleep_forever()
    assert scope.cancelled_caught


async def _move_on() -> None:
    with anyio.move_on_after(0.001) as scope:
        await anyio.sleep_forever()
    assert scope.cancelled_caught


async def _fail_after() -> None:
    with pytest.raises(TimeoutError):
        with anyio.fail_after(0.001):
            await asyncio.Event().wait()


async def _timeout() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.001):
            await asyncio.Event().wait()


async def _task_group() -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(anyio.sleep_forever)
        tasks.cancel_scope.cancel()


async def _own_task_group() -> None:
    with suppress(ExceptionGroup):
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_raise())
            await asyncio.Event().wait()


async def _raise() -> None:
    raise ZeroDivisionError


async def _shield() -> None:
    with anyio.CancelScope() as outer:
        outer.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.sleep(0)
            await asyncio.sleep(0.001)
        await anyio.lowlevel.checkpoint()
        raise AssertionError("the shield has ended")


OPENED_IN_THE_FIRST_STEP = [_cancel_scope, _move_on, _fail_after, _timeout, _task_group, _own_task_group, _shield]


@plain_and_debug
@pytest.mark.parametrize("opens", OPENED_IN_THE_FIRST_STEP)
def test_time_outs_and_scopes_that_the_first_step_opens_work(opens: Callable[[], Any], debug: bool) -> None:
    async def main(played: Played) -> None:
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def step() -> None:
            try:
                await opens()
                ended.set_result(None)
            except BaseException as error:
                ended.set_exception(error)

        await played.play(lambda: played.spawn(step()))
        await asyncio.wait_for(ended, 5)

    run(main, debug=debug)


def test_a_scope_entered_in_the_first_step_is_cancelled_from_outside() -> None:
    async def main(played: Played) -> None:
        scope, ended = played.port.scope(), asyncio.Event()

        async def step() -> None:
            with scope:
                await anyio.sleep_forever()
            ended.set()

        await played.play(lambda: played.spawn(step()))
        scope.cancel()
        await asyncio.wait_for(ended.wait(), 5)

    run(main)


def test_context_variables_are_the_tasks_own() -> None:
    async def main(played: Played) -> None:
        seen: list[str] = []

        async def step(own: str) -> None:
            seen.append(color.get())
            color.set(own)
            await asyncio.sleep(0)
            seen.append(color.get())

        def call() -> str:
            for own in ("red", "blue"):
                played.spawn(step(own))
            return color.get()

        assert await played.play(call) == "port's"
        while len(seen) < 4:
            await asyncio.sleep(0)
        assert seen == ["port's", "port's", "red", "blue"]

    color.set("port's")
    run(main)
    color.set("none")


@plain_and_debug
def test_an_exception_in_the_first_step_stays_in_its_task(debug: bool) -> None:
    async def main(played: Played) -> None:
        task: Any = await played.play(lambda: played.spawn(_raise()))
        with pytest.raises(ZeroDivisionError):
            await task

    run(main, debug=debug)


@pytest.mark.parametrize("fault", [SystemExit, KeyboardInterrupt])
def test_the_end_of_the_program_in_the_first_step_ends_the_loop(fault: type[BaseException]) -> None:
    async def leave() -> None:
        raise fault(3)

    async def main(played: Played) -> None:
        asyncio.get_running_loop().call_soon(lambda: played.spawn(leave()))
        await asyncio.sleep(5)

    with pytest.raises(fault):
        run(main)


@plain_and_debug
def test_from_inside_another_task_both_tasks_are_themselves(debug: bool) -> None:
    async def main(played: Played) -> None:
        seen: list[Any] = []

        async def step() -> None:
            seen.append(asyncio.current_task())

        me = asyncio.current_task()
        task: Any = played.spawn(step())
        assert asyncio.current_task() is me
        await task
        assert seen == [task]

    run(main, debug=debug)


def test_a_task_that_is_started_by_a_first_step_runs_too() -> None:
    async def main(played: Played) -> None:
        seen: list[str] = []

        async def outer() -> None:
            played.spawn(inner())
            seen.append("outer")
            await asyncio.sleep(0)
            seen.append("outer again")

        async def inner() -> None:
            seen.append("inner")

        await played.play(lambda: played.spawn(outer()))
        while len(seen) < 3:
            await asyncio.sleep(0)
        assert sorted(seen) == ["inner", "outer", "outer again"]

    run(main)


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="only before Python 3.12 a step is taken from the loop's queue")
def test_a_call_of_another_thread_that_comes_in_between_is_not_mistaken_for_the_step(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def main(played: Played) -> None:
        seen: list[str] = []
        loop = asyncio.get_running_loop()

        async def step() -> None:
            seen.append("step")

        def interrupted(*arguments: Any, **options: Any) -> Any:
            task = asyncio.tasks.Task(*arguments, **options)
            loop.call_soon_threadsafe(seen.append, "thread")
            return task

        with monkeypatch.context() as patched:
            patched.setattr(asyncio, "Task", interrupted)
            played.port = AsyncioLoop()

        def call() -> list[str]:
            played.spawn(step())
            return list(seen)

        assert await played.play(call) == []
        assert seen == ["step", "thread"]

    run(main)


# ---- other loops


@contextmanager
def factory_of(loop: asyncio.AbstractEventLoop, made: list[object]) -> Iterator[None]:
    def factory(loop: asyncio.AbstractEventLoop, run: Any) -> Any:
        made.append(run)
        return asyncio.Task(run, loop=loop)

    loop.set_task_factory(factory)
    yield
    loop.set_task_factory(None)


def test_a_task_factory_of_the_program_makes_the_tasks() -> None:
    async def main(played: Played) -> None:
        made: list[object] = []
        with factory_of(asyncio.get_running_loop(), made):
            played.port = AsyncioLoop()
            done = asyncio.Event()

            async def step() -> None:
                assert color.get() == "port's"
                done.set()

            run = step()
            await played.play(lambda: played.spawn(run))
            await asyncio.wait_for(done.wait(), 5)
        assert run in made

    color.set("port's")
    run(main)
    color.set("none")


@pytest.mark.parametrize("opens", OPENED_IN_THE_FIRST_STEP)
def test_the_same_on_uvloop(opens: Callable[[], Any]) -> None:
    uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed")

    async def main(played: Played) -> None:
        seen: list[Any] = []

        async def step() -> None:
            seen.append(asyncio.current_task())
            await opens()

        task: Any = await played.play(lambda: played.spawn(step()))
        await asyncio.wait_for(task, 5)
        assert seen == [task]

    run(main, loop_factory=uvloop.new_event_loop)


@plain_and_debug
def test_what_does_not_wait_is_done_without_a_task(debug: bool) -> None:
    async def main(played: Played) -> None:
        seen: list[Any] = []

        async def step() -> None:
            seen.append(asyncio.current_task())
            with anyio.fail_after(5):
                seen.append(anyio.get_current_task().id)

        await played.prepare()
        before = asyncio.all_tasks()
        assert await played.play(lambda: [played.port.begin(step()) for _ in range(2)]) == [True, True]
        assert asyncio.all_tasks() == before
        task = seen[0]
        assert seen == [task, id(task)] * 2
        assert task.done()
        assert task.get_coro() is not None
        assert not task.cancel()

    run(main, debug=debug)


@plain_and_debug
def test_what_waits_goes_on_in_a_task(debug: bool) -> None:
    async def main(played: Played) -> None:
        seen: list[Any] = []

        async def step() -> None:
            await own_task()
            seen.append(asyncio.current_task())
            await asyncio.sleep(0)
            seen.append(asyncio.current_task())

        await played.prepare()

        def call() -> object:
            run = step()
            assert not played.port.begin(run)
            return played.spawn(run)

        task = await played.play(call)
        while len(seen) < 2:
            await asyncio.sleep(0)
        assert seen == [task, task]

    run(main, debug=debug)


def test_what_runs_without_a_task_has_a_context_of_its_own() -> None:
    async def main(played: Played) -> None:
        seen: list[str] = []

        async def step(name: str) -> None:
            seen.append(color.get())
            color.set(name)

        await played.prepare()
        await played.play(lambda: [played.port.begin(step(name)) for name in ("red", "blue")])
        assert [*seen, color.get()] == ["none", "none", "none"]

    run(main)


@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit])
def test_a_cancellation_that_is_let_out_without_a_task_ends_nothing_else(error: type[BaseException]) -> None:
    async def main(played: Played) -> None:
        async def step() -> None:
            raise error

        await played.prepare()
        assert await played.play(lambda: played.port.begin(step()))
        assert await played.play(asyncio.current_task) is None

    run(main)


def test_inside_of_a_task_nothing_begins_without_one() -> None:
    async def main(played: Played) -> None:
        async def step() -> None:
            raise AssertionError("it was begun")

        await played.prepare()
        running = step()
        assert not played.port.begin(running)
        running.close()

    run(main)
