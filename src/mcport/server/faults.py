"""What happens to an unexpected exception of a handler: a short traceback in the log, an id for whoever asked.

The id stands in both, so that a person who reads the answer finds the log entry. In dev mode the text itself is shown.
It knows nothing of tools or methods. Below: nothing of mcport.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from pathlib import Path
from typing import Final

log: Final = logging.getLogger("mcport.server")

_HOME: Final = str(Path(__file__).parent.parent)
_MOST_FRAMES: Final = 8


class Faults:
    """Notes faults of handlers for one server. With `dev` their texts are shown to the other side."""

    def __init__(self, dev: bool = False) -> None:
        self.dev = dev

    def note(self, where: str, error: BaseException) -> str:
        """Log a fault and return its id."""
        trouble = f"error {secrets.token_hex(4)}"
        log.error("%s failed (%s)\n%s", where, trouble, short_traceback(error))
        return trouble

    def text(self, where: str, error: BaseException) -> str:
        """Log a fault and return the one line that the other side may read."""
        trouble = self.note(where, error)
        if self.dev:
            return f"{where} failed: {type(error).__name__}: {error} ({trouble})"
        return f"{where} failed unexpectedly ({trouble}; the server's log has the details)"


def short_traceback(error: BaseException) -> str:
    """Return a traceback without mcport's own frames, the innermost last."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith(_HOME)]
    lines = traceback.format_list(frames[-_MOST_FRAMES:]) + traceback.format_exception_only(error)
    return "".join(lines).rstrip()
