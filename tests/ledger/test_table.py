"""The summary counts each requirement once a revision, as shown, missing or waived."""

from tests.ledger.requirements import Book, Ledger
from tests.ledger.table import lines_of, missing, summary
from tests.ledger.test_claims import row

LEDGER = Ledger(
    {
        "2025-11-25": Book(
            revision="2025-11-25",
            requirement=[
                row("a.one"),
                row("a.two", page="q"),
                row("a.off", waived="never"),
                row("a.no", testable=False),
            ],
        ),
        "2026-07-28": Book(revision="2026-07-28", requirement=[row("a.one", level="MAY", says="Perhaps.")]),
    }
)
LINES = lines_of(LEDGER, {("a.one", "2025-11-25")}, lambda revision, entry: True)


def test_the_table_has_a_row_a_page_and_sums() -> None:
    assert [line.split() for line in summary(LINES)][1:] == [
        ["2025-11-25", "p", "2", "1", "0", "1"],
        ["2025-11-25", "q", "1", "0", "1", "0"],
        ["2025-11-25", "all", "pages", "3", "1", "1", "1"],
        ["2026-07-28", "p", "1", "0", "1", "0"],
        ["2026-07-28", "all", "pages", "1", "0", "1", "0"],
        ["all", "all", "pages", "4", "1", "2", "1"],
    ]


def test_missing_requirements_are_listed_with_where_and_what() -> None:
    assert [*missing(LINES)] == [
        "a.one  [MAY, both, p; 2026-07-28]  Perhaps.",
        "a.two  [MUST, both, q; 2025-11-25]  So.",
    ]


def test_only_what_is_wanted_is_counted() -> None:
    lines = lines_of(LEDGER, set(), lambda revision, entry: entry.page == "q")
    assert [line.entry.id for line in lines] == ["a.two"]
