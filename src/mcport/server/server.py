"""The Server: what people write. It collects handlers and hands them to the rooms that serve them.

Below: every other room of the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from mcport.core.dialects.contract import Admitted, Offer
from mcport.core.jsonrpc import JsonObject
from mcport.core.limits import SERVER_LIMITS, Limits
from mcport.core.meta_keys import check_meta
from mcport.core.uri_template import UriTemplate
from mcport.errors import InvalidRequest
from mcport.session.channel import Transport
from mcport.session.exchange import Exchange
from mcport.spec.revisions import REVISIONS, Revision

from .context import Context
from .dressing import Dresser
from .faults import Faults
from .hosting import Host, Lifespan
from .kernel import Kernel
from .prompts import PromptEntry, Prompts
from .resources import ResourceEntry, Resources
from .routes import Route, Routes
from .signature import Signature
from .tools import ToolEntry, Tools

if TYPE_CHECKING:
    from mcport.spec.types import Annotations, Icon, ToolAnnotations

Function = TypeVar("Function", bound=Callable[..., Any])


class Decorator(Protocol):
    """Takes a function and returns it unchanged."""

    def __call__(self, function: Function, /) -> Function: ...


class Server:
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
    of lists. With `dev`, texts of unexpected exceptions reach the client.
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
        dev: bool = False,
    ) -> None:
        texts: tuple[object, ...] = (name, version)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("the name and the version of a server are strings")
        self.name = name
        self.version = version
        self.instructions = instructions
        self._about = {"title": title, "description": description, "websiteUrl": website_url, "icons": icons}
        self._routes = Routes(self._offered)
        self._offer = offer = Offer(_served(revisions), self._info, self._capabilities, instructions)
        faults, dresser, changed = Faults(dev), Dresser(offer), self._routes.changed
        self._tools = Tools(name, dresser, faults, page_size, changed)
        self._resources = Resources(dresser, faults, page_size, changed, limits.uri_bytes)
        self._prompts = Prompts(name, dresser, faults, page_size, changed)
        self.host = Host(self, Kernel(offer, self._routes, dresser, faults), lifespan, limits)
        """Serves connections; for transports and for clients in the same process."""

    def __repr__(self) -> str:
        return f"Server({self.name!r})"

    @property
    def limits(self) -> Limits:
        """The bounds that this server keeps."""
        return self.host.limits

    # ---- what authors register

    @overload
    def tool(self, function: Function, /) -> Function: ...
    @overload
    def tool(
        self,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        annotations: ToolAnnotations | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Decorator: ...
    def tool(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        annotations: ToolAnnotations | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Any:
        """Register a function as a tool; use it as a decorator, with or without arguments.

        The function's type hints and docstring become its schema, `name` defaults to the function's. It is returned
        unchanged. Raises TypeError for a function that cannot be a tool, ValueError for a name that is taken or
        `meta` that is not for applications; a name that clients may not take well is logged as a warning.
        See server/tools of the specification.
        """

        shown: dict[str, Any] = {"title": title, "description": description}
        shown |= {"annotations": annotations, "icons": icons, "meta": meta}

        self._check_meta(meta)

        def register(function: Function) -> Function:
            signature = Signature.of(function, context_type=Context, name=name)
            own = signature.name if name is None else name
            self._tools.add(ToolEntry(function=function, signature=signature, name=own, **shown))
            return function

        return register if function is None else register(function)

    def resource(
        self,
        uri: str,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        mime_type: str | None = None,
        size: int | None = None,
        annotations: Annotations | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Decorator:
        """Register a function that reads a resource; `uri` may be a URI template whose variables it takes.

        The function returns text, bytes, or a value that becomes JSON. `size` is in bytes. It is returned unchanged.
        Raises TypeError where variables and parameters differ, ValueError for a URI that is taken or `meta` that is not
        for applications.
        See server/resources of the specification.
        """
        shown: dict[str, Any] = {"name": name, "title": title, "description": description, "mime_type": mime_type}
        shown |= {"size": size, "annotations": annotations, "icons": icons, "meta": meta}

        self._check_meta(meta)

        def register(function: Function) -> Function:
            signature = Signature.of(function, context_type=Context)
            template = UriTemplate.parse(uri) if "{" in uri else None
            _check_variables(uri, template, signature)
            entry = ResourceEntry(function=function, signature=signature, key=uri, template=template, **shown)
            (self._resources.listing if template is None else self._resources.templates).add(entry)
            return function

        return register

    @overload
    def prompt(self, function: Function, /) -> Function: ...
    @overload
    def prompt(
        self,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Decorator: ...
    def prompt(
        self,
        function: Any = None,
        /,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        icons: list[Icon] | None = None,
        meta: JsonObject | None = None,
    ) -> Any:
        """Register a function that makes a prompt; use it as a decorator, with or without arguments.

        It takes strings and returns a string, a message, or a list of these. It is returned unchanged. Raises
        TypeError for a function that cannot be a prompt, ValueError for a name that is taken or `meta` that is not for
        applications.
        See server/prompts of the specification.
        """

        shown: dict[str, Any] = {"title": title, "description": description, "icons": icons, "meta": meta}

        self._check_meta(meta)

        def register(function: Function) -> Function:
            signature = Signature.of(function, context_type=Context, name=name)
            own = signature.name if name is None else name
            self._prompts.listing.add(PromptEntry(function=function, signature=signature, name=own, **shown))
            return function

        return register if function is None else register(function)

    # ---- how it is served

    def run(self) -> None:
        """Serve over stdin and stdout until the client closes stdin. Blocks.

        SIGTERM and one Ctrl-C end the server in the same way, lifespan clean-up included.
        """
        self.host.run_stdio()

    async def serve(self, transport: Transport | None = None) -> None:
        """Serve one client inside a running event loop: over `transport`, or over stdin and stdout without one.

        Returns when the client is gone. Signals are left to the program.
        """
        if transport is None:
            await self.host.serve_stdio(signals=False)
        else:
            await self.host.serve_transport(transport)

    # ---- what the kernel asks

    def _check_meta(self, meta: JsonObject | None) -> None:
        """Raise ValueError for metadata that one of the served revisions does not let applications use."""
        if meta is not None:
            check_meta(meta, self._offer.revisions.values())

    def _offered(self) -> dict[str, Route]:
        """Return the routes of everything that is offered at this moment."""
        own: dict[str, Route] = {"initialize": _again, "ping": _ping, "server/discover": self._discover}
        return own | self._tools.routes() | self._resources.routes() | self._prompts.routes()

    def _capabilities(self, revision: Revision) -> JsonObject:
        """Return the capabilities that are declared in a revision."""
        rooms = {
            "tools": self._tools.routes(),
            "resources": self._resources.routes(),
            "prompts": self._prompts.routes(),
        }
        return {name: {} for name, routes in rooms.items() if routes}

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
            "ttlMs": 0,
            "cacheScope": "private",
        }
        if self.instructions is not None:
            found["instructions"] = self.instructions
        return found


async def _again(exchange: Exchange, admitted: Admitted) -> JsonObject:
    """Serve an `initialize` that comes when the conversation is open already (basic/lifecycle)."""
    raise InvalidRequest("initialize came twice on one connection")


async def _ping(exchange: Exchange, admitted: Admitted) -> JsonObject:
    return {}


def _present(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _served(revisions: Iterable[str] | None) -> dict[str, Revision]:
    """Return the revisions to serve, newest first; raises ValueError for one that does not exist."""
    if revisions is None:
        return dict(REVISIONS)
    wanted = [revisions] if isinstance(revisions, str) else list(revisions)
    for name in wanted:
        if name not in REVISIONS:
            raise ValueError(f"unknown protocol revision {name!r}; known: {', '.join(REVISIONS)}")
    if not wanted:
        raise ValueError("revisions is empty: serve at least one protocol revision")
    return {name: revision for name, revision in REVISIONS.items() if name in wanted}


def _check_variables(uri: str, template: UriTemplate | None, signature: Signature) -> None:
    """Raise TypeError where a template's variables are not the function's parameters."""
    variables = set(template.variables) if template is not None else set()
    schema = signature.input_schema
    parameters, required = set(schema.get("properties", {})), set(schema.get("required", []))
    if missing := sorted(required - variables):
        raise TypeError(f"{signature.name}: parameter {missing[0]!r} is no variable of the resource {uri!r}")
    if unknown := sorted(variables - parameters):
        raise TypeError(f"{signature.name}: the resource {uri!r} has a variable {unknown[0]!r} that it does not take")
