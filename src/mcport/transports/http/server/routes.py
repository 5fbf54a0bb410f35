"""Further paths beside the endpoint, such as `/health`, behind the same guard.

Each is served by an ASGI application, or by a function without parameters that returns what is to be said. Below:
`asgi`.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from mcport.core.jsonrpc import dump

from .asgi import App, Receive, Scope, Send, answer
from .wire import Refused

log: Final = logging.getLogger("mcport.http")

Handler: TypeAlias = App | Callable[[], object]
"""An ASGI application, or a function that returns (or awaits) text, or something that is JSON."""

TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")


def routed(routes: Mapping[str, Handler], taken: set[str]) -> dict[str, App]:
    """Return the applications of further paths. Raises ValueError for a path that is none, or is `taken`, TypeError
    for what serves nothing."""
    found: dict[str, App] = {}
    for path, handler in routes.items():
        if not path.startswith("/") or path in taken:
            raise ValueError(f"routes: {path!r:.80} is the endpoint's, or does not begin with a slash")
        found[path] = _app(path, handler)
    return found


def _app(path: str, handler: Handler) -> App:
    if not callable(handler):
        raise TypeError(f"routes: what serves {path!r:.80} is an ASGI application or a function, not {handler!r:.80}")
    wanted = [
        each
        for each in inspect.signature(handler).parameters.values()
        if each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
    ]
    return handler if wanted else _Said(path, handler)  # type: ignore[return-value, arg-type]


class _Said:
    """Answers GET with what a function returns."""

    def __init__(self, path: str, says: Callable[[], object]) -> None:
        self._path = path
        self._says = says

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise Refused(405, f"{scope['method']:.20} is not served here", {"allow": "GET, HEAD"})
        try:
            said = self._says()
            if inspect.isawaitable(said):
                said = await said
            body = said.encode() if isinstance(said, str) else dump(said)
        except Exception:
            log.exception("the route %s failed", self._path)
            raise Refused(500, "Internal error") from None
        await answer(send, 200, body, [TEXT] if isinstance(said, str) else None)
