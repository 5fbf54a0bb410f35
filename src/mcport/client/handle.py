"""A call that was started and is awaited later, or withdrawn.

Below: `session.loop`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

import anyio

from ..errors import Cancelled
from ..session.loop import Loop

ResultT = TypeVar("ResultT")


class CallHandle(Generic[ResultT]):
    """A running call: await it for its result, as often as you like, or `cancel()` it.

    It needs no task group and may be awaited from any task of its event loop.
    """

    def __init__(self, loop: Loop, run: Coroutine[Any, Any, ResultT], server: str, phase: str) -> None:
        self._scope = loop.scope()
        self._done = anyio.Event()
        self._result: ResultT | None = None
        self._error: BaseException | None = None
        self._server = server
        self._phase = phase
        loop.keep(self._run(run))

    def cancel(self) -> None:
        """Withdraw the call: the server is told, and whoever awaits it gets `Cancelled`. Harmless when it is done."""
        self._scope.cancel()

    @property
    def done(self) -> bool:
        """Whether the call has ended, in whatever way."""
        return self._done.is_set()

    def __await__(self) -> Generator[Any, Any, ResultT]:
        return self._wait().__await__()

    async def _wait(self) -> ResultT:
        await self._done.wait()
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]

    async def _run(self, run: Coroutine[Any, Any, ResultT]) -> None:
        line = f"{self._phase} on server '{self._server}' was cancelled"
        self._error = Cancelled(line, server=self._server, phase=self._phase, cause="cancelled by this client")
        try:
            with self._scope:
                self._result = await run
                self._error = None
        except Exception as error:
            self._error = error
        finally:
            self._done.set()
