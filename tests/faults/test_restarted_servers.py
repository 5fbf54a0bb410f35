"""A client whose server is started anew at the same address, or whose connection breaks: what goes on, and how."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from mcport import Client, Context, ResourceUpdated, Server, ToolsChanged
from mcport.transports.http.client.pace import Pace
from mcport.transports.http.server.binding import listen

from .serving import Site

pytestmark = pytest.mark.anyio

SESSIONS = ["2025-03-26", "2025-06-18", "2025-11-25"]
ERAS = ["2025-11-25", "2026-07-28"]


class Place:
    """An address where one server after the other is served; who connects between two of them waits."""

    def __init__(self) -> None:
        self._sockets = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._sockets[0].getsockname()[1]}/mcp"
        self.go_on: Callable[[], object] = lambda: None
        self._start()

    def _start(self) -> None:
        self.calls = 0
        self.server = self._server()
        self.site = Site(self.server, "h11", [each.dup() for each in self._sockets])
        self.site.start()

    def replace(self) -> None:
        """End the server, and serve one that knows nothing of it."""
        self.site.stop()
        self.site.join()
        self._start()

    def close(self) -> None:
        self.site.stop()
        self.site.join()
        for each in self._sockets:
            each.close()

    def cut(self) -> None:
        """Break every connection."""
        for connection in list(self.site.runner.server_state.connections):
            connection.transport.abort()

    def _server(self) -> Server:
        server = Server("place")

        @server.tool
        async def count() -> int:
            self.calls += 1
            return self.calls

        @server.tool
        async def tell(ctx: Context) -> str:
            await ctx.debug("fine")
            return "told"

        @server.tool
        async def walk(ctx: Context) -> str:
            there = anyio.Event()
            self.go_on = there.set
            await ctx.report_progress(1, 2)
            await there.wait()
            return "there"

        @server.resource("note://a")
        async def note() -> str:
            return "a note"

        return server


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    monkeypatch.setattr(Pace, "before", lambda *_: 0.0)
    place = Place()
    yield place
    place.close()


@asynccontextmanager
async def connected(place: Place, revision: str, **options: Any) -> AsyncIterator[Client]:
    with anyio.fail_after(15):
        async with Client(place.url, revision=revision, **options) as client:
            yield client


@pytest.mark.parametrize("revision", SESSIONS)
async def test_p10_a_call_after_a_restart_is_made_once_in_a_session_that_knows_what_the_old_one_knew(
    place: Place, revision: str
) -> None:
    said: list[Any] = []
    async with connected(place, revision, log=lambda message: said.append(message.data)) as client:
        await client.set_log_level("debug")
        async with client.listen(uris=["note://a"]) as changes:
            assert (await client.call_tool("count")).text() == "1"
            await anyio.to_thread.run_sync(place.replace)
            assert (await client.call_tool("count")).text() == "1"
            assert place.calls == 1
            assert await anext(changes) == ResourceUpdated("note://a")  # it may have changed meanwhile
            place.server.notify_resource_updated("note://a")
            assert await anext(changes) == ResourceUpdated("note://a")
            while not said:  # the level is said again beside the call
                await client.call_tool("tell")
    assert set(said) == {"fine"}


@pytest.mark.parametrize("revision", ERAS)
async def test_p11_listening_goes_on_at_a_server_that_was_started_anew(place: Place, revision: str) -> None:
    async with connected(place, revision) as client, client.listen(tools=True) as changes:
        await anyio.to_thread.run_sync(place.replace)
        assert await anext(changes) == ToolsChanged()  # whatever is different now
        place.server.notify_tools_changed()
        assert await anext(changes) == ToolsChanged()


async def test_p11_a_call_whose_connection_breaks_is_gone_on_with_and_gets_its_result(place: Place) -> None:
    walked, seen = [], anyio.Event()

    def half_way(value: float, total: float | None, message: str | None) -> None:
        walked.append(value)
        seen.set()

    async def walk() -> None:
        assert (await client.call_tool("walk", progress=half_way)).text() == "there"

    async with connected(place, "2025-11-25") as client, anyio.create_task_group() as tasks:
        tasks.start_soon(walk)
        await seen.wait()
        place.site.loop.call_soon_threadsafe(place.cut)
        place.site.loop.call_soon_threadsafe(place.go_on)
    assert walked == [1]
