"""Messages over stdin and stdout: the server's own, or those of a child process.

Below: `pipes`, `guarded_stdio`, `process`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import anyio

from mcport.core.framing import Line
from mcport.session.channel import BROKEN, Channel, Receiver
from mcport.session.loop import Loop

from .guarded_stdio import guarded_stdio
from .pipes import open_pipes
from .process import Child

EXIT_SECONDS = 1.0
"""How long to wait for the exit code of a child that closed its stdout, before the end is told without it."""

TERMINAL_HINT = (
    "This is an MCP server: it waits for a client on stdin, one JSON message a line. "
    "Start it from a client or try 'mcport demo'; Ctrl-C ends it.\n"
)


@contextmanager
def open_stdio(loop: Loop, limit: int) -> Iterator[Channel]:
    """Give a channel over this process's stdin and stdout; meanwhile prints of any kind go to stderr.

    A person who started the server at a terminal is told on stderr what it is waiting for.
    """
    with guarded_stdio() as (in_fd, out_fd):
        if os.isatty(in_fd):
            _tell_person()
        # The channel closes its descriptors, the guard its own.
        channel = open_pipes(loop, os.dup(in_fd), os.dup(out_fd), limit)
        try:
            yield channel
        finally:
            channel.close()


def _tell_person() -> None:
    # There may be no stderr, or nobody at its other end.
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(TERMINAL_HINT)
        sys.stderr.flush()


class ChildChannel:
    """A channel to a child process. Its end is told with the exit code, and closing it ends the whole process tree."""

    def __init__(self, child: Child, loop: Loop, limit: int) -> None:
        self.child = child
        self._loop = loop
        self._pipes = open_pipes(loop, os.dup(child.stdout_fd), os.dup(child.stdin_fd), limit)
        self._receiver: Receiver | None = None
        self._told = anyio.Event()

    def open(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._pipes.open(self)
        self._loop.keep(self._watch_exit())

    @property
    def backlog(self) -> int:
        return self._pipes.backlog

    def send(self, message: bytes, more: bool = False) -> None:
        self._pipes.send(message, more)

    async def drain(self, below: int) -> None:
        await self._pipes.drain(below)

    async def aclose(self) -> None:
        self._told.set()
        await self._pipes.aclose()
        await self.child.end()

    # ---- what the pipes deliver

    def receive(self, batch: list[Line]) -> None:
        assert self._receiver is not None
        self._receiver.receive(batch)

    def ended(self, reason: str) -> None:
        """Stdout or stdin is closed: wait a moment for the exit code, which says more."""
        if not self._told.is_set():
            self._loop.keep(self._tell_end(reason))

    async def _watch_exit(self) -> None:
        """The end is the exit or the end of stdout, whichever comes first: a grandchild may hold the pipe."""
        await self.child.wait_exit()
        # What the child wrote before it ended may still be in the pipe: wait for its end before telling.
        with anyio.move_on_after(EXIT_SECONDS):
            await self._told.wait()
        self._tell(f"it exited with code {self.child.returncode}")

    async def _tell_end(self, reason: str) -> None:
        with anyio.move_on_after(EXIT_SECONDS):
            await self.child.wait_exit()
        code = self.child.returncode
        closed = "it closed its stdin" if reason == BROKEN else "it closed its stdout"
        self._tell(closed if code is None else f"it exited with code {code}")

    def _tell(self, reason: str) -> None:
        if not self._told.is_set():
            self._told.set()
            assert self._receiver is not None
            self._receiver.ended(reason)
