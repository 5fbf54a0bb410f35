"""The book of one request that asks: what was asked and answered, what is kept, and how often it went to and fro.

A handler that asks is run again each round, and the book answers what was answered before. It is the same in both
eras; what is in it travels sealed through the client in the stateless one. It does not know how answers are judged, nor
what stands in them. Below: `jsonrpc`'s types.

A key names one question of one run: the author's, or the digest of the question and which time it is asked in this run;
never the order of all questions, which may change. An answer counts for its key and its question's digest together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, Literal, TypeAlias

from mcport.core.jsonrpc import JsonObject

Mark: TypeAlias = tuple[set[str], dict[str, int]]
"""The keys that are used up at some moment of a run."""

ROUNDS: Final = 10
"""So many times one request may ask; a client that drives the rounds stops at the same number."""

TEXT: Final = 120
"""So many characters of a question are kept, to name it in a log."""


class _Nothing(Enum):
    NOTHING = "nothing"


Nothing: TypeAlias = Literal[_Nothing.NOTHING]
NOTHING: Final = _Nothing.NOTHING
"""No answer, or no kept value: any JSON value, null included, may be one."""


@dataclass(slots=True)
class Drift:
    """A new question came up while an answer lay unused: perhaps it is the same one with another text."""

    asked: str
    unused: str


class TooManyRounds(Exception):
    """The request has asked as often as it may."""


class Rounds:
    """The book of one run. `page` is what the run before left, `responses` are what came with the retry.

    `chain` names the request over all its rounds. `given` are the answers to questions that were asked by hand, still
    to be judged against `hand`, and `state` is what was handed along with them.
    """

    __slots__ = (
        "_answers",
        "_aside",
        "_kept",
        "_named",
        "_open",
        "_times",
        "_unused",
        "chain",
        "given",
        "hand",
        "round",
        "state",
    )

    def __init__(self, chain: str, page: JsonObject | None = None, responses: Mapping[str, Any] | None = None) -> None:
        page = page or {}
        responses = responses or {}
        self.chain: str = page.get("chain", chain)
        self.round: int = page.get("round", 0)
        self.hand: dict[str, JsonObject] = page.get("hand", {})
        self.state: str | None = page.get("state")
        self.given: dict[str, Any] = {key: responses[key] for key in self.hand if key in responses}
        self._kept: dict[str, Any] = dict(page.get("kept", {}))
        self._answers: dict[str, tuple[str, str, Any]] = {k: tuple(v) for k, v in page.get("answers", {}).items()}
        for key, (question, text) in page.get("open", {}).items():
            if key in responses:
                self._answers[key] = (question, text, responses[key])
        self._aside: set[str] = set(page.get("aside", ()))
        self._open: dict[str, tuple[str, str]] = {}
        self._named: set[str] = set()
        self._times: dict[str, int] = {}
        self._unused = {*self._answers, *(f"once {key}" for key in self._kept)}

    @property
    def replaying(self) -> bool:
        """Whether answers or kept values of earlier rounds have not been used yet in this run."""
        return bool(self._unused)

    def mark(self) -> Mark:
        """Return which keys are used up now."""
        return self._named.copy(), self._times.copy()

    def back_to(self, mark: Mark | None) -> None:
        """Forget which keys were used since a mark, or since the beginning: the handler may be run once more."""
        named, times = mark or (set(), {})
        self._named, self._times = set(named), dict(times)

    # ---- questions

    def key(self, question: str, given: str | None) -> str:
        """Return the key of a question with this digest, which is now used up for the run.

        Raises ValueError for a given key that was used before in this run.
        """
        if given is None:
            times = self._times[question] = self._times.get(question, 0) + 1
            return f"{question}.{times}"
        if given in self._named:
            raise ValueError(f"the key {given!r} names another question of this call already")
        self._named.add(given)
        return given

    def answer(self, key: str, question: str) -> Any | Nothing:
        """Return what was answered to a question, unless it has another text now."""
        found = self._answers.get(key)
        self._unused.discard(key)
        if found is None:
            return NOTHING
        if found[0] == question:
            return found[2]
        del self._answers[key]
        return NOTHING

    def reject(self, key: str) -> None:
        """An answer does not fit, or is not enough: it is forgotten, so that the question is asked again."""
        self._answers.pop(key, None)

    def record(self, key: str, question: str, text: str, answer: Any) -> None:
        """Note an answer that came within the run."""
        self._answers[key] = (question, text[:TEXT], answer)

    def ask(self, key: str, question: str, text: str) -> Drift | None:
        """Note a question as asked in this round; return what is odd about it."""
        self._open[key] = (question, text[:TEXT])
        left = self._unused - self._aside
        unused = next((self._answers[each][1] for each in self._answers if each in left), None)
        return None if unused is None else Drift(text[:TEXT], unused)

    def set_aside(self) -> None:
        """What this round asks came up beside other things that the run did: it may come up earlier or later."""
        self._aside.update(self._open)

    # ---- kept values

    def name(self, key: str) -> None:
        """Use up the key of a kept value for this run. Raises ValueError if it was used before."""
        if f"once {key}" in self._named:
            raise ValueError(f"once: the key {key!r} was used already in this call")
        self._named.add(f"once {key}")

    def unname(self, key: str) -> None:
        """Free the key of a kept value again: there is none."""
        self._named.discard(f"once {key}")

    def kept(self, key: str) -> Any | Nothing:
        """Return what is kept under a key."""
        self._unused.discard(f"once {key}")
        return self._kept.get(key, NOTHING)

    def keep(self, key: str, value: Any) -> None:
        """Keep a JSON value for the rounds that follow."""
        self._kept[key] = value

    # ---- the end of the round

    def close(
        self, progress: float | None, hand: Mapping[str, JsonObject] | None = None, state: str | None = None
    ) -> JsonObject:
        """Return the page for the next round. `hand` and `state` are what a handler asked and left by hand.

        Raises `TooManyRounds`.
        """
        if self.round >= ROUNDS:
            raise TooManyRounds
        page = {
            "chain": self.chain,
            "round": self.round + 1,
            "open": self._open,
            "aside": sorted(self._aside),
            "answers": self._answers,
            "kept": self._kept,
            "progress": progress,
            "hand": hand,
            "state": state,
        }
        return {name: value for name, value in page.items() if value not in (None, {}, [])}
