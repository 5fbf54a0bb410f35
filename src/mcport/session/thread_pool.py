"""A pool of worker threads for one asyncio loop, with as few wake-ups as the work allows.

Threads hand work on in a chain: whoever takes a call while more are waiting wakes one other thread, the standby, which
takes the next one as soon as the interpreter lets it run: at once when the first blocks, and not at all when it returns
quickly and takes the next call itself. So a burst of short functions is served by one or two threads, and a burst of
blocking ones by as many as are allowed. Results go back in batches, one wake-up of the loop each.

Nothing is locked. Each step below is safe because every hand-over first publishes and then looks: a call is appended
before the standby is looked for, and a thread gives up its standby before it looks for calls. Below: `loop`.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio.from_thread
import anyio.lowlevel

from mcport.session.crossing import working_for
from mcport.session.loop import Loop, Promise, Stoppable

if TYPE_CHECKING:
    import anyio

    from mcport.session.exchange import Stopping

T = TypeVar("T")

ANYIO_THREAD: Final = getattr(anyio.from_thread, "threadlocals", None)
"""Where anyio notes that a thread is one of its workers. A test tells when a new anyio has moved it."""

SNIFFIO: Final[contextvars.ContextVar[str | None] | None] = getattr(
    sys.modules.get("sniffio"), "current_async_library_cvar", None
)
"""Where anyio notes which loop runs; it has imported sniffio by now, if that is there."""


class _Job:
    """One call: what to run, in whose context, for whom; and how it ended."""

    __slots__ = ("context", "error", "function", "over", "promise", "scope", "value")

    def __init__(self, function: Callable[[], Any], promise: Promise[Any], scope: anyio.CancelScope) -> None:
        self.function = function
        self.promise = promise
        self.scope = scope
        self.over = False
        self.context = contextvars.copy_context()
        self.value: Any = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.value = self.context.run(_outside, self.function)
        except BaseException as error:
            self.error = _awaitable(error)

    def withdraw(self) -> None:
        """Nobody waits any more: the function learns it if it asks, and its thread is free when it returns."""
        self.over = True
        self.scope.cancel()
        if not self.promise.done():
            self.promise.set_result(None)

    def settle(self) -> None:
        """Back in the loop: tell who waits."""
        if self.promise.done():
            return
        if self.error is None:
            self.promise.set_result(self.value)
        else:
            self.promise.set_exception(self.error)


class ThreadPool:
    """Runs functions in daemon threads, at most so many at a time; they start when they are needed."""

    def __init__(self, loop: Loop, most: int) -> None:
        self._loop = loop
        self._most = most
        self._threads = 0
        self._jobs: deque[_Job] = deque()
        self._idle: list[threading.Lock] = []
        self._standby = False
        self._closed = False
        self._done: deque[_Job] = deque()
        self._due = False
        self._bell: Bell | None = Bell(loop, self._deliver)
        self._token = anyio.lowlevel.current_token()

    async def run(self, function: Callable[[], T], exchange: Stopping) -> T | None:
        """Run `function` in a thread and return its value, or None once the exchange is cancelled.

        The context variables are the caller's; what the function raises comes out.
        """
        job = _Job(function, self._loop.promise(), self._loop.scope())
        exchange.stop = job.withdraw
        if exchange.cancelled:
            return None
        self._jobs.append(job)
        if not self._standby:
            self._wake()
        result: T | None = await job.promise
        return result

    def close(self) -> None:
        """Let idle threads go; busy ones end after their call."""
        self._closed = True
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().release()
        if self._bell is not None:
            self._bell.close()
            # Not kept until this pool is collected as garbage, for it has a descriptor.
            self._bell = None

    def _wake(self) -> None:
        """Have one more thread look for work, if there may be one more."""
        self._standby = True
        try:
            self._idle.pop().release()
        except IndexError:
            if self._threads < self._most:
                self._threads += 1
                name = f"mcport worker {self._threads}"
                threading.Thread(target=self._work, name=name, daemon=True).start()
            else:
                self._standby = False

    # ---- in the threads

    def _work(self) -> None:
        """The life of one thread: begin as the standby, work while there is work, sleep, be woken as the standby."""
        if ANYIO_THREAD is not None:
            ANYIO_THREAD.current_token = self._token
        bed = threading.Lock()
        bed.acquire()
        while not self._closed:
            self._standby = False
            self._work_off()
            self._idle.append(bed)
            if self._called_back(bed):
                continue
            bed.acquire()

    def _called_back(self, bed: threading.Lock) -> bool:
        """Having lain down, look once more: has something come since the last look, for which nobody was woken?"""
        if not self._closed and (self._standby or not self._jobs):
            return False
        try:
            self._idle.remove(bed)
        except ValueError:
            bed.acquire()  # somebody woke this thread meanwhile
        return True

    def _work_off(self) -> None:
        """Take calls until none is left."""
        jobs, done = self._jobs, self._done
        while True:
            try:
                job = jobs.popleft()
            except IndexError:
                return
            if jobs and not self._standby:
                self._wake()
            if not job.promise.done():
                if ANYIO_THREAD is not None:
                    ANYIO_THREAD.current_cancel_scope = job.scope
                working_for(job)
                job.run()
            done.append(job)
            del job
            if not self._due:
                # The loop clears the mark before it looks, so whoever sees it set will still be looked at.
                self._due = True
                if (bell := self._bell) is not None:
                    bell.ring()

    # ---- back in the loop

    def _deliver(self) -> None:
        self._due = False
        while self._done:
            self._done.popleft().settle()


class Bell:
    """Calls a function in the loop's thread when any thread rings; an event descriptor where the system has one."""

    def __init__(self, loop: Loop, ring: Callable[[], None]) -> None:
        self._heard = ring
        self._fd = -1
        self._watch: Stoppable | None = None
        self.ring: Callable[[], object] = partial(loop.soon_from_thread, ring)
        if loop.can_watch and hasattr(os, "eventfd"):
            self._fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            self._watch = loop.watch_reading(self._fd, self._hear)
            self.ring = self._ring

    def close(self) -> None:
        """Hear nothing any more. A thread may still be about to ring: the descriptor lives as long as the threads."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._heard = self.ring = _silence

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def _ring(self) -> None:
        os.eventfd_write(self._fd, 1)

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._fd)
        self._heard()


def _outside(function: Callable[[], T]) -> T:
    """Call a function whose copied context says that a loop runs here, which would forbid it a loop of its own."""
    if SNIFFIO is not None:
        SNIFFIO.set(None)
    return function()


def _silence() -> None:
    """Nobody is there to hear."""


def _awaitable(error: BaseException) -> BaseException:
    """Return an exception that a promise can carry: these two would end the coroutine that awaits it."""
    if not isinstance(error, StopIteration | GeneratorExit):
        return error
    wrapped = RuntimeError(f"the function raised {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
