"""A call that was started from a thread and is waited for later, or withdrawn.

Below: `portal`, the client's own handle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

import anyio

from mcport.client.handle import CallHandle as AsyncCallHandle

ResultT = TypeVar("ResultT")


class CallHandle(Generic[ResultT]):
    """A running call: ask for its `result()`, as often as you like and from any thread, or `cancel()` it.

    Whoever is interrupted while he waits for it does not cancel the call.
    """

    def __init__(self, call: AsyncCallHandle[ResultT], run: Callable[[Callable[[], Any]], Any]) -> None:
        self._call = call
        self._run = run

    def __repr__(self) -> str:
        return repr(self._call)

    def result(self, timeout: float | None = None) -> ResultT:
        """Wait for the result and return it, or raise what the call raised: `Cancelled` after `cancel()`.

        Raises TimeoutError after so many seconds; the call goes on.
        """
        result: ResultT = self._run(lambda: self._wait(timeout))
        return result

    def cancel(self) -> None:
        """Withdraw the call: the server is told, and who waits for it gets `Cancelled`. Harmless when it is done."""
        if not self.done:
            self._run(self._cancelled)

    @property
    def done(self) -> bool:
        """Whether the call has ended, in whatever way."""
        return self._call.done

    async def _wait(self, timeout: float | None) -> ResultT:
        with anyio.move_on_after(timeout):
            return await self._call
        raise TimeoutError(f"{self._call!r} has no result after {timeout:g} s")

    async def _cancelled(self) -> None:
        self._call.cancel()
