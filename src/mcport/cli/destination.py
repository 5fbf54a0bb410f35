"""Which server a command line means: a script, a URL, a command, an entry of an `mcpServers` file, a bundled example.

Below: the client's own idea of targets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from .loading import example_path
from .usage import UsageError

Destination: TypeAlias = str | Path | Sequence[str] | Mapping[str, Any]

# How hosts call the table of servers in their files.
_TABLES: Final = ("mcpServers", "servers")


def destination(
    words: list[str], command: Sequence[str], config: str | None = None, server: str | None = None
) -> Destination:
    """Return the server that is meant; its name is taken off the `words`, unless it was given otherwise.

    `command` is what stood behind `--`; `config` and `server` name an entry of an `mcpServers` file. Raises
    `UsageError` where nothing, or two things, are named.
    """
    if server is not None and config is None:
        raise UsageError("--server names an entry of the file that --config names; give both")
    if command and config is not None:
        raise UsageError("a command behind -- and --config both name a server; give one of them")
    if command:
        return list(command)
    if config is not None:
        return _entry(Path(config), server)
    if not words:
        raise UsageError("name a server: a script, a URL, FILE.json#NAME, example:NAME, or a command behind --")
    return _named(words.pop(0))


def _named(word: str) -> Destination:
    if word.startswith("example:"):
        return example_path(word.removeprefix("example:"))
    file, _, name = word.partition("#")
    if file.endswith(".json"):
        return _entry(Path(file), name or None)
    return word


def _entry(file: Path, name: str | None) -> Mapping[str, Any]:
    """Return one entry of a file; the only one, if no name is given."""
    servers = _servers(file)
    if name is None and len(servers) == 1:
        name = next(iter(servers))
    if name is None:
        raise UsageError(f"{file} has several servers: name one of {', '.join(servers)}")
    entry = servers.get(name)
    if not isinstance(entry, Mapping):
        raise UsageError(f"{file} has no server {name!r}; it has {', '.join(servers) or 'none'}")
    return entry


def _servers(file: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"no such file: {file}") from None
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON: {error}") from None
    for table in _TABLES:
        if isinstance(content, dict) and isinstance(content.get(table), dict) and content[table]:
            found: Mapping[str, Any] = content[table]
            return found
    raise UsageError(f"{file} names no servers: there is no mcpServers in it")
