"""Who takes part: how each server, client and import is started, and in which revision it is spoken to.

It knows interpreters and paths; it refuses to know what is measured. Below it sits the file system.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.traffic import HANDSHAKE, Names
from tests.peers import places

HERE = Path(__file__).parent
ROOT = places.ROOT
OURS, THEIRS, FLOOR = "mcport", "official", "bare"


@dataclass(frozen=True, slots=True)
class Contestant:
    """One column of the table: an interpreter, a kind (which picks the scripts) and a revision."""

    kind: str
    python: str
    revision: str = HANDSHAKE
    imports: str = "pass"
    paths: Sequence[str] = field(default=())

    @property
    def title(self) -> str:
        return f"{self.kind} {self.revision}" if self.kind == OURS else self.kind

    def server(self, names: Names) -> list[str]:
        script = "bare_loop.py" if self.kind == FLOOR else f"{self.kind}_server.py"
        return [self.python, str(HERE / "servers" / script), names.as_argument()]

    def client(self, server: Sequence[str] | str, tool: str, calls: int, httpx: bool = False) -> list[str]:
        """The command of a client of a server, which is a command or a URL; `httpx` has ours go through its client."""
        task = {"server": server, "tool": tool, "calls": calls, "revision": self.revision, "httpx": httpx}
        return [self.python, str(HERE / "clients" / f"{self.kind}_client.py"), json.dumps(task)]

    def importing(self) -> list[str]:
        return [self.python, "-c", self.imports]

    def env(self) -> dict[str, str]:
        """The caller's environment, less what would change how an interpreter starts."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "COV_", "COVERAGE"))}
        return {**kept, "PYTHONPATH": os.pathsep.join(self.paths)} if self.paths else kept


def ours(revision: str) -> Contestant:
    return Contestant(OURS, sys.executable, revision, "from mcport import Client, Server", (str(ROOT / "src"),))


def floor(revision: str) -> Contestant:
    return Contestant(FLOOR, sys.executable, revision, "from pydantic import BaseModel")


def official(python: str | None, revision: str) -> Contestant | None:
    """The official SDK in the interpreter given, else in the checkout's own peer environment; None without either."""
    found = Path(python) if python else places.official_python()
    imports = "from mcp import Client; from mcp.server import MCPServer"
    return Contestant(THEIRS, str(found), revision, imports) if found.exists() else None
