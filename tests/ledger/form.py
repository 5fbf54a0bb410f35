"""The form of the ledger's files: keys, values, ids, and how a file with a base relates to it.

Knows nothing of tests or coverage. `problems` returns sentences; an empty list means well formed.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import get_args

from tests.ledger.requirements import Book, Level, Row, absent

WHO = frozenset({"client", "server", "both", "host", "auth"})
TEXTS = ("id", "level", "who", "page", "says")
KEYS = frozenset({*TEXTS, "testable", "why", "waived", "change"})
LONGEST_SAYS = 220
IDENTIFIER = re.compile(r"[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*)+")


def problems(books: Mapping[str, Book]) -> list[str]:
    """Everything that is wrong with the form of the files, one sentence each."""
    return [f"{name}: {fault}" for name, book in books.items() for fault in _book_faults(books, name, book)]


def _book_faults(books: Mapping[str, Book], name: str, book: Book) -> Iterator[str]:
    if book.get("revision") != name:
        yield f"revision is {book.get('revision')!r}"
    rows = book.get("requirement", [])
    for identifier, times in Counter(row.get("id") for row in rows).items():
        if times > 1:
            yield f"{identifier}: id occurs {times} times"
    for row in rows:
        faults = [*_row_faults(row), *_change_faults(books, book, row)]
        yield from (f"{row.get('id')}: {fault}" for fault in faults)
    yield from _absent_faults(books, book)


def _row_faults(row: Row) -> Iterator[str]:
    if unknown := sorted(row.keys() - KEYS):
        yield f"unknown keys {', '.join(unknown)}"
    values: Mapping[str, object] = {**row}
    for key in TEXTS:
        text = values.get(key)
        if not isinstance(text, str) or not text.strip():
            yield f"{key} is missing or empty"
    if not IDENTIFIER.fullmatch(str(values.get("id"))):
        yield "id is not dotted kebab-case"
    if values.get("level") not in get_args(Level):
        yield f"level {values.get('level')!r} is none of {', '.join(get_args(Level))}"
    if values.get("who") not in WHO:
        yield f"who {values.get('who')!r} is none of {', '.join(sorted(WHO))}"
    if len(str(values.get("says"))) > LONGEST_SAYS:
        yield f"says is longer than {LONGEST_SAYS} characters"
    yield from _testable_faults(values)


def _testable_faults(values: Mapping[str, object]) -> Iterator[str]:
    testable = values.get("testable")
    if not isinstance(testable, bool):
        yield "testable is not true or false"
        return
    if testable == _has_text(values, "why"):
        yield "why stands exactly where testable is false"
    if "waived" in values and not (testable and _has_text(values, "waived")):
        yield "waived has a reason, and only where testable is true"


def _has_text(values: Mapping[str, object], key: str) -> bool:
    text = values.get(key)
    return isinstance(text, str) and bool(text.strip())


def _change_faults(books: Mapping[str, Book], book: Book, row: Row) -> Iterator[str]:
    change = row.get("change")
    if "base" not in book:
        if change is not None:
            yield "change stands only in files with a base"
        return
    inherited = row.get("id", "") in _ids(books[book["base"]])
    if change not in ("added", "changed"):
        yield f"change {change!r} is neither added nor changed"
    elif (change == "changed") != inherited:
        yield f"change {change!r} contradicts {book['base']}"
    if inherited and absent(book, row["id"]):
        yield "both absent and changed"


def _absent_faults(books: Mapping[str, Book], book: Book) -> Iterator[str]:
    patterns = book.get("absent", [])
    if "base" not in book:
        if patterns:
            yield "absent stands only in files with a base"
        return
    inherited = _ids(books[book["base"]])
    for pattern in patterns:
        if not any(absent(Book(absent=[pattern]), identifier) for identifier in inherited):
            yield f"absent pattern {pattern} matches nothing"


def _ids(book: Book) -> frozenset[str]:
    return frozenset(row["id"] for row in book["requirement"])
