"""URLs that a server wants its client's user to open: which are none, and what to warn of (client/elicitation "Safe
URL Handling").

Nothing is fetched and nothing is opened here, or anywhere in mcport: that is the host's, once its user agreed. Nothing
sits below.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_LOCAL: Final = ("localhost", "127.0.0.1", "::1")


def warnings_of(url: str) -> tuple[str, ...]:
    """Return what a user should be told before opening a URL, in plain words. Raises ValueError for one that is none.

    Only web pages are opened: any other scheme could start a program.
    """
    if any(char.isspace() or ord(char) < 0x20 or ord(char) == 0x7F for char in url):
        raise ValueError("a URL has no spaces or control characters")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError("only http and https are opened")
    host = parts.hostname
    if not host or "\\" in parts.netloc:
        raise ValueError("it names no host")
    parts.port  # noqa: B018  # raises ValueError for a port that is none
    return tuple(_warnings(parts.scheme, host, named="@" in parts.netloc))


def _warnings(scheme: str, host: str, *, named: bool) -> list[str]:
    found = []
    if scheme == "http" and host not in _LOCAL:
        found.append("the connection is not encrypted")
    if any(label.startswith("xn--") for label in host.split(".")) or not host.isascii():
        found.append(f"the host {host!r} has letters that may look like others")
    if named:
        found.append(f"it has a user name before the host, which is {host!r}")
    return found
