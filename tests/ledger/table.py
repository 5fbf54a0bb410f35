"""The ledger's summary: per revision and page what counts, what is shown, missing and waived.

Pure: takes the ledger and the shown pairs, returns lines of text.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

from tests.ledger.claims import Pair
from tests.ledger.requirements import Ledger, Requirement

HEAD: tuple[str, ...] = ("revision", "page", "testable", "shown", "missing", "waived")
KINDS = ("testable", "shown", "missing", "waived")


@dataclass(frozen=True, slots=True)
class Line:
    """One requirement in one revision, as it counts in the summary."""

    revision: str
    entry: Requirement
    kind: str


def lines_of(ledger: Ledger, shown: Collection[Pair], wanted: Callable[[str, Requirement], bool]) -> list[Line]:
    """Classify every testable requirement that is wanted: shown, missing or waived."""
    return [
        Line(revision, entry, _kind(revision, entry, shown))
        for revision, held in ledger.held.items()
        for entry in held.values()
        if entry.testable and wanted(revision, entry)
    ]


def _kind(revision: str, entry: Requirement, shown: Collection[Pair]) -> str:
    if (entry.id, revision) in shown:
        return "shown"
    return "waived" if entry.waived else "missing"


def summary(lines: Collection[Line]) -> Iterator[str]:
    """The table: one row a revision and page, a sum for each revision, and one for all."""
    pages = Counter((line.revision, line.entry.page, line.kind) for line in lines)
    rows = [HEAD]
    for revision in dict.fromkeys(line.revision for line in lines):
        for page in sorted({name for held, name, _ in pages if held == revision}):
            rows.append(_row(revision, page, {kind: pages[revision, page, kind] for kind in KINDS}))
        rows.append(_row(revision, "all pages", Counter(line.kind for line in lines if line.revision == revision)))
    rows.append(_row("all", "all pages", Counter(line.kind for line in lines)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        names = (cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True))
        counts = (cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True))
        yield "  ".join([*names, *counts])


def _row(revision: str, page: str, kinds: dict[str, int]) -> tuple[str, ...]:
    counts = {**dict.fromkeys(KINDS, 0), **kinds}
    counts["testable"] = counts["shown"] + counts["missing"] + counts["waived"]
    return (revision, page, *(str(counts[kind]) for kind in KINDS))


def missing(lines: Collection[Line]) -> Iterator[str]:
    """The missing requirements, one a line, with the revisions in which nothing shows them."""
    found: dict[str, list[Line]] = {}
    for line in lines:
        if line.kind == "missing":
            found.setdefault(line.entry.id, []).append(line)
    for identifier, where in sorted(found.items()):
        entry = where[-1].entry
        revisions = ", ".join(line.revision for line in where)
        yield f"{identifier}  [{entry.level}, {entry.who}, {entry.page}; {revisions}]  {entry.says}"
