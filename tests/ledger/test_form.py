"""The ledger's files are well formed, and the checker notices when they are not."""

import pytest

from tests.ledger.form import problems
from tests.ledger.requirements import Book, Row, read_books

SOUND = Row(id="a.b", level="MUST", who="both", page="p", says="Something is so.", testable=True)


def faults(row: dict[str, object], *, base: bool = False) -> list[str]:
    """The problems of a book that has this row only, or has it on top of a base with one sound row."""
    sound = Book(revision="base", requirement=[SOUND])
    book = Book(revision="new", requirement=[Row(**{**SOUND, **row})])  # type: ignore[typeddict-item]
    if base:
        book["base"] = "base"
    return problems({"base": sound, "new": book})


def test_every_file_of_the_ledger_is_well_formed() -> None:
    assert problems(read_books()) == []


def test_the_ledger_has_five_revisions_and_the_extensions() -> None:
    assert [*read_books()] == ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28", "extensions"]


def test_a_sound_row_has_no_fault() -> None:
    assert faults({}) == []
    assert faults({"testable": False, "why": "a duty of people"}) == []
    assert faults({"waived": "we never do it"}) == []


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"colour": "red"}, "unknown keys colour"),
        ({"says": " "}, "says is missing or empty"),
        ({"id": "Not Kebab"}, "id is not dotted kebab-case"),
        ({"id": "undotted"}, "id is not dotted kebab-case"),
        ({"level": "SHALL"}, "level 'SHALL' is none of"),
        ({"who": "nobody"}, "who 'nobody' is none of"),
        ({"says": "x" * 221}, "says is longer than 220 characters"),
        ({"testable": "yes"}, "testable is not true or false"),
        ({"testable": False}, "why stands exactly where testable is false"),
        ({"why": "because"}, "why stands exactly where testable is false"),
        ({"waived": ""}, "waived has a reason"),
        ({"waived": "w", "testable": False, "why": "y"}, "waived has a reason, and only where testable is true"),
        ({"change": "added"}, "change stands only in files with a base"),
    ],
)
def test_a_faulty_row_is_named_with_its_fault(row: dict[str, object], fault: str) -> None:
    [problem] = faults(row)
    assert fault in problem
    assert problem.startswith(f"new: {row.get('id', 'a.b')}: ")


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({}, "change None is neither added nor changed"),
        ({"change": "added"}, "change 'added' contradicts base"),
        ({"id": "c.d", "change": "changed"}, "change 'changed' contradicts base"),
    ],
)
def test_a_row_on_a_base_says_what_it_does_to_it(row: dict[str, object], fault: str) -> None:
    [problem] = faults(row, base=True)
    assert fault in problem


def test_an_id_occurs_once_in_a_file() -> None:
    assert problems({"r": Book(revision="r", requirement=[SOUND, SOUND])}) == ["r: a.b: id occurs 2 times"]


def test_a_file_is_named_after_its_revision() -> None:
    assert problems({"r": Book(revision="s", requirement=[SOUND])}) == ["r: revision is 's'"]


def test_a_pattern_of_absent_ids_matches_something_that_is_not_changed() -> None:
    base = Book(revision="base", requirement=[SOUND])
    changed = Row(**SOUND, change="changed")
    book = Book(revision="new", base="base", absent=["a.*", "z.*"], requirement=[changed])
    assert problems({"base": base, "new": book}) == [
        "new: a.b: both absent and changed",
        "new: absent pattern z.* matches nothing",
    ]
