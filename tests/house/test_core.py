"""The core decides and does nothing: no async, no I/O, no clock, no randomness."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.sources import Source, library

ASYNC = (ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith, ast.Await)
WORLD = frozenset(
    {
        *("asyncio", "threading", "multiprocessing", "concurrent", "queue", "sched", "selectors", "select", "signal"),
        *("subprocess", "socket", "ssl", "http", "urllib.request", "os", "pathlib", "io", "tempfile", "shutil"),
        *("time", "random", "secrets", "uuid", "getpass", "platform", "logging", "warnings"),
    }
)
BARE = frozenset({"open", "print", "input", "exec", "eval"})
CLOCKS = frozenset({"now", "utcnow", "today"})


def offences(source: Source) -> Iterator[str]:
    """Every place where a file reaches for the world outside, or waits for it."""
    for imported in source.imports:
        if imported.top in WORLD or imported.module in WORLD:
            yield f"{source.at(imported.line)}: imports {imported.module}"
    for node in ast.walk(source.tree):
        if isinstance(node, ASYNC) or (isinstance(node, ast.comprehension) and node.is_async):
            yield f"{source.at(getattr(node, 'lineno', 0))}: is async"
        elif isinstance(node, ast.Call) and _called(node.func):
            yield f"{source.at(node.lineno)}: calls {_called(node.func)}"


def _called(function: ast.expr) -> str:
    if isinstance(function, ast.Name) and function.id in BARE:
        return function.id
    return function.attr if isinstance(function, ast.Attribute) and function.attr in CLOCKS else ""


def test_the_core_does_nothing_but_decide() -> None:
    wrong = [offence for source in library() if source.room == "core" for offence in offences(source)]
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize(
    ("text", "offence"),
    [
        ("import time", "imports time"),
        ("from os import path", "imports os"),
        ("def f():\n    import asyncio", "imports asyncio"),
        ("async def f(): ...", "is async"),
        ("x = open('f')", "calls open"),
        ("x = datetime.now()", "calls now"),
    ],
)
def test_an_offence_is_noticed(text: str, offence: str) -> None:
    [found] = offences(Source(library()[0].path, "mcport.core.peer", text))
    assert found.endswith(offence)
