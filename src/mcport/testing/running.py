"""An ASGI application at a port of this machine for as long as a block lasts, whatever event loop the block runs on.

It is served by uvicorn in a thread with a loop of its own, so that a test on trio, or one that blocks, is served too.
Below: `uvicorn`, `authorization`.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
from anyio import to_thread

from .authorization import AuthorizationServer

HOST: Final = "127.0.0.1"


@asynccontextmanager
async def at_loopback(make: Callable[[str], Any]) -> AsyncGenerator[str]:
    """Serve the application that `make` returns for its origin, which is what this gives:

    async with at_loopback(lambda origin: server_for(f"{origin}/mcp").asgi()) as origin: ...
    """
    with socket.create_server((HOST, 0)) as listening:
        origin = f"http://{HOST}:{listening.getsockname()[1]}"
        server = _uvicorn(make(origin))
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        try:
            yield origin
        finally:
            server.should_exit = True
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(thread.join)


@asynccontextmanager
async def serving(
    *, wrap: Callable[[AuthorizationServer], Any] = lambda server: server, **options: Any
) -> AsyncGenerator[AuthorizationServer]:
    """Run an authorization server for development; the options are those of `AuthorizationServer`, but for its issuer.

    `wrap` returns the application to serve, if that is to be another one in front of it.

    async with serving(subject="ada") as authority:
        BearerAuth(url, issuer=authority.issuer)
    """
    made: list[AuthorizationServer] = []

    def make(origin: str) -> Any:
        made.append(AuthorizationServer(origin, **options))
        return wrap(made[0])

    async with at_loopback(make):
        yield made[0]


def _uvicorn(app: Any) -> Any:
    """Return what serves an application. The socket listens already: who comes before the loop runs has to wait."""
    import uvicorn

    quiet: dict[str, Any] = {"log_config": None, "access_log": False}
    plain: dict[str, Any] = {"lifespan": "off", "ws": "none", "loop": "asyncio"}
    return uvicorn.Server(uvicorn.Config(app, timeout_graceful_shutdown=1, **quiet, **plain))
