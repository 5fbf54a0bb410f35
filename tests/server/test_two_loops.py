"""One server object in two event loops at once: each has a life of its own, and everybody hears of a change."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from mcport import Client, Server, ToolsChanged
from tests.client.counterpart import HANDSHAKE, STATELESS
from tests.transports.children import PATIENCE

LOOPS = [("asyncio", "asyncio"), ("asyncio", "trio"), ("trio", "trio")]


class Shared:
    """A server that several threads use, each in a loop of its own."""

    def __init__(self, loops: int) -> None:
        self.lives: list[tuple[str, str]] = []
        self.heard: list[object] = []
        self.server = Server("shared", lifespan=self.life)
        self.server.tool(self.add)
        self.server.tool(self.plain)
        self.everybody = threading.Barrier(loops + 1, timeout=PATIENCE)

    @asynccontextmanager
    async def life(self, server: object) -> AsyncIterator[None]:
        self.lives.append((threading.current_thread().name, "entered"))
        yield
        self.lives.append((threading.current_thread().name, "left"))

    async def add(self, a: int, b: int) -> int:
        await anyio.lowlevel.checkpoint()
        return a + b

    def plain(self, a: int) -> int:
        return -a

    async def visit(self, revision: str) -> None:
        """Call, listen until a change comes, and call again; wait for everybody at each step."""
        async with Client(self.server, revision=revision) as client:
            async with client.listen(tools=True) as changes:
                await anyio.to_thread.run_sync(self.everybody.wait)
                self.heard.append(await anext(aiter(changes)))
            for number in range(20):
                assert (await client.call_tool("add", {"a": number, "b": 2})).data == number + 2
                assert (await client.call_tool("plain", {"a": number})).data == -number
            await anyio.to_thread.run_sync(self.everybody.wait)

    def run(self, backend: str, revision: str) -> None:
        try:
            anyio.run(self.visit, revision, backend=backend)
        except BaseException:
            self.everybody.abort()
            raise


@pytest.mark.parametrize("revision", [*STATELESS, HANDSHAKE[0]])
@pytest.mark.parametrize("loops", LOOPS, ids="-".join)
def test_p21_a_server_serves_two_event_loops_at_once_and_one_notify_reaches_both(
    loops: tuple[str, ...], revision: str
) -> None:
    shared = Shared(len(loops))
    threads = [threading.Thread(target=shared.run, args=(loop, revision), daemon=True) for loop in loops]
    for thread in threads:
        thread.start()
    shared.everybody.wait()
    shared.server.notify_tools_changed()
    shared.everybody.wait()
    for thread in threads:
        thread.join(PATIENCE)
    assert shared.heard == [ToolsChanged(), ToolsChanged()]
    assert sorted(shared.lives) == sorted((thread.name, what) for thread in threads for what in ("entered", "left"))
