"""The scope: which requirements of the ledger tests have to show now, as data in `tests/spec/scope.toml`.

The rule is by page; what a page asks beyond the scope is excluded one id a row, each with its reason.
"""

import functools
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.ledger.claims import Pair
from tests.ledger.requirements import Ledger, Requirement

ADVICE = ("SHOULD", "SHOULD NOT")
FILE = Path(__file__).resolve().parent.parent / "spec" / "scope.toml"


@dataclass(frozen=True, slots=True)
class Scope:
    """The rule and its exceptions."""

    enforced: bool
    levels: tuple[str, ...]
    pages: tuple[str, ...]
    ids: tuple[str, ...]
    excluded: dict[str, str]
    recommended: tuple[str, ...] = ()
    """Of these pages what is recommended counts too."""

    def pairs(self, ledger: Ledger) -> dict[Pair, Requirement]:
        """Every (id, revision) that has to be shown."""
        return {pair: entry for pair, entry in self._asked(ledger).items() if entry.id not in self.excluded}

    def stale(self, ledger: Ledger) -> Iterator[str]:
        """Rows of the file that say nothing: pages and ids that no longer occur where the rule reaches."""
        pages = {entry.page for held in ledger.held.values() for entry in held.values()}
        asked = {entry.id for entry in self._asked(ledger).values()}
        by_page = {entry.id for entry in self._asked(ledger).values() if entry.page in self.pages}
        yield from (f"pages: {page} is no page of the ledger" for page in self.pages if page not in pages)
        beside = set(self.recommended).difference(self.pages)
        yield from (f"recommended: {page} is not among the pages" for page in sorted(beside))
        yield from (f"ids: {name} does not count at these levels" for name in self.ids if name not in asked)
        yield from (f"ids: {name} is in scope by its page" for name in self.ids if name in by_page)
        yield from (f"excluded: {name} was never in scope" for name in self.excluded if name not in asked)
        yield from (f"excluded: {name} has no reason" for name, reason in self.excluded.items() if not reason.strip())

    def _asked(self, ledger: Ledger) -> dict[Pair, Requirement]:
        counted = ledger.counted(self.levels)
        asked = {pair: entry for pair, entry in counted.items() if entry.page in self.pages or entry.id in self.ids}
        advice = ledger.counted(ADVICE)
        return asked | {pair: entry for pair, entry in advice.items() if entry.page in self.recommended}


@functools.cache
def the_scope() -> Scope:
    """The project's own scope."""
    data = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return Scope(
        enforced=data["enforced"],
        levels=tuple(data["levels"]),
        pages=tuple(data["pages"]),
        ids=tuple(data["ids"]),
        excluded=data["excluded"],
        recommended=tuple(data["recommended"]),
    )
