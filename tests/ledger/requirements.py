"""The ledger's entries: one TOML file a revision, old revisions as differences from a base.

Knows the files' layout and which entry holds in which revision. Whether the files are well formed is
`form.py`'s business, what tests show is `claims.py`'s.
"""

import fnmatch
import functools
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict, cast

DIRECTORY = Path(__file__).resolve().parent.parent / "spec" / "requirements"

Level = Literal["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"]


class Row(TypedDict, total=False):
    """One `[[requirement]]` table as it stands in a file."""

    id: str
    level: Level
    who: str
    page: str
    says: str
    testable: bool
    why: str
    waived: str
    change: str


class Book(TypedDict, total=False):
    """One file of the ledger."""

    revision: str
    base: str
    absent: list[str]
    requirement: list[Row]


@dataclass(frozen=True, slots=True)
class Requirement:
    """What one revision asks, in our own words."""

    id: str
    level: Level
    who: str
    page: str
    says: str
    testable: bool
    waived: str = ""

    @property
    def counts(self) -> bool:
        """Whether a test has to show it: testable, and not waived with a reason."""
        return self.testable and not self.waived


def read_books(directory: Path = DIRECTORY) -> dict[str, Book]:
    """Read all files of the ledger, by name of revision (`extensions` is one of them)."""
    files = sorted(directory.glob("*.toml"))
    return {file.stem: cast(Book, tomllib.loads(file.read_text(encoding="utf-8"))) for file in files}


def absent(book: Book, identifier: str) -> bool:
    """Whether a book with a base says that the base's requirement does not hold."""
    return any(fnmatch.fnmatchcase(identifier, pattern) for pattern in book.get("absent", ()))


class Ledger:
    """Every requirement that holds, by revision and id."""

    def __init__(self, books: Mapping[str, Book]) -> None:
        self.held = {name: self._resolve(books, book) for name, book in books.items()}

    @staticmethod
    def _resolve(books: Mapping[str, Book], book: Book) -> dict[str, Requirement]:
        inherited = books[book["base"]]["requirement"] if "base" in book else []
        rows = [row for row in inherited if not absent(book, row["id"])] + book["requirement"]
        return {row["id"]: _requirement(row) for row in rows}

    @property
    def revisions(self) -> tuple[str, ...]:
        """Names of the revisions, oldest first, and `extensions` at the end."""
        return tuple(self.held)

    def revisions_of(self, identifier: str) -> tuple[str, ...]:
        """The revisions in which a requirement holds; none when the id is unknown."""
        return tuple(name for name, held in self.held.items() if identifier in held)

    def counted(self, levels: Iterable[str] | None = None) -> dict[tuple[str, str], Requirement]:
        """All (id, revision) that tests have to show, of some levels or of all."""
        wanted = None if levels is None else frozenset(levels)
        return {
            (identifier, revision): entry
            for revision, held in self.held.items()
            for identifier, entry in held.items()
            if entry.counts and (wanted is None or entry.level in wanted)
        }


def _requirement(row: Row) -> Requirement:
    return Requirement(
        id=row["id"],
        level=row["level"],
        who=row["who"],
        page=row["page"],
        says=row["says"],
        testable=row["testable"],
        waived=row.get("waived", ""),
    )


@functools.cache
def the_ledger() -> Ledger:
    """The project's own ledger, read once a process."""
    return Ledger(read_books())
