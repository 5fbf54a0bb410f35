"""A street of inns: one ASGI server in a thread of its own, and a new server of the stories at each number.

The clients of asyncio and of trio call on it alike, over real connections to a loopback port.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from mcport.spec.revisions import Revision
from tests.stories.storyteller import make_server


class Street:
    """An ASGI application: `/<number>/mcp` and `/<number>/sse` belong to the inn of that number."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._inns: dict[str, Any] = {}

    def inn(self, revision: Revision) -> str:
        """Build an inn, and return the URL for clients of a revision: the oldest has a pair of endpoints."""
        number = str(len(self._inns))
        self._inns[number] = make_server().asgi()
        return f"{self._url}/{number}/{'mcp' if revision.has_streamable_http else 'sse'}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        number = scope["path"].split("/")[1]
        await self._inns[number]({**scope, "root_path": f"/{number}"}, receive, send)

    async def aclose(self) -> None:
        """Close every inn."""
        await asyncio.gather(*(inn.aclose() for inn in self._inns.values()))


@contextmanager
def open_street() -> Iterator[Street]:
    """Serve a street until the block is left."""
    listener = socket.create_server(("127.0.0.1", 0))
    street = Street(f"http://127.0.0.1:{listener.getsockname()[1]}")
    config = uvicorn.Config(street, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)

    async def serve() -> None:
        await server.serve([listener])
        await street.aclose()

    thread = threading.Thread(target=asyncio.run, args=(serve(),), name="street")
    with listener:
        thread.start()
        try:
            yield street
        finally:
            server.should_exit = True
            thread.join()
