"""Messages over the stdin and stdout of a child process: how a client reaches a server that it starts.

Below: `pipes`, `process`.
"""

from __future__ import annotations

import os

import anyio

from mcport.core.framing import Line
from mcport.session.channel import BROKEN, Receiver
from mcport.session.loop import Loop

from .pipes import open_pipes
from .process import Child

EXIT_SECONDS = 1.0
"""How long to wait for the exit code of a child that closed its stdout, before the end is told without it."""


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
