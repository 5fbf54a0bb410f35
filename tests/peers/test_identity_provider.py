"""A real identity provider (oidc-provider) logs our client in, and our server takes its tokens."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from urllib.parse import urljoin

import httpx
import pytest

from mcport import BearerAuth, Client, ClientCredentials, Context, Granted, MemoryTokens, OAuth, Server
from mcport.auth.dpop import DPoP
from mcport.testing import at_loopback

REVISIONS = ["2025-11-25", "2026-07-28"]


@pytest.fixture(scope="module")
def issuer(oidc_provider: list[str]) -> Iterator[str]:
    """A running one; it ends with its input."""
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(oidc_provider, text=True, **pipes) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline().strip()
            assert line, "oidc-provider did not start"
            yield line
        finally:
            process.kill()


@asynccontextmanager
async def protected(issuer: str, dpop: Literal[False, "required"] = False) -> AsyncGenerator[str]:
    """A server of ours that takes the provider's tokens; return its URL."""

    def make(origin: str) -> Any:
        url = f"{origin}/mcp"
        server = Server("notes", auth=BearerAuth(url, issuer=issuer, scopes=["notes:read"], dpop=dpop))

        @server.tool
        async def who(ctx: Context) -> str:
            assert ctx.principal is not None
            return f"{ctx.principal.subject} may {' '.join(sorted(ctx.principal.scopes))}"

        @server.tool(scopes="notes:write")
        async def write() -> str:
            return "written"

        return server.asgi()

    async with at_loopback(make) as origin:
        yield f"{origin}/mcp"


class Browser:
    """Logs in and agrees on the provider's own pages, with its cookies."""

    def __init__(self) -> None:
        self.pages = 0
        self._cookies = httpx.Cookies()

    async def __call__(self, page: str) -> None:
        self.pages += 1
        async with httpx.AsyncClient(follow_redirects=True, trust_env=False, cookies=self._cookies) as browser:
            shown = await browser.get(page)
            for _ in range(4):
                if shown.url.path == "/callback":
                    break
                where, entered = _filled(shown)
                shown = await browser.post(where, data=entered)
            assert (shown.url.path, shown.status_code) == ("/callback", 200)
            self._cookies = browser.cookies


class Aged(MemoryTokens):
    """Tokens that are over by the time somebody reads them."""

    async def get(self, key: str) -> str | None:
        kept = await super().get(key)
        if kept is None or '"expires"' not in kept:
            return kept
        record = json.loads(kept)
        return json.dumps({**record, "expires": record["obtained"]})


def _filled(shown: httpx.Response) -> tuple[str, dict[str, str]]:
    """Return where the form of a page goes, and what a person would enter."""
    action = re.search(r'<form[^>]* action="([^"]+)"', shown.text)
    prompt = re.search(r'name="prompt" value="(\w+)"', shown.text)
    assert action is not None, shown.text
    assert prompt is not None, shown.text
    entered = {"prompt": prompt[1], "login": "ada", "password": "any"}
    return urljoin(str(shown.url), action[1]), entered


@pytest.mark.parametrize("revision", REVISIONS)
async def test_a_person_logs_in_there_writes_after_one_more_consent_and_stays_logged_in(
    issuer: str, revision: str
) -> None:
    browser, store = Browser(), MemoryTokens()
    async with protected(issuer) as url:
        auth = OAuth(open_url=browser, store=store)
        async with Client(url, auth=auth, revision=revision) as client:
            assert (await client.call_tool("who", {})).text() == "ada may notes:read"
            assert browser.pages == 1
            assert (await client.call_tool("write", {})).text() == "written"
            assert browser.pages == 2
        async with Client(url, auth=OAuth(open_url=browser, store=store), revision=revision) as client:
            assert (await client.call_tool("who", {})).text() == "ada may notes:read notes:write"
        assert browser.pages == 2


async def test_a_token_that_is_over_is_refreshed_there_without_the_person(issuer: str) -> None:
    browser, store = Browser(), Aged()
    async with protected(issuer) as url:
        first = await OAuth(open_url=browser, store=store).login(url)
        auth = OAuth(open_url=browser, store=store)
        async with Client(url, auth=auth) as client:
            assert (await client.call_tool("who", {})).text() == "ada may notes:read"
        later = await auth.status(url)
        assert later is not None
        assert first.access.reveal() != later.access.reveal()
        assert browser.pages == 1


async def test_a_program_gets_in_with_its_secret(issuer: str) -> None:
    async with protected(issuer) as url:
        grant = ClientCredentials(issuer, "robot", client_secret="s3cret")
        async with Client(url, auth=Granted(grant)) as client:
            assert (await client.call_tool("who", {})).text() == "robot may notes:read"


async def test_tokens_of_the_provider_may_be_bound_to_a_key(issuer: str) -> None:
    async with protected(issuer, dpop="required") as url:
        auth = OAuth(open_url=Browser(), dpop=DPoP())
        async with Client(url, auth=auth) as client:
            assert (await client.call_tool("who", {})).text() == "ada may notes:read"
        tokens = await auth.status(url)
        assert tokens is not None
        async with httpx.AsyncClient(trust_env=False) as thief:
            headers = {"authorization": f"Bearer {tokens.access.reveal()}"}
            assert (await thief.post(url, json={}, headers=headers)).status_code == 401


async def test_a_token_for_another_server_is_refused(issuer: str) -> None:
    async with protected(issuer) as url, protected(issuer) as other:
        auth = OAuth(open_url=Browser())
        tokens = await auth.login(other)
        async with httpx.AsyncClient(trust_env=False) as thief:
            headers = {"authorization": f"Bearer {tokens.access.reveal()}"}
            assert (await thief.post(url, json={}, headers=headers)).status_code == 401
