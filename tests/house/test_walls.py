"""Who may import whom inside mcport: imports go down only, and there is no circle (docs/design.md)."""

from collections.abc import Iterable, Iterator

import pytest

from tests.house.sources import ROOT, Import, Source, library

# From the bottom up. A room imports from itself and from rooms of lower levels; rooms of one level do not know
# each other, but for the pairs below.
LEVELS = (
    {"errors", "version", "record"},
    {"spec"},
    {"core", "content"},
    {"session", "stores"},
    {"transports", "auth"},
    {"server", "client"},
    {"ext", "telemetry", "testing", "inspector", "sync"},
    {"cli", "face", "__main__"},
)
LEVEL = {room: level for level, rooms in enumerate(LEVELS) for room in rooms}
NEIGHBOURS = {("inspector", "testing"), ("testing", "ext"), ("cli", "face"), ("__main__", "cli")}

# Below the top levels, transports are named only where a server is hosted and where a client finds its target.
NAMING_TRANSPORTS = {
    "mcport.server.hosting",
    "mcport.server.web",
    "mcport.server.protection",
    "mcport.client.target",
    "mcport.client.http_target",
}
TOP = {"ext", "telemetry", "testing", "inspector", "cli", "face"}


def own_imports(sources: Iterable[Source]) -> Iterator[tuple[Source, Import, str]]:
    """Every import of one of mcport's own modules: the file, the import, and the imported module's room."""
    for source in sources:
        for imported in source.imports:
            if imported.top == "mcport":
                yield source, imported, imported.module.split(".")[1] if "." in imported.module else "face"


def going_up(sources: Iterable[Source]) -> list[str]:
    """Imports from a room that is not below, and is no neighbour."""
    return [
        f"{source.at(imported.line)}: {source.room} imports {imported.module}"
        for source, imported, room in own_imports(sources)
        if room != source.room and (source.room, room) not in NEIGHBOURS and LEVEL[room] >= LEVEL[source.room]
    ]


def naming_transports(sources: Iterable[Source]) -> list[str]:
    """Imports of transports where they should not be known."""
    return [
        f"{source.at(imported.line)}: names {imported.module}"
        for source, imported, room in own_imports(sources)
        if room == "transports" and source.room not in {*TOP, "transports"} and source.module not in NAMING_TRANSPORTS
    ]


def naming_http(sources: Iterable[Source]) -> list[str]:
    """Imports of the HTTP part of the core where HTTP should not be known."""
    return [
        f"{source.at(imported.line)}: names {imported.module}"
        for source, imported, _ in own_imports(sources)
        if imported.module.startswith("mcport.core.http") and source.module not in NAMING_TRANSPORTS
        if source.room in {"session", "server", "client"}
    ]


def circle(graph: dict[str, list[str]]) -> list[str]:
    """The modules of one import circle, the first one again at its end; empty when there is none."""
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        found = next(filter(None, (visit(below, [*path, module]) for below in graph.get(module, ()))), [])
        done.add(module)
        return found

    return next(filter(None, (visit(module, []) for module in sorted(graph))), [])


def test_every_file_stands_in_a_room_of_the_design() -> None:
    assert "\n".join(source.where for source in library() if source.room not in LEVEL) == ""


def test_imports_go_down_only() -> None:
    assert "\n".join(going_up(library())) == ""


def test_only_hosting_and_target_name_transports() -> None:
    assert "\n".join(naming_transports(library())) == ""


def test_kernel_and_facades_do_not_know_that_http_exists() -> None:
    assert "\n".join(naming_http(library())) == ""


def test_there_is_no_import_circle() -> None:
    graph: dict[str, list[str]] = {source.module: [] for source in library()}
    for source, imported, _ in own_imports(library()):
        graph[source.module].append(imported.module)
    assert " -> ".join(circle(graph)) == ""


def example(module: str, text: str) -> list[Source]:
    """A made-up file of the library."""
    return [Source(ROOT / "src" / "made_up.py", module, text)]


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("mcport.core.peer", "from mcport.session.loop import Loop"),
        ("mcport.server.kernel", "from mcport.client import target"),
        ("mcport.auth.flow", "import mcport.transports.stdio"),
        ("mcport.session.loop", "if TYPE_CHECKING:\n    from mcport.server.kernel import Kernel"),
        ("mcport.spec.model", "def f():\n    from mcport import Server"),
        ("mcport.spec.model", "x = import_module('mcport.core')"),
        ("mcport.errors", "from .spec import revisions"),
    ],
)
def test_an_import_that_goes_up_or_sideways_is_noticed(module: str, text: str) -> None:
    assert len(going_up(example(module, text))) == 1


def test_an_import_that_goes_down_is_fine() -> None:
    assert going_up(example("mcport.core.peer", "from ..errors import ProtocolError\nfrom . import events")) == []
    assert going_up(example("mcport.cli.demo", "from mcport import Client")) == []


def test_transports_and_http_are_noticed_where_nobody_should_know_them() -> None:
    stdio, headers = "from mcport.transports.stdio import serve", "from mcport.core.http.headers import read"
    assert len(naming_transports(example("mcport.server.server", stdio))) == 1
    assert naming_transports(example("mcport.server.hosting", stdio)) == []
    assert len(naming_http(example("mcport.server.kernel", headers))) == 1
    assert naming_http(example("mcport.transports.http.app", headers)) == []


def test_a_circle_is_found_and_spelled_out() -> None:
    assert circle({"a": ["b"], "b": ["c"], "c": ["b"], "d": []}) == ["b", "c", "b"]
    assert circle({"a": ["b", "c"], "b": ["c"], "c": []}) == []
