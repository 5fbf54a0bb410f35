"""What a test claims to show: the `requirement` markers of an item, read into (id, revision) pairs.

Pure: takes marks and the value of an argument named `revision`, returns pairs and faults. Collecting them
from a run is `plugin.py`'s business.

    @pytest.mark.requirement("base.request.id-not-null", "base.result.same-id")
    @pytest.mark.requirement("batch.receive", revisions=["2025-03-26"])
    @pytest.mark.requirement("a.b", "c.d", "e.f", "g.h", "i.j", "k.l", reason="one table of six rows")

An item with an argument `revision` (a name, or an object with `.name`) shows its ids in that revision, and
where the marker also has `revisions=` only if the argument is one of them. Without the argument `revisions=`
counts, and without both every revision in which the id holds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from tests.ledger.requirements import Ledger

MARKER = "requirement"
MANY = 5
OPTIONS = frozenset({"revisions", "reason"})

Pair = tuple[str, str]


@dataclass(slots=True)
class Claims:
    """The pairs that one test or a whole run claims, by which tests, and what is wrong with the markers."""

    shown: dict[Pair, list[str]] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def add(self, test: str, marks: Sequence[pytest.Mark], argument: object, ledger: Ledger) -> None:
        """Read the marks of one collected test."""
        faults = list(_faults(marks, argument, ledger))
        self.faults += [f"{test}: {fault}" for fault in faults]
        for pair in () if faults else _pairs(marks, argument, ledger):
            self.shown.setdefault(pair, []).append(test)


def _pairs(marks: Sequence[pytest.Mark], argument: object, ledger: Ledger) -> set[Pair]:
    return {
        (identifier, revision)
        for mark in marks
        for identifier in mark.args
        for revision in _revisions(mark, argument) or ledger.revisions_of(identifier)
        if _applies(mark, argument)
    }


def _faults(marks: Sequence[pytest.Mark], argument: object, ledger: Ledger) -> Iterator[str]:
    identifiers = [identifier for mark in marks for identifier in mark.args]
    if len(set(identifiers)) > MANY and not any(_is_text(mark.kwargs.get("reason")) for mark in marks):
        yield f"shows {len(set(identifiers))} requirements: more than {MANY} need a reason="
    for mark in marks:
        yield from _mark_faults(mark, argument, ledger)


def _mark_faults(mark: pytest.Mark, argument: object, ledger: Ledger) -> Iterator[str]:
    if not mark.args:
        yield "a requirement marker without ids"
    if unknown := sorted(mark.kwargs.keys() - OPTIONS):
        yield f"unknown options of a requirement marker: {', '.join(unknown)}"
    if isinstance(mark.kwargs.get("revisions"), str):
        yield "revisions= is a list of revisions, not one string"
        return
    named = {*_revisions(mark, argument), *_listed(mark)}
    yield from (f"{name!r} is no revision" for name in sorted(named - {*ledger.revisions}))
    for identifier in mark.args:
        holds = ledger.revisions_of(identifier) if isinstance(identifier, str) else ()
        if not holds:
            yield f"unknown requirement {identifier!r}"
        elif _applies(mark, argument):
            missing = [name for name in _revisions(mark, argument) if name in ledger.revisions and name not in holds]
            yield from (f"{identifier} does not hold in {name}" for name in missing)


def _applies(mark: pytest.Mark, argument: object) -> bool:
    listed = _listed(mark)
    return argument is None or not listed or _name(argument) in listed


def _revisions(mark: pytest.Mark, argument: object) -> list[str]:
    """The revisions that this marker names for this test, none where it leaves them open."""
    return _listed(mark) if argument is None else [_name(argument)]


def _listed(mark: pytest.Mark) -> list[str]:
    return [_name(revision) for revision in mark.kwargs.get("revisions") or ()]


def _name(revision: object) -> str:
    return revision if isinstance(revision, str) else str(getattr(revision, "name", revision))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
