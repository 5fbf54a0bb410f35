"""An extension of the protocol on a server: what it adds, behind one identifier that both sides declare.

It is data and functions until a server takes it. Below: `core.extensions`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar

from mcport.core.extensions import (
    check_identifier,
    check_methods,
    check_own_key,
    check_result_type,
    check_settings,
    doubt_of,
    settings_in,
)
from mcport.core.jsonrpc import JsonObject
from mcport.errors import MissingCapability
from mcport.server.handling.context import Context
from mcport.server.middleware.middleware import Middleware
from mcport.spec.methods import METHODS
from mcport.spec.revisions import Revision

from .extension_result import ExtensionResult

log: Final = logging.getLogger("mcport.server")

Function = TypeVar("Function", bound=Callable[..., Any])

Accept: TypeAlias = Callable[[list[str], Context[Any]], list[str]]
"""Returns those names of a listen filter that whoever asks may hear of. It must be quick, and no coroutine function."""

TOOLS_CALL: Final = "tools/call"


@dataclass(frozen=True, slots=True)
class ListenFilter:
    """A member of the filter of `subscriptions/listen`, and the notification that it asks for.

    `names` is the parameter of the notification that says what it is about, where the member is a list of such names.
    """

    member: str
    method: str
    names: str | None = None
    accept: Accept | None = None


class Extension:
    """Something that the protocol does not have, offered to clients that declare it too.

        tasks = Extension("com.example/tasks")
        tasks.result_type("task")

        @tasks.method("com.example/tasks.get", name="taskId")
        async def get(params: GetTask, ctx: Context) -> JsonObject: ...

        server = Server("demo", extensions=[tasks])

    `identifier` has the form of a `_meta` key with a prefix; `settings` are declared with it. A request that does not
    declare the extension itself gets error -32021 from its methods, and never a result of its types: what a client
    declared before counts for nothing. It exists in revisions that know extensions, and in the handshake era only with
    `handshake`, for extensions that are declared in `initialize` as well; where it does not exist its methods are
    unknown. `middleware` stands around requests as that of the server does, inside of it. Raises ValueError for what
    cannot be an identifier or settings. See basic/versioning of the specification, "Extension Negotiation".
    """

    def __init__(
        self,
        identifier: str,
        settings: JsonObject | None = None,
        *,
        handshake: bool = False,
        middleware: Iterable[Middleware] = (),
    ) -> None:
        self.identifier = check_identifier(identifier)
        self.settings = check_settings(identifier, settings)
        if (doubt := doubt_of(identifier)) is not None:
            log.warning("%s", doubt)
        self.middleware = tuple(middleware)
        self.methods: dict[str, Callable[..., Any]] = {}
        self.notifications: dict[str, Callable[..., Any]] = {}
        self.result_types: dict[str, frozenset[str]] = {}
        self.meta_keys: set[str] = set()
        self.listen_filters: dict[str, ListenFilter] = {}
        self.mcp_names: dict[str, str] = {}
        self.asking: set[str] = set()
        self._handshake = handshake
        self._taken = False

    def __repr__(self) -> str:
        return f"Extension({self.identifier!r})"

    # ---- what it adds

    def method(self, method: str, *, name: str | None = None, asks: bool = False) -> Callable[[Function], Function]:
        """Register what serves a method, as a decorator.

        The function takes `params`, of any type that JSON can be read as, a `Context`, dependencies, or none of these;
        it returns a JSON object, a model, an `ExtensionResult` or None. `name` is the parameter that HTTP requests
        repeat in `Mcp-Name`. One that `asks` may ask the client back as a tool does, also by returning `InputRequired`:
        its parameters then cannot be called `inputResponses` and `requestState`. Raises ValueError for a method of the
        protocol, or one that is there already.
        """
        self._check_open()
        check_new(method, self.methods)
        if name is not None:
            self.mcp_names[method] = name
        if asks:
            self.asking.add(method)

        def register(function: Function) -> Function:
            self.methods[method] = function
            return function

        return register

    def notification(self, method: str) -> Callable[[Function], Function]:
        """Register what hears a notification of clients, as a decorator; the function takes `params`, or nothing."""
        self._check_open()
        check_new(method, self.notifications)

        def register(function: Function) -> Function:
            self.notifications[method] = function
            return function

        return register

    def result_type(self, kind: str, methods: Collection[str] = (TOOLS_CALL,)) -> None:
        """Add a value of `resultType` that the results of these methods may have: those made by `result`."""
        self._check_open()
        checked = check_result_type(self.identifier, kind)
        self.result_types[checked] = check_methods(self.identifier, checked, methods)

    def meta_key(self, key: str) -> None:
        """Add a key that handlers may use in `_meta`, also under a prefix that is reserved for official extensions."""
        self._check_open()
        check_own_key(self.identifier, key)
        self.meta_keys.add(key)

    def listen_filter(
        self, member: str, method: str, *, names: str | None = None, accept: Accept | None = None
    ) -> None:
        """Add a member to the filter of `subscriptions/listen`, for clients that want to hear of a notification.

        The member is a flag; or with `names` a list of values that this parameter of the notification must have, of
        which `accept` returns those that whoever asks may hear of. `Server.notify(method, params)` sends it.
        """
        self._check_open()
        check_new(method, self.listen_filters)
        self.listen_filters[method] = ListenFilter(member, method, names, accept)

    # ---- for its handlers

    def result(self, kind: str, members: Mapping[str, Any]) -> ExtensionResult:
        """Return a result of a type of this extension. Raises ValueError for a type that it did not add."""
        if kind not in self.result_types:
            raise ValueError(f"extension {self.identifier!r} has no result type {kind!r}")
        return ExtensionResult(kind, dict(members))

    def declared_by(self, ctx: Context[Any]) -> JsonObject | None:
        """Return the settings with which this request declares the extension, None if it does not."""
        return self.settings_of(ctx._admitted.revision, ctx.client_capabilities)

    def demand(self, ctx: Context[Any]) -> JsonObject:
        """Return the settings with which this request declares the extension; raises `MissingCapability` if not."""
        settings = self.declared_by(ctx)
        if settings is None:
            raise self.missing()
        return settings

    # ---- for the server

    def is_in(self, revision: Revision) -> bool:
        """Whether it exists in a revision."""
        return revision.has_extensions or (self._handshake and revision.era == "handshake")

    def settings_of(self, revision: Revision, capabilities: JsonObject) -> JsonObject | None:
        """Return the settings with which a client's capabilities declare it, None if they do not."""
        return settings_in(capabilities, self.identifier) if self.is_in(revision) else None

    def missing(self) -> MissingCapability:
        """Return the error for a request that should have declared it."""
        return MissingCapability(
            f"this needs the extension {self.identifier}, which the request does not declare",
            required={"extensions": {self.identifier: {}}},
        )

    def take(self) -> None:
        """A server takes it as it is now: nothing can be added any more."""
        self._taken = True

    def _check_open(self) -> None:
        if self._taken:
            raise RuntimeError(f"extension {self.identifier!r}: a server has it already; add to it before")


def check_new(method: str, known: Mapping[str, object]) -> None:
    """Raise ValueError for a method of the protocol, or one that is known already."""
    if method in METHODS:
        raise ValueError(f"{method!r} is a method of the protocol itself")
    if method in known:
        raise ValueError(f"{method!r} is there already")
