"""A protected server and where it stands: below another application, and at another URL than it says."""

from __future__ import annotations

import logging

import anyio
import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from mcport import BearerAuth, Server, StaticTokens

from .gate import ISSUER

RESOURCE = "https://mcp.example.com/api/mcp"
WELL_KNOWN = "/.well-known/oauth-protected-resource"


def protected(resource: str = RESOURCE) -> Server:
    return Server("notes", auth=BearerAuth(resource, issuer=ISSUER, verifier=StaticTokens({"t": "ada"})))


def at_the_root() -> Starlette:
    return Starlette(routes=[Mount("/", protected().asgi(path="/api/mcp"))])


def twice() -> Starlette:
    app = protected().asgi()
    return Starlette(routes=[Mount(WELL_KNOWN, app), Mount("/api", app)])


@pytest.mark.anyio
@pytest.mark.parametrize("mounted", [at_the_root, twice])
async def test_below_another_application_clients_find_what_says_where_tokens_are(mounted: object) -> None:
    transport = httpx.ASGITransport(app=mounted())  # type: ignore[operator]
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        refused = await http.post("/api/mcp")
        found = await http.get(f"{WELL_KNOWN}/api/mcp")
    assert refused.status_code == 401
    assert f'resource_metadata="https://mcp.example.com{WELL_KNOWN}/api/mcp"' in refused.headers["www-authenticate"]
    assert found.json()["resource"] == RESOURCE


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.anyio
@pytest.mark.parametrize(
    ("resource", "warned"),
    [
        ("https://mcp.example.com/mcp", False),
        (RESOURCE, False),
        ("https://mcp.example.com", True),
        ("http://127.0.0.1:1/mcp", True),
    ],
)
async def test_an_endpoint_that_is_known_as_another_one_is_told_of_at_the_start(
    resource: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mcport.server")
    listens = anyio.Event()
    async with anyio.create_task_group() as tasks:

        async def serve() -> None:
            await protected(resource).serve_http(port=0, listening=lambda url: listens.set())

        tasks.start_soon(serve)
        await listens.wait()
        tasks.cancel_scope.cancel()
    told = [each for each in caplog.records if resource in each.getMessage()]
    assert [each.levelname for each in told] == ["WARNING" if warned else "INFO"]
