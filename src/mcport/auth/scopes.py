"""Scopes: which are asked for (2026-07-28 basic/authorization "Scope Selection Strategy" and "Step-Up").

A set of scopes is a tuple here, in the order in which they were named; None says that nothing is asked for by name.
Below: nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeAlias

Scopes: TypeAlias = tuple[str, ...]

OFFLINE: Final = "offline_access"
"""Asks for a refresh token."""


def named_in(text: str | None) -> Scopes | None:
    """Return the scopes that a parameter names, None if it names none."""
    return tuple(dict.fromkeys((text or "").split())) or None


def union(*sets: Iterable[str] | None) -> Scopes | None:
    """Return the scopes of all sets, each once; None if there are none."""
    return tuple(dict.fromkeys(each for one in sets for each in one or ())) or None


def selected(challenged: Scopes | None, supported: Scopes | None, wanted: Scopes | None) -> Scopes | None:
    """Return the scopes to ask for: those of the challenge, else those of the resource's metadata, else none by name.

    What the program itself wants comes on top of a challenge, and in place of what the metadata offers.
    """
    return union(challenged, wanted) if challenged else wanted or supported or None


def with_refreshing(scopes: Scopes | None, offered: Scopes | None) -> Scopes | None:
    """Return the scopes with the one that asks for a refresh token, where the authorization server offers it."""
    return union(scopes, (OFFLINE,)) if OFFLINE in (offered or ()) else scopes
