"""Who takes part over HTTP: the same servers as over pipes, ours by `run("http")`, the others by uvicorn.

All have httptools and run on uvloop, which `run("http")` uses where it is installed; if wanted, a second time on
asyncio's own loop, in columns which nobody is judged by.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench.contestants import FLOOR, HERE, OURS, ROOT, THEIRS, Contestant
from tests.bench.traffic import Names
from tests.peers import places


class Missing(RuntimeError):
    """Something that the benchmark needs is not installed; the message says how to get it."""


@dataclass(frozen=True, slots=True)
class Served(Contestant):
    """One column: a server on one of the two loops."""

    loop: str = "uvloop"

    @property
    def title(self) -> str:
        return f"asyncio {self.kind}" if self.loop == "asyncio" else self.kind

    def serving(self, names: Names, port: int, streams: bool) -> list[str]:
        """The command of the server; with `streams` each answer is a stream of events."""
        script = "bare_app.py" if self.kind == FLOOR else f"{self.kind}_server.py"
        where = {"host": "127.0.0.1", "port": port, "timeout_keep_alive": 300}  # seconds: longer than a round of others
        settings = {**where, "loop": self.loop, "http": "httptools", "streams": streams}
        return [self.python, str(HERE / "servers" / script), names.as_argument(), json.dumps(settings)]


def all_of(revision: str, without: list[str], loops: Sequence[str] = ("uvloop",)) -> list[Served]:
    """Return who takes part on which loops; raises `Missing`."""
    for module in ("httptools", "uvloop"):
        if importlib.util.find_spec(module) is None:
            raise Missing(f"{module} is not installed: pip install mcport[fast]")
    if THEIRS not in without and not _is_ready(places.official_python()):
        raise Missing("no official SDK, or no uvloop for it: run python tests/peers/install.py official (or --without)")
    ours = Served(OURS, sys.executable, revision, paths=(str(ROOT / "src"),))
    theirs = Served(THEIRS, str(places.official_python()), revision)
    kinds = [each for each in (ours, theirs, Served(FLOOR, sys.executable, revision)) if each.kind not in without]
    return [replace(each, loop=loop) for loop in loops for each in kinds]


def _is_ready(python: Path) -> bool:
    return python.exists() and not subprocess.run([str(python), "-c", "import httptools, uvloop"]).returncode
