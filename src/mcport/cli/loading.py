"""Finding the server that a command names: in a file of the user, or among the bundled examples."""

from __future__ import annotations

import ast
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Final

import mcport
from mcport.server.server import Server

from .usage import LoadFailed, UsageError

USUAL_NAMES: Final = ("server", "mcp", "app")
_OUR_OWN: Final = (str(Path(__file__).parent), "<frozen importlib")


def examples() -> list[tuple[str, str]]:
    """Return the name and the summary of every bundled example. None of them is run for that."""
    found = []
    for name, file in sorted(_example_files().items()):
        found.append((name, (ast.get_docstring(_tree(file)) or "").partition("\n")[0]))
    return found


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _example_files() -> dict[str, Path]:
    """Return the bundled examples: in the package, where it is installed; beside it, in a checkout."""
    package = Path(mcport.__file__).parent
    folders = [package / "examples", package.parent.parent / "examples"]
    return {file.stem: file for folder in reversed(folders) for file in folder.glob("[a-z]*.py")}


def example_path(name: str) -> Path:
    """Return the file of a bundled example; raises `UsageError` naming those that exist."""
    known = _example_files()
    if name not in known:
        raise UsageError(f"no example {name!r}; there are: {', '.join(sorted(known))}")
    return known[name]


def program_of(where: str) -> Path | None:
    """Return the file of an example that is no server but a program of its own; None for anything else."""
    if not where.startswith("example:"):
        return None
    path = example_path(where.removeprefix("example:"))
    calls = (node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call))
    return None if any(getattr(call.func, "id", "") == "Server" for call in calls) else path


def load_server(where: str) -> Server:
    """Return the server of `FILE[:NAME]` or `example:NAME`.

    Raises with one line: `UsageError` where there is none, `LoadFailed` where the file itself fails.
    """
    if where.startswith("example:"):
        return _server_in(_load(example_path(where.removeprefix("example:"))), None)
    file, _, name = where.rpartition(":")
    # The colon of a Windows drive is no such colon.
    if not file or Path(where).is_file() or not name.isidentifier():
        file, name = where, ""
    return _server_in(_load(Path(file)), name or None)


def _load(path: Path) -> ModuleType:
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    # Its own name, unless that belongs to a module already: a file called json.py must not replace the real one.
    name = path.stem if path.stem not in sys.modules else f"mcport_run_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is not a Python file")
    sys.path.insert(0, str(path.parent.resolve()))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise LoadFailed(f"{path} cannot be loaded: {_plain(error)}") from error
    return module


def _plain(error: Exception) -> str:
    """Return one line for what went wrong in a file of the user: what, and where."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({error.filename}, line {error.lineno})"
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith(_OUR_OWN)]
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"


def _server_in(module: ModuleType, name: str | None) -> Server:
    file = module.__file__
    servers = {key: value for key, value in vars(module).items() if isinstance(value, Server)}
    if name is not None:
        if name not in servers:
            raise UsageError(f"{file} has no server named {name!r}; it has {', '.join(servers) or 'none'}")
        return servers[name]
    for usual in USUAL_NAMES:
        if usual in servers:
            return servers[usual]
    if len(set(map(id, servers.values()))) == 1:
        return next(iter(servers.values()))
    if not servers:
        raise UsageError(f"{file} has no Server at its top level")
    raise UsageError(f"{file} has several servers: name one of {', '.join(servers)} after a colon")
