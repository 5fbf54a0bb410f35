"""The Server: what people write. It knows who it is, what it offers and how it is served.

Below: every other room of the server.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

from mcport.core.dialects.contract import LOG_LEVELS, Admitted, Offer
from mcport.core.dialects.listening import PROMPTS_CHANGED, RESOURCE_UPDATED, RESOURCES_CHANGED, TOOLS_CHANGED
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import SERVER_LIMITS, Limits
from mcport.errors import InvalidRequest
from mcport.session.channel import Transport
from mcport.session.exchange import Exchange
from mcport.spec.revisions import REVISIONS, Revision

from .asking.patience import Patience
from .asking.reception import Reception
from .extensions.extensions import Extensions, add_filters
from .hosting import Host, Lifespan
from .kernel import Kernel
from .middleware.hearing import Hearing
from .middleware.middleware import Middlewares
from .offering.cache_hint import NEVER, CacheHint, hints_of_lists
from .offering.completions import Completions
from .offering.listing import Listing
from .offering.prompts import Prompts
from .offering.resources import Resources
from .offering.tools import Tools
from .registering import Decorator, Function, Registrar
from .results.dressing import Dresser
from .results.faults import Faults
from .routes import Route, Routes
from .telling import Telling, logs
from .telling.listening import Listening
from .telling.subscribing import Subscribing

if TYPE_CHECKING:
    from typing import Unpack

    from mcport.auth.bearer.bearer import BearerAuth
    from mcport.spec.types import Icon
    from mcport.stores.events import Events
    from mcport.stores.notices import Notices
    from mcport.stores.sessions import Sessions
    from mcport.stores.values import Store

    from .extensions.extension import Extension
    from .middleware.middleware import Middleware
    from .web import Application, HttpOptions, HttpRoutes, Web

_NO_ROUTES: Final[Mapping[str, Any]] = {}
_LISTS_CHANGED: Final = (TOOLS_CHANGED, PROMPTS_CHANGED, RESOURCES_CHANGED)


class Server(Registrar):
    """An MCP server: tools, resources and prompts behind one name.

        server = Server("weather")

        @server.tool
        async def forecast(city: str) -> str:
            "Forecast the next days for a city."

        if __name__ == "__main__":
            server.run()

    `name`, `version`, `title`, `icons`, `description` and `website_url` are shown to clients; `instructions` tell a
    model how to use the server. `revisions` are the protocol revisions to serve, all by default. `lifespan` is an async
    context manager function that gets the server; what it yields is `Context.lifespan`. `page_size` bounds the pages
    of lists. `offers` names what is declared from the start, even while there is none of it yet: `tools`, `resources`,
    `prompts`, `completions`. `middleware` stands around every request, the first one outermost; `extensions` add what
    the protocol does not have. With `dev`, texts of unexpected exceptions reach the client.

    `log_level` is the least severe level of log messages that a session is sent until it says otherwise; None: no log
    messages at all. `cache` says how long and for whom results may be kept, `cache_lists` the same of lists: all of
    them, or by kind ("tools", "prompts", "resources", "templates", and "discover"). `notices` carries changes from one
    worker process to the others.

    `seal_key`, 32 secret bytes or several such keys of which the first seals, protects what clients carry between the
    rounds of a request that asks; several processes that serve the same clients need the same one, and without it each
    makes its own. A client may be silent for `ask_timeout` seconds while a question is open, and a question is good for
    `ask_total` seconds in all. `ask_store` keeps what is too large to be carried, and names used up by `once`.

    `auth`, a `BearerAuth`, wants a token with every request over HTTP (basic/authorization).
    """

    def __init__(
        self,
        name: str,
        version: str = "0.0.0",
        *,
        title: str | None = None,
        description: str | None = None,
        website_url: str | None = None,
        icons: list[Icon] | None = None,
        instructions: str | None = None,
        revisions: Iterable[str] | None = None,
        lifespan: Lifespan | None = None,
        limits: Limits = SERVER_LIMITS,
        page_size: int | None = None,
        offers: Iterable[str] = (),
        middleware: Iterable[Middleware] = (),
        extensions: Iterable[Extension] = (),
        log_level: str | None = "info",
        cache: CacheHint = NEVER,
        cache_lists: CacheHint | Mapping[str, CacheHint] | None = None,
        notices: Notices | None = None,
        dev: bool = False,
        seal_key: bytes | Sequence[bytes] | None = None,
        ask_timeout: float = 300.0,
        ask_total: float = 3600.0,
        ask_store: Store | None = None,
        auth: BearerAuth | None = None,
    ) -> None:
        _check(locals())
        self._auth = auth
        self.name = name
        self.version = version
        self.instructions = instructions
        self._about = {"title": title, "description": description, "websiteUrl": website_url, "icons": icons}
        faults = Faults(dev)
        self._middleware = Middlewares(faults)
        offer = Offer(_served(revisions), self._info, self._capabilities, instructions, _level(log_level))
        dresser = Dresser(offer)
        self._hints = hints_of_lists(cache, cache_lists)
        self._telling = Telling(limits, notices)
        tools, prompts, resources = (partial(self._changed, method) for method in _LISTS_CHANGED)
        tools_room = Tools(name, dresser, faults, page_size, tools, self._hints["tools"])
        resources_room = Resources(dresser, faults, page_size, resources, limits.uri_bytes, self._hints)
        prompts_room = Prompts(name, dresser, faults, page_size, prompts, self._hints["prompts"])
        self._routes = Routes(self._offered, self._around, {"tools/call": tools_room.runs_through})
        changed = self._routes.changed
        completions = Completions(prompts_room, resources_room, faults, limits.completions_per_second, changed)
        super().__init__(offer, tools_room, resources_room, prompts_room, completions, cache)
        self._declare(offers)
        self._subscribing = Subscribing(self._resources.knows, limits.subscriptions)
        self._listening = Listening(self._telling.kinds, dresser, self._capabilities, self._resources.knows)
        self._extensions = Extensions(self._dependencies, faults)
        self._meta_keys = dresser.meta_keys
        patience = Patience(ask_timeout, ask_total)
        self._reception = Reception(name, seal_key, patience, ask_store, limits.state_bytes, self._telling.notices)
        self._take(middleware, extensions)
        self._kernel = Kernel(offer, self._routes, dresser, faults, self._hearing(faults), self._reception)
        self.host = Host(self, self._kernel, lifespan, limits, self._telling)
        """Serves connections; for transports and for clients in the same process."""

    def __repr__(self) -> str:
        return f"Server({self.name!r})"

    def _take(self, middleware: Iterable[Middleware], extensions: Iterable[Extension]) -> None:
        self._reception.asking = self._extensions.asking
        for each in middleware:
            self.add_middleware(each)
        for extension in extensions:
            self.add_extension(extension)

    def _hearing(self, faults: Faults) -> Hearing:
        return Hearing(self._middleware, self._extensions.hearer, faults)

    @property
    def limits(self) -> Limits:
        """The bounds that this server keeps."""
        return self.host.limits

    def complete_elicitation(self, elicitation_id: str) -> bool:
        """Tell the client that was sent to a URL that all is done there; return whether it was sent by this process.

        Processes that share `notices` tell each other: the one that sent the client there tells it. Callable from any
        thread, also when the request is over. Only revisions whose URL elicitations have ids can be told (2025-11-25
        client/elicitation "Completion Notifications"); elsewhere the handler is asked again.
        """
        return self._reception.complete(elicitation_id)

    def add_middleware(self, middleware: Middleware) -> None:
        """Have one more middleware stand around requests, inside of those that are there already.

        Raises TypeError for what is no `Middleware`.
        """
        self._middleware.add(middleware)
        self._routes.changed()

    def add_extension(self, extension: Extension) -> None:
        """Offer an extension to clients that declare it too; before anybody connects.

        Its middleware stands inside of that which is there already. Raises ValueError for one that is there already or
        that contradicts another one, TypeError for functions of it that cannot be served.
        See basic/versioning of the specification, "Extension Negotiation".
        """
        self._extensions.add(extension)
        self._meta_keys |= extension.meta_keys
        add_filters(extension, self._telling.kinds, self._listening.accepts)
        for each in extension.middleware:
            self._middleware.add(each)
        self._routes.changed()

    def method(self, method: str, *, asks: bool = False) -> Decorator:
        """Register what serves a method that the protocol does not have, in every revision and for every client.

            @server.method("com.example/x")
            async def x(params: JsonObject) -> JsonObject: ...

        The function takes `params`, of any type that JSON can be read as, a `Context`, dependencies, or none of these;
        it returns a JSON object, a model, or None; one that `asks` may ask the client back as a tool does. Raises
        ValueError for a method of the protocol, or one that is there already, TypeError for a function that takes
        anything else. An `Extension` is declared to clients, this is not.
        """
        from .extensions.extension import check_new

        check_new(method, {})

        def register(function: Function) -> Function:
            self._extensions.add_method(method, function, asks)
            self._routes.changed()
            return function

        return register

    # ---- telling clients of changes

    def notify_tools_changed(self) -> None:
        """Tell every client that the list of tools is not what it was.

        This and the other `notify` methods reach sessions and listening requests of every revision alike. They may be
        called from any thread and any task, and never wait; of changes that say the same and have not left yet, one
        leaves. Adding and removing tools does it by itself. See server/tools of the specification.
        """
        self.notify(TOOLS_CHANGED)

    def notify_prompts_changed(self) -> None:
        """Tell every client that the list of prompts is not what it was (server/prompts)."""
        self.notify(PROMPTS_CHANGED)

    def notify_resources_changed(self) -> None:
        """Tell every client that the lists of resources and templates are not what they were (server/resources)."""
        self.notify(RESOURCES_CHANGED)

    def notify_resource_updated(self, uri: str) -> None:
        """Tell the clients that follow this URI that the resource is not what it was (server/resources)."""
        self.notify(RESOURCE_UPDATED, {"uri": uri})

    def notify(self, method: str, params: JsonObject | None = None) -> None:
        """Send a notification to every client that may hear it.

        Those that are not part of the protocol go to every session; a listening request of the stateless era hears only
        what it asked for, so that there an extension has to say how. Raises TypeError for parameters that are no
        object, ValueError for some that cannot be JSON, for what is no method, or for a notification that belongs to
        one request or one client.
        """
        self._telling.tell(method, params)

    def _changed(self, method: str) -> None:
        self._routes.changed()
        self._telling.changed(method)

    # ---- how it is served

    def run(self, transport: Literal["stdio", "http"] = "stdio", **options: Unpack[HttpOptions]) -> None:
        """Serve until the client closes stdin or, over HTTP, until the end of the program. Blocks.

            server.run()
            server.run("http", port=8000)

        SIGTERM and one Ctrl-C end the server politely, lifespan clean-up included. Over HTTP it listens at `host`
        (127.0.0.1) and `port` (8000; 0 for any that is free), or with `sockets` that listen already, and `listening` is
        called with the URL once it does; all other options are those of `asgi`. Raises `CannotListen` where the port is
        taken, and ValueError for a host that other machines reach while `allowed_hosts` does not say under which names.
        """
        if transport == "http":
            from .web import run_http

            run_http(self.asgi, options)
            return
        if transport != "stdio":
            raise ValueError(f"transport is 'stdio' or 'http', not {transport!r}")
        if options:
            raise TypeError(f"{', '.join(options)}: only for run('http')")
        self.host.run_stdio()

    async def serve_http(self, **options: Unpack[HttpOptions]) -> None:
        """Serve over HTTP inside a running asyncio loop until this is cancelled; the options are those of `run`.

        What goes on then has a second to finish. Signals are left to the program. Raises RuntimeError on trio, where an
        ASGI server that knows it is given `asgi()`.
        """
        from .web import serve_http

        await serve_http(self.asgi, options)

    async def serve(self, transport: Transport | None = None) -> None:
        """Serve one client inside a running event loop: over `transport`, or over stdin and stdout without one.

        Returns when the client is gone. Signals are left to the program.
        """
        if transport is None:
            await self.host.serve_stdio(signals=False)
        else:
            await self.host.serve_transport(transport)

    def asgi(
        self,
        *,
        path: str = "/mcp",
        allowed_hosts: Sequence[str] | None = None,
        allowed_origins: Sequence[str] = (),
        answers: Literal["json", "stream"] = "json",
        sse: bool = True,
        sessions: Sessions | None = None,
        events: Events | None = None,
        session_seconds: float = 3600.0,
        routes: HttpRoutes = _NO_ROUTES,
    ) -> Application:
        """Return an ASGI application that serves this server over HTTP, in every revision at once.

            app = server.asgi(allowed_hosts=["example.com"])

        It answers at `path`, and at its own root where it is mounted below another application, needs no wiring of
        lifespans, and begins with its first request. `allowed_hosts` are the names under which it may be asked for,
        such as `example.com`, `example.com:8000` or `localhost:*`; those of this machine by default. Web pages of these
        hosts may use it, and those of `allowed_origins`, which browsers are told (CORS). Clients of 2024-11-05 are
        served at `/sse` and `/messages` beside it, unless `sse` is False. `routes` are further paths behind the same
        guard, such as `{"/health": lambda: "ok"}`: each has an ASGI application, or a quick function that returns text
        or what is to be JSON.

        Clients of the older revisions have sessions, which are over when they are not used for `session_seconds`. With
        `answers="stream"` each of their requests is answered by a stream of events; by default it is JSON unless
        something is told before. Several workers that serve the same sessions share `sessions` and `events`
        (`mcport.stores`), and `Server(notices=)`; without them everything is kept in this process.

        Raises ValueError for settings that are none. See basic/transports of the specification.
        """
        from .web import Shape, application, gate, shared

        sharing = shared(self.limits, self._telling.notices, sessions, events, session_seconds)
        shape = Shape(path, answers, sse, routes)
        return application(self._web(), gate(allowed_hosts, allowed_origins), sharing, shape)

    def _web(self) -> Web:
        """Return what HTTP endpoints ask of this server."""
        from .offering.scoped import Scoped
        from .protection import Protection
        from .web import Web

        protection = Protection(self._auth, Scoped(self._tools, self._prompts, self._resources))
        named = self._extensions.names_of_methods
        return Web(self.name, self._offer, self._kernel, self.host, self._tools.listing, named, protection)

    # ---- what the kernel asks

    def _declare(self, offers: Iterable[str]) -> None:
        """Offer kinds of things of which there may be none yet; raises ValueError for a kind that does not exist."""
        tools, resources, prompts = self._tools.listing, self._resources.listing, self._prompts.listing
        kinds: dict[str, Listing[Any] | Completions] = {"tools": tools, "resources": resources, "prompts": prompts}
        kinds["completions"] = self._completions
        for kind in [offers] if isinstance(offers, str) else offers:
            if kind not in kinds:
                raise ValueError(f"offers: there is no kind {kind!r}; known: {', '.join(kinds)}")
            kinds[kind].served = True

    def _offered(self, revision: Revision) -> dict[str, Route]:
        """Return the routes of everything that is offered at this moment; extensions choose their revisions."""
        own: dict[str, Route] = {"initialize": _again, "ping": _ping, "server/discover": self._discover}
        own |= (
            self._extensions.routes(revision) | self._listening.routes() | self._tools.routes() | self._prompts.routes()
        )
        if resources := self._resources.routes():
            own |= resources | self._subscribing.routes()
        own |= self._completions.routes()
        return own if self._offer.log_level is None else own | logs.ROUTES

    def _around(self, method: str, route: Route) -> Route:
        return self._extensions.around(method, self._middleware.around(method, route))

    def _capabilities(self, revision: Revision) -> JsonObject:
        """Return the capabilities that are declared in a revision.

        Lists may change and resources may be followed in every revision, if only by what is added later.
        """
        found: JsonObject = {} if self._offer.log_level is None else {"logging": {}}
        if self._tools.routes():
            found["tools"] = {"listChanged": True}
        if self._resources.routes():
            found["resources"] = {"listChanged": True, "subscribe": True}
        if self._prompts.routes():
            found["prompts"] = {"listChanged": True}
        if revision.completions_capability and self._completions.routes():
            found["completions"] = {}
        return found | self._extensions.capabilities(revision)

    def _info(self, revision: Revision) -> JsonObject:
        """Return the Implementation of this server, with the members that a revision has.

        The models are asked only about icons: building them would double the time to the first answer.
        """
        about = _present(self._about)
        info = {"name": self.name, "version": self.version, **about}
        if "icons" in about:
            from mcport.spec.types import Implementation

            return Implementation(**info).to_wire(revision.name)
        lacking: tuple[str, ...] = () if revision.has_icons else ("description", "websiteUrl")
        lacking += () if revision.has_titles else ("title",)
        return {name: value for name, value in info.items() if name not in lacking}

    async def _discover(self, exchange: Exchange, admitted: Admitted) -> JsonObject:
        """Serve `server/discover`: what a client may know before it asks for anything."""
        found: JsonObject = {
            "supportedVersions": list(self._offer.revisions),
            "capabilities": self._capabilities(admitted.revision),
            **self._hints["discover"].members(),
        }
        if self.instructions is not None:
            found["instructions"] = self.instructions
        return found


async def _again(exchange: Exchange, admitted: Admitted) -> JsonObject:
    """Serve an `initialize` that comes when the conversation is open already (basic/lifecycle)."""
    raise InvalidRequest("initialize came twice on one connection")


async def _ping(exchange: Exchange, admitted: Admitted) -> JsonObject:
    return {}


def _level(level: str | None) -> str | None:
    """Return a log level; raises ValueError for one that there is not."""
    if level is not None and level not in LOG_LEVELS:
        raise ValueError(f"log_level {level!r} is not one of {', '.join(LOG_LEVELS)}")
    return level


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


_USUAL: Final[Mapping[str, object]] = Server.__init__.__kwdefaults__ or {}
"""What holds where an author says nothing; it needs no check."""


def _check(given: Mapping[str, object]) -> None:
    """Raise TypeError or ValueError, in one line, for an argument of a server that cannot be."""
    for name in ("name", "version"):
        if not isinstance(given[name], str):
            raise TypeError(f"the {name} of a server is a string, not {type(given[name]).__name__}")
    if said := {option: given[option] for option, usual in _USUAL.items() if given[option] is not usual}:
        from mcport.core.rules import check

        from .rules import RULES

        check(said, RULES)


def _served(revisions: Iterable[str] | None) -> dict[str, Revision]:
    """Return the revisions to serve, newest first; raises ValueError for one that does not exist."""
    if revisions is None:
        return dict(REVISIONS)
    wanted = [revisions] if isinstance(revisions, str) else list(revisions)
    for name in wanted:
        if name not in [*REVISIONS]:
            raise ValueError(f"revisions: unknown protocol revision {name!r}; known: {', '.join(REVISIONS)}")
    if not wanted:
        raise ValueError("revisions is empty: serve at least one protocol revision")
    return {name: revision for name, revision in REVISIONS.items() if name in wanted}
