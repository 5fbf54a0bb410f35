"""What browsers have to be told so that pages of other origins may use an endpoint.

Only of the origins that were named (`allowed_origins`); cookies are never asked for, so that a page acts with what it
brings itself. Below: `asgi`, `core.http.hosts`.
"""

from __future__ import annotations

import re
from typing import Final

from mcport.core.http.hosts import Gate

from .asgi import AsgiWire, Event, Scope, Send
from .wire import RawHeaders

EXPOSED: Final = b"mcp-session-id, mcp-protocol-version, www-authenticate, retry-after"
"""What pages may read of an answer."""

METHODS: Final = b"GET, POST, DELETE"

KEPT_SECONDS: Final = b"600"
"""How long a browser need not ask again."""

_NAMES: Final = re.compile(rb"[A-Za-z0-9-]{1,64}(, ?[A-Za-z0-9-]{1,64}){0,63}\Z")


class Cors:
    """Lets browsers hand answers to pages of the origins that a gate was told by name."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    def around(self, scope: Scope, send: Send) -> Send:
        """Return what sends an answer that the page may read, if it is a page that asks and may."""
        origin = _of(scope, b"origin")
        if not origin or not self._gate.shares(origin.decode("latin-1")):
            return send

        async def told(event: Event) -> None:
            if event["type"] == "http.response.start":
                event = {**event, "headers": [*event["headers"], *_granted(origin)]}
            await send(event)

        return told

    async def preflight(self, wire: AsgiWire) -> bool:
        """Answer a browser that asks before a page may; return whether it was one."""
        scope = wire.scope
        if not _of(scope, b"origin") or not _of(scope, b"access-control-request-method"):
            return False
        wanted = _of(scope, b"access-control-request-headers")
        fields = [(b"access-control-allow-methods", METHODS), (b"access-control-max-age", KEPT_SECONDS)]
        if _NAMES.match(wanted):
            fields.append((b"access-control-allow-headers", wanted))
        await wire.answer(204, fields=fields)
        return True


def _granted(origin: bytes) -> RawHeaders:
    return [
        (b"access-control-allow-origin", origin),
        (b"access-control-expose-headers", EXPOSED),
        (b"vary", b"origin"),
    ]


def _of(scope: Scope, name: bytes) -> bytes:
    return next((value for each, value in scope["headers"] if each == name), b"")
