"""What a person sees who opens the endpoint in a browser: whose it is, what it has, and how to connect.

One static page without scripts; whatever a server says of itself is text on it. Below: `asgi`, `service`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from mcport.core.jsonrpc import dump

from .asgi import Scope
from .service import Service
from .wire import RawHeaders

MOST_TOOLS: Final = 200
"""So many tools are shown; clients see them all."""

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color:#222}"
    "pre{background:#f4f4f4;padding:.7rem;overflow:auto}dt{font-family:monospace}dd{margin:0 0 .5rem 1.5rem;color:#555}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

_ALLOWED: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

HEADERS: Final[RawHeaders] = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", _ALLOWED.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"vary", b"accept"),
]


def page(service: Service, url: str) -> bytes:
    """Return the page of a server that is reached at `url`."""
    return "".join(_parts(service, url)).encode()


def url_of(scope: Scope, headers: Mapping[str, str], path: str) -> str:
    """Return where the endpoint is reached, as the person who opened it said: for the page alone."""
    secure = scope.get("scheme") == "https" or headers.get("x-forwarded-proto") == "https"
    return f"{'https' if secure else 'http'}://{headers['host']}{path}"


def _parts(service: Service, url: str) -> Iterator[str]:
    about = service.introduction()
    title = escape(about.title)
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
    yield f"<h1>{title}</h1><p>An MCP server: {escape(service.name)} {escape(about.version)}</p>"
    if about.text:
        yield f"<p>{escape(about.text)}</p>"
    yield from _tools(about.tools)
    yield f"<h2>Connect</h2><p>From a shell:</p><pre>mcport list {escape(url)}</pre>"
    entry = dump({"mcpServers": {service.name: {"type": "http", "url": url}}}).decode()
    yield f"<p>In the configuration of a host:</p><pre>{escape(entry)}</pre></html>"


def _tools(tools: Mapping[str, str]) -> Iterator[str]:
    if not tools:
        return
    yield "<h2>Tools</h2><dl>"
    for name, does in [*tools.items()][:MOST_TOOLS]:
        yield f"<dt>{escape(name)}</dt><dd>{escape(does)}</dd>"
    yield "</dl>"
    if len(tools) > MOST_TOOLS:
        yield f"<p>and {len(tools) - MOST_TOOLS} more</p>"
