"""The suite's results are judged more strictly than the suite does, and its lists are read to the end."""

from __future__ import annotations

import pytest

from tests.conformance.suite import Check, Scenario, listed
from tests.conformance.verdict import judge

PING = Scenario("server", "ping", "2025-11-25", required=True)
LISTED = """
Required for 2025-11-25 (3 scenarios, frozen):

Server scenarios (test against a server):
  - ping

Client scenarios (test against a client):
  - initialize
  - auth/basic

Run and reported, but never scored:
  extension (1):
    - tasks-lifecycle [server]
  pending (1):
    - json-schema [client]
"""


def check(status: str, id: str = "ping") -> Check:
    return {"id": id, "status": status, "errorMessage": "because"}


def test_what_succeeds_and_leaves_nothing_to_complain_of_is_good() -> None:
    verdict = judge(PING, [check("SUCCESS"), check("INFO"), check("SKIPPED")])
    assert verdict.good
    assert "ok" in verdict.lines()[0]


@pytest.mark.parametrize("status", ["FAILURE", "WARNING"])
def test_a_warning_counts_as_much_as_a_failure(status: str) -> None:
    verdict = judge(PING, [check("SUCCESS"), check(status)])
    assert verdict.complaints == (f"{status} ping: because",)


@pytest.mark.parametrize("checks", [[], [check("SUCCESS", "wire-schema-valid")], [check("SKIPPED")], None])
def test_where_nothing_was_shown_nothing_is_good(checks: list[Check] | None) -> None:
    assert not judge(PING, checks).good


def test_both_sides_and_what_is_not_required_are_listed() -> None:
    found = [(each.side, each.name, each.required) for each in listed(LISTED, "2025-11-25")]
    assert found == [
        ("server", "ping", True),
        ("client", "initialize", True),
        ("client", "auth/basic", True),
        ("server", "tasks-lifecycle", False),
        ("client", "json-schema", False),
    ]
