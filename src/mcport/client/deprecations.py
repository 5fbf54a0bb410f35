"""Deprecated features of the protocol that a host uses: its log says so, once a process.

A warning, as it is for the author of a server that asks: who has to change something should read it where nobody looks
for it. Once, because a callback may be there for older servers alone, and stay until those are gone. Below: nothing but
revisions.
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

_TOLD: Final[set[str]] = set()
"""What was said already."""


def mind(features: Iterable[str], revision: Revision) -> None:
    """Say of each feature, unless it was said before, that a revision is giving it up (deprecated features)."""
    for feature in features:
        if feature not in _TOLD:
            _TOLD.add(feature)
            log.warning("deprecated since protocol version %s, and to go: %s", revision.name, feature)
