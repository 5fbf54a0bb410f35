"""A handler that asks whatever comes to its mind, round by round: each answer that it sees was given to what it asks.

The machine plays handler and client; the model knows which answer was given last to which question under which key.
"""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mcport.core.asking.rounds import NOTHING, ROUNDS, Rounds
from mcport.core.jsonrpc import dump, parse_json

TEXTS = st.sampled_from("abcd")
KEYS = st.sampled_from([None, "k", "l"])


class Conversation(RuleBasedStateMachine):
    """One request, over all its rounds."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Rounds("chain")
        self.run: set[str] = set()
        self.open: dict[str, str] = {}
        self.answers: dict[str, tuple[str, Any]] = {}
        self.kept: dict[str, Any] = {}
        self.count = 0

    @rule(text=TEXTS, key=KEYS)
    def ask(self, text: str, key: str | None) -> None:
        """The handler asks; the book answers as the model does."""
        if key in self.run:
            try:
                self.book.key(text, key)
            except ValueError:
                return
            raise AssertionError("a key served twice in one run")
        name = self.book.key(text, key)
        assert name not in self.run
        self.run.add(name)
        known = self.answers.get(name)
        found = self.book.answer(name, text)
        if known is not None and known[0] == text:
            assert found == known[1]
            return
        self.answers.pop(name, None)
        assert found is NOTHING
        self.book.ask(name, text, text)
        self.open[name] = text

    @rule(key=st.sampled_from("xyz"), value=st.integers())
    def keep(self, key: str, value: int) -> None:
        """The handler does something once."""
        assert self.book.kept(key) == self.kept.get(key, NOTHING)
        if key not in self.kept:
            self.book.keep(key, value)
            self.kept[key] = value

    @rule(data=st.data())
    def reject(self, data: st.DataObject) -> None:
        """An answer turns out not to fit."""
        if self.answers:
            name = data.draw(st.sampled_from(sorted(self.answers)))
            self.book.reject(name)
            del self.answers[name]

    @precondition(lambda self: self.book.round < ROUNDS)
    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """The client answers some of what was asked, and things that were not asked."""
        responses: dict[str, Any] = {"never asked": -1}
        for name, text in self.open.items():
            if data.draw(st.booleans()):
                self.count += 1
                responses[name] = self.count
                self.answers[name] = (text, self.count)
        before = self.book.round
        self.book = Rounds("other", parse_json(dump(self.book.close(None))), responses)
        assert self.book.round == before + 1
        self.run, self.open = set(), {}

    @invariant()
    def keeps_its_name(self) -> None:
        assert self.book.chain == "chain"
        assert self.book.round <= ROUNDS


TestConversation = Conversation.TestCase
TestConversation.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
