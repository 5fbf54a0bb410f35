"""Finding the server that a command names: in a file of the user, or among the bundled examples."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import mcport

from ..server.server import Server
from .usage import UsageError

USUAL_NAMES = ("server", "mcp", "app")


def example_path(name: str) -> Path:
    """Return the file of a bundled example; raises `UsageError` naming those that exist."""
    package = Path(mcport.__file__).parent
    folders = [package / "examples", package.parent.parent / "examples"]
    for folder in folders:
        if (folder / f"{name}.py").is_file():
            return folder / f"{name}.py"
    known = sorted({file.stem for folder in folders if folder.is_dir() for file in folder.glob("[a-z]*.py")})
    raise UsageError(f"no example {name!r}; there are: {', '.join(known)}")


def load_server(where: str) -> Server:
    """Return the server of `FILE[:NAME]` or `example:NAME`. Raises `UsageError` with one line."""
    if where.startswith("example:"):
        return _server_in(_load(example_path(where.removeprefix("example:"))), None)
    file, _, name = where.partition(":") if not Path(where).is_file() else (where, "", "")
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
    spec.loader.exec_module(module)
    return module


def _server_in(module: ModuleType, name: str | None) -> Server:
    servers = {key: value for key, value in vars(module).items() if isinstance(value, Server)}
    if name is not None:
        if name not in servers:
            raise UsageError(f"{module.__file__} has no server named {name!r}; it has {', '.join(servers) or 'none'}")
        return servers[name]
    for usual in USUAL_NAMES:
        if usual in servers:
            return servers[usual]
    if len(set(map(id, servers.values()))) == 1:
        return next(iter(servers.values()))
    if not servers:
        raise UsageError(f"{module.__file__} has no Server at its top level")
    raise UsageError(f"{module.__file__} has several servers: name one of {', '.join(servers)} after a colon")
