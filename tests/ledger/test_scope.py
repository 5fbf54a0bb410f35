"""The scope's rows say something, and once it is enforced, every pair in it has a test."""

import pytest

from tests.ledger.plugin import CLAIMS, WHOLE
from tests.ledger.requirements import the_ledger
from tests.ledger.scope import Scope, the_scope


def test_every_row_of_the_scope_says_something() -> None:
    assert [*the_scope().stale(the_ledger())] == []


def test_a_row_that_says_nothing_is_named() -> None:
    scope = Scope(
        enforced=False,
        levels=("MUST",),
        pages=("basic/index", "basic/nowhere"),
        ids=("ping.periodic", "base.jsonrpc-2.0"),
        excluded={"ping.answered-promptly": "x", "base.error.integer-code": " "},
    )
    assert [*scope.stale(the_ledger())] == [
        "pages: basic/nowhere is no page of the ledger",
        "ids: ping.periodic does not count at these levels",
        "ids: base.jsonrpc-2.0 is in scope by its page",
        "excluded: ping.answered-promptly was never in scope",
        "excluded: base.error.integer-code has no reason",
    ]


def test_every_requirement_in_scope_has_a_test(pytestconfig: pytest.Config) -> None:
    if not pytestconfig.stash[WHOLE]:
        pytest.skip("only a run of the whole suite can tell what is missing")
    asked = the_scope().pairs(the_ledger())
    missing = sorted(f"{name} in {revision}" for name, revision in asked.keys() - pytestconfig.stash[CLAIMS].shown)
    if not the_scope().enforced:
        pytest.skip(f"tests/spec/scope.toml is not enforced yet; {len(missing)} of {len(asked)} pairs have no test")
    assert missing == []
