"""Imports are resolved to the modules they load, however they are spelled."""

import pytest

from tests.house.sources import ROOT, Source, everything, library


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("import mcport.errors as e, os.path", ["mcport.errors", "os.path"]),
        ("from mcport import errors", ["mcport.errors"]),
        ("from mcport import errors, Server", ["mcport.errors", "mcport"]),
        ("from ..errors import ProtocolError", ["mcport.errors"]),
        ("from .. import errors", ["mcport.errors"]),
        ("from .peer import Peer", ["mcport.core.peer"]),
        ("if TYPE_CHECKING:\n    import httpx", ["httpx"]),
        ("def f():\n    import httpx", ["httpx"]),
        ("importlib.import_module('mcport.errors')", ["mcport.errors"]),
        ("import_module('..errors', __package__)", ["mcport.errors"]),
        ("import_module(name)", []),
    ],
)
def test_an_import_is_resolved_to_full_module_names(text: str, modules: list[str]) -> None:
    source = Source(ROOT / "src" / "made_up.py", "mcport.core.made_up", text)
    assert [imported.module for imported in source.imports] == modules


def test_dots_in_the_file_of_a_package_begin_at_the_package() -> None:
    source = Source(
        ROOT / "src" / "__init__.py", "mcport.core", "from .peer import Peer\nfrom ..errors import ToolError"
    )
    assert [imported.module for imported in source.imports] == ["mcport.core.peer", "mcport.errors"]


def test_the_library_and_its_tests_are_read() -> None:
    assert "mcport.errors" in {source.module for source in library()}
    assert __name__ in {source.module for source in everything()}
