"""Our client speaks with a server on the official SDK over HTTP: sessions, and the older pair of endpoints."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import pytest

from mcport import Client
from mcport.errors import ConnectionLost, Timeout

SERVER = str(Path(__file__).with_name("official_http_server.py"))
REVISIONS = ["2025-03-26", "2025-06-18", "2025-11-25"]


@contextmanager
def served(python: str, transport: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start the server; where it is, and its process."""
    path = "sse" if transport == "sse" else "mcp"
    with subprocess.Popen([python, SERVER, transport], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/{path}", process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def url(official_python: str) -> Iterator[str]:
    with served(official_python, "streamable") as (url, _):
        yield url


@pytest.fixture(scope="module")
def older_url(official_python: str) -> Iterator[str]:
    with served(official_python, "sse") as (url, _):
        yield url


async def ada(question: object) -> dict[str, object]:
    """Answer every question."""
    return {"name": "Ada"}


async def conversation(client: Client) -> None:
    """A little of everything that goes one way or the other."""
    assert client.server_info == {"name": "peer", "version": "1.2.3"}
    assert (await client.call_tool("add", {"a": 20, "b": 22})).text() == "42"
    seen: list[float] = []
    await client.call_tool("count", {"steps": 3}, progress=lambda done, total, said: seen.append(done))
    assert seen == [1, 2, 3]
    with pytest.raises(Timeout):
        await client.call_tool("wait", {}, timeout=0.2)
    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(client.call_tool, "add", {"a": 1, "b": 2})


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_session_is_opened_used_and_closed(url: str, revision: str) -> None:
    with anyio.fail_after(20):
        async with Client(url, revision=revision, elicit=ada) as client:
            assert client.revision == revision
            await conversation(client)
            if revision != "2025-03-26":
                assert (await client.call_tool("greet", {})).text() == "Hello Ada"


async def test_the_older_pair_is_found_and_used(older_url: str) -> None:
    with anyio.fail_after(20):
        async with Client(older_url, elicit=ada) as client:
            await conversation(client)


@pytest.mark.parametrize("transport", ["streamable", "sse"])
async def test_p3_a_server_that_is_killed_fails_what_is_pending(official_python: str, transport: str) -> None:
    with served(official_python, transport) as (url, process), anyio.fail_after(20):
        async with Client(url, revision="2025-11-25" if transport == "streamable" else None) as client:
            await client.call_tool("add", {"a": 1, "b": 2})
            async with anyio.create_task_group() as tasks:

                async def wait() -> None:
                    with pytest.raises(ConnectionLost):
                        await client.call_tool("wait", {})

                for _ in range(3):
                    tasks.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                process.kill()
            with pytest.raises(ConnectionLost):
                await client.call_tool("add", {"a": 1, "b": 2})
