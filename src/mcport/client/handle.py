"""A call that was started and is awaited later, or withdrawn.

Below: `session.loop`.
"""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

import anyio

from mcport.errors import Cancelled
from mcport.session.loop import Loop

ResultT = TypeVar("ResultT")


class CallHandle(Generic[ResultT]):
    """A running call: await it for its result, as often as you like, or `cancel()` it.

    It needs no task group and may be awaited from any task of its event loop. Whoever stops waiting for it does not
    cancel the call.
    """

    def __init__(self, loop: Loop, run: Coroutine[Any, Any, ResultT], server: str, phase: str) -> None:
        self._scope = loop.scope()
        self._done = anyio.Event()
        self._results: list[ResultT] = []
        self._server = server
        self._phase = phase
        self._error: Exception = self._cancelled()
        loop.keep(self._run(run))

    def __repr__(self) -> str:
        return f"<CallHandle {self._phase} on server '{self._server}', {'done' if self.done else 'running'}>"

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
        if self._results:
            return self._results[0]
        raise self._error

    async def _run(self, run: Coroutine[Any, Any, ResultT]) -> None:
        try:
            with self._scope:
                self._results.append(await run)
        except Exception as error:
            self._error = error
        finally:
            self._done.set()

    def _cancelled(self) -> Cancelled:
        line = f"{self._phase} on server '{self._server}' was cancelled"
        return Cancelled(line, server=self._server, phase=self._phase, cause="cancelled by this client")
