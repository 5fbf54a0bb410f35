"""What several workers share of their sessions: the ports, and how long things are kept.

Below: `stores`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from mcport.stores.events import Events, MemoryEvents
from mcport.stores.notices import MemoryNotices, Notices
from mcport.stores.sessions import MemorySessions, Sessions

from .wire import Refused

log: Final = logging.getLogger("mcport.http")

T = TypeVar("T")


@dataclass(slots=True)
class Sharing:
    """Where sessions are kept. By default in this process; workers that serve the same sessions bring shared ports.

    A session is over when it is not used for `idle_seconds`.
    """

    sessions: Sessions = field(default_factory=MemorySessions)
    events: Events = field(default_factory=MemoryEvents)
    notices: Notices = field(default_factory=MemoryNotices)
    idle_seconds: float = 3600.0

    @property
    def waits(self) -> bool:
        """Whether what is asked of the ports may have to be waited for: not where all is kept in this process."""
        return type(self.sessions) is not MemorySessions or type(self.events) is not MemoryEvents


async def reached(asked: Awaitable[T]) -> T:
    """Return what a store answers. Raises `Refused` where it cannot be reached; why stands in the log.

    Its words are left out there: they may name the session, whose id is a secret.
    """
    try:
        return await asked
    except Exception as error:
        log.error("a store of sessions failed: %s", type(error).__name__)
        log.debug("the store's failure", exc_info=True)
        raise Refused(503, "sessions cannot be reached at the moment; try again", {"retry-after": "1"}) from None
