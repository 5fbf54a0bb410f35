"""The book of a request that asks: what it answers in the next round, and what it does not."""

from typing import Any

import pytest

from mcport.core.asking.rounds import NOTHING, ROUNDS, Rounds, TooManyRounds
from mcport.core.jsonrpc import dump, parse_json


def next_round(rounds: Rounds, answers: Any = None, **kept: Any) -> Rounds:
    """The book of the next run, as it comes back from where it was kept."""
    return Rounds("other", parse_json(dump(rounds.close(None, **kept))), answers)


def ask(rounds: Rounds, question: str, key: str | None = None) -> str:
    """Ask a question that has no answer yet; return its key."""
    name = rounds.key(question, key)
    assert rounds.answer(name, question) is NOTHING
    rounds.ask(name, question, f"text of {question}")
    return name


def test_an_answer_is_there_for_its_key_and_its_question_in_every_later_round() -> None:
    first = Rounds("c")
    key = ask(first, "q")
    second = next_round(first, {key: {"a": 1}})
    assert second.answer(second.key("q", None), "q") == {"a": 1}
    third = next_round(second)
    assert third.answer(third.key("q", None), "q") == {"a": 1}
    assert third.chain == "c"


def test_an_answer_to_another_text_is_forgotten() -> None:
    first = Rounds("c")
    ask(first, "q", "k")
    second = next_round(first, {"k": 1})
    assert second.answer(second.key("other", "k"), "other") is NOTHING
    third = next_round(second)
    assert third.answer(third.key("q", "k"), "q") is NOTHING


def test_only_what_was_asked_in_the_round_before_can_be_answered() -> None:
    first = Rounds("c")
    key = ask(first, "q")
    second = next_round(first, {"made up": 1})
    assert second.answer("made up", "q") is NOTHING
    ask(second, "r")
    third = next_round(second, {key: 1})
    assert third.answer(third.key("q", None), "q") is NOTHING


def test_null_is_an_answer_and_a_kept_value() -> None:
    first = Rounds("c")
    key = ask(first, "q")
    first.keep("k", None)
    second = next_round(first, {key: None})
    assert second.answer(key, "q") is None
    assert second.kept("k") is None
    assert second.kept("other") is NOTHING


def test_a_rejected_answer_is_gone() -> None:
    first = Rounds("c")
    key = ask(first, "q")
    second = next_round(first, {key: 1})
    second.reject(key)
    assert next_round(second).answer(key, "q") is NOTHING


def test_it_is_replayed_until_everything_was_used() -> None:
    first = Rounds("c")
    key = ask(first, "q")
    first.keep("k", 1)
    assert not first.replaying
    second = next_round(first, {key: 1})
    assert second.replaying
    second.answer(key, "q")
    assert second.replaying
    second.kept("k")
    assert not second.replaying


def test_the_same_question_has_another_key_each_time_and_the_same_in_the_next_run() -> None:
    keys = []
    for _ in range(2):
        rounds = Rounds("c")
        keys.append([rounds.key("q", None), rounds.key("r", None), rounds.key("q", None)])
    assert keys[0] == keys[1]
    assert len(set(keys[0])) == 3


def test_a_given_key_and_a_kept_name_are_used_once_a_run_and_do_not_meet() -> None:
    rounds = Rounds("c")
    rounds.key("q", "k")
    rounds.name("k")
    with pytest.raises(ValueError, match="'k'"):
        rounds.key("r", "k")
    with pytest.raises(ValueError, match="'k'"):
        rounds.name("k")


def test_a_new_question_beside_an_unused_answer_is_drift() -> None:
    first = Rounds("c")
    key = ask(first, "q")
    second = next_round(first, {key: 1})
    drift = second.ask(second.key("r", None), "r", "text of r" * 100)
    assert drift is not None
    assert drift.unused == "text of q"
    assert drift.asked.startswith("text of r")
    assert len(drift.asked) <= 120
    second.answer(key, "q")
    assert second.ask(second.key("s", None), "s", "text of s") is None


def test_an_answer_to_what_was_asked_beside_other_things_may_lie_unused() -> None:
    first = Rounds("c")
    key = ask(first, "q")
    first.set_aside()
    second = next_round(first, {key: 1})
    assert second.ask(second.key("r", None), "r", "text of r") is None
    third = next_round(second)
    assert third.ask(third.key("s", None), "s", "text of s") is None


def test_there_is_a_last_round() -> None:
    rounds = Rounds("c")
    for number in range(ROUNDS):
        assert rounds.round == number
        rounds = next_round(rounds)
    with pytest.raises(TooManyRounds):
        rounds.close(None)


def test_questions_by_hand_bring_their_own_answers_and_state() -> None:
    first = Rounds("c")
    question = {"method": "roots/list"}
    second = next_round(first, {"k": {"roots": []}, "x": {}}, hand={"k": question}, state="s")
    assert (second.given, second.hand, second.state) == ({"k": {"roots": []}}, {"k": question}, "s")
    assert next_round(second).given == {}
    assert next_round(second).state is None


def test_an_answer_of_this_run_is_there_in_the_next() -> None:
    first = Rounds("c")
    key = first.key("q", None)
    first.record(key, "q", "text", {"a": 1})
    second = next_round(first)
    assert second.answer(second.key("q", None), "q") == {"a": 1}
