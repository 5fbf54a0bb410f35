"""Thousands of calls over pipes, many of them withdrawn, leave nothing behind: P12 in miniature."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.abc
import anyio.lowlevel
import pytest
import trio

from mcport import Client, Server
from mcport.client.target import Contact, Stream
from mcport.core.limits import Limits
from mcport.server.connection import Connection
from mcport.session.loop import Loop
from mcport.transports.pipes import PipeChannel
from tests.transports.children import PATIENCE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot watch pipes")

CALLS, CANCELLED, TOGETHER = 5000, 500, 50
IDLE = "ThreadPool._idle"


class Soaked:
    """A server, and a client that reaches it over two pipes."""

    name = "soaked"
    restarts = False

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.staying = 0
        self.server = server = Server("soaked")
        self._tasks: anyio.abc.TaskGroup | None = None

        @server.tool
        async def add(a: int, b: int) -> int:
            return a + b

        @server.tool
        def add_in_thread(a: int, b: int) -> int:
            return a + b

        @server.tool
        async def stay() -> None:
            self.staying += 1
            try:
                await anyio.sleep_forever()
            finally:
                self.staying -= 1

    async def reach(self, loop: Loop, limits: Limits) -> Contact:
        (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
        channel = PipeChannel(loop, their_in, their_out, limits.message_bytes)
        assert self._tasks is not None
        self._tasks.start_soon(self.server.host.serve, channel, loop, self.connections.append)
        return Stream(self.name, PipeChannel(loop, our_in, our_out, limits.message_bytes))

    @asynccontextmanager
    async def client(self, revision: str) -> AsyncIterator[Client]:
        async with anyio.create_task_group() as self._tasks:
            client = Client(self.server, revision=revision)
            client._target = self
            async with client:
                yield client

    async def idle(self) -> None:
        """Wait until the server answers nothing any more."""
        with anyio.fail_after(PATIENCE):
            while any(connection.session.running for connection in self.connections):
                await anyio.lowlevel.checkpoint()


def size(*roots: object) -> dict[str, int]:
    """How many members the containers of mcport's own objects hold, by class and attribute."""
    seen: set[int] = set()
    found: dict[str, int] = {}
    todo = list(roots)
    while todo:
        thing = todo.pop()
        if id(thing) in seen or isinstance(thing, type):
            continue
        seen.add(id(thing))
        if isinstance(thing, (list, tuple, set, frozenset, deque)):
            todo += thing
        elif isinstance(thing, dict):
            todo += thing.values()
        elif type(thing).__module__.startswith("mcport."):
            for name, value in attributes(thing).items():
                todo.append(value)
                if isinstance(value, (list, dict, set, deque)):
                    key = f"{type(thing).__name__}.{name}"
                    found[key] = found.get(key, 0) + len(value)
        elif hasattr(thing, "__self__"):
            todo.append(thing.__self__)
    return found


def attributes(thing: object) -> dict[str, object]:
    slots = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())]
    return {name: getattr(thing, name) for name in slots if hasattr(thing, name)} | getattr(thing, "__dict__", {})


def living() -> int:
    """How many tasks there are."""
    in_trio = trio.lowlevel.in_trio_run()
    return trio.lowlevel.current_statistics().tasks_living if in_trio else len(asyncio.all_tasks())


async def call_and_cancel(soaked: Soaked, client: Client, calls: int, cancelled: int) -> None:
    async def call(start: int) -> None:
        for number in range(start, calls, TOGETHER):
            name = "add_in_thread" if number % 10 == 0 else "add"
            result = await client.call_tool(name, {"a": number, "b": 1})
            text: Any = result.content[0]
            assert text.text == str(number + 1)

    async with anyio.create_task_group() as tasks:
        for start in range(TOGETHER):
            tasks.start_soon(call, start)
    for _ in range(0, cancelled, TOGETHER):
        async with anyio.create_task_group() as tasks:
            for _ in range(TOGETHER):
                tasks.start_soon(client.call_tool, "stay")
            with anyio.fail_after(PATIENCE):
                while soaked.staying < TOGETHER:
                    await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        await soaked.idle()


@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
async def test_thousands_of_calls_leave_no_task_and_no_entry_in_any_book(revision: str) -> None:
    soaked = Soaked()
    async with soaked.client(revision) as client:
        await call_and_cancel(soaked, client, 2 * TOGETHER, TOGETHER)
        roots = (client, soaked.connections[0], soaked.server)
        before, tasks, threads = size(*roots), living(), threading.active_count()
        await call_and_cancel(soaked, client, CALLS, CANCELLED)
        session = soaked.connections[0].session
        assert (session.running, session.peer.asked, len(session._queue)) == (0, {}, 0)
        after = size(*roots)
        # Idle threads stay, up to a bound.
        most = soaked.server.limits.worker_threads
        assert after.pop(IDLE, 0) <= most >= before.pop(IDLE, 0)
        assert threading.active_count() <= threads + most
        assert after == before
        assert living() == tasks
    assert soaked.staying == 0
