"""Who takes part over HTTP: the same servers as over pipes, with the settings of uvicorn that each runs under.

All parse HTTP with httptools; ours runs a second time on uvloop, which is a column of its own.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass

from tests.bench.contestants import FLOOR, HERE, OURS, ROOT, THEIRS, Contestant
from tests.bench.traffic import Names
from tests.peers import places


class Missing(RuntimeError):
    """Something that the benchmark needs is not installed; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Served(Contestant):
    """One column: a server under uvicorn, on one of the two loops."""

    loop: str = "asyncio"

    @property
    def title(self) -> str:
        return f"{self.kind} uvloop" if self.loop == "uvloop" else self.kind

    def serving(self, names: Names, port: int, streams: bool) -> list[str]:
        """The command of the server; with `streams` each answer is a stream of events."""
        script = "bare_app.py" if self.kind == FLOOR else f"{self.kind}_server.py"
        where = {"host": "127.0.0.1", "port": port, "timeout_keep_alive": 300}  # seconds: longer than a round of others
        settings = {**where, "loop": self.loop, "http": "httptools", "streams": streams}
        return [self.python, str(HERE / "servers" / script), names.as_argument(), json.dumps(settings)]


def all_of(revision: str, without: list[str]) -> list[Served]:
    """Return who takes part; raises `Missing`."""
    for module in ("httptools", "uvloop"):
        if importlib.util.find_spec(module) is None:
            raise Missing(f"{module} is not installed: pip install mcport[fast]")
    source = (str(ROOT / "src"),)
    ours = [Served(OURS, sys.executable, revision, paths=source, loop=loop) for loop in ("asyncio", "uvloop")]
    theirs = Served(THEIRS, str(places.official_python()), revision)
    if THEIRS not in without and not places.official_python().exists():
        raise Missing("no official SDK: run python tests/peers/install.py official, or leave it out (--without)")
    return [each for each in (*ours, theirs, Served(FLOOR, sys.executable, revision)) if each.kind not in without]
