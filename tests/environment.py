"""A virtual environment for this project's checks, made with the standard library and pip alone.

Works with the pip that any Python 3.11 brings (nothing here needs dependency groups or a newer resolver), and
where Python was packaged without `ensurepip` with the pip that is there. An environment that already holds
what `pyproject.toml` asks for is used as it is.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMP = "mcport-environment"
QUIETLY = ["-qq", "--disable-pip-version-check", "--no-input"]


def python_of(directory: Path) -> Path:
    """The interpreter of a virtual environment."""
    return directory / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def script_of(directory: Path, name: str) -> Path:
    """A command that was installed into a virtual environment."""
    return directory / (f"Scripts/{name}.exe" if os.name == "nt" else f"bin/{name}")


def create(directory: Path) -> None:
    """Make an empty environment, with a pip of its own where this Python can give it one."""
    command = [sys.executable, "-m", "venv", str(directory)]
    if subprocess.run(command, capture_output=True).returncode:
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([*command, "--without-pip"], check=True)


def pip(directory: Path, command: str, *arguments: str) -> None:
    """Run pip for an environment: its own or, where it has none, that of this Python."""
    python = str(python_of(directory))
    own = subprocess.run([python, "-c", "import pip"], capture_output=True).returncode == 0
    runner = [python, "-m", "pip"] if own else [sys.executable, "-m", "pip", "--python", python]
    subprocess.run([*runner, command, *QUIETLY, *arguments], check=True, cwd=ROOT)


def ensure(directory: Path, extras: Sequence[str], fresh: bool = False) -> Path:
    """Have an environment with mcport (editable) and some of its extras, and return its interpreter.

    `fresh` throws away what was there.
    """
    if fresh:
        shutil.rmtree(directory, ignore_errors=True)
    if not python_of(directory).exists():
        create(directory)
    held = _held(directory)
    if not {*extras} <= held:
        pip(directory, "install", "-e", f".[{','.join(extras)}]")
        lines = [_project(), *sorted({*extras, *held})]
        (directory / STAMP).write_text("\n".join(lines), encoding="utf-8")
    return python_of(directory)


def _held(directory: Path) -> set[str]:
    """The extras that were installed already, from the project file as it is now."""
    stamp = directory / STAMP
    project, *extras = stamp.read_text(encoding="utf-8").split() if stamp.exists() else [""]
    return {*extras} if project == _project() else set()


def _project() -> str:
    return hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
