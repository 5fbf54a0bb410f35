"""Which revision was spoken with which URL before, in this process: a hint that spares a question, right or wrong.

Below: the revisions.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from mcport.spec.revisions import Revision

MOST: Final = 1000
"""So many URLs are remembered; the one that was longest not spoken with is forgotten first."""

_SPOKEN: Final[OrderedDict[str, Revision]] = OrderedDict()


def remembered(url: str) -> Revision | None:
    """Return what was spoken with a URL, None if nothing is known of it."""
    return _SPOKEN.get(url)


def remember(url: str, revision: Revision) -> None:
    """Note what a URL speaks."""
    _SPOKEN[url] = revision
    _SPOKEN.move_to_end(url)
    while len(_SPOKEN) > MOST:
        _SPOKEN.popitem(last=False)


def forget(url: str) -> None:
    """Take nothing for granted with this URL: opening a conversation failed."""
    _SPOKEN.pop(url, None)
