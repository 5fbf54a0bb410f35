"""Which scope contains which others (2026-07-28 basic/authorization "Scope Challenge Handling").

A server that grants `admin` need not grant `read` besides, if its author says that the one contains the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Hierarchy:
    """What follows from what was granted. `contains` names, for a scope, those that are part of it."""

    def __init__(self, contains: Mapping[str, Iterable[str]]) -> None:
        self._contains = {scope: frozenset(parts) for scope, parts in contains.items()}

    def expanded(self, granted: Iterable[str]) -> frozenset[str]:
        """Return the granted scopes with all that they contain, and what that contains."""
        found = set(granted)
        waiting = [*found] if self._contains else []
        while waiting:
            new = self._contains.get(waiting.pop(), frozenset()) - found
            found |= new
            waiting.extend(new)
        return frozenset(found)
