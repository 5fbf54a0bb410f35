"""The opening of a session, and a new one in its place when the server has forgotten it.

Whoever meets a session that is gone asks for a new one; it is begun once, however many ask, and opened with the same
words as the first (2025-11-25 basic/transports "Session Management"). Below: `courier`, `track`, `session.waiting`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

import anyio

from mcport.core.events import Progressed
from mcport.core.jsonrpc import JsonObject, Response
from mcport.session.loop import Loop, Promise
from mcport.session.waiting import Arrived, Lost, Waiter

from .courier import Courier
from .track import Broken
from .turn import Outcome

RENEWAL_SECONDS: Final = 30.0
"""How long a new session may take to be opened."""


class Opener:
    """Waits for the answer to `initialize` in somebody's stead, to learn what is spoken from then on (a `Waiter`)."""

    def __init__(self, courier: Courier, waiter: Waiter) -> None:
        self._courier = courier
        self._waiter = waiter

    def settle(self, answer: Arrived) -> None:
        """The answer is here."""
        if isinstance(answer, Response) and isinstance(answer.result, dict):
            version = answer.result.get("protocolVersion")
            self._courier.version = version if isinstance(version, str) and version.isprintable() else None
        self._waiter.settle(answer)

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        self._waiter.lose(reason)

    def progressed(self, event: Progressed) -> None:
        """Nobody asked for progress."""


class Answer:
    """Takes what settles a request to whoever awaits it (a `Waiter`)."""

    def __init__(self, promise: Promise[Outcome]) -> None:
        self.promise = promise

    def settle(self, answer: Arrived) -> None:
        """The answer is here."""
        if not self.promise.done():
            self.promise.set_result(answer)

    def lose(self, reason: str) -> None:
        """The connection is gone."""
        if not self.promise.done():
            self.promise.set_result(Lost(reason))

    def progressed(self, event: Progressed) -> None:
        """Nobody asked for progress."""


class Renewal:
    """Begins new sessions. `initialize` sends the request and returns its answer, `begun` is told of each new one."""

    def __init__(
        self,
        courier: Courier,
        loop: Loop,
        initialize: Callable[[JsonObject], Awaitable[Outcome]],
        begun: Callable[[], Awaitable[None]],
    ) -> None:
        self.opening: JsonObject = {}
        """What the first session was opened with."""
        self._courier = courier
        self._loop = loop
        self._initialize = initialize
        self._begun = begun
        self._running: anyio.Event | None = None
        self._failure: str | None = None

    async def instead_of(self, gone: str) -> None:
        """Begin a session in place of one that is gone, unless that has happened. Raises `Broken`."""
        if self._running is None:
            if self._courier.id != gone:
                return
            # In a task of its own: whoever asked for it may be cancelled, and others wait for it as well.
            self._running = anyio.Event()
            self._loop.keep(self._run(gone, self._running))
        await self._running.wait()
        if self._failure is not None:
            raise Broken(self._failure)

    async def _run(self, gone: str, running: anyio.Event) -> None:
        self._courier.ready = anyio.Event()
        try:
            self._failure = await self._begin(gone)
        except Exception as error:
            self._failure = f"the server forgot the session, and a new one failed: {type(error).__name__}: {error}"
        finally:
            self._running = None
            self._courier.ready.set()
            running.set()

    async def _begin(self, gone: str) -> str | None:
        """Return why there is no new session, None if there is one."""
        spoken = self._courier.version
        settled: Outcome | None = None
        with anyio.move_on_after(RENEWAL_SECONDS):
            settled = await self._initialize(self.opening)
        if not isinstance(settled, Response) or self._courier.version != spoken:
            self._courier.id, self._courier.version = gone, spoken
            return f"the server forgot the session, and a new one {_cause(settled)}"
        await self._begun()
        return None


def _cause(settled: Outcome | None) -> str:
    """Say why there is no new session."""
    if settled is None:
        return f"was not opened within {RENEWAL_SECONDS:g} s"
    if isinstance(settled, Response):
        return "would speak another revision"
    return f"cannot be opened: {getattr(settled, 'reason', None) or getattr(settled, 'message', None) or settled}"
