"""A requirement marker claims exactly the pairs it says, and a faulty one is named."""

from types import SimpleNamespace

import pytest

from tests.ledger.claims import Claims, Pair
from tests.ledger.requirements import Book, Ledger, Level, Row


def row(
    identifier: str, level: Level = "MUST", page: str = "p", says: str = "So.", testable: bool = True, waived: str = ""
) -> Row:
    """A row of a made-up ledger."""
    return Row(id=identifier, level=level, who="both", page=page, says=says, testable=testable, waived=waived)


OLD, NEW = "2025-11-25", "2026-07-28"
LEDGER = Ledger(
    {
        OLD: Book(revision=OLD, requirement=[row("a.both"), row("a.old"), row("a.waived", waived="never")]),
        NEW: Book(revision=NEW, requirement=[row("a.both"), row("a.new"), *(row(f"n.{n}") for n in range(6))]),
    }
)


def claims(*marks: pytest.MarkDecorator, argument: object = None) -> Claims:
    claims = Claims()
    claims.add("test", [decorator.mark for decorator in marks], argument, LEDGER)
    return claims


def shown(*marks: pytest.MarkDecorator, argument: object = None) -> set[Pair]:
    found = claims(*marks, argument=argument)
    assert found.faults == []
    return {*found.shown}


def fault(*marks: pytest.MarkDecorator, argument: object = None) -> str:
    found = claims(*marks, argument=argument)
    assert found.shown == {}
    [text] = found.faults
    return text


requirement = pytest.mark.requirement


def test_a_plain_marker_counts_wherever_the_id_holds() -> None:
    assert shown(requirement("a.both", "a.new")) == {("a.both", OLD), ("a.both", NEW), ("a.new", NEW)}


def test_the_listed_revisions_count_when_the_test_has_no_revision_argument() -> None:
    assert shown(requirement("a.both", revisions=[OLD])) == {("a.both", OLD)}


@pytest.mark.parametrize("argument", [NEW, SimpleNamespace(name=NEW)])
def test_the_revision_argument_decides_where_an_id_counts(argument: object) -> None:
    assert shown(requirement("a.both"), argument=argument) == {("a.both", NEW)}


def test_a_marker_for_other_revisions_does_not_count_for_this_argument() -> None:
    marks = requirement("a.both"), requirement("a.old", revisions=[OLD])
    assert shown(*marks, argument=NEW) == {("a.both", NEW)}
    assert shown(*marks, argument=OLD) == {("a.both", OLD), ("a.old", OLD)}


@pytest.mark.parametrize(
    ("mark", "argument", "said"),
    [
        (requirement("a.nothing"), None, "test: unknown requirement 'a.nothing'"),
        (requirement("a.old"), NEW, f"test: a.old does not hold in {NEW}"),
        (requirement("a.old", revisions=[NEW]), None, f"test: a.old does not hold in {NEW}"),
        (requirement("a.both", revisions=["2020-01-01"]), None, "test: '2020-01-01' is no revision"),
        (requirement("a.both"), "2020-01-01", "test: '2020-01-01' is no revision"),
        (requirement("a.both", revisions=OLD), None, "test: revisions= is a list of revisions, not one string"),
        (requirement("a.both", revision=OLD), None, "test: unknown options of a requirement marker: revision"),
        (requirement(reason="none"), None, "test: a requirement marker without ids"),
    ],
)
def test_a_faulty_marker_is_named_and_claims_nothing(mark: pytest.MarkDecorator, argument: object, said: str) -> None:
    assert fault(mark, argument=argument) == said


def test_more_than_five_ids_on_one_test_need_a_reason() -> None:
    six = [f"n.{n}" for n in range(6)]
    assert "more than 5 need a reason" in fault(requirement(*six))
    assert "more than 5 need a reason" in fault(requirement(*six[:3]), requirement(*six[3:]))
    assert "more than 5 need a reason" in fault(requirement(*six, reason=" "))
    assert len(shown(requirement(*six, reason="one table of six rows"))) == 6


def test_what_is_waived_or_not_testable_does_not_count_as_asked() -> None:
    assert ("a.waived", OLD) not in LEDGER.counted()
    assert ("a.old", OLD) in LEDGER.counted()
    assert LEDGER.counted(["SHOULD"]) == {}
