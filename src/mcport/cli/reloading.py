"""`mcport run --reload`: a child serves, and is replaced by a new one when a file changes.

The parent keeps the sockets, so that whoever connects meanwhile waits and is not refused. A new child knows no session
of the old one: its next request is answered 404, and clients begin a new one. Below: `watching`, `binding`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn

from mcport.transports.http.server.binding import listen

from .exits import DONE
from .loading import example_path
from .usage import UsageError
from .watching import Watch

LOOK_SECONDS: Final = 0.25
"""So often it is looked whether anything changed."""

END_SECONDS: Final = 10.0
"""How long a child may take to end politely."""


def reload(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM, by one child after the other."""
    if os.name != "posix":
        raise UsageError("--reload hands sockets down to a child, which this system does not know")
    file = _file(options.file)
    if not file.is_file():
        raise UsageError(f"no such file: {file}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sockets = listen(options.host, options.port)
    fds = [each.fileno() for each in sockets]
    children = _Children(_command(options, sockets[0].getsockname()[1], fds), fds)
    try:
        _serve(children, Watch(file.parent))
    except KeyboardInterrupt:
        return DONE
    finally:
        children.end()
        for each in sockets:
            each.close()


def _serve(children: _Children, watch: Watch) -> NoReturn:
    children.begin()
    while True:
        time.sleep(LOOK_SECONDS)
        changed = watch.changed()
        if changed is not None:
            children.end()
            print(f"mcport: {changed.name} changed; serving it anew", file=sys.stderr, flush=True)
            children.begin()


class _Children:
    """One child after the other. One that ends by itself has said why, and is replaced after the next change."""

    def __init__(self, command: Sequence[str], fds: Sequence[int]) -> None:
        self._command = command
        self._fds = fds
        self._child: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        # Its stdin ends with this process, even if that is killed.
        self._child = subprocess.Popen(self._command, stdin=subprocess.PIPE, pass_fds=self._fds)

    def end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        with child:
            child.terminate()
            try:
                child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
            except KeyboardInterrupt:
                child.kill()
                raise


def _command(options: argparse.Namespace, port: int, fds: Sequence[int]) -> list[str]:
    hosts = [word for host in options.allow_host for word in ("--allow-host", host)]
    return [
        *(sys.executable, "-m", "mcport", "run", options.file, "--http", "--path", options.path),
        *("--host", options.host, "--port", str(port), "--sockets", ",".join(map(str, fds)), *hosts),
    ]


def _file(where: str) -> Path:
    """Return the file of `FILE[:NAME]` or `example:NAME`."""
    if where.startswith("example:"):
        return example_path(where.removeprefix("example:"))
    file, _, _ = where.rpartition(":")
    return Path(file) if file and not Path(where).is_file() else Path(where)
