"""Rounds: a call that is answered with questions is sent again with the answers, until it is done.

(2026-07-28 basic/patterns/mrtr; and the pages to visit of error -32042 in 2025-11-25.) The server's state is repeated
as it came in the last answer and in no other call. It refuses to know how requests travel: a turn is a function. Below:
`answering`, `visits`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import anyio

from mcport.client.timing import ROUNDS, Patience
from mcport.core.dialects.speaking import Complete
from mcport.core.dialects.speaking import InputRequired as Asks
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.errors import (
    ConversationError,
    InvalidAnswer,
    InvalidParams,
    MethodNotFound,
    ProtocolError,
    QuestionFailed,
    Timeout,
    TooManyRounds,
    VisitRequired,
)
from mcport.session.link import subject_of

from .answering import ELICIT, Answering, ByHandOnly, CallbackFailed, Visited
from .visits import Visits

_OF_A_ROUND: Final = ("inputResponses", "requestState")

FIRST_PAUSE: Final = 0.05
LONGEST_PAUSE: Final = 1.0


class AfterInput(dict[str, Any]):
    """A result that took answers: it holds for its call alone and is kept nowhere (server/utilities/caching)."""


Found: TypeAlias = Complete | Asks | VisitRequired
"""What came of one turn."""

Turn: TypeAlias = Callable[[JsonObject], Awaitable[Found]]
"""Sends the call with these parameters, under an id of its own."""


@dataclass(slots=True)
class Rounds:
    """The rounds of one call. `params` are its own parameters, without answers and state of any round."""

    server: str
    method: str
    params: JsonObject
    turn: Turn
    answering: Answering
    visits: Visits
    patience: Patience
    most: int = ROUNDS
    empty: int = 0
    """How many results in a row asked nothing and only had a state."""

    async def finish(self, found: Found, seconds: float | None) -> JsonObject:
        """Go on from what came of the first turn until the call is done, within so many seconds; return its result.

        Raises `TooManyRounds`, `QuestionFailed`, `InvalidAnswer` for questions that are none, `Timeout`, and what a
        turn raises.
        """
        with anyio.move_on_after(seconds):
            for _ in range(self.most):
                found = await self.turn(await self._again(found))
                if type(found) is Complete:
                    return AfterInput(found.result)
            raise self._error(TooManyRounds, f"the server asked for input more than {self.most} times")
        raise self._error(Timeout, f"not done within {self.patience.total:g} s")

    async def resume(self, pending: InputRequired, given: Mapping[str, object]) -> JsonObject:
        """Return the parameters that carry the given answers, and the callbacks' answers to the other questions.

        Raises ValueError for an answer that does not fit its question, and for one to no question.
        """
        strange = sorted(given.keys() - pending.questions.keys())
        if strange:
            known = ", ".join(map(repr, pending.questions)) or "nothing"
            raise ValueError(f"{strange[0]!r} was not asked; the server asked {known}")
        said: dict[str, JsonObject] = {}
        open_ones: dict[str, JsonObject] = {}
        for key, question in pending.questions.items():
            method, params = _parts(question)
            if key in given:
                said[key] = self.answering.read(method, params, given[key])
            else:
                open_ones[key] = {"method": method, "params": params}
        said |= await self._answers(open_ones)
        return self._with({key: said[key] for key in pending.questions}, pending.state)

    def pending(self, asks: Asks) -> InputRequired:
        """Return the questions of a result as a value, for whoever drives the rounds by hand.

        They are judged here as for a callback: who is given them may open their URLs (client/elicitation "Safe URL
        Handling"). Raises `InvalidAnswer` for questions that are none.
        """
        questions, state = self._read(asks)
        for key, question in questions.items():
            self._judge(key, *_parts(question))
        return InputRequired(questions, state, {"method": self.method, "params": self.params})

    def judged(self, found: VisitRequired) -> VisitRequired:
        """Return pages to visit that were judged as for a callback, for the same reason. Raises `InvalidAnswer`."""
        for page in found.elicitations:
            self._judge(str(page["elicitationId"]), ELICIT, page)
        return found

    def _judge(self, key: str, method: str, params: JsonObject) -> None:
        try:
            self.answering.check(method, params)
        except InvalidParams as error:
            raise self._misasked(key, error) from None

    def __post_init__(self) -> None:
        """A call that is resumed brings the answers of the round before, which are of no use in the next one."""
        self.params = {name: value for name, value in self.params.items() if name not in _OF_A_ROUND}

    # ---- one round

    async def _again(self, found: Found) -> JsonObject:
        """Do what a turn asks for, and return the parameters of the next one."""
        if isinstance(found, VisitRequired):
            await self._visit(found)
            return self.params
        assert isinstance(found, Asks)
        questions, state = self._read(found)
        if questions:
            self.empty = 0
            return self._with(await self._answers(questions), state)
        if self.empty:
            await anyio.sleep(min(FIRST_PAUSE * 2**self.empty, LONGEST_PAUSE))
        self.empty += 1
        return self._with(None, state)

    def _with(self, answers: JsonObject | None, state: str | None) -> JsonObject:
        params = dict(self.params)
        if answers:
            params["inputResponses"] = answers
        if state is not None:
            params["requestState"] = state
        return params

    def _read(self, asks: Asks) -> tuple[dict[str, JsonObject], str | None]:
        """Return the questions and the state of a result. Raises `InvalidAnswer`."""
        questions, state = asks.result.get("inputRequests"), asks.result.get("requestState")
        if not (questions is None or type(questions) is dict) or not (state is None or type(state) is str):
            raise self._error(InvalidAnswer, "inputRequests must be an object and requestState a string")
        if questions and len(questions) > self.answering.most:
            most = f"at most {self.answering.most} a minute (Limits.questions_per_minute)"
            raise self._error(InvalidAnswer, f"it asks {len(questions)} questions at once; this client answers {most}")
        for key, question in (questions or {}).items():
            if type(question) is not dict or type(question.get("params", {})) is not dict:
                raise self._error(
                    InvalidAnswer, f"inputRequests.{key:.60}: a request is an object with method and params"
                )
            if type(question.get("method")) is not str:
                raise self._error(InvalidAnswer, f"inputRequests.{key:.60}.method: must be a string")
        if not questions and state is None:
            raise self._error(InvalidAnswer, "it asks for input, and has neither inputRequests nor requestState")
        return questions or {}, state

    # ---- questions

    async def _answers(self, questions: Mapping[str, JsonObject]) -> JsonObject:
        """Have all questions answered side by side. The first that cannot be answered fails the call, by itself."""
        answers: JsonObject = dict.fromkeys(questions)
        failures: list[Exception] = []

        async def answer(key: str, question: JsonObject, scope: anyio.CancelScope) -> None:
            try:
                answers[key] = await self._answer(key, *_parts(question))
            except Exception as error:
                failures.append(error)
                scope.cancel()

        async with anyio.create_task_group() as tasks:
            for key, question in questions.items():
                tasks.start_soon(answer, key, question, tasks.cancel_scope)
        if failures:
            raise failures[0]
        return answers

    async def _answer(self, key: str, method: str, params: JsonObject) -> JsonObject:
        """Return the answer to one question.

        There is no way to refuse one here, but for elicitations, which can be cancelled: so what cannot be answered
        fails the call, and only here (basic/patterns/mrtr; client/sampling "Error Handling").
        """
        try:
            return await self.answering.answer(method, params, self.method)
        except MethodNotFound:
            raise self._error(
                InvalidAnswer, f"it asks {method:.60} ({key:.60}), which this client cannot answer"
            ) from None
        except InvalidParams as error:
            raise self._misasked(key, error) from None
        except ProtocolError as error:
            if method == ELICIT and not isinstance(error, ByHandOnly):
                return {"action": "cancel"}
            cause = error.__cause__ if isinstance(error, CallbackFailed) else error
            raise self._error(QuestionFailed, f"{method} ({key:.60}) was not answered: {cause}") from cause

    # ---- pages to visit

    async def _visit(self, found: VisitRequired) -> None:
        """Have the user visit the pages, and wait until the host or the server says that all are complete.

        Raises the error itself where the user does not want to, or nobody says so in time.
        """
        pages = self.judged(found).elicitations
        if not self.answering.knows_urls:
            raise found
        events = self.visits.expect(str(page["elicitationId"]) for page in pages)
        try:
            answers = await self._answers(
                {str(page["elicitationId"]): {"method": ELICIT, "params": page} for page in pages}
            )
            if any(answer["action"] != "accept" for answer in answers.values()):
                raise found
            with anyio.move_on_after(self.patience.silent) as scope:
                for id, event in events.items():
                    if type(answers[id]) is not Visited:
                        await event.wait()
            if scope.cancelled_caught:
                found.add_note("the server did not say that the user is through with its pages: answer 'done' if so")
                raise found
        finally:
            self.visits.forget(events)

    def _misasked(self, key: str, fault: InvalidParams) -> ConversationError:
        return self._error(InvalidAnswer, f"its question {key:.60}: {fault}")

    def _error(self, kind: type[ConversationError], cause: str) -> ConversationError:
        line = f"{subject_of(self.method, self.params)} on server '{self.server}': {cause}"
        return kind(line, server=self.server, phase=self.method, cause=cause)


def _parts(question: Any) -> tuple[str, JsonObject]:
    return question["method"], question.get("params") or {}
