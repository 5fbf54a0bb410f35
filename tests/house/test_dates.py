"""Revisions are told apart by their abilities: in code their dates stand in one place.

Comments and docstrings cite pages of the specification, and so name revisions freely.
"""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.sources import Source, library

DATE = re.compile(r"2024-11-05|2025-03-26|2025-06-18|2025-11-25|2026-07-28")
HOME = "mcport.spec.revisions"


def dates(source: Source) -> Iterator[str]:
    """Every text in the code of a file that holds the date of a revision."""
    prose = {id(node.value) for node in ast.walk(source.tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(source.tree):
        text = str(node.value) if isinstance(node, ast.Constant) and id(node) not in prose else ""
        if DATE.search(text):
            yield f"{source.where}: {text!r}"


def test_no_revision_date_stands_outside_its_home() -> None:
    places = [source for source in library() if source.module != HOME]
    wrong = [date for source in places if not source.is_generated for date in dates(source)]
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize("text", ['x = "2025-11-25"', 'x = f"since 2025-11-25"', 'if v in {b"2025-11-25"}: pass'])
def test_a_date_in_the_code_is_noticed(text: str) -> None:
    assert len([*dates(Source(library()[0].path, "mcport.core.peer", text))]) == 1


def test_a_date_in_prose_is_a_citation() -> None:
    text = '"""See 2025-11-25, basic/lifecycle."""\n# 2024-11-05\ndef f():\n    """As 2025-11-25 says."""'
    assert [*dates(Source(library()[0].path, "mcport.core.peer", text))] == []
