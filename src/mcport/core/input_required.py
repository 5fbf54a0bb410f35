"""The value that stands for "answer these first": a request that was not finished because it needs input.

A handler returns one to ask by hand; a client that does not drive the rounds itself is given one, to store and to
resume elsewhere (2026-07-28 basic/patterns/mrtr). Below: `jsonrpc`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from .jsonrpc import JsonObject, dump, parse_json


class Question(Protocol):
    """Something that a server may ask of a client's user, model or roots; `method` names the request."""

    @property
    def method(self) -> str: ...


@dataclass(slots=True)
class InputRequired:
    """A request needs answers before it can be finished.

    `questions` are keyed by names that the server chose: question objects, or requests as on the wire (objects with
    `method` and `params`). `state` is the server's and comes back unread. `call` is set on the client's side: `method`
    and `params` of the request, which is to be sent again with the answers.
    """

    questions: Mapping[str, Question | JsonObject] = field(default_factory=dict)
    state: str | None = None
    call: JsonObject | None = None

    def __post_init__(self) -> None:
        _check_questions(self.questions)
        state: object = self.state
        if state is not None and not isinstance(state, str):
            raise TypeError(f"InputRequired: state is text, not {type(state).__name__}: write state=json.dumps(...)")

    def to_json(self) -> bytes:
        """Return what a client was given as JSON, to be stored and resumed elsewhere.

        It holds the arguments of the call and the server's state: keep it as safe as these. Raises ValueError for one
        that no client was given.
        """
        if self.call is None or not all(type(each) is dict for each in self.questions.values()):
            raise ValueError("only what a client was given can be stored: it knows the call that it belongs to")
        stored: JsonObject = {"call": self.call, "questions": dict(self.questions)}
        return dump(stored if self.state is None else {**stored, "state": self.state})

    @classmethod
    def from_json(cls, data: bytes | str) -> InputRequired:
        """Return what `to_json` stored. Raises ValueError for anything else."""
        found = parse_json(data.encode() if isinstance(data, str) else data)
        if type(found) is dict and found.keys() <= {"call", "questions", "state"}:
            call: Any = found.get("call")
            questions: Any = found.get("questions")
            state = found.get("state")
            is_good = _is_request(call) and type(questions) is dict and all(map(_is_request, questions.values()))
            if is_good and (state is None or type(state) is str):
                return cls(questions, state, call)
        raise ValueError("this is no stored InputRequired")


def _check_questions(questions: Any) -> None:
    """Raise TypeError for what are no questions by name; whether they can be asked is seen when they are."""
    if not isinstance(questions, Mapping):
        raise TypeError("InputRequired: questions have names: write InputRequired({'name': Elicit('Your name?', str)})")
    for key, question in questions.items():
        if not isinstance(key, str):
            raise TypeError(f"InputRequired: the name of a question is text, not {key!r}: write {str(key)!r}")
        if not isinstance(question, Mapping) and not isinstance(getattr(question, "method", None), str):
            raise TypeError(f"InputRequired: {key!r} is no question: write Elicit, ElicitUrl, Sample or ListRoots")


def _is_request(value: object) -> bool:
    """Whether a value has the members of a request."""
    return type(value) is dict and type(value.get("method")) is str and type(value.get("params", {})) is dict
