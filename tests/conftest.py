"""What every test shares: the ledger's plugin, the options of this suite, and how hypothesis runs.

Nothing here knows mcport; fixtures of a room stand in that room's own conftest.
"""

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = ["tests.ledger.plugin", "pytester"]

PEERS = Path(__file__).resolve().parent / "peers"

settings.register_profile("mcport", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("mcport")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--slow` and `--require-peers`."""
    group = parser.getgroup("mcport")
    group.addoption("--slow", action="store_true", help="also run the tests marked slow")
    group.addoption("--require-peers", action="store_true", help="a skipped test in tests/peers is a failure")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip the slow tests unless they were asked for."""
    if config.getoption("--slow"):
        return
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(pytest.mark.skip(reason="slow; run it with --slow"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under `--require-peers` a skipped peer test has failed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and _is_required_peer(item):
        report.outcome, report.longrepr = "failed", _missing_peer(report.longrepr)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Under `--require-peers` a peer file that skips itself has failed."""
    report = yield
    if report.skipped and _is_required_peer(collector):
        report.outcome, report.longrepr = "failed", _missing_peer(report.longrepr)
    return report


def _is_required_peer(node: pytest.Item | pytest.Collector) -> bool:
    return bool(node.config.getoption("--require-peers")) and PEERS in node.path.parents


def _missing_peer(skipped: object) -> str:
    reason = skipped[2] if isinstance(skipped, tuple) else skipped
    return f"peers are required in this run, but: {reason}"
