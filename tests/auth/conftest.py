"""An authorization server and a server that wants its tokens, both on this machine; and a browser that is none."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest

from mcport import MemoryTokens, OAuth, TokenStore
from mcport.testing.authorization import AuthorizationServer

from .places import Answer, Protected, place


class Authority:
    """An authorization server that remembers what it was asked."""

    def __init__(self, origin: str) -> None:
        self.server = AuthorizationServer(origin)
        self.asked: list[str] = []
        self.revoked: set[str] = set()
        self.good: set[str] = set()

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append(f"{method} {urlsplit(target).path}")
        return self.server.answer(method, target, headers, body)

    def knows(self, token: str) -> bool:
        """Whether a token is one of its own that is still good."""
        return self.server.knows(token) and token not in self.revoked


class Realm:
    """A protected server and its authorization server. `pages` are those that were opened for the person."""

    def __init__(self, authority: Authority, server: Protected) -> None:
        self.authority = authority
        self.server = server
        self.url = server.url
        self.store: TokenStore = MemoryTokens()
        self.pages: list[str] = []
        self.opened = anyio.Event()
        self.go_on: anyio.Event | None = None

    def oauth(self, **options: Any) -> OAuth:
        """Return a login whose person agrees, by way of a port of this machine."""
        return OAuth(**{"store": self.store, "open_url": self.browse, **options})

    async def browse(self, page: str) -> None:
        """Be the browser: go to the page and where that leads, once that is wanted."""
        self.pages.append(page)
        self.opened.set()
        if self.go_on is not None:
            await self.go_on.wait()
        async with httpx.AsyncClient() as browser:
            await browser.get((await browser.get(page)).headers["location"])

    async def ask(self, auth: httpx.Auth, method: str = "POST") -> int:
        """Ask the protected server something; return the status of its answer."""
        async with httpx.AsyncClient(auth=auth) as client:
            return (await client.request(method, self.url, json={"id": 1, "method": "x"})).status_code


@pytest.fixture
async def realm() -> AsyncGenerator[Realm]:
    async with AsyncExitStack() as stack:
        authorities: list[Authority] = []
        servers: list[Protected] = []

        def authority(origin: str) -> Authority:
            authorities.append(Authority(origin))
            return authorities[0]

        def server(origin: str) -> Protected:
            servers.append(Protected(origin, issuer, authorities[0].knows))
            return servers[0]

        issuer = await stack.enter_async_context(place(authority))
        await stack.enter_async_context(place(server))
        yield Realm(authorities[0], servers[0])
