"""What a request comes to: from whatever its handler returns or raises to the bytes of its answer.

Both eras' doors go this one way. How an answer travels is theirs. Below: `core.peer`, `session.exchange`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from mcport.core.http.admission import status_of
from mcport.core.jsonrpc import ErrorResponse, Id, Response, encode
from mcport.core.peer import Peer
from mcport.errors import INTERNAL_ERROR, ProtocolError
from mcport.session.exchange import Answer, Exchange, StaysOpen

log: Final = logging.getLogger("mcport.http")


class Outcome(NamedTuple):
    """The answer to a request, None where it was withdrawn, and the HTTP status of an answer that stands alone."""

    status: int
    body: bytes | None


async def outcome_of(
    exchange: Exchange, answer: Answer, peer: Peer, stay: Callable[[StaysOpen], Awaitable[object]]
) -> Outcome:
    """Answer a request and close its book. `stay` keeps one open that is not done, and returns its result."""
    asked = exchange.asked
    try:
        result = await answer(exchange)
        if type(result) is StaysOpen:
            result = await stay(result)
        return Outcome(200, _encoded(asked.id, peer.answer(asked, result)))
    except ProtocolError as error:
        refusal = peer.refuse(asked, error.code, error.message, error.data)
        return Outcome(status_of(error), _encoded(asked.id, refusal))
    except Exception:
        log.exception("answering %s failed", asked.method)
        return Outcome(200, _encoded(asked.id, peer.refuse(asked, INTERNAL_ERROR, "Internal error")))


def _encoded(id: Id, message: Response | ErrorResponse | None) -> bytes | None:
    """Return the bytes of an answer; one that cannot be JSON is an error of this side."""
    try:
        return None if message is None else encode(message)
    except ValueError as error:
        log.error("the answer to request %r is not JSON: %s", id, error)
        return encode(ErrorResponse(id, INTERNAL_ERROR, "Internal error: the answer is not valid JSON"))
