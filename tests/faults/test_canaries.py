"""Many clients at once, with the same ids and answers in any order: nobody is told what is another's (security T-7)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest

from mcport import Context, Server

from .raw import Connection
from .serving import Site, served

CLIENTS = 100
CALLS = 3


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    server = Server("aviary")
    delays = random.Random(7)

    @server.tool
    async def sing(canary: str, ctx: Context) -> str:
        await ctx.report_progress(1, message=canary)
        await anyio.sleep(delays.random() / 50)
        await ctx.report_progress(2, message=canary)
        return canary

    @server.tool
    async def hum(canary: str) -> str:
        await anyio.sleep(delays.random() / 50)
        return canary

    @server.tool
    async def reply(canary: str, ctx: Context) -> str:
        answer = await ctx.elicit(canary, str)
        await anyio.sleep(delays.random() / 50)
        return f"{canary}{answer.data if answer.action == 'accept' else None}"

    with served(server) as site:
        yield site


def hums(connection: Connection, canary: str) -> Iterator[str]:
    """The answers to calls, each in one piece."""
    for id in range(1, CALLS + 1):
        answer = connection.post(connection.call("hum", id=id, canary=canary)).json()
        assert answer["id"] == id
        yield answer["result"]["content"][0]["text"]


def sings(connection: Connection, canary: str) -> Iterator[str]:
    """What is said on streams that begin before the answer."""
    for id in range(1, CALLS + 1):
        connection.post(connection.call("sing", id=id, canary=canary, meta={"progressToken": 1}))
        first, second, answer = iter(connection.told, None)
        assert answer["id"] == id
        yield from (first["params"]["message"], second["params"]["message"], answer["result"]["content"][0]["text"])


def replies(connection: Connection, canary: str) -> Iterator[str]:
    """What clients are asked, and what comes of their answers."""
    with Connection(connection.port) as other:
        other.session = connection.session
        for id in range(1, CALLS + 1):
            connection.post(connection.call("reply", id=id, canary=canary))
            asked = connection.told()
            yield asked["params"]["message"]
            content = {"action": "accept", "content": {"value": canary}}
            other.post(other.message({"jsonrpc": "2.0", "id": asked["id"], "result": content}))
            text: str = connection.told()["result"]["content"][0]["text"]
            assert text == canary * 2
            assert connection.told() is None
            yield canary


Singing = Callable[[Connection, str], Iterator[str]]


def heard(site: Site, number: int, singing: Singing, revision: str | None) -> set[str]:
    """Everything that one client is told."""
    canary = f"canary {number} "
    with site.connect() as connection:
        if revision is not None:
            connection.open(revision, elicitation={})
        return set(singing(connection, canary)) ^ {canary}


@pytest.mark.parametrize(
    ("singing", "revision"),
    [
        *((singing, revision) for singing in (hums, sings) for revision in (None, "2025-11-25", "2025-03-26")),
        (replies, "2025-11-25"),
        (replies, "2025-06-18"),
    ],
)
def test_no_answer_progress_or_question_reaches_another_client(
    site: Site, singing: Singing, revision: str | None
) -> None:
    with ThreadPoolExecutor(CLIENTS) as clients:
        found = list(clients.map(lambda number: heard(site, number, singing, revision), range(CLIENTS)))
    assert found == [set()] * CLIENTS
