"""The page about the command line: every command and exit code on it exists, and every one that exists is on it."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from mcport.cli import exits
from mcport.cli.parser import TALKING, parse

PAGE = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
SHOWN = [line.strip() for line in PAGE.splitlines() if line.startswith("    mcport ")]


def test_every_exit_code_is_on_the_page() -> None:
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    assert told == sorted(value for value in vars(exits).values() if isinstance(value, int))


def test_every_command_is_on_the_page() -> None:
    assert {*re.findall(r"^\| `mcport (\w+)", PAGE, re.MULTILINE)} == {*TALKING, "run", "demo", "examples", "auth"}


@pytest.mark.parametrize("line", SHOWN)
def test_every_line_that_is_shown_is_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    does: dict[str, Callable[[object], int]] = {
        "talk": lambda options: 0,
        "run": lambda options: 0,
        "auth": lambda options: 0,
        "demo": lambda options: 0,
    }
    assert parse(words, does).name == words[0]
