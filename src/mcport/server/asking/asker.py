"""Who asks, for one run of one handler: looks into the book first, and then sends the question or stops the run.

In the handshake era a question is sent and waited for; in the stateless one the run is stopped, and the answer to the
request carries the questions. Handlers see no difference. Below: `core.asking`, `sending`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import anyio.lowlevel

from mcport.core.asking.capabilities import demand
from mcport.core.asking.form_values import Unfit
from mcport.core.asking.rounds import NOTHING, Drift, Rounds
from mcport.core.dialects.contract import Admitted
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.errors import ConversationError, InternalError
from mcport.session.exchange import Answer, Exchange
from mcport.spec.model import Unsendable

from .cleaning_up import CleaningUp
from .naming import named
from .patience import Patience
from .posing import Check, Posed
from .questions import ELICIT, Asking
from .sending import send_all
from .stop import RunStopped
from .wired import question_of

log: Final = logging.getLogger("mcport.server")

MOST: Final = 100
"""So many questions one run may ask."""


_WARNED: Final[set[str]] = set()
"""The deprecated questions that were warned of already."""


class Asker:
    """Asks for one run. `rounds` is the book of the request; `note` hears of each URL elicitation that has an id;
    `instead` answers for a run that was stopped and does not end.

    `given` are the answers to what was asked by hand; `failure` is why the last question has no answer, `required` what
    a run that was stopped asks.
    """

    __slots__ = (
        "_admitted",
        "_asked",
        "_cleaning_up",
        "_drift",
        "_exchange",
        "_failed",
        "_instead",
        "_note",
        "_patience",
        "failure",
        "given",
        "required",
        "rounds",
    )

    def __init__(
        self,
        exchange: Exchange,
        admitted: Admitted,
        rounds: Rounds,
        patience: Patience,
        note: Callable[[str], None],
        instead: Answer,
    ) -> None:
        self.rounds = rounds
        self.required: InputRequired | None = None
        self.failure: Exception | None = None
        self._exchange = exchange
        self._admitted = admitted
        self._patience = patience
        self._note = note
        self._asked = 0
        self.given: dict[str, JsonObject] = {}
        self._instead = instead
        self._cleaning_up: CleaningUp | None = None
        self._drift: Drift | None = None
        self._failed: Callable[[], bool] | None = None

    # ---- what a handler calls

    def check(self) -> None:
        """Raise the stop again if this run is over."""
        if self.required is not None:
            self._exchange.outlet.loop.excuse()
            raise RunStopped

    async def check_in(self) -> None:
        """As `check`, and let others run first: a loop that swallows the stop must not keep the thread to itself."""
        if self.required is not None or self._asked > MOST:
            await anyio.lowlevel.checkpoint()
            self.check()

    async def ask(self, question: Asking, key: str | None = None, until: Check | None = None) -> Any:
        """Return the typed answer to a question."""
        await self.check_in()
        posed = self._pose(question, key, until)
        await self._answered([posed])
        return posed.typed

    async def ask_all(self, questions: Mapping[str, Asking]) -> dict[str, Any]:
        """Return the typed answers to several questions of one round, by key."""
        await self.check_in()
        posed = [self._pose(question_of(question, key), key, None) for key, question in questions.items()]
        await self._answered(posed)
        return {each.key: each.typed for each in posed}

    async def ask_by_hand(self, posed: list[Posed]) -> dict[str, Any]:
        """Send questions that a handler returned, and return the answers as on the wire."""
        return await self._send(posed) if posed else {}

    def posed_by_hand(self, questions: Mapping[str, object]) -> list[Posed]:
        """Return questions that a handler returned, ready to be sent."""
        found = []
        for key, question in questions.items():
            posed = self._worded(question_of(question, key), None)
            posed.key = key
            found.append(posed)
        return found

    # ---- from the question to the answer

    def _pose(self, question: Asking, key: str | None, until: Check | None) -> Posed:
        self.check()
        asked = self._exchange.asked
        if not asked.open and not self._exchange.cancelled:
            raise InternalError(f"{asked.method} was answered before this question came up: too late to ask")
        self._asked += 1
        if self._asked > MOST:
            raise InternalError(f"{self._exchange.asked.method} asked more than {MOST} questions and is stopped")
        posed = self._worded(question, until)
        posed.key = self.rounds.key(posed.print, key)
        return posed

    def _worded(self, question: Asking, until: Check | None) -> Posed:
        """Put a question into the words of the revision.

        Raises `MissingCapability` if it may not be asked, `Unsendable` if the revision has no words for it.
        """
        revision, capabilities = self._admitted.revision, self._admitted.client_capabilities
        demand(capabilities, question.needs(revision), revision, question.method)
        if revision.deprecates_model_and_roots and question.method != ELICIT:
            self._warn(question.method)
        try:
            return Posed(question, question.wire(revision, capabilities), until)
        except Unsendable as error:
            self.failure = Unsendable(f"{question.method} cannot be asked: {error}")
            log.warning("%s: %s", self._exchange.asked.method, self.failure)
            raise self.failure from None

    def _warn(self, method: str) -> None:
        """Say once that a question is deprecated (client/sampling, client/roots)."""
        if method not in _WARNED:
            _WARNED.add(method)
            name = self._admitted.revision.name
            log.warning("%s is deprecated in protocol version %s and will go", method, name)

    async def _answered(self, posed: list[Posed]) -> None:
        """See that every question has its typed answer, from the book or from the client."""
        missing = [each for each in posed if not await self._known(each)]
        if not missing:
            return
        self.check()
        if self._admitted.revision.asks_by_returning:
            self._stop(missing)
        answers = await self._send(missing)
        for each in missing:
            self.rounds.record(each.key, each.print, each.text, answers[each.key])

    async def _send(self, posed: list[Posed]) -> dict[str, Any]:
        for each in posed:
            if "elicitationId" in each.wire:
                self._note(each.wire["elicitationId"])
        try:
            return await send_all(posed, self._exchange, self._patience)
        except ConversationError as error:
            self.failure = error
            raise

    async def _known(self, posed: Posed) -> bool:
        """Whether the book has an answer that fits and is enough; one that is not is forgotten."""
        answer = self.rounds.answer(posed.key, posed.print)
        if answer is NOTHING:
            return False
        try:
            if await posed.judge(answer):
                return True
        except Unfit as fault:
            log.debug("%s is asked again, since the answer does not fit: %s", posed.method, fault)
        self.rounds.reject(posed.key)
        return False

    # ---- the stop

    def _stop(self, missing: list[Posed]) -> NoReturn:
        drifts = [self.rounds.ask(posed.key, posed.print, posed.text) for posed in missing]
        self._drift = next(filter(None, drifts), None)
        self._failed = self._exchange.outlet.loop.excuse()
        self.required = InputRequired({posed.key: posed.request for posed in missing})
        self._cleaning_up = CleaningUp(self._exchange, self._instead)
        raise RunStopped

    def outcome(self, error: BaseException | None) -> InputRequired:
        """Return what a stopped run comes to, whatever its handler returned or raised."""
        assert self.required is not None
        ending, self._cleaning_up = self._cleaning_up, None
        if ending is None:
            return self.required
        self._look_for_drift(error)
        if ending.end() and not _is_stop(error):
            log.warning(
                "%s went on after it had asked; what came of it is discarded, since it runs again with the answers. "
                "Let what is no Exception pass where questions are asked",
                named(self._exchange.asked),
            )
        return self.required

    def _look_for_drift(self, error: BaseException | None) -> None:
        """Tell of a question that came in place of another one, where that is certain.

        Only a run of one task takes its questions in one order: a stop that ended other tasks comes in a group, or is
        what one of them failed with.
        """
        assert self._failed is not None
        if type(error) is not RunStopped or self._failed():
            self.rounds.set_aside()
        elif self._drift is not None:
            log.warning(
                "%s asks %r while the answer to %r lies unused: a time or random value? give key=",
                named(self._exchange.asked),
                self._drift.asked,
                self._drift.unused,
            )


def _is_stop(error: BaseException | None) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return any(_is_stop(each) for each in error.exceptions)
    return isinstance(error, RunStopped)
