"""Starting a server again that died under its client: when, how often, who waits, and when to give up.

On demand: the next call starts it, and whoever calls meanwhile waits for the same start. Nothing runs while nobody
asks, so a server that cannot live is not started over and over behind its host's back. What was pending when it died
has failed and is never repeated: only the caller knows whether that is safe. It knows neither processes nor protocol.
Below: `failures`, `session.loop`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import anyio

from mcport.errors import ConnectFailed, ConversationError
from mcport.session.loop import Loop

from .failures import Failures, Remains

TIMES: Final = 5
"""How many starts in a row `restart=True` stands for."""

LOST: Final = "the connection was lost"

log: Final = logging.getLogger("mcport.client")

Renewal = Callable[[], Awaitable[object]]
"""Says again to a server what it was told before it died; it must not wait for a server that is started again."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How quickly a server is started again, in seconds; the clock and the waiting are the caller's.

    The first start is made at once, each later one after twice the wait of the one before. A server that has lived
    for `steady` seconds is in good health: its next death is counted as the first.
    """

    first: float = 0.5
    longest: float = 30.0
    steady: float = 60.0
    time: Callable[[], float] = anyio.current_time
    sleep: Callable[[float], Awaitable[None]] = anyio.sleep

    def before(self, start: int) -> float:
        """Return the wait before a start; 0 is the first one."""
        return 0.0 if start == 0 else min(self.first * 2 ** (start - 1), self.longest)


class Restarting:
    """The starts of one client's server: at most so many in a row.

    `start` opens the conversation anew, `remains` tells what is left of the one before, `alive` whether there is one;
    `renewals` are run after each start, before those who waited go on.
    """

    def __init__(
        self,
        most: int,
        *,
        server: str,
        start: Callable[[], Awaitable[None]],
        alive: Callable[[], bool],
        renewals: list[Renewal],
        pace: Pace | None = None,
    ) -> None:
        self._most = most
        self._failures = Failures(server)
        self._start = start
        self._alive = alive
        self._renewals = renewals
        self._pace = pace or Pace()
        self._begun = 0.0
        self._starts = 0
        self._remains, self._reason = Remains(), LOST
        self._given_up = False
        self._round: _Round | None = None

    @property
    def running(self) -> bool:
        """Whether the server is being started again."""
        return self._round is not None

    @property
    def engaged(self) -> bool:
        """Whether calls have to come through `ready`, since there is no conversation that they could have."""
        return self._given_up or (self._round is not None and not self._alive())

    def begin(self) -> None:
        """The user opened the conversation: count from zero."""
        self._begun, self._starts, self._given_up = self._pace.time(), 0, False

    async def stop(self) -> None:
        """The user closes the client: start nothing more, and fail those who wait."""
        self._given_up = False
        if self._round is not None:
            self._round.scope.cancel()
            await self._round.ended.wait()

    async def ready(self, loop: Loop, phase: str, remains: Remains, subject: str | None = None) -> None:
        """Return when the server runs again. `remains` is what is left of it, if it has just died.

        `phase` and `subject` say who waits.

        Raises `ConnectFailed` once it has been started too often, and `ConnectionLost` when the client is closed.
        """
        if self._given_up:
            raise self._too_often()
        if self._round is None:
            self._round = _Round(loop.scope(), anyio.Event())
            self._remains, self._reason = remains, LOST
            loop.keep(self._run(self._round))
        here = self._round
        await here.ended.wait()
        if here.scope.cancel_called:
            raise self._failures.lost(phase, "this client was closed", Remains(), subject)
        if here.failed:
            raise self._too_often()

    def _too_often(self) -> ConnectFailed:
        return self._failures.too_often(self._most, self._remains, self._reason)

    async def _run(self, here: _Round) -> None:
        try:
            with here.scope:
                here.failed = self._given_up = not await self._try()
        finally:
            self._round = None
            here.ended.set()

    async def _try(self) -> bool:
        """Start the server until it runs; False when that was too often."""
        if self._pace.time() - self._begun >= self._pace.steady:
            self._starts = 0
        while self._starts < self._most:
            wait = self._pace.before(self._starts)
            self._starts += 1
            if wait:
                await self._pace.sleep(wait)
            if await self._started():
                return True
        return False

    async def _started(self) -> bool:
        """Start it once; whether it runs, and knows again what it knew."""
        try:
            await self._start()
        except ConversationError as error:
            log.info("starting it again failed: %s", error)
            self._remains, self._reason = Remains(error.exit_code, error.stderr_tail), error.cause or str(error)
            return False
        self._begun = self._pace.time()
        for renewal in tuple(self._renewals):
            try:
                await renewal()
            except Exception:
                log.exception("what the server was told before it died could not be said again")
        return self._alive()


class _Round:
    """One going at it, for all who wait."""

    def __init__(self, scope: anyio.CancelScope, ended: anyio.Event) -> None:
        self.scope = scope
        self.ended = ended
        self.failed = True
