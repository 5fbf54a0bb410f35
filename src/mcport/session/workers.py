"""Worker threads for blocking handlers, so that they never stop the loop.

On asyncio a pool of mcport's own: daemon threads that carry the caller's context variables, let `anyio.from_thread`
work, and report back in batches, one wake-up of the loop for all results that are ready. On trio its own threads do
the same. A call whose waiter is cancelled is left to itself; its thread is free again when the function returns.
Below: `loop`.
"""

from __future__ import annotations

import contextvars
import sys
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final, Protocol, TypeVar

import anyio
import anyio.from_thread
import anyio.lowlevel

from .loop import Loop, Promise

T = TypeVar("T")

ANYIO_THREAD: Final = getattr(anyio.from_thread, "threadlocals", None)
"""Where anyio notes that a thread is one of its workers. A test tells when a new anyio has moved it."""


class Workers(Protocol):
    """Runs functions in threads."""

    async def run(self, function: Callable[[], T], scope: anyio.CancelScope) -> T:
        """Run `function` in a thread and return its value; `scope` is the caller's, for `check_cancelled`."""
        ...

    def close(self) -> None:
        """Let idle threads go; busy ones end after their call."""
        ...


def workers_for(loop: Loop, most: int) -> Workers:
    """Return the workers of the running loop, at most so many threads at a time."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return AnyioWorkers(most)
    return PooledWorkers(loop, most)


class AnyioWorkers:
    """anyio's own worker threads, abandoned when their waiter is cancelled."""

    def __init__(self, most: int) -> None:
        self._limiter = anyio.CapacityLimiter(most)

    async def run(self, function: Callable[[], T], scope: anyio.CancelScope) -> T:
        return await anyio.to_thread.run_sync(function, abandon_on_cancel=True, limiter=self._limiter)

    def close(self) -> None:
        return


_Job = tuple[contextvars.Context, Callable[[], Any], Promise[Any], anyio.CancelScope]


class PooledWorkers:
    """A pool of daemon threads for one asyncio loop. Threads start when they are needed, up to `most`."""

    def __init__(self, loop: Loop, most: int) -> None:
        self._loop = loop
        self._most = most
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._done: deque[tuple[Promise[Any], Any, BaseException | None]] = deque()
        self._due = False
        self._threads = 0
        self._unfinished = 0
        self._token = anyio.lowlevel.current_token()

    async def run(self, function: Callable[[], T], scope: anyio.CancelScope) -> T:
        promise = self._loop.promise()
        self._unfinished += 1
        if self._unfinished > self._threads and self._threads < self._most:
            self._threads += 1
            threading.Thread(target=self._work, name=f"mcport worker {self._threads}", daemon=True).start()
        self._jobs.put((contextvars.copy_context(), function, promise, scope))
        result: T = await promise
        return result

    def close(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        """The life of one thread."""
        if ANYIO_THREAD is not None:
            ANYIO_THREAD.current_token = self._token
        while (job := self._jobs.get()) is not None:
            context, function, promise, scope = job
            if ANYIO_THREAD is not None:
                ANYIO_THREAD.current_cancel_scope = scope
            try:
                # Whoever asked may have gone while the call waited for its turn: then it is not begun.
                self._done.append((promise, None if promise.done() else context.run(function), None))
            except BaseException as error:
                self._done.append((promise, None, _awaitable(error)))
            del job, context, function, promise, scope
            if not self._due:
                # The loop clears the mark before it looks, so whoever sees it set will still be looked at.
                self._due = True
                self._loop.soon_from_thread(self._deliver)

    def _deliver(self) -> None:
        self._due = False
        while self._done:
            promise, value, error = self._done.popleft()
            self._unfinished -= 1
            if promise.done():
                continue
            if error is None:
                promise.set_result(value)
            else:
                promise.set_exception(error)


def _awaitable(error: BaseException) -> BaseException:
    """Return an exception that a promise can carry: StopIteration would end the coroutine that awaits it."""
    if not isinstance(error, StopIteration):
        return error
    wrapped = RuntimeError("the function raised StopIteration")
    wrapped.__cause__ = error
    return wrapped
