"""Which requests have been going on for long enough to be watched.

One timer looks after all of them: a timer for each request would cost more than most of them take. Below:
`session.loop`.
"""

from __future__ import annotations

from typing import Final, Protocol

from mcport.session.loop import Loop

WATCH_SECONDS: Final = 0.005
"""After so long, or up to twice that, it is watched whether the client is still there: most requests are answered
before."""


class Watched(Protocol):
    """A request that may take long."""

    def watch(self) -> None:
        """The answer takes its time: notice if the client leaves."""
        ...


class Watch:
    """Tells requests of one loop to watch their clients, unless they are discarded before."""

    def __init__(self, loop: Loop) -> None:
        self.loop = loop
        self._new: set[Watched] = set()
        self._old: set[Watched] = set()
        self._looks = False

    def add(self, request: Watched) -> None:
        """From now on a request goes on."""
        self._new.add(request)
        if not self._looks:
            self._looks = True
            self.loop.later(WATCH_SECONDS, self._look)

    def discard(self, request: Watched) -> None:
        """A request is over. Harmless the second time."""
        self._new.discard(request)
        self._old.discard(request)

    def _look(self) -> None:
        due, self._old, self._new = self._old, self._new, set()
        for request in due:
            request.watch()
        self._looks = bool(self._old)
        if self._looks:
            self.loop.later(WATCH_SECONDS, self._look)
