"""Running the command in a process of its own, in a pipe or at a terminal."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from mcport.cli import main
from tests.transports.children import SOURCES

Meant: TypeAlias = Callable[[Any], None]

MCPORT = [sys.executable, "-m", "mcport"]


def environment(**more: str) -> dict[str, str]:
    """The caller's environment, with this checkout's library and nothing that changes colours."""
    kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM", "PYTHONPATH")}
    return {**kept, "PYTHONPATH": str(SOURCES), "TERM": "xterm", **more}


def run(*arguments: str | Path, stdin: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command with its streams in pipes."""
    return subprocess.run(
        [*MCPORT, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        cwd=cwd,
    )


@dataclass
class Done:
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


class Here:
    """Runs the command in this process, which is faster, and takes back what it loaded."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        monkeypatch.setattr(sys, "path", [*sys.path])
        monkeypatch.setenv("PYTHONPATH", str(SOURCES))

    def __call__(self, *arguments: str | Path) -> Done:
        loaded = {*sys.modules}
        try:
            code = main([*map(str, arguments)])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        finally:
            for name in {*sys.modules} - loaded:
                if not name.startswith("mcport.") and getattr(sys.modules[name], "__spec__", None) is not None:
                    self._forget(name)
        return Done(code, *self._capsys.readouterr())

    @staticmethod
    def _forget(name: str) -> None:
        """Unload a module of a test's own file."""
        file = getattr(sys.modules[name], "__file__", None) or ""
        if "pytest-" in file:
            del sys.modules[name]


def run_at_terminal(*arguments: str, **more: str) -> tuple[int, str]:
    """Run the command at a pseudo-terminal; return its exit code and all that was shown."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*MCPORT, *arguments], stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs, env=environment(**more)
    )
    os.close(theirs)
    shown = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # Linux says EIO where the last writer has gone
            break
        if not chunk:
            break
        shown += chunk
    os.close(ours)
    return process.wait(timeout=30), shown.decode()
