"""News of changes, from whoever noticed a change to everybody who serves listeners.

A port, with the version for one process: a server that runs in several workers brings one that reaches them all. A
notice is bytes, which mean nothing here. Below: nothing of mcport.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol, TypeAlias

log: Final = logging.getLogger("mcport.stores")

Hear: TypeAlias = Callable[[bytes], None]
"""Is told of a notice, in whatever thread; returns at once."""


class Notices(Protocol):
    """Carries notices. Both calls may come from any thread and do not wait."""

    def publish(self, notice: bytes) -> None:
        """Tell everybody who listens, here and elsewhere; this process hears its own notices too."""
        ...

    def listen(self, hear: Hear) -> Callable[[], None]:
        """Call `hear` with every notice from now on, until what is returned is called."""
        ...


class About:
    """A port for notices about one subject, by way of a port that others use for theirs."""

    def __init__(self, notices: Notices, subject: str) -> None:
        self._notices = notices
        self._mark = subject.encode() + b" "

    def publish(self, notice: bytes) -> None:
        self._notices.publish(self._mark + notice)

    def listen(self, hear: Hear) -> Callable[[], None]:
        def heard(notice: bytes) -> None:
            if notice.startswith(self._mark):
                hear(notice[len(self._mark) :])

        return self._notices.listen(heard)


class MemoryNotices:
    """Notices within one process: who publishes calls all who listen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hearers: tuple[Hear, ...] = ()

    def publish(self, notice: bytes) -> None:
        for hear in self._hearers:
            try:
                hear(notice)
            except Exception:
                log.exception("a listener for notices failed")

    def listen(self, hear: Hear) -> Callable[[], None]:
        with self._lock:
            self._hearers = (*self._hearers, hear)
        return lambda: self._leave(hear)

    def _leave(self, hear: Hear) -> None:
        with self._lock:
            self._hearers = tuple(each for each in self._hearers if each is not hear)
