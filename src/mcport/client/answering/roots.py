"""Roots: the directories and files that a server is told of, as `file://` URIs (client/roots).

What a host writes is checked before any server hears of it: no other scheme, and no way up out of what is named. It
looks at nothing on the disk. Below: the facade.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias
from urllib.parse import unquote, urlsplit

from mcport.core.jsonrpc import JsonObject

if TYPE_CHECKING:
    from mcport.spec.types import Root

RootLike: TypeAlias = "str | os.PathLike[str] | Root"
"""A path, a `file://` URI, or a root with a name."""

_NEVER: Final = ("\0", "\\", "/")
"""Characters that may not be hidden in a part of a path by percent-encoding."""


def said_roots(roots: Iterable[RootLike], revision: str | None = None) -> list[JsonObject]:
    """Return roots as they are said in a revision. Raises ValueError for what is no root, TypeError for other things.

    Paths are made absolute, without `..` in them; nothing is looked up.
    """
    if isinstance(roots, str | os.PathLike):
        raise TypeError(f"roots is a list of paths, file:// URIs or Root objects; got {roots!r}")
    return [_said(root, revision) for root in roots]


def _said(root: RootLike, revision: str | None) -> JsonObject:
    if isinstance(root, str) and root[:5].lower() == "file:":
        return {"uri": checked_uri(root)}
    if isinstance(root, str) and "://" in root:
        raise ValueError(f"a root is a path or a file:// URI; got {root!r}")
    if isinstance(root, str | os.PathLike):
        return {"uri": uri_of(root)}
    uri = getattr(root, "uri", None)
    if not isinstance(uri, str):
        raise TypeError(f"a root is a path, a file:// URI or a Root; got {root!r}")
    said: JsonObject = root.to_wire(revision)
    return {**said, "uri": checked_uri(uri)}


def uri_of(path: str | os.PathLike[str]) -> str:
    """Return the URI of a path, percent-encoded; relative paths begin in the current directory."""
    text = os.fspath(path)
    if "\0" in text or not text:
        raise ValueError(f"a root is a path; got {text!r}")
    return Path(os.path.abspath(text)).as_uri()


def checked_uri(uri: str) -> str:
    """Return a `file://` URI that leads nowhere but where it says. Raises ValueError."""
    parts = urlsplit(uri)
    if parts.scheme != "file" or uri[5:7] != "//" or not parts.path.startswith("/"):
        raise ValueError(f"a root's URI begins with file:// and names an absolute path; got {uri!r}")
    if parts.query or parts.fragment or any(char.isspace() or ord(char) < 0x20 for char in uri):
        raise ValueError(f"a root's URI is a path alone, percent-encoded; got {uri!r}")
    for part in map(unquote, parts.path.split("/")):
        if part in (".", "..") or any(char in part for char in _NEVER):
            raise ValueError(f"a root's URI leads straight to its place; got {uri!r}")
    return uri if uri.startswith("file:") else f"file:{uri[5:]}"
