"""The command `auth`: log in to a server, see who is, log out; and the document that a client may publish of itself.

What it keeps is what `--auth oauth` and `Client(url, auth="oauth")` use. Below: the client's authorization.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from urllib.parse import urlsplit

import anyio

from mcport.auth.browser import open_browser
from mcport.auth.client import OAuth
from mcport.auth.identity import NONE, application_type
from mcport.auth.tokens import Tokens
from mcport.stores.token_file import FileTokens
from mcport.transports.printable import printable_line

from .exits import DONE, FAILED
from .usage import UsageError


def oauth(options: argparse.Namespace) -> OAuth:
    """Return the login of a command line, which tells the person where to look."""
    scopes, client_id = getattr(options, "scope", None) or (), getattr(options, "client_id", None)
    try:
        return OAuth(store=FileTokens(), open_url=_open, scopes=scopes, client_id=client_id)
    except ValueError as error:
        raise UsageError(str(error)) from None


def authorize(options: argparse.Namespace) -> int:
    """Run the command and return its exit code. Raises `McportError` with the way to what went wrong."""
    if options.action == "cimd":
        return _describe(options)
    url = _checked(options.url)
    return anyio.run({"login": _login, "status": _status, "logout": _logout}[options.action], oauth(options), url)


async def _login(auth: OAuth, url: str) -> int:
    tokens = await auth.login(url)
    print(f"logged in to {url}: {_said(tokens)}")
    return DONE


async def _status(auth: OAuth, url: str) -> int:
    tokens = await auth.status(url)
    if tokens is None:
        print(f"not logged in to {url}")
        return FAILED
    print(f"logged in to {url}: {_said(tokens)}")
    return DONE


async def _logout(auth: OAuth, url: str) -> int:
    known = await auth.status(url)
    await auth.logout(url)
    print(f"logged out of {url}" if known else f"not logged in to {url}")
    return DONE


async def _open(page: str) -> None:
    """Open the page, and show it: the browser may be another machine's."""
    print(f"log in at {urlsplit(page).netloc}, in your browser or here:\n{page}", file=sys.stderr)
    await open_browser(page)


def _said(tokens: Tokens) -> str:
    """Say what the tokens are, and nothing secret."""
    parts = [f"by {tokens.issuer}"]
    if tokens.granted:
        parts.append(f"for {' '.join(tokens.granted)}")
    if tokens.expires is not None:
        parts.append(f"until {datetime.fromtimestamp(tokens.expires):%Y-%m-%d %H:%M:%S}")
    if tokens.refresh is not None:
        parts.append("renewed without asking")
    return printable_line(", ".join(parts))


def _checked(url: str) -> str:
    if not url.lower().startswith(("http://", "https://")):
        raise UsageError(f"{url!r:.80} is no URL: servers that one logs in to are spoken with over HTTP")
    return url


def _describe(options: argparse.Namespace) -> int:
    """Print the metadata document of a client, to be published at its URL (Client ID Metadata Documents)."""
    parts = urlsplit(options.url)
    if parts.scheme != "https" or parts.path in ("", "/"):
        raise UsageError(f"{options.url!r:.80} is no https URL with a path, which the id of a client has to be")
    uris = options.redirect_uri or ["http://127.0.0.1/callback", "http://localhost/callback"]
    document = {
        "client_id": options.url,
        "client_name": options.client_name,
        "redirect_uris": uris,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": NONE,
        "application_type": application_type(uris[0]),
    }
    print(json.dumps(document, indent=2))
    return DONE
