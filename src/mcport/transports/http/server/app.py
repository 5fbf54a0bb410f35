"""The ASGI application of a server: one endpoint, all revisions.

It looks at the path and the method, lets the guard judge, finds the era of what was posted, and hands it to the door of
that era. Below: `guard`, `stateless`, `residence`, `core.http.admission`.
"""

from __future__ import annotations

import logging
from typing import Final

from mcport.core.http.admission import Lane, lane_of
from mcport.core.http.hosts import Gate
from mcport.core.http.parameters import check_params
from mcport.core.jsonrpc import Decoded, Request, decode
from mcport.errors import InvalidRequest, ProtocolError

from .asgi import Receive, Refused, Scope, Send, answer, error_body, headers_of, refuse
from .guard import Gone, Guard
from .residence import Residence, Residences
from .service import Service
from .stateless import StatelessDoor

log: Final = logging.getLogger("mcport.http")

PATH: Final = "/mcp"


class HttpApp:
    """Serves one server over HTTP at `path`, and at its own root where it is mounted below another app."""

    def __init__(self, service: Service, gate: Gate, path: str = PATH) -> None:
        self._service = service
        self._guard = Guard(gate, service.limits.message_bytes)
        self._path = path
        self._residences = Residences(service)
        self._stateless = StatelessDoor(service)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of an ASGI server."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def aclose(self) -> None:
        """End everything that goes on in the running loop; the server's lifespan is left."""
        await self._residences.leave()

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            self._guard.check(scope)
            self._find(scope)
            await self._post(scope, receive, send)
        except Refused as refused:
            await refuse(send, refused)
        except Gone:
            return

    def _find(self, scope: Scope) -> None:
        """Raise `Refused` for what is not the endpoint, judged by the path as it came."""
        below: str = scope["path"].removeprefix(scope.get("root_path", ""))
        if below not in (self._path, "", "/"):
            raise Refused(404, f"no MCP endpoint at {scope['path']!r:.80}; it is {self._path}")
        if scope["method"] != "POST":
            raise Refused(405, f"{scope['method']:.20} is not served here", {"allow": "POST"})

    async def _post(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        self._guard.check_body(headers)
        message = decode(await self._guard.body(receive))
        residence = await self._residences.enter()
        try:
            lane = self._lane(headers, message)
            if lane is Lane.HEARD:
                await answer(send, 202)
            elif lane is Lane.STATELESS:
                await self._stateless.post(message, headers, receive, send, residence)  # type: ignore[arg-type]
            else:
                await self._handshake(message, headers, receive, send, residence)
        except ProtocolError as error:
            id = getattr(message, "id", None)
            await answer(send, error.http_status, error_body(id, error.code, error.message, error.data))

    def _lane(self, headers: dict[str, str], message: Decoded) -> Lane:
        lane = lane_of(headers, message, self._service.offer, self._service.named())
        if lane is Lane.STATELESS and message.method == "tools/call":  # type: ignore[union-attr]
            params = message.params  # type: ignore[union-attr]
            mirrors = self._service.mirrors(params.get("name"))  # type: ignore[union-attr,arg-type]
            if mirrors:
                check_params(headers, mirrors, params.get("arguments"))  # type: ignore[union-attr]
        return lane

    async def _handshake(
        self, message: Decoded, headers: dict[str, str], receive: Receive, send: Send, residence: Residence
    ) -> None:
        method = message.method if isinstance(message, Request) else "a message"
        raise InvalidRequest(f"{method}: sessions are not served here")

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Begin when an ASGI server starts, and end when it stops."""
        await receive()
        try:
            await self._residences.enter()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        try:
            await self._residences.leave()
        except Exception as error:
            await send({"type": "lifespan.shutdown.failed", "message": f"{type(error).__name__}: {error}"})
            return
        await send({"type": "lifespan.shutdown.complete"})
