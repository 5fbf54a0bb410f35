"""Where a token goes: with every request to its server, in one header, and nowhere else."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from mcport import AuthFailed, Client, HttpRefused, MemoryTokens, OAuth, ToolsChanged
from mcport.auth.keys import issuer_key, tokens_key
from mcport.auth.resource import canonical
from mcport.auth.secret import Secret
from mcport.auth.tokens import dumped
from mcport.core.jsonrpc import parse_json
from mcport.record import changed
from tests.http.scripted import URL as OLD
from tests.http.scripted import Message, OldServer, Stream, piece, result, text
from tests.http.test_sse_client import URL as PAIR
from tests.http.test_sse_client import PairServer

from .scripted import World

pytestmark = pytest.mark.anyio

NEW = "http://new.test/mcp"
LISTEN = "subscriptions/listen"


async def logged_in(**tokens: str) -> OAuth:
    """A login that has tokens for these servers already, and nobody to ask for others."""
    store = MemoryTokens()
    for token, url in tokens.items():
        server = canonical(url)
        kept = changed(World().log_in(), resource=server, access=Secret(token), expires=None)
        await store.set(tokens_key(kept.issuer, server, ""), dumped(kept))
        await store.set(issuer_key(server, ""), kept.issuer)
    return OAuth(store=store, open_url=lambda page: None, timeout=0.01)


class NewServer(httpx.AsyncBaseTransport):
    """A server of the stateless era, which tells whoever listens of one change."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.streams: list[Stream] = []
        self.moved_to: str | None = None
        self.client = httpx.AsyncClient(transport=self)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.moved_to is not None and request.url.path == "/mcp":
            return httpx.Response(307, headers={"location": self.moved_to})
        message = parse_json(request.content)
        if message["method"] == LISTEN:
            return self._heard(message)
        told: dict[str, Any] = {"ttlMs": 0, "cacheScope": "private", "resultType": "complete"}
        if message["method"] == "server/discover":
            told["capabilities"] = {"tools": {"listChanged": True}}
            told["supportedVersions"] = ["2026-07-28"]
            told["serverInfo"] = {"name": "new", "version": "1"}
        return piece(result(message, **told, tools=[], content=[]))

    def _heard(self, message: Message) -> httpx.Response:
        stream = Stream()
        self.streams.append(stream)
        about = {"_meta": {"io.modelcontextprotocol/subscriptionId": message["id"]}}
        wanted = {**about, "notifications": message["params"]["notifications"]}
        for method, params in (("subscriptions/acknowledged", wanted), ("tools/list_changed", about)):
            stream.say({"jsonrpc": "2.0", "method": f"notifications/{method}", "params": params})
        return stream.response


def borne(requests: list[httpx.Request], token: str = "s3cret") -> list[tuple[str, str]]:
    """Assert that each request bears a token in its header and nowhere else; return what they were."""
    for each in requests:
        assert each.headers.get_list("authorization") == [f"Bearer {token}"]
        rest = str(each.url) + str([field for field in each.headers.raw if field[0].lower() != b"authorization"])
        assert token not in rest
        assert token.encode() not in each.content
    return [(each.method, parse_json(each.content).get("method", "") if each.content else "") for each in requests]


@pytest.mark.requirement("auth.token.every-request", "auth.token.header", "auth.token.not-in-query")
@pytest.mark.requirement("auth.token.oauth-2.1-section-5")
@pytest.mark.parametrize("revision", ["2025-03-26", "2025-06-18", "2025-11-25"])
async def test_within_a_session_every_request_bears_the_token(revision: str) -> None:
    server = OldServer(revision)
    server.streams = [Stream().response]

    async def called(message: Message) -> httpx.Response:
        return piece(text(message, "fine"))

    server.on["tools/call"] = called
    async with server.connect(auth=await logged_in(s3cret=OLD)) as client:
        assert (await client.call_tool("a")).text() == "fine"
        await server.until(lambda: server.of("GET"))
    assert set(borne(server.requests)) == {
        ("POST", "initialize"),
        ("POST", "notifications/initialized"),
        ("POST", "tools/call"),
        ("GET", ""),
        ("DELETE", ""),
    }


@pytest.mark.requirement("auth.token.every-request", "auth.token.header", "auth.token.not-in-query")
@pytest.mark.requirement("auth.token.oauth-2.1-section-5", revisions=["2026-07-28"])
async def test_without_sessions_every_request_bears_the_token_and_so_does_listening() -> None:
    server = NewServer()
    async with Client(NEW, http_client=server.client, auth=await logged_in(s3cret=NEW)) as client:
        await client.call_tool("a")
        async with client.listen(tools=True) as changes:
            assert isinstance(await anext(changes), ToolsChanged)
    methods = [method for _, method in borne(server.requests)]
    assert {"server/discover", "tools/call", LISTEN} <= set(methods)


async def test_over_the_older_pair_what_is_posted_bears_the_token_of_the_same_server() -> None:
    server = PairServer()
    async with server.connect(auth=await logged_in(s3cret=PAIR)) as client:
        assert (await client.call_tool("a")).text() == "fine"
    assert ("POST", "tools/call") in borne(server.posted)


async def test_a_server_that_moves_within_its_origin_is_still_the_same_server() -> None:
    server = NewServer()
    server.moved_to = "/elsewhere/mcp"
    async with Client(NEW, http_client=server.client, auth=await logged_in(s3cret=NEW)) as client:
        await client.list_tools()
    assert [each.url.path for each in server.requests] == ["/mcp", "/elsewhere/mcp", "/elsewhere/mcp"]
    borne(server.requests)


@pytest.mark.parametrize(
    "there", ["http://evil.test/mcp", "https://new.test/mcp", "http://new.test:81/", "//evil.test"]
)
@pytest.mark.parametrize("follows", [False, True])
async def test_a_token_goes_to_no_other_origin_however_a_server_asks_for_that(there: str, follows: bool) -> None:
    server = NewServer()
    server.client.follow_redirects = follows
    async with Client(NEW, http_client=server.client, auth=await logged_in(s3cret=NEW)) as client:
        before = len(server.requests)
        server.moved_to = there
        for _ in range(2):
            with pytest.raises(HttpRefused, match="it sends requests elsewhere"):
                await client.call_tool("a")
    assert {each.url.host for each in server.requests[before:]} == {"new.test"}
    assert {(each.url.scheme, each.url.port) for each in server.requests} == {("http", None)}


@pytest.mark.requirement("auth.token.only-own-as")
async def test_several_servers_share_a_login_object_and_each_sees_its_own_token_alone() -> None:
    auth = await logged_in(first=OLD, second=NEW)
    old, new = OldServer(), NewServer()
    async with old.connect(auth=auth), Client(NEW, http_client=new.client, auth=auth) as client:
        await client.list_tools()
    borne(old.requests, "first")
    borne(new.requests, "second")


async def test_a_server_without_tokens_of_its_own_is_shown_none_of_another_ones() -> None:
    other = NewServer()

    async def refuse(request: httpx.Request) -> httpx.Response:
        other.requests.append(request)
        return httpx.Response(401, headers={"www-authenticate": "Bearer"})

    other.handle_async_request = refuse  # type: ignore[method-assign]
    auth = await logged_in(first=OLD)
    for url in (NEW, f"{OLD}/below", "http://old.test/", "http://old.test:8080/mcp"):
        with pytest.raises(AuthFailed):
            async with Client(url, http_client=other.client, auth=auth):
                pass
    assert other.requests
    assert not any("authorization" in each.headers for each in other.requests)
