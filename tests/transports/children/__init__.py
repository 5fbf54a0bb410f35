"""Small programs that tests start as servers, and what it takes to start and to watch them.

Each program says on stdout that it is ready, so that no test has to guess; a *leash* is a FIFO that a program holds
open for as long as it lives, so that a test sees the end of a process that is not its own child. The programs need
only the standard library, but for those that use mcport themselves (`parent.py`, `guarded.py`).
"""

import os
import sys
from pathlib import Path

import anyio

HERE = Path(__file__).parent
# Seconds to wait for what a program surely does; a test that needs them all has failed.
PATIENCE = 10.0
SOURCES = HERE.parents[2] / "src"


def program(name: str, *arguments: str | Path) -> list[str]:
    """The command of a program that needs no packages, started as fast as Python starts."""
    return [sys.executable, "-I", "-S", str(HERE / name), *map(str, arguments)]


def mcport_program(name: str, *arguments: str | Path) -> list[str]:
    """The command of a program that imports mcport from this checkout."""
    return mcport_script("import runpy; runpy.run_path(sys.argv.pop(1), None, '__main__')", HERE / name, *arguments)


def mcport_script(script: str, *arguments: str | Path) -> list[str]:
    """The command of a piece of Python that imports mcport from this checkout.

    No variable of the environment changes how it runs (PYTHONUNBUFFERED, say).
    """
    start = f"import sys; sys.path.insert(0, {str(SOURCES)!r})\n{script}"
    return [sys.executable, "-I", "-c", start, *map(str, arguments)]


async def read_line(fd: int) -> str:
    """Read up to the next newline, or to the end."""
    line = bytearray()
    with anyio.fail_after(PATIENCE):
        while not line.endswith(b"\n"):
            await anyio.wait_readable(fd)
            byte = os.read(fd, 1)
            if not byte:
                break
            line += byte
    return line.decode().rstrip("\n")


class Leash:
    """The test's end of a FIFO that another process opens for writing."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    async def line(self) -> str:
        """What its holder writes next."""
        return await read_line(self.fd)

    async def gone(self) -> None:
        """Wait until nobody holds the other end."""
        with anyio.fail_after(PATIENCE):
            await anyio.wait_readable(self.fd)
            while os.read(self.fd, 4096):
                await anyio.wait_readable(self.fd)

    def close(self) -> None:
        os.close(self.fd)
