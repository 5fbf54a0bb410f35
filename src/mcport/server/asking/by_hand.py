"""What handlers ask by returning `InputRequired`: whether it can be asked, and which answers are handed to them.

What the client carries of such a question is all of its form that JSON can say. What only Python can say, as the
validators of a model do, is remembered here for a while, so that an answer is judged as that to `ctx.elicit` is, unless
another process gets it. Below: `wired`, `posing`.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from mcport.core.asking.form_values import Unfit
from mcport.core.asking.rounds import Rounds
from mcport.core.events import Asked
from mcport.core.input_required import InputRequired
from mcport.core.jsonrpc import JsonObject
from mcport.server.results.unsendable import ReturnWrong
from mcport.spec.model import Unsendable

from .naming import named
from .posing import check_sound
from .questions import Elicit
from .wired import fit, kept_of

if TYPE_CHECKING:
    from .asker import Asker
    from .posing import Posed
    from .questions import Asking

log: Final = logging.getLogger("mcport.server")

MOST: Final = 1000
"""So many questions are remembered; the oldest are forgotten, and their answers judged by their forms alone."""


def posed_by_hand(value: InputRequired, asker: Asker, asked: Asked) -> list[Posed]:
    """Return the questions that a handler returned, ready to be sent; none where it only left a state.

    Raises `ReturnWrong` for what cannot be asked.
    """
    try:
        if not value.questions and value.state is None:
            raise ValueError("it has neither questions nor a state")
        return asker.posed_by_hand(value.questions)
    except Unsendable:
        raise
    except (TypeError, ValueError) as error:
        raise ReturnWrong(f"{named(asked)} returned an InputRequired that cannot be asked: {error}") from None


class Typed:
    """The questions whose types say more than their forms do, by the request and the key that they have."""

    def __init__(self) -> None:
        self._questions: OrderedDict[tuple[str, str], tuple[JsonObject, Asking]] = OrderedDict()

    def keep(self, chain: str, posed: Sequence[Posed]) -> JsonObject:
        """Return what is to be kept of the questions of one request for the round in which their answers come."""
        kept = {each.key: kept_of(each.question) for each in posed}
        for each in posed:
            if isinstance(each.question, Elicit) and not isinstance(each.question.schema, dict | None):
                self._questions[chain, each.key] = (kept[each.key], each.question)
        while len(self._questions) > MOST:
            self._questions.popitem(last=False)
        return kept

    def answers(self, rounds: Rounds) -> dict[str, JsonObject]:
        """Return the answers to what was asked by hand: those that fit what was asked, as on the wire."""
        return dict(self._fitting(rounds))

    def _fitting(self, rounds: Rounds) -> Iterator[tuple[str, JsonObject]]:
        for key, answer in rounds.given.items():
            try:
                self._judge(rounds.chain, key, rounds.hand[key], answer)
            except Unfit as fault:
                log.debug("the answer %r is left out: %s", key, fault)
            else:
                yield key, answer

    def _judge(self, chain: str, key: str, kept: Mapping[str, Any], answer: object) -> None:
        """Hold an answer against its question. Raises `Unfit`."""
        sound = check_sound(answer)
        fit(kept, sound)
        asked, question = self._questions.get((chain, key), (None, None))
        if question is not None and asked == kept:
            question.read(sound)
