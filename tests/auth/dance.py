"""A protected server and its authorization server on this machine, and a browser that agrees to everything.

Both run in threads of their own, so that tests on either event loop talk to them over sockets.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx

from mcport import BearerAuth, Context, OAuth, Server
from mcport.testing import AuthorizationServer, at_loopback, serving

Answers = Literal["json", "stream"]


def notes(auth: BearerAuth) -> Server:
    """A server that tells who asks, and wants more for writing."""
    server = Server("notes", auth=auth)

    @server.tool
    async def who(ctx: Context) -> str:
        await ctx.report_progress(1, 2)
        assert ctx.principal is not None
        return f"{ctx.principal.subject} may {' '.join(sorted(ctx.principal.scopes))}"

    @server.tool(scopes=["notes:write"])
    async def write(text: str) -> str:
        return f"written: {text}"

    return server


class Stage:
    """What a test plays on. `pages` are those that the browser was sent to."""

    def __init__(self, authority: AuthorizationServer, origin: str) -> None:
        self.authority = authority
        self.url = f"{origin}/mcp"
        self.pages: list[str] = []

    async def browse(self, page: str) -> None:
        """Go where a page leads."""
        self.pages.append(page)
        async with httpx.AsyncClient(verify=False) as browser:
            back = (await browser.get(page)).headers["location"]
            assert (await browser.get(back)).status_code == 200

    def oauth(self, **options: Any) -> OAuth:
        return OAuth(open_url=self.browse, **options)

    async def post(self, token: str) -> httpx.Response:
        """Ask the server something with a token of the test's own."""
        async with httpx.AsyncClient(verify=False) as plain:
            return await plain.post(self.url, json={}, headers={"authorization": f"Bearer {token}"})


@asynccontextmanager
async def stage(
    gate: Callable[[AuthorizationServer, str], dict[str, Any]] = lambda authority, url: {},
    answers: Answers = "json",
    **options: Any,
) -> AsyncGenerator[Stage]:
    """Serve both; `gate` returns further options of the server's gate, `options` are the authorization server's."""
    async with serving(**options) as authority:

        def make(origin: str) -> Any:
            url = f"{origin}/mcp"
            settings = {"scopes": ["notes:read"], "remember": 0, **gate(authority, url)}
            return notes(BearerAuth(url, issuer=authority.issuer, **settings)).asgi(answers=answers)

        async with at_loopback(make) as origin:
            yield Stage(authority, origin)
