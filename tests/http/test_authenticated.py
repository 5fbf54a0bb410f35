"""A server that wants to know who asks wants it on every connection of every revision, before anything else."""

from __future__ import annotations

import pytest

from mcport.spec.revisions import REVISIONS
from tests.auth.gate import notes, token

from .bridge import ask, stateless
from .raw_session import STREAM, call, initialize

pytestmark = pytest.mark.anyio

Headers = dict[str, str | None]
Request = tuple[str, str, bytes, Headers]


def requests_of(revision: str) -> list[Request]:
    """Each kind of request that a client of a revision makes: method, path, body, headers."""
    if revision == "2024-11-05":
        return [("GET", "/sse", b"", STREAM), ("POST", "/messages?session_id=1", initialize(revision), {})]
    if revision == "2026-07-28":
        requests = [stateless("server/discover"), stateless("tools/call", name="who"), stateless("tools/list")]
        return [("POST", "/mcp", each["body"], each["headers"]) for each in requests]
    known: Headers = {"mcp-session-id": "one", "mcp-protocol-version": revision}
    return [
        ("POST", "/mcp", initialize(revision), {}),
        ("POST", "/mcp", call("who"), known),
        ("GET", "/mcp", b"", {**STREAM, **known}),
        ("DELETE", "/mcp", b"", known),
    ]


@pytest.mark.requirement("http.authenticate-connections")
@pytest.mark.parametrize("revision", REVISIONS)
async def test_no_request_passes_without_a_token(revision: str) -> None:
    app = notes().asgi()
    for method, path, body, headers in requests_of(revision):
        for said in ({}, {"authorization": "Bearer wrong"}):
            async with ask(app, body, {**headers, **said}, path, method) as answer:
                assert answer.status == 401, (method, path)
        async with ask(app, body, {**headers, "authorization": f"Bearer {token()}"}, path, method) as answer:
            assert answer.status in (200, 404), (method, path)
    await app.aclose()
