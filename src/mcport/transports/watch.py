"""A watch over one descriptor: a function is called whenever it can be read, until the watch is closed.

The small port to the event loop for what runs beside a conversation (a child's stderr, a child's end): no task of the
caller's, no task group, no thread. On asyncio it is a reader of the loop, on trio a system task. A `Post` is the way
back into the loop for threads, where descriptors cannot be watched. Knows no processes and reads nothing itself.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

# Hands a function to the loop from any thread; `False` when the loop is over and will not run it.
Post = Callable[[Callable[[], object]], bool]


class Watch(Protocol):
    """Somebody looks at a descriptor."""

    def close(self) -> None:
        """Stop looking. Call it before the descriptor is closed; more than once does no harm."""


def watch_readable(fd: int, on_readable: Callable[[], object]) -> Watch:
    """Call `on_readable` in the running event loop each time that `fd` is readable or at its end.

    `on_readable` must read, or close the watch, or it is called again at once. It must not raise.
    """
    return _TrioWatch(fd, on_readable) if _on_trio() else _AsyncioWatch(fd, on_readable)


def loop_post() -> Post:
    """Return a function by which threads run something in this event loop."""
    if _on_trio():
        return _trio_post()
    loop = asyncio.get_running_loop()

    def post(function: Callable[[], object]) -> bool:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(function)
            return True
        return False

    return post


def _on_trio() -> bool:
    if "trio" not in sys.modules:
        return False
    import trio

    return trio.lowlevel.in_trio_task()


def _trio_post() -> Post:
    import trio

    token = trio.lowlevel.current_trio_token()

    def post(function: Callable[[], object]) -> bool:
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(function)
            return True
        return False

    return post


class _AsyncioWatch:
    def __init__(self, fd: int, on_readable: Callable[[], object]) -> None:
        self._loop = asyncio.get_running_loop()
        self._fd = fd
        self._open = True
        self._loop.add_reader(fd, on_readable)

    def close(self) -> None:
        if self._open:
            self._open = False
            if not self._loop.is_closed():
                self._loop.remove_reader(self._fd)


class _TrioWatch:
    def __init__(self, fd: int, on_readable: Callable[[], object]) -> None:
        import trio

        self._fd = fd
        self._on_readable = on_readable
        self._open = True
        self._scope = trio.CancelScope()
        trio.lowlevel.spawn_system_task(self._look, name=f"mcport: watch over descriptor {fd}")

    def close(self) -> None:
        # Cancelling takes the descriptor out of trio's poller at once, not when the task runs next.
        self._open = False
        self._scope.cancel()

    async def _look(self) -> None:
        import trio

        # Whatever left a system task would bring the whole run down; a descriptor that somebody else is waiting for,
        # or has closed, is one that cannot be watched.
        with self._scope, suppress(OSError, trio.BusyResourceError, trio.ClosedResourceError):
            while self._open:
                await trio.lowlevel.wait_readable(self._fd)
                self._on_readable()
