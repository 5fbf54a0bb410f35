"""The command `python -m tests.bench`: picks contestants and figures, measures, prints. Timings never gate a test."""

import argparse
import json
import platform
import random
import sys
import time
from collections.abc import Sequence

from tests.bench.contestants import OURS, Contestant, floor, official, ours
from tests.bench.driver import ServerFailed
from tests.bench.figures import FIGURES, Bench
from tests.bench.processes import ProcessFailed
from tests.bench.report import Row, as_json, table
from tests.bench.traffic import HANDSHAKE, STATELESS, WrongAnswer
from tests.peers import places


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    keys = [figure.key for figure in FIGURES]
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=keys, default=keys, metavar="FIGURE", help=", ".join(keys))
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds per figure")
    parser.add_argument(
        "--revision", nargs="+", choices=[HANDSHAKE, STATELESS], default=[HANDSHAKE, STATELESS], help="of our columns"
    )
    parser.add_argument("--peer-python", help="an interpreter that has the official SDK")
    parser.add_argument("--peer-revision", choices=[HANDSHAKE, STATELESS], default=HANDSHAKE)
    parser.add_argument("--without", nargs="+", choices=[OURS, "official"], default=[], help="columns to leave out")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of names, ids and arguments")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    return parser.parse_args(argv)


def _contestants(arguments: argparse.Namespace) -> list[Contestant]:
    chosen = [] if OURS in arguments.without else [ours(revision) for revision in arguments.revision]
    if "official" not in arguments.without:
        peer = official(arguments.peer_python, arguments.peer_revision)
        if peer is None:
            where = arguments.peer_python or places.official_python().relative_to(places.ROOT)
            print(f"no official SDK: {where} is not there; run python tests/peers/install.py", file=sys.stderr)
        else:
            chosen.append(peer)
    return [*chosen, floor(arguments.peer_revision)]


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _arguments(argv)
    bench = Bench(_contestants(arguments), arguments.rounds, arguments.seed)
    begin, rows = time.perf_counter(), []
    for figure in FIGURES:
        if figure.key in arguments.only:
            print(f"measuring: {figure.title} ...", file=sys.stderr)
            try:
                rows.append(Row.of(figure, figure.measure(bench, figure.key)))
            except (ServerFailed, ProcessFailed, WrongAnswer) as error:
                print(f"{figure.title}: {error}", file=sys.stderr)
                return 1
    if arguments.json:
        print(json.dumps({"seed": bench.seed, "figures": as_json(rows)}, indent=2))
        return 0
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    print(f"seed {bench.seed}, {bench.rounds} rounds, {machine}, {time.perf_counter() - begin:.0f} s\n")
    print(table(rows, [contestant.title for contestant in bench.contestants]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
