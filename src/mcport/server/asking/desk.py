"""The desk of one server where all asking comes together: it opens what a retry brings back, and seals what goes out.

What one request keeps between its rounds stands in the token that its client carries, and nowhere else, unless it is
too large for that. Below: `asker`, `core.asking`, `stores`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, Protocol

from mcport.core.asking.canonical import canonical, digest
from mcport.core.asking.capabilities import URL, declares
from mcport.core.asking.form_values import Unfit
from mcport.core.asking.rounds import ROUNDS, Rounds, TooManyRounds
from mcport.core.dialects.contract import INPUT_REQUIRED, Admitted
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject, dump, parse_json
from mcport.errors import (
    ConversationError,
    InternalError,
    InvalidParams,
    MissingCapability,
    UrlElicitationRequired,
)
from mcport.server.results.content import failed
from mcport.session.exchange import Answer, Exchange
from mcport.spec.methods import METHODS
from mcport.spec.model import Unsendable
from mcport.stores.notices import Notices
from mcport.stores.seal import Seal, SealBroken
from mcport.stores.values import MemoryStore, Store

from .asker import Asker
from .by_hand import Typed, posed_by_hand
from .elicitations import Elicitations
from .naming import OF_RETRIES, about
from .patience import Patience
from .posing import check_sound
from .questions import ElicitUrl

log: Final = logging.getLogger("mcport.server")

Serve = Callable[[Exchange, Admitted], Awaitable[object]]
"""Serves the request once more."""

BROKEN: Final = "requestState is not valid for this request"
"""All that anybody learns about a state that was changed, is too old, or belongs to somebody or something else."""

_CHAIN: Final = 12


class House(Protocol):
    """What the desk asks of the server that it stands in."""

    instead: Answer
    """Answers for a run that was stopped and does not end."""
    notices: Notices
    """Brings what other processes say of elicitations."""

    def may_ask(self, method: str) -> bool:
        """Whether what serves a method may ask the client back."""
        ...


class Desk:
    """Where all asking of one server comes together. `state_bytes` bounds what a client is given to carry."""

    def __init__(
        self, server: str, seal: Seal, patience: Patience, store: Store | None, state_bytes: int, house: House
    ) -> None:
        self.elicitations = Elicitations(house.notices)
        self._typed = Typed()
        self._server = server
        self._seal = seal
        self._patience = patience
        self._store = store
        self._used: Store = store or MemoryStore()
        self._state_bytes = state_bytes
        self._house = house

    # ---- for handlers

    def asker(self, exchange: Exchange, admitted: Admitted) -> Asker:
        """Return who asks for a request. Raises `InternalError` for one that may not ask."""
        if exchange.asker is None:
            exchange = exchange.outermost  # a resource that a handler reads asks for that handler's request
            if not self._house.may_ask(exchange.asked.method):
                raise InternalError(f"{exchange.asked.method} cannot ask the client anything")
            exchange.asker = self._new(exchange, admitted)
        found: Asker = exchange.asker  # type: ignore[assignment]
        return found

    def _new(
        self, exchange: Exchange, admitted: Admitted, page: JsonObject | None = None, answers: Any = None
    ) -> Asker:
        rounds = Rounds(os.urandom(_CHAIN).hex(), page, answers)
        note = partial(self.elicitations.note, exchange)
        asker = Asker(exchange, admitted, rounds, self._patience, note, self._house.instead)
        asker.given = self._typed.answers(rounds)
        return asker

    async def use_up(self, name: str) -> None:
        """Use a name up for all time; raises `InvalidParams` where an old state tries to use it again."""
        if self._store is None and self._seal.is_shared:
            raise RuntimeError(
                "once(one_time=True) with a seal_key needs Server(ask_store=...), which all workers share"
            )
        if not await self._used.use(name, self._patience.most):
            raise InvalidParams(BROKEN)

    # ---- what comes in

    async def resume(self, exchange: Exchange, admitted: Admitted) -> None:
        """Open what a retry brings back. Raises `InvalidParams`; answers without a state count for nothing."""
        params = exchange.asked.params
        answers = params.get("inputResponses", {})
        if type(answers) is not dict or not all(type(each) is dict for each in answers.values()):
            raise InvalidParams("inputResponses must be an object of objects")
        if "requestState" not in params:
            return
        page = await self._opened(params["requestState"], self._binding(exchange))
        exchange.asked.progress = page.get("progress")
        exchange.asker = self._new(exchange, admitted, page, dict(filter(_can_be_kept, answers.items())))

    async def _opened(self, token: object, binding: bytes) -> JsonObject:
        if type(token) is not str or len(token) > self._state_bytes:
            raise InvalidParams(BROKEN)
        try:
            page: JsonObject = parse_json(self._seal.open(token, binding))
            if "stored" in page:
                stored = None if self._store is None else await self._store.get(page["stored"])
                page = parse_json(self._seal.open((stored or b"").decode(), binding))
            return page
        except SealBroken:
            raise InvalidParams(BROKEN) from None

    def _binding(self, exchange: Exchange) -> bytes:
        """What a state belongs to: on whose behalf who asked for what, in the words of the wire."""
        method, params = exchange.asked.method, exchange.sent
        try:
            arguments = digest(_given(method, params))
        except ValueError:
            raise InvalidParams("arguments: a number is infinite") from None
        return canonical([exchange.principal, self._server, method, about(method, params), arguments])

    # ---- what goes out

    async def settle(self, value: InputRequired, serve: Serve, exchange: Exchange, admitted: Admitted) -> object:
        """Return the result for a request that needs input: the questions, or what comes of it with the answers."""
        if not exchange.asked.open:
            return {}  # withdrawn, or answered in place of a run that did not end
        try:
            if admitted.revision.asks_by_returning:
                return await self._asked(value, exchange, admitted)
            return await self._served(value, serve, exchange, admitted)
        except MissingCapability as error:
            if admitted.revision.asks_by_returning or exchange.asked.method != "tools/call":
                raise
            return failed(str(error))
        except Unsendable as error:
            return _failed(str(error), exchange)

    async def asked(self, exchange: Exchange, admitted: Admitted) -> JsonObject:
        """Return the questions of a run that was stopped, whatever it still does."""
        required = self.asker(exchange, admitted).required
        assert required is not None
        return await self._asked(required, exchange, admitted)

    async def _asked(self, value: InputRequired, exchange: Exchange, admitted: Admitted) -> JsonObject:
        """Return the InputRequiredResult (2026-07-28 basic/patterns/mrtr)."""
        asker = self.asker(exchange, admitted)
        if value is asker.required:
            requests: JsonObject = dict(value.questions)
            page = _page(asker, exchange)
        else:
            posed = posed_by_hand(value, asker, exchange.asked)
            requests = {each.key: each.request for each in posed}
            page = _page(asker, exchange, self._typed.keep(asker.rounds.chain, posed), value.state)
        state = await self._sealed(dump(page), self._binding(exchange))
        result: JsonObject = {"resultType": INPUT_REQUIRED, "requestState": state}
        if requests:
            result["inputRequests"] = requests
        return result

    async def _sealed(self, data: bytes, binding: bytes) -> str:
        """Return a token of data that is short enough to be carried; what is not is kept in the store."""
        seconds = self._patience.most
        token = self._seal.seal(data, binding, seconds)
        if len(token) <= self._state_bytes:
            return token
        if self._store is None:
            raise InternalError(
                f"what this call keeps between its rounds is {len(token)} bytes sealed, over the limit of "
                f"{self._state_bytes} (Limits.state_bytes): keep less, or give Server(ask_store=...)"
            )
        name = os.urandom(16).hex()
        await self._store.put(name, token.encode(), seconds)
        return self._seal.seal(dump({"stored": name}), binding, seconds)

    async def _served(self, value: InputRequired, serve: Serve, exchange: Exchange, admitted: Admitted) -> object:
        """Send the questions that a handler returned, and serve the request again with the answers."""
        while True:
            asker = self.asker(exchange, admitted)
            posed = posed_by_hand(value, asker, exchange.asked)
            kept = self._typed.keep(asker.rounds.chain, posed)
            page = parse_json(dump(_page(asker, exchange, kept, value.state)))
            try:
                answers = await asker.ask_by_hand(posed)
            except ConversationError as error:
                return _failed(str(error), exchange)
            exchange.asker = self._new(exchange, admitted, page, answers)
            result = await serve(exchange, admitted)
            if type(result) is not InputRequired:
                return result
            value = result

    def instead(self, stop: BaseException, exchange: Exchange, admitted: Admitted) -> InputRequired:
        """Return what stands for a run that ended with a stop, or that cannot go on without the user's visit to a URL.

        In the revision that has an error for the latter it is raised.
        """
        asker = self.asker(exchange, admitted)
        if not isinstance(stop, UrlElicitationRequired):
            return asker.outcome(stop)
        questions = {f"url.{n}": ElicitUrl(**each) for n, each in enumerate(stop.elicitations, 1)}
        can = declares(admitted.client_capabilities, URL, admitted.revision)
        if not can or not admitted.revision.identifies_url_elicitations:
            return InputRequired(questions)  # to be asked, or refused where that is not possible
        posed = asker.posed_by_hand(questions)
        stop.data = {"elicitations": [each.wire for each in posed]}
        for each in posed:
            self.elicitations.note(exchange, each.wire["elicitationId"])
        raise stop


def _failed(line: str, exchange: Exchange) -> JsonObject:
    """Return the result of a tool that could not ask; other methods fail with an error."""
    if exchange.asked.method == "tools/call":
        return failed(line)
    raise InternalError(line)


def _given(method: str, params: JsonObject) -> object:
    """Return what a request was given beside its name; of a method that the protocol does not have, all parameters."""
    if method in METHODS:
        return params.get("arguments") or {}
    return {name: value for name, value in params.items() if name not in OF_RETRIES}


def _can_be_kept(answer: tuple[str, object]) -> bool:
    """Whether a named answer can go into the next round's book; one that cannot is asked for again."""
    try:
        check_sound(answer[1])
    except Unfit as fault:
        log.debug("the answer %r is left out: %s", answer[0], fault)
        return False
    return True


def _page(asker: Asker, exchange: Exchange, hand: JsonObject | None = None, state: str | None = None) -> JsonObject:
    """Return what the next round is to know. Raises `InternalError` where there may be no further one."""
    try:
        return asker.rounds.close(exchange.asked.progress, hand, state)
    except TooManyRounds:
        method = exchange.asked.method
        raise InternalError(f"{method} asked in {ROUNDS} rounds and is still not done: it is stopped") from None
