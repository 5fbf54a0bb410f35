"""The library prints nothing and leaves logging as its user set it up (P18); only the command line may."""

import ast
from collections.abc import Iterator

import pytest

from tests.house.sources import Source, library

LOUD = frozenset({"cli", "__main__"})
PRINTERS = frozenset({"print", "pprint", "print_exc", "print_exception", "print_stack"})
SETUP = frozenset(
    {"basicConfig", "dictConfig", "fileConfig", "addHandler", "removeHandler", "captureWarnings", "setLevel"}
)


def offences(source: Source) -> Iterator[str]:
    """Every call that prints or configures logging."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in PRINTERS | SETUP:
                yield f"{source.at(node.lineno)}: calls {name}"


def test_p18_nothing_prints_or_sets_up_logging() -> None:
    wrong = [offence for source in library() if source.room not in LOUD for offence in offences(source)]
    assert "\n".join(wrong) == ""


@pytest.mark.parametrize("text", ["print(1)", "traceback.print_exc()", "log.addHandler(h)", "logging.basicConfig()"])
def test_an_offence_is_noticed(text: str) -> None:
    assert len([*offences(Source(library()[0].path, "mcport.core.peer", text))]) == 1
