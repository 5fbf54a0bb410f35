"""The plugin refuses a run whose markers are faulty, and collects what the others claim."""

import pytest

from tests.ledger import plugin
from tests.ledger.claims import Claims
from tests.ledger.plugin import CLAIMS

TESTS = """
import pytest

@pytest.mark.requirement("base.jsonrpc-2.0", "batch.receive", revisions=["2025-03-26"])
def test_one(): pass

@pytest.mark.parametrize("revision", ["2025-06-18", "2026-07-28"])
@pytest.mark.requirement("base.request.id-not-null")
def test_two(revision): pass
"""


class Listener:
    """Keeps the claims of an inner run."""

    claims = Claims()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.claims = session.config.stash[CLAIMS]


def collected(pytester: pytest.Pytester, tests: str, *options: str) -> tuple[pytest.RunResult, Claims]:
    """Collect a file of tests with the plugin in a run inside this one."""
    pytester.makeini("[pytest]\nmarkers = requirement(*ids): shows")
    pytester.makepyfile(tests)
    listener = Listener()
    result = pytester.runpytest_inprocess("--collect-only", *options, plugins=[plugin, listener])
    return result, listener.claims


def test_every_collected_item_claims_what_it_shows_in_its_revision(pytester: pytest.Pytester) -> None:
    _, claims = collected(pytester, TESTS)
    assert {*claims.shown} == {
        ("base.jsonrpc-2.0", "2025-03-26"),
        ("batch.receive", "2025-03-26"),
        ("base.request.id-not-null", "2025-06-18"),
        ("base.request.id-not-null", "2026-07-28"),
    }


def test_a_faulty_marker_ends_the_run_at_collection(pytester: pytest.Pytester) -> None:
    result, _ = collected(pytester, TESTS.replace("batch.receive", "batch.recieve"))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*test_one: unknown requirement 'batch.recieve'"])


def test_a_test_that_is_deselected_still_claims(pytester: pytest.Pytester) -> None:
    _, claims = collected(pytester, TESTS, "-k", "test_one")
    assert len(claims.shown) == 4
