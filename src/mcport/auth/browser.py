"""Opening a page for a person, without any shell: what is opened is an address of the web and nothing else.

A page may be named by a server that nobody trusts, and what looks like a URL may be an option or a command to whoever
opens it. Below: `urls`.
"""

from __future__ import annotations

import logging
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from anyio import to_thread

from .judging import Unfit
from .urls import on_loopback, parsed

log: Final = logging.getLogger("mcport.client")

_DANGEROUS: Final = frozenset("\"'`<>^|{}")


def presentable(url: str) -> str:
    """Return a URL as it may be handed to a browser. Raises `Unfit`."""
    again = urlunsplit(parsed("authorization_endpoint", url))
    parts = parsed("authorization_endpoint", again)
    if parts.scheme != "https" and not on_loopback(again):
        raise Unfit("authorization_endpoint", "is not https")
    if _DANGEROUS & set(again):
        raise Unfit("authorization_endpoint", "has characters that no URL has")
    return again


async def open_browser(url: str) -> None:
    """Open a page in the person's browser, and say in the log at which host; without a browser, show the whole URL."""
    import webbrowser

    page = presentable(url)
    log.warning("opening your browser: log in at %s", urlsplit(page).netloc)
    if not await to_thread.run_sync(webbrowser.open, page):
        log.warning("no browser could be opened; open this page yourself: %s", page)
