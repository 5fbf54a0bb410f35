"""Whether a path lies within the roots that a client named (client/roots: servers keep to them).

Looks at the disk, because a link may lead out of a root. Nothing sits below.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from mcport.spec.types import Root


def within_roots(path: str | os.PathLike[str], roots: Iterable[Root]) -> bool:
    """Return whether a path, or a `file://` URI, is one of the roots or lies in one, all links followed.

    Blocks for a moment: the file system is asked. A root that is no file on this machine holds nothing.
    """
    text = os.fspath(path)
    target = _path(text) if text[:7].lower() == "file://" else text
    if not target or "\0" in target:
        return False
    real = os.path.realpath(target)
    return any(_holds(place, real) for place in map(_path, (root.uri for root in roots)) if place)


def _holds(place: str, real: str) -> bool:
    root = os.path.realpath(place)
    return real == root or real.startswith(root.rstrip(os.sep) + os.sep)


def _path(uri: str) -> str:
    """The path of a `file://` URI; empty where it is none of this machine."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    path = unquote(parts.path)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or "\0" in path:
        return ""
    return path[1:] if os.name == "nt" and path[2:3] == ":" else path
