"""An app in one event loop: the life of the server that it joined there, and everything of it that goes on.

An app has no loop of its own. It begins with the first request in a loop and ends when it is told to, or with the loop,
so that it needs no wiring, and works in a new loop for each request as some test clients have it. Below: `service`,
`session.loop`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary, WeakSet

import anyio

from mcport.session.loop import Loop, Promise, current_loop, loop_token

from . import foreign
from .service import Service
from .watch import Watch
from .wire import Refused

log: Final = logging.getLogger("mcport.http")

ALIVE_SECONDS: Final = 15.0
"""So often streams on which nothing happens say that they live."""

GRACE: Final = 1.0
"""Seconds that running requests may go on for once the server is to end."""

CLEANUP: Final = 5.0
"""Seconds that stopped handlers have to clean up."""

GOING: Final = "the server is shutting down"


class Turn(Protocol):
    """A request that is being answered, or a stream that is open, on somebody's behalf."""

    @property
    def principal(self) -> str | None: ...

    def keep_alive(self) -> None:
        """Show that the answer is still to come; called every `ALIVE_SECONDS`."""
        ...

    def expire(self) -> None:
        """Its token is good no more: tell nothing more that nobody asked for, and let what runs go on."""
        ...

    def end(self) -> None:
        """The server is going: settle what can be settled."""
        ...

    def stop(self) -> None:
        """The server is gone: stop what runs."""
        ...


class Residence:
    """An app in one loop.

    `turns` are its requests and streams, `rooms` what its doors keep here, under keys of their own; each of `endings`
    is called when it ends.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.life: Any = None
        self.turns: set[Turn] = set()
        self.watch = Watch(loop)
        self.rooms: dict[object, object] = {}
        self.endings: list[Callable[[], None]] = []
        self.closing = False
        self.error: BaseException | None = None
        self.ready = anyio.Event()
        self._quiet: Promise[None] | None = None
        self._living = loop.scope()

    def done(self, turn: Turn) -> None:
        """A turn is over. Harmless the second time."""
        self.turns.discard(turn)
        if self._quiet is not None and not self.turns and not self._quiet.done():
            self._quiet.set_result(None)

    async def live(self, expired: Callable[[str | None], bool], gone: Callable[[], None]) -> None:
        """Keep streams alive until this is closed, or the loop ends, which nobody else would be told.

        `expired` says whether somebody's token is good no more.
        """
        try:
            with self._living:
                while True:
                    await anyio.sleep(ALIVE_SECONDS)
                    for turn in list(self.turns):
                        if expired(turn.principal):
                            turn.expire()
                        turn.keep_alive()
        finally:
            gone()
            self.close()

    async def finish(self) -> None:
        """Settle what stays open, let what runs end within `GRACE` seconds, then stop it and allow `CLEANUP` more."""
        self.closing = True
        for turn in list(self.turns):
            turn.end()
        if not await self._is_quiet(GRACE):
            for turn in list(self.turns):
                turn.stop()
            if not await self._is_quiet(CLEANUP):
                log.warning("%d requests do not end and are left to themselves", len(self.turns))
        self.close()

    def close(self) -> None:
        """Let go of everything. Harmless the second time."""
        self.closing = True
        self._living.cancel()
        endings, self.endings = self.endings, []
        for ending in endings:
            ending()

    async def _is_quiet(self, seconds: float) -> bool:
        with anyio.move_on_after(seconds):
            while self.turns:
                self._quiet = self.loop.promise()
                await self._quiet
        return not self.turns


class Residences:
    """Where one app is at home.

    What comes to a loop that was left for good is refused: a late request must not begin anew what nobody would end.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._here: WeakKeyDictionary[Any, Residence] = WeakKeyDictionary()
        self._left: WeakSet[Any] = WeakSet()

    def here(self) -> Residence | None:
        """Return the residence in the running loop, once it has begun. Raises `Refused` where it is about to end."""
        token = loop_token()
        residence = self._here.get(token)
        if token in self._left or (residence is not None and residence.closing):
            raise going()
        return None if residence is None or residence.life is None else residence

    async def enter(self) -> Residence:
        """Return the residence in the running loop, begun by the first call. Raises what the lifespan raises."""
        return self.here() or await self._begin(loop_token())

    async def enter_again(self) -> Residence:
        """The same, at the word of whoever serves the app: in a loop that was left for good, too."""
        self._left.discard(loop_token())
        return await self.enter()

    async def leave(self, for_good: bool = False) -> None:
        """End the residence in the running loop, if there is one: what goes on there has some time to finish."""
        token = loop_token()
        residence = self._here.get(token)
        if residence is None or residence.closing:
            return
        if residence.life is None:
            await residence.ready.wait()
        try:
            await residence.finish()
        finally:
            if for_good:
                self._left.add(token)
            self._forget(token, residence)
            if residence.life is not None:
                with anyio.CancelScope(shield=True):
                    await self._service.leave()

    async def _begin(self, token: Hashable) -> Residence:
        residence = self._here.get(token)
        if residence is not None:
            await residence.ready.wait()
            if residence.error is not None:
                raise residence.error
            return residence
        residence = self._here[token] = Residence(current_loop())
        try:
            residence.life = await self._service.enter(residence.loop)
        except BaseException as error:
            residence.error = error if isinstance(error, Exception) else RuntimeError("the start was cancelled")
            self._forget(token, residence)
            raise
        finally:
            residence.ready.set()
        residence.loop.keep(residence.live(self._service.expired, lambda: self._forget(token, residence)))
        is_ending = foreign.ending()
        if is_ending is not None:
            residence.loop.keep(self._watch(residence, is_ending))
        return residence

    async def _watch(self, residence: Residence, is_ending: Callable[[], bool]) -> None:
        """Leave when the ASGI server is told to end, which would tell us too late."""
        while not residence.closing:
            await anyio.sleep(foreign.LOOK_SECONDS)
            if is_ending():
                try:
                    await self.leave(for_good=True)
                except Exception:
                    log.exception("the server's end failed")

    def _forget(self, token: Hashable, residence: Residence) -> None:
        if self._here.get(token) is residence:
            del self._here[token]


def going() -> Refused:
    """Return what refuses a request that came too late."""
    return Refused(503, GOING, {"retry-after": "1"})
