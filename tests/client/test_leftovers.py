"""What a client leaves behind when it is closed: no descriptor, no thread, no task, no process, no memory."""

import asyncio
import gc
import sys
import threading
import tracemalloc
import weakref
from collections.abc import Iterator
from os import listdir
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport import Client, Server
from tests.client.counterpart import HANDSHAKE, STATELESS, usual
from tests.client.playing import child_command, child_pid, is_running
from tests.transports.children import PATIENCE

CALLS = 100
REVISIONS = [*STATELESS, HANDSHAKE[0]]
DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture
def no_collection() -> Iterator[None]:
    """What is let go is let go at once, not when garbage happens to be collected."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.fixture
def server() -> Server:
    server = Server("desk")

    @server.tool
    async def add(a: int, b: int) -> int:
        return a + b

    @server.tool
    def plain() -> str:
        return "in a thread"

    return server


async def visit(target: Any, revision: str, *tools: str) -> weakref.ref[Client]:
    """Open a client, call the tools, and close it."""
    async with Client(target, revision=revision) as client:
        for tool in tools:
            await client.call_tool(tool)
    return weakref.ref(client)


def descriptors() -> int:
    return len(listdir(DESCRIPTORS))


def our_threads() -> list[threading.Thread]:
    """The threads that mcport started and that do not end by themselves."""
    found = [thread for thread in threading.enumerate() if thread.name.startswith("mcport")]
    for thread in found:
        thread.join(PATIENCE)
    return [thread for thread in found if thread.is_alive()]


def tasks(anyio_backend: str) -> int:
    return len(asyncio.all_tasks()) if anyio_backend == "asyncio" else 0


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="descriptors are counted in /proc")
@pytest.mark.parametrize("revision", REVISIONS)
async def test_p12_clients_of_a_server_in_this_process_leave_nothing(
    server: Server, revision: str, anyio_backend: str, no_collection: None
) -> None:
    await visit(server, revision, "plain")
    assert our_threads() == []
    before = descriptors(), tasks(anyio_backend)
    closed = [await visit(server, revision, "plain") for _ in range(10)]
    assert our_threads() == []
    assert (descriptors(), tasks(anyio_backend)) == before
    await anyio.wait_all_tasks_blocked()  # the tasks of the last one have ended, and are let go by the loop
    gc.collect()
    assert [client() for client in closed] == [None] * 10


@pytest.mark.skipif(not DESCRIPTORS.exists(), reason="descriptors are counted in /proc")
@pytest.mark.parametrize("revision", REVISIONS)
async def test_p6_clients_of_processes_leave_nothing(
    tmp_path: Path, revision: str, anyio_backend: str, no_collection: None
) -> None:
    def command(number: int) -> list[str]:
        return child_command(tmp_path / str(number), usual(revision))

    await visit(command(0), revision, "any")
    assert our_threads() == []
    before = descriptors(), tasks(anyio_backend)
    closed = [await visit(command(number), revision, "any") for number in (1, 2, 3)]
    assert our_threads() == []
    assert (descriptors(), tasks(anyio_backend)) == before
    assert not any(is_running(child_pid(tmp_path / str(number))) for number in (1, 2, 3))
    await anyio.wait_all_tasks_blocked()  # the tasks of the last one have ended, and are let go by the loop
    gc.collect()
    assert [client() for client in closed] == [None] * 3


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="memory is traced on CPython")
async def test_p12_calls_do_not_make_memory_grow(server: Server) -> None:
    async with Client(server) as client:

        async def call() -> int:
            for _ in range(CALLS):
                await client.call_tool("add", {"a": 1, "b": 2})
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            await call()
            before = await call()
            grown = await call() - before
        finally:
            tracemalloc.stop()
    assert grown < 10 * CALLS
