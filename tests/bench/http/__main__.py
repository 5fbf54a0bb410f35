"""The command `python -m tests.bench.http`: our server and client over HTTP, the official SDK's, and the limit.

Not part of any check: a timing never gates a test.
"""

from __future__ import annotations

import argparse
import json
import platform
import random
import sys
import time
from collections.abc import Sequence

from tests.bench.contestants import OURS, THEIRS
from tests.bench.driver import ServerFailed
from tests.bench.figures import Bench
from tests.bench.http.contestants import Missing, all_of
from tests.bench.http.figures import FIGURES
from tests.bench.processes import ProcessFailed
from tests.bench.report import Row, as_json, table
from tests.bench.traffic import STATELESS, WrongAnswer


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    keys = [figure.key for figure in FIGURES]
    parser = argparse.ArgumentParser(prog="python -m tests.bench.http", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=keys, default=keys, metavar="FIGURE", help=", ".join(keys))
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds per figure")
    parser.add_argument("--without", nargs="+", choices=[OURS, THEIRS], default=[], help="columns to leave out")
    parser.add_argument("--asyncio", action="store_true", help="all of them on asyncio's own loop as well")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of names, ids and arguments")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code is 1 where something could not be measured."""
    options = _options(argv)
    try:
        loops = ("uvloop", "asyncio") if options.asyncio else ("uvloop",)
        bench = Bench(all_of(STATELESS, options.without, loops), options.rounds, options.seed)
    except Missing as error:
        print(error, file=sys.stderr)
        return 1
    begin, rows, failed = time.perf_counter(), [], False
    for figure in (figure for figure in FIGURES if figure.key in options.only):
        print(f"measuring: {figure.title} ...", file=sys.stderr)
        try:
            rows.append(row := Row.of(figure, figure.measure(bench, figure.key)))
            print({title: round(cell.value, 1) for title, cell in row.cells.items()}, figure.unit, file=sys.stderr)
        except (ServerFailed, ProcessFailed, WrongAnswer, OSError) as error:
            print(f"{figure.title}: {error}", file=sys.stderr)
            failed = True
    if options.json:
        print(json.dumps({"seed": bench.seed, "figures": as_json(rows)}, indent=2))
    else:
        machine = f"Python {platform.python_version()}, {platform.machine()}"
        print(f"seed {bench.seed}, {bench.rounds} rounds, {machine}, {time.perf_counter() - begin:.0f} s\n")
        print(table(rows, [contestant.title for contestant in bench.contestants]))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
