"""What an operator reads in the log of tokens that are refused: a line and a reason, never a token.

Most are old or made up, which is everyday life. What may be a slip in the settings is a warning, once: whoever sends
bad tokens must not fill the log. Below: `claims`.
"""

from __future__ import annotations

import logging
from typing import Final

from .claims import BadClaims

log: Final = logging.getLogger("mcport.auth")


class Journal:
    """Writes down why one verifier refuses tokens."""

    def __init__(self) -> None:
        self._warned: set[str] = set()

    def refused(self, reason: ValueError) -> None:
        """Note why a token is refused."""
        line = str(reason)
        detail = reason.detail if isinstance(reason, BadClaims) else ""
        if detail and line not in self._warned:
            self._warned.add(line)
            log.warning("a token is refused: %s (%s; said once)", line, detail)
        else:
            log.info("a token is refused: %s", line)
