"""A route that leads through the hooks of middleware, from the outermost one to the handler and back.

Loaded with the first middleware. Below: `requests`, `unread`, `calling`, `routes`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import anyio.lowlevel

from mcport.core.dialects.contract import Admitted
from mcport.errors import InternalError, ProtocolError, ToolError
from mcport.server.asking.outcomes import back_to, mark_of, stopped
from mcport.server.handling.calling import context_of, is_wanted, let_out
from mcport.server.results.content import failed
from mcport.server.results.faults import Faults
from mcport.server.routes import Route
from mcport.session.exchange import Exchange

from .requests import VIEWS, Request
from .unread import as_it_came, unread


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
                return as_it_came(await self._first(request), admitted.revision)
            return {}  # withdrawn: nobody will read it
        except Exception as error:
            return self._told(error)
        except BaseException as error:
            if is_wanted(error, exchange):
                raise
            if not isinstance(error, KeyboardInterrupt) and (asker := stopped(exchange)) is not None:
                return asker.outcome(error)
            return self._told(let_out(error, on_loop=True))
        finally:
            exchange.stop = stop

    async def _last(self, request: Request) -> Any:
        """The end of the chain: the route itself."""
        context = request.context
        exchange = context._exchange
        stop, came, mark = exchange.stop, exchange.asked.params, mark_of(exchange)
        exchange.came, exchange.asked.params = came, request.params
        try:
            result = await self._route(exchange, context._admitted)
        finally:
            exchange.stop, exchange.asked.params = stop, came
            back_to(exchange, mark)
        if exchange.cancelled and stop is not None:
            stop()
            await anyio.lowlevel.checkpoint()
        return unread(self._method, result, context._admitted.revision)

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
