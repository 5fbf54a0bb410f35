"""The command `python -m tests.conformance`: runs the official suite on both sides and prints how it went.

The exit code is 0 where all went well, 1 where something is to complain of, 2 where the suite could not be run.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from .serving import serving
from .suite import Scenario, Suite, SuiteFailed, checks_of
from .verdict import Verdict, judge

REVISIONS: Final = ("2025-03-26", "2025-11-25", "2026-07-28")
CLIENT: Final = Path(__file__).parent / "client.py"
LEG_SECONDS: Final = 180.0
"""How long the suite may take for all scenarios of a server."""

AT_ONCE: Final = 2
"""How many scenarios of logging in run side by side."""

ONE_SECONDS: Final = 45.0
"""How long it may take for one scenario of a client, which it ends itself somewhat earlier."""


def server_leg(suite: Suite, scenarios: Sequence[Scenario], url: str, folder: Path) -> Iterator[Verdict]:
    """Test a running server in one revision, all scenarios in one run."""
    revision = scenarios[0].revision
    suite.run(["server", "--url", url, "--requirements", revision, "-o", str(folder)], LEG_SECONDS)
    checks = checks_of(folder)
    for scenario in scenarios:
        yield judge(scenario, checks.get(f"server-{scenario.name}"))


def client_leg(suite: Suite, scenarios: Sequence[Scenario], folder: Path) -> Iterator[Verdict]:
    """Test the client: two scenarios at a time, but for those that measure time, which others would disturb."""

    def one(scenario: Scenario) -> Verdict:
        return of_client(suite, scenario, folder)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(one, (each for each in scenarios if each.name.startswith("auth/")))
    yield from map(one, (each for each in scenarios if not each.name.startswith("auth/")))


def of_client(suite: Suite, scenario: Scenario, folder: Path) -> Verdict:
    """Test the client in one scenario."""
    command = shlex.join([sys.executable, str(CLIENT)])
    own = folder / scenario.name.replace("/", "-")
    arguments = ["--scenario", scenario.name, "--spec-version", scenario.revision, "--force", "-o", str(own)]
    said = suite.run(["client", "--command", command, *arguments, "--timeout", "30000"], ONE_SECONDS)
    own.with_suffix(".txt").write_text(said, encoding="utf-8")
    return judge(scenario, checks_of(own).get(scenario.name))


def run(suite: Suite, options: argparse.Namespace, folder: Path) -> Iterator[Verdict]:
    """Run what was asked for; one server serves both revisions, as it would anybody."""
    wanted = [each for revision in options.revision for each in suite.scenarios(revision) if _chosen(each, options)]
    servers = [each for each in wanted if each.side == "server"]
    if servers:
        with serving(folder / "server.txt") as url:
            for revision, scenarios in _by_revision(servers):
                yield from server_leg(suite, scenarios, url, folder / f"server-{revision}")
    for revision, scenarios in _by_revision(each for each in wanted if each.side == "client"):
        (own := folder / f"client-{revision}").mkdir()
        yield from client_leg(suite, scenarios, own)


def _chosen(scenario: Scenario, options: argparse.Namespace) -> bool:
    return scenario.side in options.side and (not options.scenario or scenario.name in options.scenario)


def _by_revision(scenarios: Iterable[Scenario]) -> Iterator[tuple[str, list[Scenario]]]:
    grouped: dict[str, list[Scenario]] = {}
    for each in scenarios:
        grouped.setdefault(each.revision, []).append(each)
    yield from grouped.items()


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--side", nargs="+", choices=["server", "client"], default=["server", "client"])
    parser.add_argument("--revision", nargs="+", choices=REVISIONS, default=list(REVISIONS))
    parser.add_argument("--scenario", nargs="+", default=[], metavar="NAME", help="only these")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the suite's files and all output here")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    options, began = _options(arguments), time.monotonic()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        verdicts = []
        try:
            for verdict in run(Suite(), options, folder):
                verdicts.append(verdict)
                print(*verdict.lines(), sep="\n", flush=True)
        except SuiteFailed as error:
            print(f"conformance: {error}")
            return 2
    good = sum(verdict.good for verdict in verdicts)
    print(f"{good} of {len(verdicts)} scenarios without a complaint in {time.monotonic() - began:.1f} s")
    return 0 if verdicts and good == len(verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
