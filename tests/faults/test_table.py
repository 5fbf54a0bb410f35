"""The table of faults names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import tests.faults

ROOMS = ("faults", "http", "machines")


def test_each_fault_names_tests_that_there_are() -> None:
    named = set(re.findall(r"\b(test_\w+|Test\w+)", tests.faults.__doc__ or ""))
    here = Path(tests.faults.__file__).parent.parent
    texts = [file.read_text() for room in ROOMS for file in (here / room).glob("test_*.py")]
    there = {
        name for text in texts for name in re.findall(r"^\s*(?:async def|def) (test_\w+)|^(Test\w+) =", text, re.M)
    }
    assert named
    assert named - {first or second for first, second in there} == set()
