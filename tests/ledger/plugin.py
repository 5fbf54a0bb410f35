"""The pytest plugin that reads every collected test's `requirement` markers (activated by `tests/conftest.py`).

Faulty markers (unknown ids, ids that do not hold in the revision of the test) end the run at collection.
Every collected item counts, also one that is skipped or deselected afterwards: the ledger says what has a
test, the run says whether it passes.
"""

from pathlib import Path

import pytest

from tests.ledger.claims import MARKER, Claims
from tests.ledger.requirements import the_ledger

CLAIMS = pytest.StashKey[Claims]()
WHOLE = pytest.StashKey[bool]()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Read the markers of all collected items, before anything is deselected."""
    claims = Claims()
    for item in items:
        marks = [*item.iter_markers(MARKER)]
        if marks:
            claims.add(item.nodeid, marks, _argument(item), the_ledger())
    config.stash[CLAIMS] = claims
    config.stash[WHOLE] = _is_whole(config) and not session.testsfailed
    if claims.faults:
        raise pytest.UsageError("\n".join(["requirement markers:", *claims.faults]))


def _argument(item: pytest.Item) -> object:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("revision")


def _is_whole(config: pytest.Config) -> bool:
    """Whether this run collects the whole suite, so that something missing is really missing."""
    tests = config.rootpath / "tests"
    asked = {Path(config.invocation_params.dir, argument).resolve() for argument in config.args}
    return bool(asked & {tests, config.rootpath}) and not config.getoption("ignore", None)
