"""A bound on how often tools are called, as a middleware that comes with the library. Below: `middleware`, `rate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mcport.core.input_required import InputRequired
from mcport.errors import ToolError
from mcport.server.limiting.rate import Rate
from mcport.session.exchange import Exchange

from .middleware import Middleware, Next
from .requests import ToolCall

if TYPE_CHECKING:
    from mcport.spec.types import CallToolResult


def now(exchange: Exchange) -> float:
    """Return the time, in seconds, by the clock of the loop that serves a request."""
    return exchange.outlet.loop.time()


class RateLimit(Middleware):
    """Lets every principal make at most `per_second` tool calls a second, and that many at once.

        server = Server("demo", middleware=[RateLimit(10)])

    A call beyond that does not reach its tool: the model is told to try again later. Callers without a principal, as
    on stdio, share one bound. Raises ValueError for a bound below one. See server/tools of the specification,
    "Security Considerations".
    """

    def __init__(self, per_second: int) -> None:
        if per_second < 1:
            raise ValueError(f"RateLimit: per_second is at least 1, not {per_second}")
        self._per_second = per_second
        self._rate = Rate(per_second)

    async def on_call_tool(
        self, request: ToolCall, next: Next[ToolCall, CallToolResult | InputRequired]
    ) -> CallToolResult | InputRequired:
        """Let a call pass, or refuse it."""
        exchange = request.context._exchange
        if not self._rate.allows(exchange.principal, now(exchange)):
            raise ToolError(f"Too many tool calls: at most {self._per_second} a second. Try again in a second.")
        return await next(request)
