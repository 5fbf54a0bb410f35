"""What several workers share of their sessions: the ports, and how long things are kept.

Below: `stores`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mcport.stores.events import Events, MemoryEvents
from mcport.stores.notices import MemoryNotices, Notices
from mcport.stores.sessions import MemorySessions, Sessions


@dataclass(slots=True)
class Sharing:
    """Where sessions are kept. By default in this process; workers that serve the same sessions bring shared ports.

    A session is over when it is not used for `idle_seconds`.
    """

    sessions: Sessions = field(default_factory=MemorySessions)
    events: Events = field(default_factory=MemoryEvents)
    notices: Notices = field(default_factory=MemoryNotices)
    idle_seconds: float = 3600.0
