"""The way of the handshake era: a question is a request to the client, and its answer is waited for.

While a question is open the time-out of the handler stands still: a person is thinking. Below: `session.exchange`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import anyio

from mcport.core.asking.form_values import Unfit
from mcport.core.jsonrpc import ErrorResponse, JsonObject, Malformed
from mcport.errors import ConnectionLost, InvalidAnswer, InvalidRequest, RemoteError, Timeout
from mcport.session.exchange import Exchange
from mcport.session.waiting import Lost, Overdue, Settled

from .patience import Patience
from .posing import Posed

log: Final = logging.getLogger("mcport.server")

TRIES: Final = 3
"""So many times a question is sent whose answers do not fit."""

REMINDERS: Final = 10
"""So many times a user is sent to a URL until what is to be done there is done."""


async def send_all(posed: Sequence[Posed], exchange: Exchange, patience: Patience) -> dict[str, Any]:
    """Send questions side by side and return the answers, as they came and fit, by key.

    Raises `RemoteError`, `InvalidAnswer`, `ConnectionLost` or `Timeout`, naming the question; the first failure
    withdraws the others.
    """
    if not getattr(exchange.conversation, "initialized", True):
        raise InvalidRequest("the server may not ask before notifications/initialized")
    if len(posed) == 1:
        return {posed[0].key: await _send(posed[0], exchange, patience)}
    answers: dict[str, Any] = {}
    failed: list[Exception] = []

    async def one(each: Posed) -> None:
        try:
            answers[each.key] = await _send(each, exchange, patience)
        except Exception as error:
            failed.append(error)
            tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        for each in posed:
            tasks.start_soon(one, each)
    if failed:
        raise failed[0]
    return answers


async def _send(posed: Posed, exchange: Exchange, patience: Patience) -> JsonObject:
    """Send a question until there is an answer that fits and is enough."""
    misfits, reminders = 0, 0
    while True:
        answer = _result(posed.method, await _asked(posed, exchange, patience))
        try:
            if await posed.judge(answer):
                return answer
            reminders += 1
        except Unfit as fault:
            log.debug("the answer to %s does not fit: %s", posed.method, fault)
            misfits += 1
            if misfits == TRIES:
                raise InvalidAnswer(
                    f"the client answered {posed.method} {TRIES} times with what does not fit: {fault}",
                    phase=posed.method,
                ) from None
        if reminders == REMINDERS:
            raise InvalidAnswer(
                f"the user agreed {REMINDERS} times and did not finish: {posed.text}", phase=posed.method
            )


async def _asked(posed: Posed, exchange: Exchange, patience: Patience) -> Settled:
    """Send a question once, with the handler's own time standing still."""
    with exchange.standing_still():
        return await exchange.outlet.ask(
            posed.method, posed.wire or None, seconds=patience.silence, most=patience.most, on_progress=_progressed
        )


def _progressed(event: object) -> None:
    """The client is alive: that alone winds the silence up again."""


def _result(method: str, settled: Settled) -> JsonObject:
    """Return the result that settled a question; raises what else may have settled it."""
    if isinstance(settled, ErrorResponse):
        line = f"the client answered {method} with error {settled.code}: {settled.message}"
        raise RemoteError(line, code=settled.code, data=settled.data, phase=method)
    if isinstance(settled, Lost):
        raise ConnectionLost(f"the client was gone before it answered {method}: {settled.reason}", phase=method)
    if isinstance(settled, Overdue):
        raise Timeout(f"the client did not answer {method}: {settled.cause}", phase=method)
    if isinstance(settled, Malformed) or type(settled.result) is not dict:
        raise InvalidAnswer(f"the client answered {method} with what is no result", phase=method)
    return settled.result
