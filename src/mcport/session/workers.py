"""Worker threads for blocking handlers, so that they never stop the loop.

On asyncio a pool of mcport's own (`thread_pool`), on trio its own threads; both carry the caller's context variables
and let `anyio.from_thread` work. A call whose exchange is cancelled is left to itself; its thread is free again when
the function returns. Below: `loop`, `exchange`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

import anyio

from mcport.session.crossing import working_for
from mcport.session.exchange import Stopping
from mcport.session.loop import Loop, in_trio

T = TypeVar("T")


class Workers(Protocol):
    """Runs functions in threads."""

    async def run(self, function: Callable[[], T], exchange: Stopping) -> T | None:
        """Run `function` in a thread and return its value, or None once the exchange is cancelled."""
        ...

    def close(self) -> None:
        """Let idle threads go; busy ones end after their call."""
        ...


def workers_for(loop: Loop, most: int) -> Workers:
    """Return the workers of the running loop, at most so many threads at a time."""
    if in_trio():
        return AnyioWorkers(loop, most)
    from mcport.session.thread_pool import ThreadPool

    return ThreadPool(loop, most)


class AnyioWorkers:
    """anyio's own worker threads, abandoned when their exchange is cancelled."""

    def __init__(self, loop: Loop, most: int) -> None:
        self._loop = loop
        self._limiter = anyio.CapacityLimiter(most)

    async def run(self, function: Callable[[], T], exchange: Stopping) -> T | None:
        with self._loop.scope() as scope:
            stay = _Stay(scope)
            exchange.stop = stay.end
            if exchange.cancelled:
                scope.cancel()
            boxed = partial(_boxed, function, stay)
            (value,) = await anyio.to_thread.run_sync(boxed, abandon_on_cancel=True, limiter=self._limiter)
            return value
        return None

    def close(self) -> None:
        return


class _Stay:
    """Somebody who waits for a thread, until the scope is cancelled."""

    __slots__ = ("_scope", "over")

    def __init__(self, scope: anyio.CancelScope) -> None:
        self.over = False
        self._scope = scope

    def end(self) -> None:
        self.over = True
        self._scope.cancel()


def _boxed(function: Callable[[], T], stay: _Stay) -> tuple[T]:
    """Run a function in a thread. Its value comes in a box, since trio takes no coroutines out of threads."""
    working_for(stay)
    return (function(),)
