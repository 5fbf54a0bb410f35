"""A client whose server is killed under it, with sessions and without: what was pending fails, and only that."""

from __future__ import annotations

import anyio
import pytest

from mcport import Client
from mcport.errors import ConnectionLost

from .conftest import Noted
from .serving import Site

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25", "2025-03-26"])
async def test_p3_exactly_the_pending_calls_fail_and_the_next_one_reaches_the_server(
    site: Site, noted: Noted, revision: str
) -> None:
    lost: list[str] = []

    async def wait() -> None:
        try:
            await client.call_tool("wait")
        except ConnectionLost as error:
            lost.append(str(error))

    async with Client(f"http://127.0.0.1:{site.port}/mcp", revision=revision) as client:
        assert (await client.call_tool("add", {"a": 1, "b": 1})).text() == "2"
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for _ in range(3):
                    tasks.start_soon(wait)
                for _ in range(3):
                    await anyio.to_thread.run_sync(noted.began.acquire)
                site.loop.call_soon_threadsafe(_abort_all, site)
            assert len(lost) == 3
            assert (await client.call_tool("add", {"a": 1, "b": 1})).text() == "2"


def _abort_all(site: Site) -> None:
    for connection in list(site.runner.server_state.connections):
        connection.transport.abort()
