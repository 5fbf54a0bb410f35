"""A thread with an event loop in it, and the way in for every other thread.

Whoever waits here can be interrupted: what he waited for is cancelled, and the loop lives on. The thread is a daemon,
so that it never keeps a program from ending. A process that was forked has no such thread, and nobody waits for one
there. Knows nothing of clients. Below: anyio, for cancel scopes.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import Any, Final, Generic, TypeVar

import anyio

T = TypeVar("T")

LAST_SECONDS: Final = 1.0
"""How long what still runs may take when the portal is closed."""

JOIN_SECONDS: Final = 5.0
"""How long closing waits for the thread."""

# On Windows a lock that waits without a limit cannot be interrupted by Ctrl-C.
_SLICE: Final = 0.1 if sys.platform == "win32" else None

# How the variable is called, in which trio and anyio tell each other what runs: it is true of the caller's thread only.
_LIBRARY: Final = "current_async_library_cvar"


class PortalClosed(Exception):
    """The thread has ended, or is about to."""


class Portal:
    """One loop thread, from its making until `close`."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._closed = False
        self._ended = False
        self._process = os.getpid()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    @property
    def here(self) -> bool:
        """Whether this is the loop's own thread, where nobody may wait."""
        return threading.current_thread() is self._thread

    @property
    def elsewhere(self) -> bool:
        """Whether this process was forked from the one where the thread is."""
        return os.getpid() != self._process

    def run(self, call: Callable[[], Awaitable[T]]) -> T:
        """Run a coroutine in the loop and return its result; whoever is interrupted here cancels it.

        It has the context variables of the caller. Raises what it raises, and `PortalClosed`.
        """
        self.leave_the_loop()
        running = _Running(call)
        context = _carried()
        try:
            self._post(lambda: self._begin(running, context))
            return running.wait()
        except BaseException:
            if not running.future.done():
                self._cancel(running)
            raise

    def leave_the_loop(self) -> None:
        """Raise RuntimeError in the loop's own thread, where waiting would wait for itself."""
        if self.here:
            raise RuntimeError("this is the thread of the client's own event loop: nothing here can wait for it")

    def close(self, last: Callable[[], Awaitable[object]] | None = None) -> None:
        """End the thread, after one `last` coroutine; what still runs is cancelled. Harmless when it has ended."""
        if self.elsewhere:
            return
        with self._lock:
            if not self._closed:
                self._closed = True
                self._loop.call_soon_threadsafe(self._finish, last)
        if not self.here:
            self._thread.join(JOIN_SECONDS)

    # ---- in any thread

    def _post(self, call: Callable[[], object]) -> None:
        # Asked before the lock: whoever held it while this process was forked never gives it back here.
        if self.elsewhere:
            raise PortalClosed
        with self._lock:
            if self._closed:
                raise PortalClosed
            self._loop.call_soon_threadsafe(call)

    def _cancel(self, running: _Running[Any]) -> None:
        try:
            self._post(running.cancel)
        except PortalClosed:
            return  # it is cancelled anyway

    # ---- in the loop's thread

    def _live(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            while not self._ended:
                self._turn()
            self._loop.run_until_complete(self._sweep())
        finally:
            self._loop.close()

    def _turn(self) -> None:
        """Run the loop until it is stopped, or until something in it wants to end the program."""
        try:
            self._loop.run_forever()
        except (SystemExit, KeyboardInterrupt) as error:
            # No thread but the main one can do that, and all others wait for this loop.
            self._loop.call_exception_handler({"message": f"{error!r} in a callback", "exception": error})

    def _begin(self, running: _Running[Any], context: contextvars.Context) -> None:
        self._keep(self._loop.create_task(running.go(), context=context))

    def _finish(self, last: Callable[[], Awaitable[object]] | None) -> None:
        if last is not None:
            self._begin(_Running(last), contextvars.Context())
        self._keep(self._loop.create_task(self._last(set(self._tasks))))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _last(self, running: set[asyncio.Task[None]]) -> None:
        if running:
            await asyncio.wait(running, timeout=LAST_SECONDS)
        self._ended = True
        self._loop.stop()

    async def _sweep(self) -> None:
        """Cancel whatever is left, and wait for it."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await self._loop.shutdown_asyncgens()


def _carried() -> contextvars.Context:
    """Return the caller's context variables, but for the one that says in which event loop it runs."""
    here = contextvars.copy_context()
    if not any(variable.name == _LIBRARY for variable in here):
        return here
    carried = contextvars.Context()
    for variable, value in here.items():
        if variable.name != _LIBRARY:
            carried.run(variable.set, value)
    return carried


class _Running(Generic[T]):
    """One coroutine in the loop, and the place where its result is waited for."""

    def __init__(self, call: Callable[[], Awaitable[T]]) -> None:
        self.future: Future[T] = Future()
        self._call = call
        self._scope: anyio.CancelScope | None = None
        self._withdrawn = False

    def wait(self) -> T:
        while True:
            try:
                return self.future.result(_SLICE)
            except NotYet:
                if self.future.done():
                    return self.future.result()

    async def go(self) -> None:
        try:
            with anyio.CancelScope() as self._scope:
                if not self._withdrawn:
                    self.future.set_result(await self._call())
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            self.future.set_exception(error)
        finally:
            if not self.future.done():
                self.future.set_exception(PortalClosed())

    def cancel(self) -> None:
        self._withdrawn = True
        if self._scope is not None:
            self._scope.cancel()
