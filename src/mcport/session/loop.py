"""The event loop as mcport sees it: one small port for asyncio and trio.

Everything that needs a task, a promise, a timer or a descriptor asks this port; nothing else in mcport names an event
loop. Tasks are plain ones: nothing here holds a task group open, so that a client can be opened in one task and closed
in another. Below: nothing of mcport.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

import anyio

T_contra = TypeVar("T_contra", contravariant=True)


class Promise(Protocol[T_contra]):
    """A value that comes later, awaited by at most one task."""

    def set_result(self, value: T_contra, /) -> None: ...
    def set_exception(self, error: BaseException, /) -> None: ...
    def done(self) -> bool: ...
    def __await__(self) -> Any: ...


class Stoppable(Protocol):
    """Something that goes on until it is stopped: a timer, a watch on a descriptor."""

    def cancel(self) -> object: ...


class Loop(Protocol):
    """What mcport asks of an event loop. Every method is called in the loop's own thread, but `soon_from_thread`."""

    def spawn(self, run: Coroutine[Any, Any, None], /) -> object:
        """Start a plain task and return it. `run` must let no exception out. The caller keeps what is returned.

        It gets a copy of the context variables that held when this port was made, whoever calls: what one task does
        must not show in another one. Tasks take their first steps in the order in which they were started.
        """
        ...

    def spawn_now(self, run: Coroutine[Any, Any, None], /) -> object:
        """The same, and take the task's first step at once where that is possible: in the task itself, as always."""
        ...

    def begin(self, run: Coroutine[Any, Any, None], /) -> bool:
        """Run a coroutine without a task, up to where it first waits; return whether it is done.

        What is not done, or was not begun because that is impossible here, is to be handed to `spawn_now`. So `run` may
        wait for `own_task` only, as long as it has none.
        """
        ...

    def keep(self, run: Coroutine[Any, Any, None]) -> None:
        """Start a plain task that nobody needs to keep, with the context variables of the caller."""
        ...

    def hold(self, task: object) -> None:
        """Keep a task that was spawned until it ends, since whoever kept it does so no longer."""
        ...

    def excuse(self) -> Callable[[], bool]:
        """Let the running task end with an exception that nobody reads; return what says whether it has ended so."""
        ...

    def soon(self, call: Callable[[], None], /) -> object:
        """Call `call` in the loop's next turn."""
        ...

    def soon_from_thread(self, call: Callable[[], None]) -> None:
        """Call `call` in the loop's thread soon; callable from any thread. Silent when the loop is gone."""
        ...

    def later(self, seconds: float, call: Callable[[], None], /) -> Stoppable:
        """Call `call` after so many seconds, unless it is stopped before."""
        ...

    def promise(self) -> Promise[Any]:
        """Return a new promise."""
        ...

    def scope(self) -> anyio.CancelScope:
        """Return a new cancel scope; the task that wants to be cancelled enters it itself."""
        ...

    def within(self, seconds: float) -> AbstractContextManager[object]:
        """Return a context that is left when so many seconds are over; what is awaited in it is stopped.

        For what is nearly always done at once: no scope is made for it where that can be avoided.
        """
        ...

    def stops_here(self, error: BaseException) -> bool:
        """Whether what came out of an `await` is the end of this very task: its cancellation, and no other task's.

        A `GeneratorExit` is its end where the loop is gone. In a task that runs it was raised, as anything can be.
        """
        ...

    def watch_reading(self, fd: int, ready: Callable[[], None]) -> Stoppable:
        """Call `ready` whenever the descriptor can be read, until stopped."""
        ...

    def watch_writing(self, fd: int, ready: Callable[[], None]) -> Stoppable:
        """Call `ready` whenever the descriptor can be written, until stopped."""
        ...

    @property
    def can_watch(self) -> bool:
        """Whether descriptors can be watched at all (not on Windows' pipes)."""
        ...

    def time(self) -> float:
        """Return the loop's clock in seconds."""
        ...


def current_loop() -> Loop:
    """Return the port of the running event loop; raises RuntimeError outside of one."""
    if in_trio():
        from .loop_trio import TrioLoop

        return TrioLoop()
    from .loop_asyncio import AsyncioLoop

    return AsyncioLoop()


def loop_token() -> Any:
    """Return what stands for the running event loop, always the same there; raises RuntimeError outside of one.

    anyio has one as well, but finding out by its way which library runs takes as long as parsing a request does.
    """
    if in_trio():
        from trio.lowlevel import current_trio_token

        return current_trio_token()
    import asyncio

    return asyncio.get_running_loop()


def in_trio() -> bool:
    """Whether trio runs in this thread. Whoever runs it has imported it; another thread may be doing so just now."""
    running = getattr(sys.modules.get("trio.lowlevel"), "in_trio_run", None)
    return running is not None and bool(running())


def in_loop() -> bool:
    """Whether an event loop runs in this thread."""
    if in_trio():
        return True
    asyncio = sys.modules.get("asyncio")
    try:
        return asyncio is not None and asyncio.get_running_loop() is not None
    except RuntimeError:
        return False
