"""From a worker thread into the loop and back: a thread waits for what a coroutine does on its behalf.

The coroutine runs in a task of its own on the loop, with the thread's context variables; it is stopped when the request
is withdrawn, or when nobody waits for the thread any more, which then gets `Withdrawn`. While the thread waits it does
what the coroutine hands back to it, so that blocking functions never run on the loop. Below: `loop`, `exchange`.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, Protocol, TypeVar

from .exchange import Stopping
from .loop import Loop, Promise, in_loop

T = TypeVar("T")

Back = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Has the waiting thread call a function, and waits for its value."""

LOOK: Final = 1.0
"""After so many seconds a waiting thread looks whether anybody is left to answer it."""


class Waiting(Protocol):
    """Whoever waits for a worker thread; `over` once that is at an end, whatever the thread still does."""

    over: bool


_here: Final = threading.local()


def working_for(waiting: Waiting) -> None:
    """Note who waits for what this worker thread does next."""
    _here.waiting = waiting


def left_to_itself() -> bool:
    """Whether nobody waits any more for what this worker thread is doing: it was withdrawn, or took too long."""
    waiting: Waiting | None = getattr(_here, "waiting", None)
    return waiting is not None and waiting.over


class Withdrawn(BaseException):
    """The request for which a thread waits was withdrawn. It is no `Exception`: it ends the work, and is no error."""


def cross(work: Callable[[Back], Coroutine[Any, Any, T]], loop: Loop, request: Stopping) -> T:
    """Have `work` done on the loop while this thread waits, and return its value; what it raises comes out here.

    Raises `Withdrawn` once the request is, or once nobody waits for this thread any more, and RuntimeError in a thread
    that runs a loop, which would wait for itself.
    """
    if in_loop():
        raise RuntimeError("this blocks, and an event loop runs in this thread: await the coroutine itself")
    crossing: _Crossing[T] = _Crossing(work, loop, request)
    context = contextvars.copy_context()
    loop.soon_from_thread(partial(context.run, crossing.start))
    return crossing.wait()


class _Crossing(Generic[T]):
    """One thread that waits for one coroutine."""

    def __init__(self, work: Callable[[Back], Coroutine[Any, Any, T]], loop: Loop, request: Stopping) -> None:
        self._work = work
        self._loop = loop
        self._request = request
        self._waiting: Waiting | None = getattr(_here, "waiting", None)
        self._inbox: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._began = False
        self._value: list[T] = []
        self._error: BaseException | None = None

    # ---- in the thread

    def wait(self) -> T:
        """Do what is handed back until the coroutine is done."""
        while True:
            try:
                handed = self._inbox.get(timeout=LOOK)
            except Empty:
                if self._is_over() and not self._began:
                    raise Withdrawn from None  # the loop is gone, and will never begin
                continue
            if handed is None:
                break
            handed()
        if self._error is not None:
            raise self._error
        return self._value[0]

    def _call(self, function: Callable[[], Any], promise: Promise[Any]) -> None:
        try:
            settle = partial(promise.set_result, function())
        except BaseException as error:
            settle = partial(promise.set_exception, error)
        self._loop.soon_from_thread(partial(_unless_done, promise, settle))

    def _is_over(self) -> bool:
        return self._request.cancelled or (self._waiting is not None and self._waiting.over)

    # ---- on the loop

    def start(self) -> None:
        """Begin, in the loop's thread."""
        self._began = True
        self._loop.keep(self._run())

    async def _run(self) -> None:
        request, stopped = self._request, self._request.stop
        scope = self._loop.scope()

        def stop() -> None:
            scope.cancel()
            if stopped is not None:
                stopped()

        request.stop = stop
        try:
            with scope:
                if self._is_over():
                    raise Withdrawn
                self._value.append(await self._work(self._back))
        except BaseException as error:
            self._error = error if isinstance(error, Exception) or not scope.cancel_called else Withdrawn()
        finally:
            if request.stop is stop:
                request.stop = stopped
            if not self._value and self._error is None:
                self._error = Withdrawn()
            self._inbox.put(None)

    async def _back(self, function: Callable[[], Any]) -> Any:
        promise: Promise[Any] = self._loop.promise()
        self._inbox.put(partial(self._call, function, promise))
        return await promise


def _unless_done(promise: Promise[Any], settle: Callable[[], None]) -> None:
    if not promise.done():
        settle()
