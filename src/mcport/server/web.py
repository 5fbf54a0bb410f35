"""A server over HTTP: what the endpoint asks of it, and the application that is made of both.

Together with `hosting` the only room of the server that names transports. Below: `hosting`, `core.http`,
`transports.http.server`.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from socket import socket
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypedDict
from urllib.parse import urlsplit

from mcport.core.dialects.contract import Conversation, Offer
from mcport.core.events import Told
from mcport.core.http.headers import NAMED
from mcport.core.http.hosts import LOOPBACK, Gate
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import Limits
from mcport.core.mirrors import Mirror, mirrors_of
from mcport.session.exchange import Outlet
from mcport.session.loop import Loop, in_trio
from mcport.session.tracebacks import from_own_code
from mcport.stores.events import Events, MemoryEvents
from mcport.stores.notices import About, Notices
from mcport.stores.sessions import MemorySessions, Sessions
from mcport.transports.http.server.app import PATH, HttpApp
from mcport.transports.http.server.binding import is_loopback, listen, url_of
from mcport.transports.http.server.routes import Handler
from mcport.transports.http.server.service import Introduction
from mcport.transports.http.server.sharing import Sharing

from .hosting import Host
from .kernel import Kernel
from .living import Life, Visit
from .offering.listing import Listing
from .offering.tools import ToolEntry
from .protection import Protection
from .telling import subscribing

log: Final = logging.getLogger("mcport.server")

Application: TypeAlias = HttpApp
"""An ASGI application that serves one server; `aclose` ends what goes on in it."""

HttpRoutes: TypeAlias = Mapping[str, Handler]
"""Further paths, and what serves each."""

HOST: Final = "127.0.0.1"
PORT: Final = 8000


class HttpOptions(TypedDict, total=False):
    """Where a server is served over HTTP, and how (`Server.run`, `Server.asgi`)."""

    host: str
    port: int
    sockets: Sequence[socket]
    listening: Callable[[str], object]
    path: str
    allowed_hosts: Sequence[str] | None
    allowed_origins: Sequence[str]
    answers: Literal["json", "stream"]
    sse: bool
    sessions: Sessions | None
    events: Events | None
    session_seconds: float
    routes: HttpRoutes


class Web:
    """What HTTP endpoints ask of one server (`transports.http.server.service.Service`)."""

    def __init__(
        self,
        name: str,
        offer: Offer,
        kernel: Kernel,
        host: Host,
        tools: Listing[ToolEntry],
        named: Callable[[], dict[str, str]],
        protection: Protection,
    ) -> None:
        self.name = name
        self.offer = offer
        self.limits = host.limits
        self.answer = kernel.answer
        self.runs_through = kernel.runs_through
        self.enter = host.living.enter
        self.leave = host.living.leave
        self.serve = host.serve
        self.gated = protection.gated
        self.resource = protection.resource
        self.remembered = protection.remembered
        self.admit = protection.admit
        self.expired = protection.expired
        self.check = protection.check
        self.documents = protection.documents
        self._kernel = kernel
        self._tools = tools
        self._named = named
        self._mirrors: dict[str, tuple[JsonObject, tuple[Mirror, ...]]] = {}

    def introduction(self) -> Introduction:
        """Return what people may know who open the endpoint in a browser."""
        info = self.offer.info(next(iter(self.offer.revisions.values())))
        text = info.get("description") or self.offer.instructions
        tools = {
            each.name: (each.description or each.signature.description or "").partition("\n")[0]
            for each in self._tools
            if each.visible is None
        }
        return Introduction(str(info.get("title") or self.name), str(info["version"]), str(text or ""), tools)

    def converse(self, life: Life) -> Conversation:
        """Return a new conversation in a life that was entered."""
        return Visit(life=life, reception=self._kernel.reception, routes=self._kernel.routes)

    def hear(self, conversation: Conversation, outlet: Outlet) -> None:
        """From now on tell a session of changes, on this outlet."""
        self.unhear(conversation)
        subscribing.begin(_visit(conversation), outlet)

    def unhear(self, conversation: Conversation) -> None:
        """Tell a session of nothing more."""
        visit = _visit(conversation)
        subscribing.end(visit)
        visit.listener = None

    def missed(self, conversation: Conversation) -> None:
        """Tell a session of all that may have changed."""
        listener = _visit(conversation).listener
        if listener is not None:
            listener.miss()

    def told(self, event: Told, conversation: Conversation, loop: Loop) -> None:
        """Take a notification of a client."""
        opened = conversation.opened
        self._kernel.hearing.take(event, loop, None if opened is None else opened.revision)

    def named(self) -> Mapping[str, str]:
        """Return which member of the parameters `Mcp-Name` repeats, by method."""
        extended = self._named()
        return {**NAMED, **extended} if extended else NAMED

    def mirrors(self, tool: str) -> Sequence[Mirror]:
        """Return which arguments of a tool are repeated in headers: looked up, whatever the number of tools."""
        entry = self._tools.get(tool)
        if entry is None:
            return ()
        schema = entry.signature.input_schema
        known = self._mirrors.get(tool)
        if known is None or known[0] is not schema:
            known = self._mirrors[tool] = (schema, mirrors_of(schema))
        return known[1]


def shared(
    limits: Limits, notices: Notices, sessions: Sessions | None, events: Events | None, seconds: float
) -> Sharing:
    """Return where sessions are kept: in this process, but for the ports that are given. Raises ValueError."""
    if not 0 < seconds < math.inf:
        raise ValueError(f"session_seconds is a positive number of seconds, not {seconds!r}")
    about = About(notices, "sessions")
    return Sharing(sessions or MemorySessions(limits.sessions), events or MemoryEvents(), about, seconds)


def gate(hosts: Sequence[str] | None, origins: Sequence[str]) -> Gate:
    """Return what lets requests in; without `hosts` those that name this machine. Raises ValueError for no host."""
    return Gate(LOOPBACK if hosts is None else hosts, origins)


class Shape(NamedTuple):
    """What an application looks like from outside."""

    path: str
    answers: str
    sse: bool
    routes: HttpRoutes


def application(web: Web, gate: Gate, sharing: Sharing, shape: Shape) -> Application:
    """Return the ASGI application of a server. Raises ValueError for a shape that is none."""
    path, answers, sse, routes = shape
    if not path.startswith("/") or path != path.rstrip("/"):
        raise ValueError(f"path begins with a slash and does not end with one, such as '/mcp', not {path!r}")
    if answers not in ("json", "stream"):
        raise ValueError(f"answers is 'json' or 'stream', not {answers!r}")
    return HttpApp(web, gate, path, sharing, streams=answers == "stream", sse=sse, routes=routes)


def run_http(make: Callable[..., Application], options: HttpOptions) -> None:
    """Serve the application that `make` makes of the options, as a program of its own. Blocks.

    What the lifespan raises comes out, by itself and with a short traceback.
    """
    from mcport.transports.http.server.running import run

    place = _take_place(make, options)
    try:
        run(place.app, place.sockets, place.listeners, place.announce)
    except KeyboardInterrupt:
        return
    except Exception as error:
        raise error.with_traceback(from_own_code(error.__traceback__))  # noqa: B904


async def serve_http(make: Callable[..., Application], options: HttpOptions) -> None:
    """Serve the application that `make` makes of the options in the running loop, until this is cancelled."""
    from mcport.transports.http.server.running import serve

    if in_trio():
        raise RuntimeError("uvicorn needs asyncio; on trio give server.asgi() to a server that knows trio: hypercorn")
    place = _take_place(make, options)
    await serve(place.app, place.sockets, place.listeners, place.announce)


class _Place(NamedTuple):
    """An application and the sockets at which it is served."""

    app: Application
    sockets: Sequence[socket]
    listeners: int
    announce: Callable[[], object]


def _take_place(make: Callable[..., Application], options: HttpOptions) -> _Place:
    settings: dict[str, Any] = {**options}
    host, port = settings.pop("host", HOST), settings.pop("port", PORT)
    listening, sockets = settings.pop("listening", None), settings.pop("sockets", ())
    hosts = settings["allowed_hosts"] = _names(host, settings.get("allowed_hosts"))
    app = make(**settings)
    sockets = sockets or listen(host, port)
    url = url_of(sockets[0], _shown(host, hosts), settings.get("path", PATH))

    def announce() -> None:
        log.info("serving at %s", url)
        if app.resource is not None:
            _compare(app.resource, url)
        if listening is not None:
            listening(url)

    return _Place(app, sockets, app.limits.listeners, announce)


def _compare(resource: str, url: str) -> None:
    """Tell the operator as what clients know the endpoint that is served at a URL, and where both cannot be right."""
    from mcport.auth.urls import on_loopback

    known, here = urlsplit(resource), urlsplit(url)
    elsewhere = on_loopback(resource) and (known.port or 80) != here.port
    if elsewhere or not known.path.endswith(here.path):
        line = (
            "clients are told that the endpoint is %s, and this serves %s: right only behind a proxy that leads there"
        )
        log.warning(line, resource, url)
    else:
        log.info("clients know it as %s", resource)


def _names(host: str, hosts: Sequence[str] | None) -> Sequence[str]:
    """Return the names under which a server may be asked for that listens at `host`."""
    if hosts is not None:
        return hosts
    if not is_loopback(host):
        raise ValueError(
            f"host {host!r:.80} is reached by other machines: say under which names this server may be asked for, "
            "such as allowed_hosts=['mcp.example.com', '192.168.1.5:*']; '*' lets every name in"
        )
    return [*LOOPBACK, f"[{host}]:*" if ":" in host else f"{host}:*"]


def _shown(host: str, hosts: Sequence[str]) -> str:
    """Return the name to be told to people: one that is let in, where the host stands for all addresses."""
    if host not in ("0.0.0.0", "::"):
        return host
    names = [each.partition(":")[0] for each in hosts if not each.startswith(("*", "["))]
    return names[0] if names else "localhost"


def _visit(conversation: Conversation) -> Visit:
    assert isinstance(conversation, Visit)
    return conversation
