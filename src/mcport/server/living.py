"""A lifespan that several connections share.

It runs in a task of its own: entered before the first connection, left after the last one, always by the same task,
whoever connects and from wherever. Below: `session.loop`.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import anyio

from mcport.session.loop import Loop


class _Run:
    """One life: from the first connection to the last."""

    def __init__(self) -> None:
        self.ready = anyio.Event()
        self.leave = anyio.Event()
        self.left = anyio.Event()
        self.error: BaseException | None = None


class Living:
    """Keeps a context entered while anybody needs it. `context` makes a fresh one for each life."""

    def __init__(self, context: Callable[[Loop], AbstractAsyncContextManager[None]]) -> None:
        self._context = context
        self._guests = 0
        self._run: _Run | None = None

    async def enter(self, loop: Loop) -> None:
        """Wait until the context is entered; raises what entering it raised."""
        self._guests += 1
        if self._guests == 1:
            self._run = _Run()
            loop.keep(self._live(self._run, loop))
        run = self._run
        assert run is not None
        try:
            await run.ready.wait()
            if run.error is not None:
                raise run.error
        except BaseException:
            self._guests -= 1
            run.leave.set()
            raise

    async def leave(self) -> None:
        """One guest goes; the last one waits until the context is left, and raises what leaving it raised."""
        self._guests -= 1
        run = self._run
        assert run is not None
        if self._guests == 0:
            run.leave.set()
            await run.left.wait()
            if run.error is not None:
                raise run.error

    async def _live(self, run: _Run, loop: Loop) -> None:
        try:
            async with self._context(loop):
                run.ready.set()
                await run.leave.wait()
        except Exception as error:
            run.error = error
        finally:
            run.ready.set()
            run.left.set()
