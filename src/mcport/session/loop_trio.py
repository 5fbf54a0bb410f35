"""The loop port on trio: tasks live in trio's system nursery."""

from __future__ import annotations

import contextvars
import math
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any

import anyio
import outcome
import trio


class TrioLoop:
    """The running trio loop."""

    def __init__(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        self._context = contextvars.copy_context()
        self._spawned: deque[Coroutine[Any, Any, None]] = deque()

    def spawn(self, run: Coroutine[Any, Any, None]) -> object:
        # trio starts the tasks of one turn in any order. So whichever starts first takes what has waited longest.
        self._spawned.append(run)
        return trio.lowlevel.spawn_system_task(self._run_oldest, context=self._context.copy())

    async def _run_oldest(self) -> None:
        await self._spawned.popleft()

    def spawn_now(self, run: Coroutine[Any, Any, None]) -> object:
        return self.spawn(run)

    def begin(self, run: Coroutine[Any, Any, None]) -> bool:
        return False  # whatever runs on trio runs in a task

    def keep(self, run: Coroutine[Any, Any, None]) -> None:
        async def body() -> None:
            await run

        trio.lowlevel.spawn_system_task(body, context=contextvars.copy_context())

    def hold(self, task: object) -> None:
        """trio keeps its tasks itself."""

    def excuse(self) -> Callable[[], bool]:
        return bool  # never: what ends a task of trio ends its nursery too, and is read there

    def soon(self, call: Callable[[], None]) -> None:
        self._token.run_sync_soon(call)

    def soon_from_thread(self, call: Callable[[], None]) -> None:
        try:
            self._token.run_sync_soon(call)
        except trio.RunFinishedError:
            return  # the loop is gone: nobody is left to be told

    def later(self, seconds: float, call: Callable[[], None]) -> trio.CancelScope:
        return self._repeat(lambda: trio.sleep(max(seconds, 0)), call, times=1)

    def promise(self) -> TrioPromise:
        return TrioPromise()

    def scope(self) -> anyio.CancelScope:
        return anyio.CancelScope()

    def within(self, seconds: float) -> anyio.CancelScope:
        return anyio.move_on_after(seconds)

    def stops_here(self, error: BaseException) -> bool:
        return isinstance(error, trio.Cancelled) or (
            isinstance(error, GeneratorExit) and not trio.lowlevel.in_trio_task()
        )

    @property
    def can_watch(self) -> bool:
        return sys.platform != "win32"

    def watch_reading(self, fd: int, ready: Callable[[], None]) -> trio.CancelScope:
        return self._repeat(lambda: trio.lowlevel.wait_readable(fd), ready)

    def watch_writing(self, fd: int, ready: Callable[[], None]) -> trio.CancelScope:
        return self._repeat(lambda: trio.lowlevel.wait_writable(fd), ready)

    def time(self) -> float:
        return trio.current_time()

    def _repeat(
        self, wait: Callable[[], Awaitable[None]], call: Callable[[], None], times: float = math.inf
    ) -> trio.CancelScope:
        """Call `call` after each `wait()`, in a system task, until the returned scope is cancelled."""
        scope = trio.CancelScope()

        async def body() -> None:
            count = 0
            with scope:
                while count < times:
                    try:
                        await wait()
                    except (trio.ClosedResourceError, OSError):
                        return  # the descriptor was closed under the watch
                    if scope.cancel_called:
                        return  # stopped after this task was woken: what is watched may be gone
                    call()
                    count += 1

        trio.lowlevel.spawn_system_task(body, context=contextvars.copy_context())
        return scope


class TrioPromise:
    """A value that comes later, awaited by at most one task."""

    __slots__ = ("_outcome", "_task")

    def __init__(self) -> None:
        self._outcome: outcome.Outcome[Any] | None = None
        self._task: trio.lowlevel.Task | None = None

    def set_result(self, value: Any) -> None:
        self._settle(outcome.Value(value))

    def set_exception(self, error: BaseException) -> None:
        self._settle(outcome.Error(error))

    def done(self) -> bool:
        return self._outcome is not None

    def _settle(self, result: outcome.Outcome[Any]) -> None:
        self._outcome = result
        if self._task is not None:
            trio.lowlevel.reschedule(self._task)
            self._task = None

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._wait().__await__()

    async def _wait(self) -> Any:
        if self._outcome is None:
            self._task = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._abort)
        else:
            await trio.lowlevel.checkpoint_if_cancelled()
        assert self._outcome is not None
        return self._outcome.unwrap()

    def _abort(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED
