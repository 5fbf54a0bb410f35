"""Whether a Python file below a folder changed, came or went, by its time and size.

Hidden folders, environments and what tools install are left out, and there are bounds. Below: the standard library.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

_FOLDERS: Final = 1000
"""So many folders are looked at."""

_LEFT_OUT: Final = frozenset({"__pycache__", "node_modules", "site-packages"})

Stamps: TypeAlias = dict[str, tuple[int, int]]


class Watch:
    """Looks at the Python files below a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stamps = self._look()

    def changed(self) -> Path | None:
        """Return a file that is not what it was when this was last asked."""
        before, self._stamps = self._stamps, self._look()
        differing = before.items() ^ self._stamps.items()
        return Path(min(name for name, _ in differing)) if differing else None

    def _look(self) -> Stamps:
        found: Stamps = {}
        for folder in islice(_folders(self._folder), _FOLDERS):
            for entry in _entries(folder):
                if entry.name.endswith(".py"):
                    try:
                        status = entry.stat()
                    except OSError:
                        continue  # it went away while it was looked at
                    found[entry.path] = (status.st_mtime_ns, status.st_size)
        return found


def _folders(top: Path) -> Iterator[str]:
    waiting = [str(top)]
    while waiting:
        folder = waiting.pop(0)
        yield folder
        waiting += [entry.path for entry in _entries(folder) if _is_looked_into(entry)]


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _is_looked_into(entry: os.DirEntry[str]) -> bool:
    return (
        entry.name not in _LEFT_OUT
        and not entry.name.startswith(".")
        and entry.is_dir(follow_symlinks=False)
        and not os.path.exists(os.path.join(entry.path, "pyvenv.cfg"))
    )
