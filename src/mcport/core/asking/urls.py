"""Where a user may be sent, and which files a client means: the URLs of elicitations and the URIs of roots.

Nothing sits below.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def check_url(url: str) -> bool:
    """Return whether a URL is safe to travel: `https`, or this machine. Raises ValueError for what is no URL to open.

    A URL with a user name or password in it would let anybody who reads it be that user
    (client/elicitation "Safe URL Handling").
    """
    if any(sign.isspace() or not sign.isprintable() for sign in url):
        raise ValueError("the URL has spaces or invisible characters in it")
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"not a valid URL: {error}") from None
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("a URL to open begins with https:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL has a user name or password in it, which everybody on the way can read")
    return parts.scheme == "https" or host in _LOOPBACK or host.endswith(".localhost")


def is_file_uri(uri: str) -> bool:
    """Whether a root's URI is one: for the time being roots are files and directories (client/roots "Root")."""
    return uri[:7].lower() == "file://"
