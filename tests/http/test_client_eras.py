"""Finding out over HTTP which era a server speaks, and keeping that in mind."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict
from typing import Any

import pytest

from mcport import Client, ConnectFailed
from mcport.spec.revisions import STATELESS
from mcport.transports.http.client import eras

from .origin import VERSION, Asked, origin, usual

pytestmark = pytest.mark.anyio


async def older(asked: Asked) -> None:
    """Answer as a server of the handshake era that keeps no sessions."""
    if asked.message is None or "id" not in asked.message:
        await asked.status(405 if asked.message is None else 202)
    elif asked.method == "server/discover":
        await asked.status(400)
    else:
        info = {"name": "older", "version": "1"}
        await asked.result(protocolVersion="2025-11-25", capabilities={"tools": {}}, serverInfo=info, content=[])


def methods(asked: list[Asked]) -> list[Any]:
    return [each.method for each in asked if each.message is not None]


@pytest.mark.requirement("era.http.inspect-400-body", revisions=["2026-07-28"])
@pytest.mark.requirement("era.http.fallback-initialize", revisions=["2026-07-28"])
@pytest.mark.requirement("era.client.cache-result", revisions=["2026-07-28"])
async def test_a_400_without_an_error_of_the_protocol_leads_to_initialize_and_is_remembered() -> None:
    async with origin(older, plays_opening=True) as server:
        for _ in range(2):
            async with Client(server.url) as client:
                assert client.revision == "2025-11-25"
                await client.call_tool("forecast")
        opened = methods(server.asked)
        assert opened[:2] == ["server/discover", "initialize"]
        assert opened.count("server/discover") == 1
        assert opened.count("initialize") == 2
        server.asked.clear()  # and it is replaced by a newer one, which has no `initialize`

        async def newer(asked: Asked) -> None:
            if asked.method == "initialize":
                await asked.error(-32601, "no such method", 404)
            else:
                await usual(asked)

        server.play = newer
        async with Client(server.url) as client:
            assert client.revision == VERSION
        assert methods(server.asked) == ["initialize", "server/discover"]


@pytest.mark.requirement("era.http.modern-error-retry", revisions=["2026-07-28"])
@pytest.mark.parametrize("code", [-32020, -32021])
async def test_a_400_with_an_error_of_the_newer_era_never_leads_to_initialize(code: int) -> None:
    async with origin(lambda asked: asked.error(code, "not like this", 400), plays_opening=True) as server:
        with pytest.raises(ConnectFailed, match=f"the server answered HTTP 400, error {code} 'not like this'"):
            await Client(server.url).connect()
    assert methods(server.asked) == ["server/discover"]


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_status_that_says_nothing_of_the_era_ends_the_opening(status: int) -> None:
    async with origin(lambda asked: asked.status(status), plays_opening=True) as server:
        with pytest.raises(ConnectFailed, match=f"answered {status}: "):
            await Client(server.url).connect()
    assert methods(server.asked) == ["server/discover"]


def test_the_rooms_of_sessions_are_loaded_by_whoever_opens_one() -> None:
    loading = "import sys, mcport.client.http_target, mcport.transports.http.client.facing; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", loading], capture_output=True, text=True, check=True).stdout.split()
    rooms = {each.rpartition(".")[2] for each in loaded if each.startswith("mcport.transports.http.client.")}
    assert "link" in rooms
    assert rooms.isdisjoint({"handshake", "courier", "errand", "outbox", "track", "standing", "renewal", "sse"})


def test_what_was_spoken_is_forgotten_where_too_much_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eras, "_SPOKEN", OrderedDict())
    monkeypatch.setattr(eras, "MOST", 2)
    first, second, third = "http://1", "http://2", "http://3"
    for url in (first, second, first, third):
        eras.remember(url, STATELESS[0])
    assert [eras.remembered(url) for url in (first, second, third)] == [STATELESS[0], None, STATELESS[0]]


async def test_a_server_that_is_replaced_by_an_older_one_is_asked_again_what_it_speaks() -> None:
    async with origin(usual, plays_opening=True) as server:
        async with Client(server.url) as client:
            assert client.revision == VERSION
        server.asked.clear()
        server.play = older
        for _ in range(2):
            async with Client(server.url) as client:
                assert client.revision == "2025-11-25"
    assert methods(server.asked)[:2] == ["server/discover", "initialize"]
    assert methods(server.asked).count("server/discover") == 1
