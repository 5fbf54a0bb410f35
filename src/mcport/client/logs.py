"""The server's log: from which level on a client wants it, and handing it to the host (server/utilities/logging).

In the handshake era the level is set once, in the stateless era each request says it. Below: `relay`, the facade.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from mcport.core.dialects.contract import LOG_LEVELS
from mcport.core.events import Told
from mcport.session.loop import Loop

from .callbacks import LogCallback
from .connection import Connection

if TYPE_CHECKING:
    from mcport.spec.types import LoggingLevel

    from .answering.relay import Relay

MESSAGE: Final = "notifications/message"
SET_LEVEL: Final = "logging/setLevel"
USUAL_LEVEL: Final = "info"
"""What a client with a callback asks for in the stateless era, where silence is the default."""

log: Final = logging.getLogger("mcport.client")


class Logs:
    """What one client wants of its server's log. `level` is what the host has set, None where it said nothing."""

    def __init__(self, callback: LogCallback | None) -> None:
        self.callback = callback
        self.level: LoggingLevel | None = None

    def attach(self, connection: Connection, loop: Loop) -> None:
        """Hear the log of a conversation that has just been opened."""
        assert connection.speaker is not None
        wanted = self.level or (USUAL_LEVEL if self.callback is not None else None)
        if "logging" in connection.declared:
            connection.speaker.log_from(wanted)
        if self.callback is not None:
            from .answering.relay import Relay

            relay = Relay(loop, self.callback, "log")
            connection.hearers.append(lambda event: _hear(event, relay))


def check_level(level: object) -> None:
    """Raise ValueError for what is no level."""
    if level not in LOG_LEVELS:
        raise ValueError(f"a log level is one of {', '.join(LOG_LEVELS)}; got {level!r}")


def _hear(event: Told, relay: Relay) -> None:
    if event.method != MESSAGE:
        return
    from mcport.spec.types import LoggingMessageNotificationParams

    try:
        message = LoggingMessageNotificationParams.from_wire(event.params)
    except ValueError:
        log.debug("ignored: a log message without a level or data")
        return
    relay.tell(message)
