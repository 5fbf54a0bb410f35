"""All that a handler may await on its `Context`: what it asks, what it tells, what it reads.

Below: `asking`, `telling`, `reading`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mcport.server.asking.asks import Asks
from mcport.server.telling.logs import say
from mcport.session.exchange import HangsUp

if TYPE_CHECKING:
    from mcport.spec.types import BlobResourceContents, TextResourceContents


class Speaks(Asks):
    """The coroutines of the `Context`."""

    __slots__ = ()

    async def read_resource(self, uri: str) -> list[TextResourceContents | BlobResourceContents]:
        """Read a resource of this server, as the client would; middleware sees it too.

        Raises `ResourceNotFound`, and what else `resources/read` answers with. A resource that asks by returning
        `InputRequired` cannot be read so.
        """
        from .reading import read_resource

        self._check()
        return await read_resource(self._exchange, self._admitted, uri)

    async def report_progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Tell the client how far the request has come.

        Values must increase; one that does not is left out. Nothing is sent where the client did not ask for progress.
        `total` is in the same unit as `progress`. Waits while the client reads too slowly. A `def` handler calls
        `ctx.blocking.report_progress(1, 3)`. Raises ValueError for a number that is not finite.
        See basic/utilities/progress of the specification.
        """
        self._check()
        if not math.isfinite(progress) or not (total is None or math.isfinite(total)):
            raise ValueError("progress and total are finite numbers")
        if not self._admitted.revision.has_progress_message:
            message = None
        if self._exchange.progress(progress, total, message):
            await self._exchange.outlet.drained()

    async def close_stream(self, retry: float | None = None) -> None:
        """Let the client hang up while the handler goes on; it comes back for the rest after `retry` seconds.

        For work that takes long: no connection is held open meanwhile, and none breaks. What is said in between is kept
        for the client's return. Only 2025-11-25 over HTTP knows it; elsewhere nothing happens. Raises ValueError for
        what is no time. See basic/transports of that revision, "Sending Messages to the Server".
        """
        self._check()
        if retry is not None and not 0 <= retry < math.inf:
            raise ValueError(f"retry is a number of seconds from 0 on, not {retry!r}")
        outlet = self._exchange.outermost.outlet
        if isinstance(outlet, HangsUp):
            outlet.hang_up(retry)

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
