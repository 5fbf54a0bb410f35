"""Middleware: code of the author that stands around requests, with types.

A chain is put together once, when the table of routes is made, from those hooks that a middleware really has; a method
that nobody hooks keeps its route as it is. Below: `requests`, `undressing`, `routes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import anyio.lowlevel

from mcport.core.dialects.contract import Admitted
from mcport.core.input_required import InputRequired
from mcport.errors import InternalError, ProtocolError, ToolError
from mcport.session.exchange import Exchange

from .asking.outcomes import back_to, mark_of
from .calling import context_of
from .content import failed
from .faults import Faults
from .requests import VIEWS, ClientNotification, Completing, ListRequest, PromptGet, Request, ResourceRead, ToolCall
from .routes import Route
from .undressing import undressed

if TYPE_CHECKING:
    from mcport.spec.types import (
        CallToolResult,
        CompleteResult,
        GetPromptResult,
        ListPromptsResult,
        ListResourcesResult,
        ListResourceTemplatesResult,
        ListToolsResult,
        ReadResourceResult,
    )

RequestT = TypeVar("RequestT")
ResultT = TypeVar("ResultT")

Next: TypeAlias = Callable[[RequestT], Awaitable[ResultT]]
"""Goes on with a request: to the next middleware, and from the last one to the handler."""


class Middleware:
    """What stands around the requests of a server: derive from it and write the hooks that you need.

        class Timing(Middleware):
            async def on_call_tool(self, request: ToolCall, next: Next) -> CallToolResult | InputRequired:
                started = time.perf_counter()
                try:
                    return await next(request)
                finally:
                    log.info("%s: %.1f ms", request.name, 1000 * (time.perf_counter() - started))

        server = Server("demo", middleware=[Timing()])

    A hook may change the request, answer without calling `next`, change the result, call `next` again, or raise:
    a `ProtocolError` goes out as it is, a `ToolError` is what the model reads, anything else is treated as an
    unexpected error of a handler. Results are those of `mcport.spec.types`; a question to the client is an
    `InputRequired`. The first middleware is the outermost; `on_request` stands outside of the other hooks of the same
    object and sees every method but `initialize` and `subscriptions/listen`. A hook costs a request that passes it; one
    that is not written costs nothing.
    """

    async def on_request(self, request: Request, next: Next[Request, Any]) -> Any:
        """Any request."""
        return await next(request)

    async def on_call_tool(
        self, request: ToolCall, next: Next[ToolCall, CallToolResult | InputRequired]
    ) -> CallToolResult | InputRequired:
        """`tools/call`. A tool that failed has answered with a result too: `is_error` says so."""
        return await next(request)

    async def on_read_resource(
        self, request: ResourceRead, next: Next[ResourceRead, ReadResourceResult | InputRequired]
    ) -> ReadResourceResult | InputRequired:
        """`resources/read`, and `ctx.read_resource`."""
        return await next(request)

    async def on_get_prompt(
        self, request: PromptGet, next: Next[PromptGet, GetPromptResult | InputRequired]
    ) -> GetPromptResult | InputRequired:
        """`prompts/get`."""
        return await next(request)

    async def on_list_tools(self, request: ListRequest, next: Next[ListRequest, ListToolsResult]) -> ListToolsResult:
        """`tools/list`. The tools of the result may be changed or left out."""
        return await next(request)

    async def on_list_resources(
        self, request: ListRequest, next: Next[ListRequest, ListResourcesResult]
    ) -> ListResourcesResult:
        """`resources/list`."""
        return await next(request)

    async def on_list_resource_templates(
        self, request: ListRequest, next: Next[ListRequest, ListResourceTemplatesResult]
    ) -> ListResourceTemplatesResult:
        """`resources/templates/list`."""
        return await next(request)

    async def on_list_prompts(
        self, request: ListRequest, next: Next[ListRequest, ListPromptsResult]
    ) -> ListPromptsResult:
        """`prompts/list`."""
        return await next(request)

    async def on_complete(self, request: Completing, next: Next[Completing, CompleteResult]) -> CompleteResult:
        """`completion/complete`."""
        return await next(request)

    async def on_notification(self, notice: ClientNotification, next: Next[ClientNotification, None]) -> None:
        """A notification of the client, cancellations and progress aside."""
        await next(notice)


HOOKS: Final[Mapping[str, str]] = {
    "tools/call": "on_call_tool",
    "resources/read": "on_read_resource",
    "prompts/get": "on_get_prompt",
    "tools/list": "on_list_tools",
    "resources/list": "on_list_resources",
    "resources/templates/list": "on_list_resource_templates",
    "prompts/list": "on_list_prompts",
    "completion/complete": "on_complete",
}
"""The hook that a method has for itself."""


UNSEEN: Final = frozenset({"initialize", "subscriptions/listen"})
"""Methods that open something, which goes on when they are served: they do not pass through middleware."""


class Middlewares:
    """All middleware of one server, the outermost first."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._all: list[Middleware] = []

    def add(self, middleware: Middleware) -> None:
        """Put one more inside of all others. Raises TypeError for what is no `Middleware`."""
        if not isinstance(middleware, Middleware):
            raise TypeError(f"a middleware is an object of a class derived from Middleware, not {middleware!r:.60}")
        self._all.append(middleware)

    def around(self, method: str, route: Route) -> Route:
        """Return a route with all hooks around it that concern its method; the route itself if there are none."""
        if method in UNSEEN:
            return route
        hooks = list(self._hooks(["on_request", HOOKS.get(method, "on_request")]))
        return Chain(method, route, hooks, self._faults) if hooks else route

    def hears(self) -> list[Callable[[ClientNotification, Next[ClientNotification, None]], Awaitable[None]]]:
        """Return the hooks for notifications."""
        return list(self._hooks(["on_notification"]))

    def _hooks(self, names: list[str]) -> Iterable[Callable[..., Awaitable[Any]]]:
        for middleware in self._all:
            for name in dict.fromkeys(names):
                if getattr(type(middleware), name) is not getattr(Middleware, name):
                    yield getattr(middleware, name)


class Chain:
    """A route that leads through hooks."""

    def __init__(
        self, method: str, route: Route, hooks: Iterable[Callable[..., Awaitable[Any]]], faults: Faults
    ) -> None:
        self._method = method
        self._route = route
        self._faults = faults
        self._view = VIEWS.get(method, Request)
        self._first = joined(hooks, self._last)

    async def __call__(self, exchange: Exchange, admitted: Admitted) -> object:
        """Serve a request, as any other route does; one that is withdrawn stops the hooks as well."""
        request = self._view(self._method, dict(exchange.asked.params), context_of(exchange, admitted))
        stop = exchange.stop
        try:
            with exchange.outlet.loop.scope() as scope:
                exchange.stop = scope.cancel
                if exchange.cancelled:
                    scope.cancel()
                return await self._first(request)
            return {}  # withdrawn: nobody will read it
        except Exception as error:
            return self._told(error)
        finally:
            exchange.stop = stop

    async def _last(self, request: Request) -> Any:
        """The end of the chain: the route itself."""
        context = request.context
        exchange = context._exchange
        stop, came, mark = exchange.stop, exchange.asked.params, mark_of(exchange)
        exchange.asked.params = request.params
        try:
            result = await self._route(exchange, context._admitted)
        finally:
            exchange.stop, exchange.asked.params = stop, came
            back_to(exchange, mark)
        if exchange.cancelled and stop is not None:
            stop()
            await anyio.lowlevel.checkpoint()
        return undressed(self._method, result)

    def _told(self, error: Exception) -> object:
        """Return how the client is told of an error that came out of the hooks, or raise that."""
        if isinstance(error, ProtocolError):
            raise error
        is_call = self._method == "tools/call"
        text = (
            str(error)
            if isinstance(error, ToolError)
            else self._faults.text(f"The middleware of {self._method}", error)
        )
        if is_call:
            return failed(text)
        raise InternalError(text) from None


def joined(
    hooks: Iterable[Callable[[Any, Any], Awaitable[Any]]], last: Callable[[Any], Awaitable[Any]]
) -> Callable[[Any], Awaitable[Any]]:
    """Return the call that goes through all hooks, the first one outermost, and ends in `last`."""
    through = last
    for hook in reversed(list(hooks)):
        through = _before(hook, through)
    return through


def _before(
    hook: Callable[[Any, Any], Awaitable[Any]], following: Callable[[Any], Awaitable[Any]]
) -> Callable[[Any], Awaitable[Any]]:
    def through(request: Any) -> Awaitable[Any]:
        return hook(request, following)

    return through
