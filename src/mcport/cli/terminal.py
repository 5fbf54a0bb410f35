"""Asking the person at the terminal: prompts on stderr, answers from stdin, without stopping the loop.

The descriptor is read as it is: a thread inside of `input()` could not be interrupted. Below: anyio.
"""

from __future__ import annotations

import os
import sys

import anyio
import anyio.to_thread

_LONGEST_LINE = 65536


class Terminal:
    """A `Person` at the terminal of this process."""

    def __init__(self, fd: int = 0) -> None:
        self._fd = fd
        self._typed = b""

    def tell(self, line: str) -> None:
        """Show a line."""
        print(line, file=sys.stderr, flush=True)

    async def ask(self, prompt: str) -> str | None:
        """Wait for the next line; None at the end (Ctrl-D)."""
        print(prompt, end="", file=sys.stderr, flush=True)
        while b"\n" not in self._typed:
            more = await self._read()
            if not more:
                self.tell("")
                return None
            self._typed += more
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode(errors="replace").rstrip("\r")

    async def _read(self) -> bytes:
        if sys.platform == "win32":
            return await anyio.to_thread.run_sync(os.read, self._fd, _LONGEST_LINE, abandon_on_cancel=True)
        await anyio.wait_readable(self._fd)
        return os.read(self._fd, _LONGEST_LINE)
