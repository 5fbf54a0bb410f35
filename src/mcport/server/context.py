"""What a handler may know and say while it runs: the `Context` that it asks for by annotation.

Below: `session.exchange` and the dialects' values.
"""

from __future__ import annotations

import math
from typing import Any, Generic

from typing_extensions import TypeVar

from mcport.core.dialects.contract import Admitted
from mcport.core.jsonrpc import Id, JsonObject
from mcport.session.exchange import Exchange

from .asking.asks import Asks
from .telling.logs import say

LifespanT = TypeVar("LifespanT", default=Any)


class Context(Asks, Generic[LifespanT]):
    """The request that a handler is answering.

    Annotate a parameter with it, in a tool, resource or prompt; it never shows in a schema. The type argument is what
    the server's lifespan yields.
    """

    __slots__ = ("_admitted", "_exchange", "_lifespan")

    def __init__(self, exchange: Exchange, admitted: Admitted, lifespan: LifespanT) -> None:
        self._exchange = exchange
        self._admitted = admitted
        self._lifespan = lifespan

    @property
    def request_id(self) -> Id:
        """The JSON-RPC id of the request, as the client gave it."""
        return self._exchange.asked.id

    @property
    def revision(self) -> str:
        """The protocol revision of this request, such as the latest one."""
        return self._admitted.revision.name

    @property
    def client_info(self) -> JsonObject:
        """How the client named itself; empty where it did not. For logs, never for decisions."""
        return self._admitted.client_info

    @property
    def client_capabilities(self) -> JsonObject:
        """What the client declared that it can do, for this request."""
        return self._admitted.client_capabilities

    @property
    def lifespan(self) -> LifespanT:
        """What the server's lifespan yielded; None without one."""
        return self._lifespan

    @property
    def cancelled(self) -> bool:
        """Whether the client withdrew the request; for `def` handlers, which nothing can stop from outside."""
        return self._exchange.cancelled

    async def report_progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell the client how far the request has come.

        Values must increase; one that does not is left out. Nothing is sent where the client did not ask for progress.
        `total` is in the same unit as `progress`. Waits while the client reads too slowly. A `def` handler calls it by
        `anyio.from_thread.run(ctx.report_progress, 1, 3)`. Raises ValueError for a number that is not finite.
        See basic/utilities/progress of the specification.
        """
        self._check()
        if not math.isfinite(progress) or not (total is None or math.isfinite(total)):
            raise ValueError("progress and total are finite numbers")
        if not self._admitted.revision.has_progress_message:
            message = None
        if self._exchange.progress(progress, total, message):
            await self._exchange.outlet.drained()

    async def log(self, level: str, data: Any, logger: str | None = None) -> None:
        """Send the client a log message that belongs to this request.

        `level` is one of debug, info, notice, warning, error, critical, alert and emergency; `data` is any JSON value,
        free of secrets; `logger` names who speaks. The client says from which level on it wants to hear: with
        `logging/setLevel`, or in the request itself in the stateless era, where silence is the default. Nothing is sent
        once the request is answered, and nothing beyond `Limits.logs_per_second`. Waits while the client reads too
        slowly. Raises ValueError for an unknown level and for data that cannot be JSON.
        See server/utilities/logging of the specification, which deprecates it in the stateless era.
        """
        self._check()
        if self.replaying:
            return  # it was said in the round before
        if say(self._exchange, self._admitted, level, data, logger):
            await self._exchange.outlet.drained()

    async def debug(self, data: Any, logger: str | None = None) -> None:
        """Send a log message of level `debug`; see `log`."""
        await self.log("debug", data, logger)

    async def info(self, data: Any, logger: str | None = None) -> None:
        """Send a log message of level `info`; see `log`."""
        await self.log("info", data, logger)

    async def warning(self, data: Any, logger: str | None = None) -> None:
        """Send a log message of level `warning`; see `log`."""
        await self.log("warning", data, logger)

    async def error(self, data: Any, logger: str | None = None) -> None:
        """Send a log message of level `error`; see `log`."""
        await self.log("error", data, logger)
