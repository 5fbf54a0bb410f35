"""All extensions of one server, and the methods that it has without any: routes, and what may leave by them.

Below: `extension`, `raw_methods`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from mcport.core.dialects.contract import Admitted
from mcport.core.jsonrpc import JsonObject
from mcport.server.dependencies import Dependencies
from mcport.server.handling.calling import context_of
from mcport.server.results.faults import Faults
from mcport.server.routes import Route
from mcport.session.exchange import Exchange
from mcport.spec.revisions import Revision

from .extension_result import ExtensionResult

if TYPE_CHECKING:
    from mcport.core.dialects.listening import Kind
    from mcport.server.middleware.requests import ClientNotification
    from mcport.server.telling.listening import Accepts

    from .extension import Extension, ListenFilter
    from .raw_methods import Hearer, RawMethod


class Extensions:
    """What a server has beyond the protocol."""

    def __init__(self, dependencies: Dependencies, faults: Faults) -> None:
        self._dependencies = dependencies
        self._faults = faults
        self.asking: set[str] = set()
        """The methods that may ask the client back."""
        self._all: dict[str, Extension] = {}
        self._methods: dict[str, tuple[Route, Extension | None]] = {}
        self._hearers: dict[str, tuple[Hearer, Extension]] = {}
        self._kinds: dict[str, Extension] = {}

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._all.values())

    # ---- what is added

    def add(self, extension: Extension) -> None:
        """Take an extension. Raises ValueError for one that is there already or that contradicts another one."""
        _check_extension(extension)
        if extension.identifier in self._all:
            raise ValueError(f"the extension {extension.identifier!r} is there already")
        for kind in extension.result_types:
            if kind in self._kinds:
                raise ValueError(f"result type {kind!r} belongs to {self._kinds[kind].identifier!r} already")
        from .raw_methods import Hearer

        asking = extension.asking
        read = {method: self._read(method, each, method in asking) for method, each in extension.methods.items()}
        hearers = {method: Hearer(method, function) for method, function in extension.notifications.items()}
        extension.take()
        self.asking |= asking
        self._all[extension.identifier] = extension
        self._methods |= {method: (Gate(route, extension), extension) for method, route in read.items()}
        self._hearers |= {method: (hearer, extension) for method, hearer in hearers.items()}
        self._kinds |= dict.fromkeys(extension.result_types, extension)

    def add_method(self, method: str, function: Callable[..., Any], asks: bool) -> None:
        """Add a method that belongs to no extension: it is there in every revision, for everybody."""
        self._methods[method] = (self._read(method, function, asks), None)
        if asks:
            self.asking.add(method)

    def _read(self, method: str, function: Callable[..., Any], asks: bool) -> RawMethod:
        if method in self._methods:
            raise ValueError(f"the method {method!r} is there already")
        from .raw_methods import RawMethod

        called, signature = self._dependencies.read(function, method)
        return RawMethod(method, called, signature, self._faults, asks)

    # ---- what the server asks

    def routes(self, revision: Revision) -> dict[str, Route]:
        """Return the routes that there are in a revision."""
        return {
            method: route
            for method, (route, extension) in self._methods.items()
            if extension is None or extension.is_in(revision)
        }

    def around(self, method: str, route: Route) -> Route:
        """Return a route out of which results of extensions may come; the route itself if none is to be expected."""
        kinds = {kind: each for kind, each in self._kinds.items() if method in each.result_types[kind]}
        return Exit(method, route, kinds) if kinds else route

    def hearer(self, method: str, revision: Revision | None) -> Callable[[ClientNotification], Awaitable[None]] | None:
        """Return who hears a notification; `revision` is that of the session, None outside of one."""
        found = self._hearers.get(method)
        if found is None or (revision is not None and not found[1].is_in(revision)):
            return None
        return found[0]

    def capabilities(self, revision: Revision) -> JsonObject:
        """Return the member of the capabilities that declares all this in a revision, or nothing."""
        if not self._all:
            return {}
        from mcport.core.extensions import declaration

        return declaration((each.identifier, each.settings) for each in self._all.values() if each.is_in(revision))

    def names_of_methods(self) -> dict[str, str]:
        """The parameter of each method that HTTP requests repeat in `Mcp-Name`."""
        return {method: name for each in self._all.values() for method, name in each.mcp_names.items()}


def _check_extension(extension: object) -> None:
    from .extension import Extension

    if not isinstance(extension, Extension):
        made = "Extension('com.example/name')"
        raise TypeError(f"extensions are objects such as {made}, not {type(extension).__name__}")


class Gate:
    """A method of an extension: for requests that declare it, and for no others."""

    def __init__(self, route: Route, extension: Extension) -> None:
        self._route = route
        self._extension = extension

    async def __call__(self, exchange: Exchange, admitted: Admitted) -> object:
        """Serve a request."""
        if self._extension.settings_of(admitted.revision, admitted.client_capabilities) is None:
            raise self._extension.missing()
        return await self._route(exchange, admitted)


class Exit:
    """A route whose result may be of a type that an extension added, for requests that declare that one."""

    def __init__(self, method: str, route: Route, kinds: dict[str, Extension]) -> None:
        self._method = method
        self._route = route
        self._kinds = kinds

    async def __call__(self, exchange: Exchange, admitted: Admitted) -> object:
        """Serve a request."""
        result = await self._route(exchange, admitted)
        if type(result) is not ExtensionResult:
            return result
        extension = self._kinds.get(result.kind)
        if extension is None:
            raise ValueError(f"results of {self._method} cannot be of type {result.kind!r}")
        if extension.settings_of(admitted.revision, admitted.client_capabilities) is None:
            raise extension.missing()
        return result.wire()


def add_filters(extension: Extension, kinds: dict[str, Kind], accepts: dict[str, Accepts]) -> None:
    """Add the listen filters of an extension: the notifications, and who may hear which of them."""
    from mcport.core.dialects.listening import Kind
    from mcport.core.extensions import MEMBER

    for each in extension.listen_filters.values():
        kinds[each.method] = Kind(each.member, each.method, (MEMBER, extension.identifier), each.names)
        accepts[each.method] = partial(_accepted, extension, each)


def _accepted(
    extension: Extension, filter: ListenFilter, names: list[str], exchange: Exchange, admitted: Admitted
) -> list[str]:
    """Return the names of a filter that the client may hear of."""
    if extension.settings_of(admitted.revision, admitted.client_capabilities) is None:
        raise extension.missing()
    return names if filter.accept is None else filter.accept(names, context_of(exchange, admitted))
