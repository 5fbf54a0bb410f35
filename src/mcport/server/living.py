"""The life of a server: what stands while anybody is connected, and the lifespan that several connections share.

A life belongs to one event loop: it begins with the first connection there and ends after the last one. The lifespan
runs in a task of its own, so that it is entered and left by the same task, whoever connects and from wherever. Below:
`session.loop`, `session.workers`, `telling.audience`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from contextlib import AbstractAsyncContextManager
from dataclasses import field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import anyio

from mcport.core.dialects.contract import Conversation
from mcport.record import Record
from mcport.session.loop import Loop, loop_token
from mcport.session.workers import Workers

from .telling.allowance import Allowance
from .telling.audience import Audience, Listener

if TYPE_CHECKING:
    from .asking.reception import Reception
    from .routes import Routes


class Life(Record, frozen=False):
    """What stands while anybody is connected: worker threads, what the lifespan yielded (None without one), and
    those who listen to changes.

    `kept` is what others keep for this life, under keys of their own; `endings` are awaited when it ends, the newest
    first, before the lifespan is left.
    """

    workers: Workers
    lifespan: Any = None
    audience: Audience | None = None
    has_warned_of_logs: bool = False
    kept: dict[object, Any] = field(default_factory=dict)
    endings: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def end(self) -> None:
        """Await the endings; none of them raises, and each has a bound of its own."""
        while self.endings:
            await self.endings.pop()()


class Visit(Conversation, frozen=False):
    """One connection's conversation, the life in which its handlers run, and the way to the desk where they ask.

    `listener` hears of changes for a session; `listens` counts the requests that stay open to hear of them.
    """

    life: Life | None = None
    reception: Reception | None = None
    routes: Routes | None = None
    listener: Listener | None = None
    listens: int = 0
    logs: Allowance | None = None


class _Run:
    """One life on its way: from the first connection to the last."""

    def __init__(self) -> None:
        self.guests = 0
        self.life: Life | None = None
        self.error: BaseException | None = None
        self.ready = anyio.Event()
        self.leave = anyio.Event()
        self.left = anyio.Event()
        self.entering = anyio.CancelScope()

    def failure(self) -> BaseException:
        """What is raised in every guest when there is no life to join."""
        return self.error or RuntimeError("the lifespan was cancelled before it was entered")


class Living:
    """Keeps a life going while anybody needs it. `context` begins one, on the loop that it is given, and ends it."""

    def __init__(self, context: Callable[[Loop], AbstractAsyncContextManager[Life]]) -> None:
        self._context = context
        self._runs: WeakKeyDictionary[Any, _Run] = WeakKeyDictionary()

    async def enter(self, loop: Loop) -> Life:
        """Join the life of the running loop, begin one if there is none; raises what the lifespan raised."""
        here = loop_token()
        while (run := self._runs.get(here)) is not None and run.leave.is_set():
            await run.left.wait()  # the last one is still being ended
        if run is None:
            run = self._runs[here] = _Run()
            loop.keep(self._live(run, loop, here))
        run.guests += 1
        try:
            await run.ready.wait()
            if run.life is None:
                raise run.failure()
        except BaseException:
            self._one_less(run)
            raise
        return run.life

    async def leave(self) -> None:
        """One guest goes; the last one waits until the life is over, and raises what ending it raised."""
        run = self._runs.get(loop_token())
        if run is not None and self._one_less(run):
            await run.left.wait()
            if run.error is not None:
                raise run.error

    def _one_less(self, run: _Run) -> bool:
        run.guests -= 1
        if run.guests == 0:
            run.leave.set()
            if not run.ready.is_set():
                run.entering.cancel()  # nobody waits for it any more
        return run.guests == 0

    async def _live(self, run: _Run, loop: Loop, here: Hashable) -> None:
        """The task in which one life is lived; its error is for the guests, and not for the loop."""
        try:
            with run.entering:
                async with self._context(loop) as life:
                    run.life = life
                    run.ready.set()
                    await run.leave.wait()
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            run.error = error
        finally:
            self._runs.pop(here, None)
            run.ready.set()
            run.leave.set()
            run.left.set()
