"""A file of what a client got from authorization servers: nobody but its user can read it, and it survives a restart.

It is replaced as a whole and never written in place, so that a crash leaves the old one; processes that change it wait
for each other. Links are not followed. Below: `tokens`, the standard library and anyio's threads.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeVar
from uuid import uuid4

import anyio
from anyio import to_thread

T = TypeVar("T")

VERSION: Final = 1
_PAUSE_SECONDS: Final = 0.02
"""How often it is looked whether a lock is free."""

_NO_LINKS: Final = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


def default_path() -> Path:
    """Return where the user's tokens are kept on this system."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "mcport" / "tokens.json"


class FileTokens:
    """Keeps everything in one file, the user's own unless a `path` is given. Raises OSError where that is not safe."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = default_path() if path is None else Path(path)

    def __repr__(self) -> str:
        return f"FileTokens({str(self.path)!r})"

    async def get(self, key: str) -> str | None:
        return (await to_thread.run_sync(self._read)).get(key)

    async def set(self, key: str, value: str) -> None:
        await to_thread.run_sync(self._change, lambda kept: kept.update({key: value}))

    async def delete(self, key: str) -> None:
        def forget(kept: dict[str, str]) -> None:
            kept.pop(key, None)

        await to_thread.run_sync(self._change, forget)

    def alone(self, name: str) -> AbstractAsyncContextManager[None]:
        """Return a block that no two processes are in at the same time, for a name."""
        return _alone_async(self.path.with_suffix(f".{sha256(name.encode()).hexdigest()[:16]}.lock"))

    def _change(self, change: Callable[[dict[str, str]], None]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(self.path.with_suffix(".lock")):
            kept = self._read()
            change(kept)
            _replace(self.path, json.dumps({"version": VERSION, "kept": kept}).encode())

    def _read(self) -> dict[str, str]:
        """Return what the file holds; nothing, if there is none, or one that is not of this form."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _NO_LINKS)
        except FileNotFoundError:
            return {}
        with os.fdopen(descriptor, "rb") as file:
            _check_owner(file.fileno(), self.path)
            text = file.read()
        with suppress(ValueError, KeyError, TypeError):
            found = json.loads(text)
            if found["version"] == VERSION:
                return {str(key): str(value) for key, value in found["kept"].items()}
        return {}


def _check_owner(descriptor: int, path: Path) -> None:
    if hasattr(os, "geteuid") and os.fstat(descriptor).st_uid != os.geteuid():
        raise PermissionError(f"{path} belongs to somebody else")


def _replace(path: Path, content: bytes) -> None:
    """Put a file in place of another one, at once and as a whole."""
    fresh = path.with_name(f".{path.name}.{uuid4().hex}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh)
        raise


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that other processes respect; it is gone with the process, however that ends."""
    descriptor = _opened(path)
    try:
        while not _locked(descriptor):
            time.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


@asynccontextmanager
async def _alone_async(path: Path) -> AsyncGenerator[None]:
    """The same for a lock that is held for as long as a person takes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = _opened(path)
    try:
        while not _locked(descriptor):
            await anyio.sleep(_PAUSE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINKS, 0o600)


def _locked(descriptor: int) -> bool:
    """Take a lock if nobody has it."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
