"""An app in one event loop: the life of the server that it joined there, and everything of it that goes on.

An app has no loop of its own. It begins with the first request in a loop and ends when it is told to, or with the loop,
so that it needs no wiring, and works in a new loop for each request as some test clients have it. Below: `service`,
`session.loop`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary

import anyio
import anyio.lowlevel

from mcport.session.loop import Loop, current_loop

from .service import Service

ALIVE_SECONDS: Final = 15.0
"""So often streams on which nothing happens say that they live."""


class Turn(Protocol):
    """A request that takes long, or stays open."""

    def keep_alive(self) -> None:
        """Show that the answer is still to come."""
        ...

    def end(self) -> None:
        """The server is going: settle what can be settled."""
        ...


class Residence:
    """An app in one loop.

    `turns` are its requests that take long, `rooms` what its doors keep here, under keys of their own; each of
    `endings` is called when it ends.
    """

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self.life: Any = None
        self.turns: set[Turn] = set()
        self.rooms: dict[object, object] = {}
        self.endings: list[Callable[[], None]] = []
        self.closing = False
        self.error: BaseException | None = None
        self.ready = anyio.Event()
        self._timer = loop.later(ALIVE_SECONDS, self._keep_alive)

    def _keep_alive(self) -> None:
        for turn in list(self.turns):
            turn.keep_alive()
        if not self.closing:
            self._timer = self.loop.later(ALIVE_SECONDS, self._keep_alive)

    def close(self) -> None:
        """Settle what stays open, and take nothing more."""
        self.closing = True
        self._timer.cancel()
        for turn in list(self.turns):
            turn.end()
        for ending in self.endings:
            ending()


class Residences:
    """Where one app is at home."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._here: WeakKeyDictionary[Any, Residence] = WeakKeyDictionary()

    async def enter(self) -> Residence:
        """Return the residence in the running loop, begun by the first call. Raises what the lifespan raises."""
        token = _token()
        residence = self._here.get(token)
        if residence is not None and residence.life is not None:
            return residence
        return await self._begin(token)

    async def leave(self) -> None:
        """End the residence in the running loop, if there is one."""
        residence = self._here.pop(_token(), None)
        if residence is not None:
            residence.close()
            if residence.life is not None:
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
            self._here.pop(token, None)
            residence.close()
            raise
        finally:
            residence.ready.set()
        return residence


def _token() -> Any:
    token = anyio.lowlevel.current_token()
    return getattr(token, "native_token", token)
