"""The public face: every name that `mcport` promises is there, and nothing else is."""

import ast
import importlib

import pytest

import mcport
from tests.house.sources import library

NAMES: list[str] = sorted(mcport.__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_can_be_imported(name: str) -> None:
    assert getattr(importlib.import_module("mcport"), name) is not None
    assert name in dir(mcport)


def test_type_checkers_see_the_same_names_as_programs() -> None:
    [face] = [source for source in library() if source.module == "mcport"]
    blocks = [node for node in face.tree.body if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    seen = {alias.asname or alias.name for node in imports for alias in node.names}
    assert seen | {"__version__"} == {*NAMES, "__version__"}


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    name = "no_such_name"
    with pytest.raises(AttributeError, match="no_such_name"):
        getattr(mcport, name)
