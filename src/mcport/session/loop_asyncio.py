"""The loop port on asyncio (uvloop included)."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

import anyio

Spawn: TypeAlias = Callable[[Coroutine[Any, Any, None]], object]
Begin: TypeAlias = Callable[[Coroutine[Any, Any, None]], bool]
Fresh: TypeAlias = Callable[[], contextvars.Context]
"""Makes a new copy of the context that every task begins with."""


class AsyncioLoop:
    """The running asyncio loop. Bound methods of the loop are kept as attributes: they are called per message."""

    def __init__(self) -> None:
        self._loop = loop = asyncio.get_running_loop()
        self._kept: set[asyncio.Task[None]] = set()
        self._scope: Callable[[], anyio.CancelScope] = type(anyio.CancelScope())
        # uvloop's tasks are asyncio's own, too.
        plain = loop.get_task_factory() is None and (
            isinstance(loop, asyncio.BaseEventLoop) or type(loop).__module__ == "uvloop"
        )
        fresh = contextvars.copy_context().copy
        self.spawn: Spawn = _plain(loop, fresh) if plain else _foreign(loop, fresh)
        self.spawn_now: Spawn = _eager(loop, fresh) if plain else self.spawn
        self.begin: Begin = _taskless(loop, fresh) if plain else _never
        self.soon: Callable[[Callable[[], None]], object] = loop.call_soon
        self.promise = loop.create_future
        self.later: Callable[[float, Callable[[], None]], asyncio.TimerHandle] = loop.call_later
        self.time = loop.time

    def keep(self, run: Coroutine[Any, Any, None]) -> None:
        self.hold(self._loop.create_task(run))

    def hold(self, task: Any) -> None:
        self._kept.add(task)
        task.add_done_callback(self._kept.discard)

    def excuse(self) -> Callable[[], bool]:
        task = asyncio.current_task(self._loop)
        assert task is not None
        task.remove_done_callback(_read)
        task.add_done_callback(_read)
        return partial(_failed, task)

    def soon_from_thread(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:
            return  # the loop is closed: nobody is left to be told

    def scope(self) -> anyio.CancelScope:
        # The backend's own class: anyio.CancelScope() would look the backend up each time, which costs more than
        # entering and leaving the scope does.
        return self._scope()

    def within(self, seconds: float) -> _Within:
        return _Within(self._loop, seconds)

    def stops_here(self, error: BaseException) -> bool:
        task = asyncio.current_task(self._loop)
        if task is None:
            return isinstance(error, GeneratorExit)
        return isinstance(error, asyncio.CancelledError) and task.cancelling() > 0

    @property
    def can_watch(self) -> bool:
        return sys.platform != "win32"

    def watch_reading(self, fd: int, ready: Callable[[], None]) -> _Watch:
        self._loop.add_reader(fd, ready)
        return _Watch(self._loop.remove_reader, fd)

    def watch_writing(self, fd: int, ready: Callable[[], None]) -> _Watch:
        self._loop.add_writer(fd, ready)
        return _Watch(self._loop.remove_writer, fd)


class _Within:
    """Stops the task that entered it when the time is up; a cancellation by anybody else passes."""

    __slots__ = ("_before", "_is_over", "_task", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        task = asyncio.current_task(loop)
        assert task is not None
        self._task = task
        self._before = task.cancelling()
        self._is_over = False
        self._timer = loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        self._is_over = True
        self._task.cancel()

    def __enter__(self) -> None:
        return

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> bool:
        self._timer.cancel()
        return self._is_over and self._task.uncancel() <= self._before and kind is asyncio.CancelledError


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


def _read(task: asyncio.Task[Any]) -> None:
    """Look at how a task ended, so that asyncio does not complain that nobody did."""
    _failed(task)


def _plain(loop: asyncio.AbstractEventLoop, fresh: Fresh) -> Spawn:
    """Return what starts a task of asyncio's own."""

    def spawn(run: Coroutine[Any, Any, None]) -> object:
        return asyncio.Task(run, loop=loop, context=fresh())

    return spawn


def _foreign(loop: asyncio.AbstractEventLoop, fresh: Fresh) -> Spawn:
    """Return what starts a task as the loop or its task factory will have it, which may know nothing of contexts."""

    def spawn(run: Coroutine[Any, Any, None]) -> object:
        return fresh().run(loop.create_task, run)

    return spawn


def _eager(loop: asyncio.AbstractEventLoop, fresh: Fresh) -> Spawn:
    """Return what starts a task and takes its first step at once, which saves a turn of the loop for each request.

    Python 3.12 has it. Before that the step that a new task has just scheduled is taken from the end of the loop's
    queue and run: the very step, in the task itself, only earlier. Inside of another task that is not possible, and the
    task starts in the next turn.
    """
    if sys.version_info >= (3, 12):

        def spawn_eagerly(run: Coroutine[Any, Any, None]) -> object:
            return asyncio.Task(run, loop=loop, context=fresh(), eager_start=True)

        return spawn_eagerly
    ready = getattr(loop, "_ready", None)
    if not isinstance(ready, deque):
        return _plain(loop, fresh)
    new_task, current_task = asyncio.Task, asyncio.current_task

    def spawn_now(run: Coroutine[Any, Any, None]) -> object:
        task = new_task(run, loop=loop, context=fresh())
        if current_task(loop) is None:
            handle = ready.pop()
            if getattr(handle._callback, "__self__", None) is task:
                handle._run()
            else:
                ready.append(handle)  # another thread's call came in between; the step waits for its turn
        return task

    return spawn_now


def _never(run: Coroutine[Any, Any, None]) -> bool:
    return False


def _taskless(loop: asyncio.AbstractEventLoop, fresh: Fresh) -> Begin:
    """Return what runs a coroutine up to where it first waits, without a task: making one costs more than most calls.

    It has a context of its own. What asks there in which task it runs is told of one that is over: nothing can cancel
    that, nor wait for it. asyncio lets other kinds of tasks say whose turn it is in just this way (its documentation,
    "Extending"). Inside of another task it is not possible, nor before the loop's next turn has ended that one: it must
    not start eagerly, since a task that is over in its first step forgets its coroutine (who asks for it gets None, and
    the first releases of Python 3.12 crash).
    """
    enter, leave, current_task = asyncio.tasks._enter_task, asyncio.tasks._leave_task, asyncio.current_task
    over: Any = None

    def begin(run: Coroutine[Any, Any, None]) -> bool:
        nonlocal over
        if over is None:
            over = _Shared(_nothing(), loop=loop, name="mcport: no task", context=fresh())
        if not over.done() or current_task(loop) is not None:
            return False
        enter(loop, over)
        try:
            fresh().run(run.send, None)
        except (StopIteration, asyncio.CancelledError, GeneratorExit):
            return True  # the last two end what runs here, as they end a task, and nothing beyond it
        finally:
            leave(loop, over)
        return False

    return begin


class _Shared(asyncio.Task[None]):
    """The task of all that run without one."""

    def set_name(self, value: object, /) -> None:
        """Keep the name: it is not for one call to say what the others are called."""


async def _nothing() -> None:
    return


class _Watch:
    __slots__ = ("_fd", "_remove")

    def __init__(self, remove: Callable[[int], bool], fd: int) -> None:
        self._remove = remove
        self._fd = fd

    def cancel(self) -> None:
        if self._fd >= 0:
            self._remove(self._fd)
            self._fd = -1
