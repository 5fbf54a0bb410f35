"""The server of `server.py` in a process of its own, on a free port of this machine.

It knows the process and when its port answers; it refuses to know HTTP and the suite.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.peers import places

from .suite import SuiteFailed

PATIENCE: Final = 30.0  # seconds until it must listen, and after that until it must have ended


@contextmanager
def serving(said: Path) -> Iterator[str]:
    """Yield the URL of a server; what it prints goes to a file. Raises `SuiteFailed` if it does not start."""
    port = _free_port()
    with said.open("wb") as sink:
        command = [sys.executable, "-m", "tests.conformance.server", str(port)]
        process = subprocess.Popen(
            command, cwd=places.ROOT, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port, said)
            yield f"http://127.0.0.1:{port}/mcp"
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    """Wait until the port is open: nothing else tells that a server has come up."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise SuiteFailed(f"the server did not come up:\n{said.read_text(errors='replace')[-2000:]}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
