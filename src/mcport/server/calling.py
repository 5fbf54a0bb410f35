"""Running a handler: on the loop or in a worker thread, with its context, stoppable from outside.

Tools, resources and prompts all run here. Below: `session`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from mcport.core.dialects.contract import Admitted
from mcport.errors import ProtocolError
from mcport.session.exchange import Exchange
from mcport.session.workers import Workers

from .context import Context
from .signature import Signature


class Caller:
    """Runs the handlers of one server. `workers` and `lifespan` are there while it is being served."""

    def __init__(self) -> None:
        self.workers: Workers | None = None
        self.lifespan: Any = None

    async def call(
        self,
        function: Callable[..., Any],
        signature: Signature,
        arguments: dict[str, Any],
        exchange: Exchange,
        admitted: Admitted,
    ) -> Any:
        """Call a handler with bound arguments and return its value; what it raises comes out."""
        if signature.context_parameter is not None:
            arguments[signature.context_parameter] = Context(exchange, admitted, self.lifespan)
        if signature.is_async:
            if not signature.may_suspend:
                # Without an await in it nothing can reach it before it is done: it needs no scope to be stopped by.
                return await function(**arguments)
            with exchange.outlet.loop.scope() as scope:
                exchange.scope = scope
                if exchange.cancelled:
                    scope.cancel()
                return await function(**arguments)
            return None
        return await self._in_thread(partial(function, **arguments), exchange)

    async def _in_thread(self, call: Callable[[], Any], exchange: Exchange) -> Any:
        if self.workers is None:
            raise ProtocolError("the server is shutting down")
        with exchange.outlet.loop.scope() as scope:
            exchange.scope = scope
            if exchange.cancelled:
                scope.cancel()
            return await self.workers.run(call, scope)
        return None
