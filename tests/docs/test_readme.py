"""The README's server and client, copied into files and run as a reader would run them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from mcport.cli.parser import parse

README = Path(__file__).resolve().parents[2] / "README.md"


def snippet(heading: str) -> str:
    """The indented code block below a heading of the README."""
    section = README.read_text(encoding="utf-8").split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line[4:] for line in section.splitlines() if not line.strip() or line.startswith("    ")]
    return "\n".join(lines).strip() + "\n"


def test_the_client_of_the_readme_talks_to_the_server_of_the_readme(tmp_path: Path) -> None:
    (tmp_path / "calculator.py").write_text(snippet("A server"), encoding="utf-8")
    (tmp_path / "client.py").write_text(snippet("A client"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "client.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["add - Add two numbers.", "42"]


def test_the_snippets_are_short_enough_for_a_readme() -> None:
    for heading in ("A server", "A client"):
        code = [line for line in snippet(heading).splitlines() if line.strip()]
        assert len(code) <= 10, heading


def test_each_command_of_the_readme_is_one_line() -> None:
    text = README.read_text(encoding="utf-8")
    commands = re.findall(r"^    ((?:python3|\.venv).*)$", text, flags=re.MULTILINE)
    assert len(commands) == 2
    assert commands[1] == "python3 tests/check.py --setup tests"


def test_the_lines_for_a_shell_are_understood() -> None:
    lines = re.findall(r"^    mcport (.*)$", README.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(lines) == 3
    for line in lines:
        words = shlex.split(line)
        assert parse(words, {"talk": lambda options: 0, "run": lambda options: 0}).does == words[0]


def test_the_examples_that_it_names_are_shipped() -> None:
    section = README.read_text(encoding="utf-8").split("## From a shell\n", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"`(\w+)`", section))
    assert named == {path.stem for path in (README.parent / "examples").glob("*.py")}
