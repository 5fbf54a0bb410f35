"""A gigabyte in one line, either way: what is held of it meanwhile is bounded, and the figure is printed.

Server and client run in this process, so that what is measured is at least what one of them holds. Where all of it has
to be read `--slow` does so; without, a sixteenth is sent.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import pytest

from mcport import Client, Server
from mcport.core.limits import CLIENT_LIMITS, SERVER_LIMITS
from mcport.errors import InvalidAnswer
from tests.http.origin import Asked, origin, usual

from .raw import USUAL, Connection, head
from .serving import served

MIB = 1 << 20
PIECE = b"x" * (64 << 10)

GIB = 1024 * MIB


@contextmanager
def holding_at_most(size: int) -> Iterator[None]:
    """What is held within never exceeds so many bytes."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(f"\nheld at most {peak / MIB:.1f} MiB")
    assert peak < size


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("revision", "size"),
    [("2026-07-28", 64 * MIB), ("2025-11-25", 64 * MIB), pytest.param("2025-11-25", GIB, marks=pytest.mark.slow)],
)
async def test_a_line_without_end_on_a_stream_is_passed_over_and_the_answer_behind_it_counts(
    revision: str, size: int
) -> None:
    async def play(asked: Asked) -> None:
        if asked.method != "tools/call":
            await usual(asked)
            return
        await asked.begin_events()
        await asked.raw(b"data: ")
        for _ in range(size // len(PIECE)):
            await asked.raw(PIECE)
        await asked.raw(b"\n\n")
        await asked.last_event(content=[{"type": "text", "text": "behind it"}])

    async with origin(play) as server, Client(server.url, revision=revision) as client:
        with anyio.fail_after(120), holding_at_most(2 * CLIENT_LIMITS.message_bytes):
            assert (await client.call_tool("a", timeout=100)).text() == "behind it"


@pytest.mark.anyio
@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
async def test_an_answer_without_end_is_given_up_at_the_bound(revision: str) -> None:
    async def play(asked: Asked) -> None:
        if asked.method != "tools/call":
            await usual(asked)
            return
        await asked.raw(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % GIB)
        for _ in range(GIB // len(PIECE)):
            await asked.raw(PIECE)

    async with origin(play) as server, Client(server.url, revision=revision) as client:
        limited = holding_at_most(2 * CLIENT_LIMITS.message_bytes)
        with anyio.fail_after(120), limited, pytest.raises(InvalidAnswer, match="over the limit"):
            await client.call_tool("a", timeout=100)


def test_a_request_without_end_is_refused_at_the_bound() -> None:
    with served(Server("victim")) as site, site.connect() as connection:
        connection.send(head("POST", {**USUAL, "Transfer-Encoding": "chunked"}))
        with holding_at_most(3 * SERVER_LIMITS.message_bytes):
            assert _taken(connection) < GIB // 8


def _taken(connection: Connection) -> int:
    """Send a gigabyte in one line until the server closes the connection; return how much it took."""
    chunk = b"%x\r\n%b\r\n" % (len(PIECE), PIECE)
    sent = 0
    try:
        while sent < GIB:
            connection.send(chunk)
            sent += len(PIECE)
    except ConnectionError:
        pass
    return sent
