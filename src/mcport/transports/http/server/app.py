"""The ASGI application of a server: one endpoint, all revisions.

It looks at the path and the method, lets the guard judge, finds the era of what was posted, and hands it to the door of
that era. Below: `guard`, `stateless`, `handshake`, `residence`, `core.http.admission`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import ClassVar, Final, TypeAlias

from mcport.core.dialects.handshake import handshake_revisions
from mcport.core.http.admission import Lane, check_version, id_of, lane_of
from mcport.core.http.headers import EVENT_STREAM, SESSION
from mcport.core.http.hosts import Gate
from mcport.core.http.parameters import check_params
from mcport.core.jsonrpc import Decoded, Malformed, decode
from mcport.errors import ProtocolError

from .asgi import AsgiWire, Receive, Scope, Send
from .cors import Cors
from .guard import Guard
from .handshake import HandshakeDoor
from .residence import Residence, Residences, going
from .routes import Handler, routed
from .service import Service
from .sharing import Sharing
from .sse import POST_PATH, STREAM_PATH, SseDoor
from .stateless import StatelessDoor
from .wire import JSON_TYPE, Gone, Refused, Wire, error_body, refuse

log: Final = logging.getLogger("mcport.http")

PATH: Final = "/mcp"

DOCUMENT_HEADERS: Final = [
    JSON_TYPE,
    (b"cache-control", b"max-age=3600"),
    (b"access-control-allow-origin", b"*"),
]

Method: TypeAlias = "Callable[[HttpApp, AsgiWire], Awaitable[None]]"


class HttpApp:
    """Serves one server over HTTP at `path`, and at its own root where it is mounted below another app."""

    def __init__(
        self,
        service: Service,
        gate: Gate,
        path: str = PATH,
        sharing: Sharing | None = None,
        streams: bool = False,
        sse: bool = True,
        routes: Mapping[str, Handler] | None = None,
    ) -> None:
        self.limits = service.limits
        self.resource = service.resource
        self._service = service
        self._guard = Guard(gate, service.limits.message_bytes)
        self.path = path
        self._residences = Residences(service)
        self._stateless = StatelessDoor(service)
        sharing = sharing or Sharing()
        self._handshake = HandshakeDoor(service, sharing, streams)
        self._sse = SseDoor(service, sharing) if sse else None
        self._cors = Cors(gate) if gate.names_origins else None
        taken = {path, "/", *((STREAM_PATH, POST_PATH) if sse else ())}
        self._routes = routed(routes, taken) if routes else {}
        self._documents = service.documents()
        self._allowed = "POST, GET, DELETE" if handshake_revisions(service.offer) else "POST"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of an ASGI server."""
        if scope["type"] == "http":
            await self._http(AsgiWire(scope, receive, send))
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})

    async def enter(self) -> Residence:
        """Begin in the running loop now, and not with the first request. Raises what the server's lifespan raises."""
        return await self._residences.enter_again()

    async def aclose(self, for_good: bool = False) -> None:
        """End everything that goes on in the running loop; the server's lifespan is left.

        Requests that run have a second to finish, and stopped handlers five more to clean up. `for_good` refuses what
        comes later, until the app is entered again; otherwise the next request does that.
        """
        await self._residences.leave(for_good)

    async def _http(self, wire: AsgiWire) -> None:
        if self._cors is not None:
            wire.send = self._cors.around(wire.scope, wire.send)
        try:
            self._guard.check(wire)
            await self._found(wire.scope)(self, wire)
        except Refused as refused:
            await refuse(wire, refused)
        except ProtocolError as error:
            await wire.answer(error.http_status, error_body(None, error.code, error.message, error.data))
        except Gone:
            return

    async def posted(self, wire: Wire, residence: Residence) -> None:
        """Serve a POST to the endpoint that came another way than by ASGI, in a residence that was entered."""
        try:
            if not wire.judged:
                self._guard.check(wire)
            await self._post(wire, residence)
        except Refused as refused:
            await refuse(wire, refused)
        except ProtocolError as error:
            await wire.answer(error.http_status, error_body(None, error.code, error.message, error.data))

    def _found(self, scope: Scope) -> Method:
        """Return what serves a request, judged by the path as it came; raises `Refused` where nothing does."""
        below = _below(scope)
        if scope["path"] in self._documents:
            return HttpApp._document
        if below in (self.path, "", "/"):
            return self._METHODS.get(scope["method"], HttpApp._other)
        if below in self._routes:
            return HttpApp._further
        if self._sse is None or below not in (STREAM_PATH, POST_PATH):
            raise Refused(404, f"no MCP endpoint at {scope['path']!r:.80}; it is {self.path}")
        return HttpApp._sse_get if below == STREAM_PATH else HttpApp._sse_post

    async def _enter(self, wire: Wire) -> Residence:
        """Return the residence in the running loop. Raises `Refused` where the server does not start."""
        here = self._residences.here()
        if here is not None:
            return here
        await wire.may_wait()
        try:
            return await self._residences.enter()
        except Refused:
            raise
        except Exception as error:
            log.error("the server does not start: its lifespan failed", exc_info=error)
            raise Refused(503, "the server does not start: its lifespan failed (see its log)") from None

    async def _admit(self, wire: Wire, method: str, place: str = "") -> None:
        """Find out on whose behalf a request comes. Raises `Refused` for one that is not let in."""
        if self._service.gated:
            wire.principal = self._service.remembered(wire)
            if wire.principal is None:
                await wire.may_wait()
                wire.principal = await self._service.admit(wire, method, place)

    async def _post(self, wire: Wire, residence: Residence | None = None) -> None:
        await self._admit(wire, "POST")
        if not wire.judged:
            self._guard.check_body(wire.headers)
            wire.let_in()
        if residence is None or residence.closing:
            residence = await self._enter(wire)
        message = decode(await self._guard.body(wire, residence.loop))
        if residence.closing:
            raise going()  # its body came too late: there is nothing any more that could serve it
        self._service.check(wire.principal, message)
        try:
            lane = self._lane(wire.headers, message)
            if lane is Lane.HEARD:
                await wire.answer(202)
            elif lane is Lane.STATELESS:
                await self._stateless.post(message, wire, residence)  # type: ignore[arg-type]
            else:
                await self._handshake.post(message, wire, residence)
        except Refused as refused:
            refused.id = id_of(message)
            raise
        except ProtocolError as error:
            id = id_of(message)
            await wire.answer(error.http_status, error_body(id, error.code, error.message, error.data))

    def _lane(self, headers: Mapping[str, str], message: Decoded) -> Lane:
        if type(message) is Malformed and message.answers is not None and SESSION in headers:
            return Lane.HANDSHAKE  # an answer that is none: whoever waits for it is told
        lane = lane_of(headers, message, self._service.offer, self._service.named())
        if lane is Lane.STATELESS and message.method == "tools/call":  # type: ignore[union-attr]
            params = message.params  # type: ignore[union-attr]
            mirrors = self._service.mirrors(params.get("name"))  # type: ignore[union-attr,arg-type]
            if mirrors:
                check_params(headers, mirrors, params.get("arguments"))  # type: ignore[union-attr]
        return lane

    async def _get(self, wire: AsgiWire) -> None:
        await self._admit(wire, "GET")
        accept = wire.headers.get("accept", "")
        if EVENT_STREAM not in accept:
            if "text/html" in accept:
                await self._show(wire)
                return
            raise self._not_allowed("GET is for event streams (accept: text/event-stream)")
        self._check_session(wire)
        await self._handshake.get(wire, await self._enter(wire))

    async def _show(self, wire: AsgiWire) -> None:
        """Show a person with a browser what there is."""
        from .page import HEADERS, page, url_of

        scope = wire.scope
        root: str = scope.get("root_path", "")
        path = scope["path"] if _below(scope) == self.path else root or self.path
        await wire.answer(200, page(self._service, url_of(scope, wire.headers, path)), HEADERS)

    async def _options(self, wire: AsgiWire) -> None:
        if self._cors is None or not await self._cors.preflight(wire):
            await self._other(wire)

    async def _further(self, wire: AsgiWire) -> None:
        scope = wire.scope
        if scope["method"] == "OPTIONS" and self._cors is not None and await self._cors.preflight(wire):
            return
        await self._routes[_below(scope)](scope, wire.receive, wire.send)

    async def _document(self, wire: AsgiWire) -> None:
        """Tell everybody, pages of all origins included, how tokens are got (RFC 9728)."""
        if wire.scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            raise Refused(405, "this document is for GET", {"allow": "GET, HEAD, OPTIONS"})
        await wire.answer(200, self._documents[wire.scope["path"]], DOCUMENT_HEADERS)

    async def _delete(self, wire: AsgiWire) -> None:
        await self._admit(wire, "DELETE")
        self._check_session(wire)
        await self._handshake.delete(wire, await self._enter(wire))

    async def _sse_get(self, wire: AsgiWire) -> None:
        assert self._sse is not None
        if wire.scope["method"] != "GET":
            raise Refused(405, f"{STREAM_PATH} is for GET; post to {self.path}", {"allow": "GET"})
        await self._admit(wire, "GET", STREAM_PATH)
        await self._sse.get(wire, await self._enter(wire))

    async def _sse_post(self, wire: AsgiWire) -> None:
        assert self._sse is not None
        if wire.scope["method"] != "POST":
            raise Refused(405, f"{POST_PATH} is for POST", {"allow": "POST"})
        await self._admit(wire, "POST", POST_PATH)
        self._guard.check_body(wire.headers)
        residence = await self._enter(wire)
        await self._sse.post(wire, await self._guard.body(wire, residence.loop), residence)

    async def _other(self, wire: AsgiWire) -> None:
        raise self._not_allowed(f"{wire.scope['method']:.20} is not served here")

    def _check_session(self, wire: AsgiWire) -> None:
        """Raise what refuses a GET or DELETE that can belong to no session."""
        method: str = wire.scope["method"]
        if not handshake_revisions(self._service.offer):
            raise self._not_allowed(f"{method} is for sessions, and the versions served here have none")
        check_version(wire.headers, self._service.offer, method)

    def _not_allowed(self, line: str) -> Refused:
        return Refused(405, line, {"allow": self._allowed})

    _METHODS: ClassVar[dict[str, Method]] = {"POST": _post, "GET": _get, "DELETE": _delete, "OPTIONS": _options}

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        """Begin when an ASGI server starts, and end when it stops."""
        await receive()
        try:
            await self.enter()
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


def _below(scope: Scope) -> str:
    """Return the path of a request below what the app is mounted at."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
