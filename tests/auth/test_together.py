"""Both sides at once: a client logs in to a protected server of mcport's own, at its authorization server."""

import socket
from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx
import pytest

from mcport import BearerAuth, Client, ConnectFailed, Context, OAuth, Server
from mcport.testing.authorization import AuthorizationServer

from .places import Answer, place


def free_port() -> int:
    """Return a port that nobody listens at: what tokens are for is known before a server listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def protected(url: str, issuer: str) -> Server:
    server = Server("notes", auth=BearerAuth(url, issuer=issuer, scopes=["notes:read"]))

    @server.tool
    async def mine(ctx: Context) -> str:
        assert ctx.principal is not None
        return f"notes of {ctx.principal.subject}"

    @server.tool(scopes=["notes:write"])
    async def write(text: str) -> str:
        return f"wrote {text}"

    return server


async def browse(pages: list[str], page: str) -> None:
    """Be the browser of somebody who agrees."""
    pages.append(page)
    async with httpx.AsyncClient() as browser:
        await browser.get((await browser.get(page)).headers["location"])


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])
@pytest.mark.requirement("auth.http-conform", "auth.step-up.user-client")
async def test_a_person_logs_in_and_is_asked_again_for_what_a_tool_needs_more(revision: str) -> None:
    pages: list[str] = []
    auth = OAuth(open_url=partial(browse, pages))
    async with place(lambda origin: AuthorizationServer(origin).answer) as issuer, anyio.create_task_group() as group:
        port, listening = free_port(), anyio.Event()
        url = f"http://127.0.0.1:{port}/mcp"
        server = protected(url, issuer)
        group.start_soon(partial(server.serve_http, port=port, listening=lambda _: listening.set()))
        await listening.wait()
        async with Client(url, auth=auth, revision=revision) as client:
            assert (await client.call_tool("mine")).text() == "notes of ada"
            assert (await client.call_tool("write", {"text": "hello"})).text() == "wrote hello"
            assert (await client.call_tool("mine")).text() == "notes of ada"
        group.cancel_scope.cancel()
    asked = [parse_qs(urlsplit(page).query)["scope"][0].split() for page in pages]
    assert asked == [["notes:read"], ["notes:read", "notes:write"]]


@pytest.mark.requirement("auth.custom-strategies")
async def test_a_client_may_be_let_in_by_something_else_than_oauth() -> None:
    seen: list[str | None] = []

    def answers(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        seen.append(headers.get("authorization"))
        return 401, {}, b""

    async with place(lambda origin: answers) as origin:
        with pytest.raises(ConnectFailed, match="it wants to be told who asks"):
            await Client(f"{origin}/mcp", auth=httpx.BasicAuth("a", "b")).connect()
    assert set(seen) == {"Basic YTpi"}
