"""Deprecated features of the protocol that a host uses: its log says so, once a process.

A callback may be there for older servers alone, and nobody can take it away before those are gone: that is told at the
level info. What a host does itself to a server of a revision that deprecates it is a warning, as it is for the author
of a server that asks. Below: nothing but revisions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from mcport.spec.revisions import Revision

log: Final = logging.getLogger("mcport.client")

ROOTS: Final = "roots"
SAMPLING: Final = "sampling"
LOGGING: Final = "log messages of servers"

_TOLD: Final[set[tuple[str, int]]] = set()
"""What was said already, and how gravely."""


def mind(features: Iterable[str], revision: Revision, level: int = logging.INFO) -> None:
    """Say of each feature, unless it was said before, that a revision is giving it up (deprecated features)."""
    for feature in features:
        if (feature, level) not in _TOLD:
            _TOLD.add((feature, level))
            log.log(level, "deprecated since protocol version %s, and to go: %s", revision.name, feature)
