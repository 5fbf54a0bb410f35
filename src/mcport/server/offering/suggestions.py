"""Did you mean: the nearest of several names."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST = 200
"""So much of a name is compared: the time that it takes grows with the square."""


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the nearest name, or an empty string where none is near."""
    import difflib  # only mistakes need it

    near = difflib.get_close_matches(name[:_LONGEST], names, n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""
