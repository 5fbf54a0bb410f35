"""`python -m tests.ledger`: which requirements have a test that names them, and which have none.

Collects the suite without running it. Ends with 1 when test files could not be collected, with 2 when
markers are faulty.
"""

import argparse
import contextlib
import io
import sys
from collections.abc import Collection, Sequence

import pytest

from tests.ledger.claims import Claims, Pair
from tests.ledger.requirements import Requirement, the_ledger
from tests.ledger.scope import the_scope
from tests.ledger.table import lines_of, missing, summary


class Listener:
    """Takes the claims, and the names of files that could not be collected, out of a collection."""

    def __init__(self) -> None:
        self.claims = Claims()
        self.broken: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.broken.append(f"{report.nodeid}: {_last_line(report.longreprtext)}")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config) -> None:
        from tests.ledger.plugin import CLAIMS  # pytest must be the first to import a plugin

        self.claims = config.stash[CLAIMS]


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1].removeprefix("E").strip()


def collect() -> Listener:
    """Collect the whole suite in this process; faulty markers end the program with their list."""
    listener = Listener()
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        code = pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider"], plugins=[listener])
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        sys.stderr.write(output.getvalue())
        raise SystemExit(2)
    return listener


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table for what the options choose."""
    options = _parser().parse_args(arguments)
    levels = {level.strip() for level in options.level.split(",")} if options.level else None
    scope = the_scope().pairs(the_ledger()) if options.scope else None

    def wanted(revision: str, entry: Requirement) -> bool:
        return (
            (options.page is None or entry.page == options.page)
            and (options.revision is None or revision == options.revision)
            and (levels is None or entry.level in levels)
            and (scope is None or (entry.id, revision) in scope)
        )

    listener = collect()
    shown = listener.claims.shown
    if options.brief:
        sys.stdout.write(brief(shown) + "\n")
        return 1 if listener.broken else 0
    lines = lines_of(the_ledger(), shown, wanted)
    printed = [*summary(lines), *(missing(lines) if options.missing else ())]
    printed += [f"not collected: {broken}" for broken in listener.broken]
    sys.stdout.write("\n".join(printed) + "\n")
    return 1 if listener.broken else 0


def brief(shown: Collection[Pair]) -> str:
    """One line: how much of the scope and of the whole ledger has a test."""
    everything, scope = the_ledger().counted(), the_scope().pairs(the_ledger())
    done, inside = everything.keys() & shown, scope.keys() & shown
    return f"in scope {len(inside)} of {len(scope)} shown; whole ledger {len(done)} of {len(everything)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.ledger", description=__doc__)
    parser.add_argument("--page", help="one page, such as basic/lifecycle")
    parser.add_argument("--revision", help="one revision, such as 2025-11-25")
    parser.add_argument("--level", help='levels with commas between, such as "MUST,MUST NOT"')
    parser.add_argument("--scope", action="store_true", help="only what tests/spec/scope.toml asks to be shown now")
    parser.add_argument("--missing", action="store_true", help="list the missing ids")
    parser.add_argument("--brief", action="store_true", help="one line instead of the table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
