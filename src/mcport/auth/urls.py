"""URLs that come from documents of others, or lead a person somewhere: which are let through, and their origins.

It reaches nothing; where the host of a URL really is, the fetcher judges when it connects. Below: `judging`.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urlsplit

from .judging import Unfit, shown

MOST: Final = 2048
"""A longer URL is none that anybody meant."""

_PORTS: Final = {"http": 80, "https": 443}
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_LOOPBACK_NAMES: Final = ("localhost", "localhost.")


def judged(parameter: str, url: str, near: str) -> SplitResult:
    """Return the parts of a URL that may be used beside the server `near`; raises `Unfit` with the parameter's name.

    It has to be https; http is for a server of this machine, and for places on this machine only. (2026-07-28
    basic/authorization/security-considerations "Communication Security".)
    """
    parts = parsed(parameter, url)
    if parts.scheme == "https" or (parts.scheme == "http" and on_loopback(url) and on_loopback(near)):
        return parts
    raise Unfit(parameter, f"{shown(url)!r} is not https")


def parsed(parameter: str, url: str) -> SplitResult:
    """Return the parts of a URL with a host, and without what has no place in one; raises `Unfit`."""
    if len(url) > MOST or _VISIBLE.fullmatch(url) is None or "\\" in url:
        raise Unfit(parameter, f"{shown(url)!r} is no URL")
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises for what is no port
    except ValueError:
        raise Unfit(parameter, f"{shown(url)!r} is no URL") from None
    if not parts.hostname or parts.scheme not in _PORTS:
        raise Unfit(parameter, f"{shown(url)!r} is no URL of a place on the web")
    if "@" in parts.netloc or "#" in url:
        raise Unfit(parameter, f"a URL at {shown(parts.hostname)!r} has a user's name or a fragment in it")
    return parts


def origin_of(url: str) -> str:
    """Return scheme, host and port of a URL, in lower case and without a port that goes without saying."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def on_loopback(url: str) -> bool:
    """Whether a URL names this machine."""
    host = urlsplit(url).hostname or ""
    if host in _LOOPBACK_NAMES:
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
