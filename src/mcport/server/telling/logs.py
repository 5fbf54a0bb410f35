"""Log messages for the client: what may be said to it, how loud, and how often.

A session says once from which level on it wants them (`logging/setLevel`), a stateless request says it for itself
(server/utilities/logging). Below: the dialects' values.
"""

from __future__ import annotations

import logging
from typing import Final

from mcport.core.dialects.contract import LOG_LEVELS, Admitted
from mcport.core.jsonrpc import JsonObject, Raw, dump
from mcport.errors import InvalidParams
from mcport.server.living import Life, Visit
from mcport.server.results.unsendable import unsendable
from mcport.server.routes import Route
from mcport.session.exchange import Exchange

from .allowance import Allowance

log: Final = logging.getLogger("mcport.server")

MESSAGE: Final = "notifications/message"

RANK: Final = {level: rank for rank, level in enumerate(LOG_LEVELS)}


def say(exchange: Exchange, admitted: Admitted, level: str, data: object, logger: str | None = None) -> bool:
    """Send a log message that belongs to a request, if the client wants to hear it; return whether it was sent.

    Raises ValueError for a level that there is not, for data that cannot be JSON, for a logger that is no name.
    """
    rank = RANK.get(level) if type(level) is str else None
    if rank is None:
        raise ValueError(f"log level {level!r} is not one of {', '.join(LOG_LEVELS)}")
    if logger is not None and type(logger) is not str:
        raise ValueError(f"the logger of a log message is a name, not {logger!r:.60}")
    wanted = admitted.log_level
    if wanted is None or rank < RANK[wanted] or not exchange.asked.open:
        return False
    message = _message(level, data, logger)
    if not _may_go(exchange, admitted):
        return False
    exchange.notify(MESSAGE, message)
    return True


def _may_go(exchange: Exchange, admitted: Admitted) -> bool:
    """Whether the client may be sent one more message now."""
    visit = exchange.conversation
    if not isinstance(visit, Visit) or visit.life is None or visit.life.audience is None:
        return False  # the server is shutting down
    _mind(visit.life, admitted)
    if visit.logs is None:
        visit.logs = Allowance()
    return visit.logs.take(exchange.outlet.loop.time(), visit.life.audience.limits.logs_per_second)


def _message(level: str, data: object, logger: str | None) -> Raw:
    named = {} if logger is None else {"logger": logger}
    try:
        return Raw(dump({"level": level, **named, "data": data}))
    except (ValueError, RecursionError) as error:
        _, _, why = str(unsendable(data, error)).partition(", which cannot be sent: ")
        raise ValueError(f"the data of a log message cannot be sent: {why}") from None


def _mind(life: Life, admitted: Admitted) -> None:
    """Say once that this way of logging is on its way out of the protocol (2026-07-28 server/utilities/logging)."""
    if admitted.revision.logs_per_request and not life.has_warned_of_logs:
        life.has_warned_of_logs = True
        name = admitted.revision.name
        log.warning("log messages to clients are deprecated since protocol version %s; log to stderr instead", name)


async def set_level(exchange: Exchange, admitted: Admitted) -> JsonObject:
    """Serve `logging/setLevel`: from now on, and for what runs already."""
    level = exchange.asked.params.get("level")
    if type(level) is not str or level not in RANK:
        raise InvalidParams(f"logging/setLevel: level must be one of {', '.join(LOG_LEVELS)}, got {level!r:.60}")
    admitted.log_level = level
    return {}


ROUTES: Final[dict[str, Route]] = {"logging/setLevel": set_level}
