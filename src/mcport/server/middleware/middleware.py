"""Middleware: code of the author that stands around requests, with types.

A chain is put together once, when the table of routes is made, from those hooks that a middleware really has; a method
that nobody hooks keeps its route as it is. Below: `chain`, `requests`, `routes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from mcport.server.results.faults import Faults
from mcport.server.routes import Route

if TYPE_CHECKING:
    from mcport.core.input_required import InputRequired
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

    from .requests import ClientNotification, Completing, ListRequest, PromptGet, Request, ResourceRead, ToolCall

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
    unexpected error of a handler. Results are those of `mcport.spec.types` (`isinstance` tells which), made when they
    are looked at: one that is only passed on is neither read nor written again. A question to the client is an
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
        if not hooks:
            return route
        from .chain import Chain

        return Chain(method, route, hooks, self._faults)

    def hears(self) -> list[Callable[[ClientNotification, Next[ClientNotification, None]], Awaitable[None]]]:
        """Return the hooks for notifications."""
        return list(self._hooks(["on_notification"]))

    def _hooks(self, names: list[str]) -> Iterable[Callable[..., Awaitable[Any]]]:
        for middleware in self._all:
            for name in dict.fromkeys(names):
                if getattr(type(middleware), name) is not getattr(Middleware, name):
                    yield getattr(middleware, name)
