"""What happens to an unexpected exception of a handler: a short traceback in the log, an id for whoever asked.

The id stands in both, so that a person who reads the answer finds the log entry. In dev mode all of it is shown.
It knows nothing of tools or methods. Below: `session.tracebacks`, once there is a fault.
"""

from __future__ import annotations

import logging
import os
from typing import Final

from .unsendable import ResultUnsendable, ReturnWrong

log: Final = logging.getLogger("mcport.server")


class Overdue(Exception):
    """The time of a handler was up. The text says how long it was."""


class Faults:
    """Notes faults of handlers for one server. With `dev` they are shown to the other side as well."""

    def __init__(self, dev: bool = False) -> None:
        self.dev = dev

    def text(self, where: str, error: BaseException) -> str:
        """Log a fault and return the text that the other side may read: one line, but in dev mode."""
        from mcport.session.tracebacks import short_traceback

        trouble = f"error {os.urandom(4).hex()}"
        story = str(error) if isinstance(error, ResultUnsendable) else short_traceback(error)
        log.error("%s failed (%s)\n%s", where, trouble, story)
        if self.dev:
            return f"{where} failed ({trouble})\n{story}"
        if isinstance(error, ResultUnsendable):
            why = "is not what it declares" if isinstance(error, ReturnWrong) else "cannot be sent"
            return f"{where} is at fault: what it returned {why} ({trouble}; the server's log has the details)"
        return f"{where} failed unexpectedly ({trouble}; the server's log has the details)"

    def overdue(self, where: str, error: Overdue) -> str:
        """Log that a handler took too long and return the line that says so to the other side."""
        log.warning("%s was stopped: %s", where, error)
        return f"{where} was stopped: {error}"
