"""What a client keeps of a server at a URL, and for whom: another identity is given nothing of the one before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager

import anyio
import httpx
import pytest

from mcport import Client, ResultCache

from .origin import Asked, Origin, origin, usual

pytestmark = pytest.mark.anyio

REVISION = "2026-07-28"


class Login(httpx.Auth):
    """A login that can be another one the next time, and says whose it is."""

    def __init__(self, who: str | None) -> None:
        self.principal = who

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["authorization"] = f"Bearer {self.principal}"
        yield request


class Silent(httpx.Auth):
    """A login that does not say whose it is."""

    who = "ada"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["authorization"] = f"Bearer {self.who}"
        yield request


@asynccontextmanager
async def telling(scope: str = "private", meanwhile: Callable[[], None] = lambda: None) -> AsyncIterator[Origin]:
    """Serve a tool that is named after whoever lists it, good for a minute."""

    async def play(asked: Asked) -> None:
        if asked.method != "tools/list":
            await usual(asked)
            return
        who = asked.headers.get("authorization", "nobody").split()[-1]
        tool = {"name": who, "inputSchema": {"type": "object"}}
        meanwhile()
        await asked.result(tools=[tool], ttlMs=60_000, cacheScope=scope)

    with anyio.fail_after(10):
        async with origin(play) as server:
            yield server


async def listed(client: Client) -> str:
    return (await client.list_tools()).tools[0].name


@pytest.mark.requirement("cache.private-not-shared", "cache.private-same-context", revisions=[REVISION])
async def test_whoever_logs_in_is_given_nothing_that_was_kept_for_another() -> None:
    login = Login("ada")
    async with telling() as server, Client(server.url, auth=login) as client:
        assert [await listed(client), await listed(client)] == ["ada", "ada"]
        login.principal = "bob"
        assert [await listed(client), await listed(client)] == ["bob", "bob"]
        login.principal = "ada"
        assert await listed(client) == "ada"
        assert len(server.of("tools/list")) == 2


@pytest.mark.requirement("cache.public-shared", revisions=[REVISION])
async def test_what_is_public_is_kept_for_everybody() -> None:
    login = Login("ada")
    async with telling("public") as server, Client(server.url, auth=login) as client:
        assert await listed(client) == "ada"
        login.principal = "bob"
        assert await listed(client) == "ada"


@pytest.mark.requirement("cache.private-not-shared", revisions=[REVISION])
async def test_a_login_that_does_not_say_whose_it_is_has_nothing_private_kept() -> None:
    cache = ResultCache()
    async with telling() as server, Client(server.url, auth=(login := Silent()), cache=cache) as client:
        assert await listed(client) == "ada"
        login.who = "bob"
        assert await listed(client) == "bob"
        assert len(cache) == 0
    async with telling("public") as server, Client(server.url, auth=Silent()) as client:
        assert [await listed(client), await listed(client)] == ["ada", "ada"]
        assert len(server.of("tools/list")) == 1


@pytest.mark.requirement("cache.private-not-shared", revisions=[REVISION])
async def test_an_answer_that_came_while_the_login_changed_is_kept_for_nobody() -> None:
    login, cache = Login("ada"), ResultCache()

    def change() -> None:
        login.principal = "bob"

    async with telling(meanwhile=change) as server, Client(server.url, auth=login, cache=cache) as client:
        assert await listed(client) == "ada"
        assert len(cache) == 0


@pytest.mark.requirement("cache.private-same-context", revisions=[REVISION])
async def test_headers_and_the_auth_of_httpx_are_whose_they_are_as_long_as_a_client_lives() -> None:
    async with telling() as server:
        for options in ({"headers": {"authorization": "Bearer ada"}}, {"auth": httpx.BasicAuth("a", "b")}, {}):
            before = len(server.of("tools/list"))
            async with Client(server.url, **options) as client:
                assert await listed(client) == await listed(client)
            assert len(server.of("tools/list")) == before + 1


@pytest.mark.requirement("cache.private-not-shared", "cache.private-same-context", revisions=[REVISION])
async def test_a_client_of_httpx_is_who_its_headers_cookies_and_auth_say() -> None:
    async with telling() as server, httpx.AsyncClient() as http, Client(server.url, http_client=http) as client:

        async def asks_anew() -> bool:
            before = len(server.of("tools/list"))
            await listed(client)
            return len(server.of("tools/list")) > before

        assert [await asks_anew(), await asks_anew()] == [True, False]
        http.headers["authorization"] = "Bearer bob"
        assert [await asks_anew(), await asks_anew()] == [True, False]
        http.cookies.set("session", "eve")
        assert [await asks_anew(), await asks_anew()] == [True, False]
        for name in ("a", "b"):
            http.auth = httpx.BasicAuth(name, "secret")
            assert [await asks_anew(), await asks_anew()] == [True, False]

        async def hook(request: httpx.Request) -> None:
            request.headers["authorization"] = "Bearer anybody"

        http.event_hooks = {"request": [hook]}
        assert [await asks_anew(), await asks_anew()] == [True, True]


async def test_a_cache_serves_one_client_so_that_origins_are_never_mixed_up() -> None:
    cache = ResultCache()
    async with telling() as one, telling() as other, Client(one.url, cache=cache):
        with pytest.raises(ValueError, match="a ResultCache belongs to one client"):
            Client(other.url, cache=cache)
