"""Playing a counterpart against our client: in the same process, or as a child process."""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from mcport import Client, EndOfStream
from tests.client import counterpart as counterparts
from tests.client.counterpart import Counterpart


class Wire:
    """A transport that leads to a counterpart in this process."""

    def __init__(self, table: dict[str, list[Any]]) -> None:
        self.counterpart = Counterpart(table)
        self.closed = False
        self._ready: deque[bytes | None] = deque()
        self._changed = anyio.Event()

    async def receive(self) -> bytes:
        while not self._ready:
            await self._change()
        message = self._ready.popleft()
        if message is None:
            raise EndOfStream("the counterpart hung up")
        return message

    async def send(self, message: bytes) -> None:
        for item in self.counterpart.read(message):
            self._ready.append(item if isinstance(item, bytes) else None)
        self._tell()

    async def aclose(self) -> None:
        self.closed = True
        self._tell()

    def push(self, *messages: Any) -> None:
        """Write something that nobody asked for; None hangs up."""
        for message in messages:
            self._ready.append(
                message if message is None or isinstance(message, bytes) else json.dumps(message).encode()
            )
        self._tell()

    async def until(self, condition: Callable[[list[Any]], bool]) -> list[Any]:
        """Wait until what the client wrote fulfils a condition, and return it."""
        while not condition(self.messages):
            await self._change()
        return self.messages

    async def wrote(self, method: str, count: int = 1) -> list[Any]:
        """Wait until the client wrote so many messages of a method, and return these."""
        await self.until(lambda messages: len(of(messages, method)) >= count)
        return of(self.messages, method)

    @property
    def messages(self) -> list[Any]:
        """What the client wrote, as JSON."""
        return self.counterpart.messages

    def _tell(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    async def _change(self) -> None:
        await self._changed.wait()


def of(messages: list[Any], method: str) -> list[Any]:
    """The messages of one method."""
    return [message for message in messages if message.get("method") == method]


def client_of(wire: Wire, revision: str | None, **options: Any) -> Client:
    """A client at the other end of a wire."""
    return Client(wire, revision=revision, **options)


def child_command(log: Path, table: dict[str, list[Any]]) -> list[str]:
    """The command of a counterpart that plays as a child process."""
    return [sys.executable, "-I", "-S", counterparts.__file__, str(log), json.dumps(table)]


def child_lines(log: Path, *, ended: bool = True) -> list[bytes]:
    """What a client wrote to a counterpart, line by line; one that has ended says so in the last line of its log."""
    return log.read_bytes().splitlines(keepends=True)[1 : -1 if ended else None]


def child_pid(log: Path) -> int:
    """The process id of a counterpart that was started."""
    return int(log.read_bytes().split(b"\n", 1)[0])


def is_running(pid: int) -> bool:
    """Whether a process of ours is there, zombies included."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
