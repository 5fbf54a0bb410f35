"""What a client of the stateless era sends over HTTP: one POST a request, and headers that repeat the body."""

from __future__ import annotations

import gzip
import logging
import tracemalloc
from functools import partial
from typing import Any

import httpx
import pytest
from pydantic_core import to_json

from mcport import Client, ClientExtension, HttpRefused, InvalidAnswer, RemoteError

from .origin import VERSION, Asked, origin, usual

pytestmark = pytest.mark.anyio

BOMB = gzip.compress(b" " * 8_000_000)
CITY = {"type": "object", "properties": {"city": {"type": "string", "x-mcp-header": "City"}}}


@pytest.mark.requirement("era.http.modern-first", revisions=["2026-07-28"])
@pytest.mark.requirement("http.post.new-request-per-message", revisions=["2026-07-28"])
@pytest.mark.requirement("http.post.accept-header", revisions=["2026-07-28"])
@pytest.mark.requirement("http.post.body-single-message", revisions=["2026-07-28"])
@pytest.mark.requirement("http.headers.protocol-version-required", revisions=["2026-07-28"])
@pytest.mark.requirement("http.headers.protocol-version-matches-body", revisions=["2026-07-28"])
@pytest.mark.requirement("http.headers.mcp-method", revisions=["2026-07-28"])
@pytest.mark.requirement("http.headers.on-every-post", revisions=["2026-07-28"], reason="facets of each POST")
async def test_each_request_is_a_post_whose_headers_repeat_what_it_says() -> None:
    async with origin() as server, Client(server.url) as client:
        await client.list_tools()
        await client.call_tool("forecast", {"city": "Lyon"})
    assert [each.method for each in server.asked] == ["server/discover", "tools/list", "tools/call"]
    for each in server.asked:
        assert each.path == "/mcp"
        assert each.headers["mcp-protocol-version"] == VERSION
        assert each.params["_meta"]["io.modelcontextprotocol/protocolVersion"] == VERSION
        assert each.headers["mcp-method"] == each.method
        assert each.headers["accept"] == "application/json, text/event-stream"
        assert each.headers["content-type"] == "application/json"
        assert each.headers["accept-encoding"] == "identity"
        assert len({name for name, _ in each.fields}) == len(each.fields)
    assert server.connections == 1


@pytest.mark.requirement("http.headers.mcp-name", revisions=["2026-07-28"])
@pytest.mark.requirement("http.headers.mcp-name-encoded", revisions=["2026-07-28"])
@pytest.mark.requirement("header-encoding.unsafe-base64", revisions=["2026-07-28"])
@pytest.mark.requirement("header-encoding.escape-lookalike", revisions=["2026-07-28"])
async def test_the_name_of_what_is_asked_for_stands_in_a_header() -> None:
    async with origin() as server, Client(server.url) as client:
        for name in ("forecast", "größe", " spaced", "=?base64?eA==?="):
            await client.call_tool(name)
        await client.request("resources/read", {"uri": "notes://today"})
        await client.request("prompts/get", {"name": "greet"})
        await client.list_tools()
    assert [each.headers.get("mcp-name") for each in server.asked[1:]] == [
        "forecast",
        "=?base64?Z3LDtsOfZQ==?=",
        "=?base64?IHNwYWNlZA==?=",
        "=?base64?PT9iYXNlNjQ/ZUE9PT89?=",
        "notes://today",
        "greet",
        None,
    ]


@pytest.mark.requirement("http.headers.mcp-name", revisions=["2026-07-28"])
async def test_the_name_that_a_method_of_an_extension_is_about_stands_in_a_header_too() -> None:
    jobs = ClientExtension("com.example/jobs", named={"com.example/jobs.get": "jobId"})
    other = ClientExtension("com.example/other", named={"com.example/other.run": "key"})
    async with origin() as server, Client(server.url, extensions=[jobs, other]) as client:
        await client.request("com.example/jobs.get", {"jobId": "größe", "key": "x"})
        await client.request("com.example/other.run", {"jobId": "1", "key": "2"})
        await client.request("com.example/jobs.list", {"jobId": "3"})
        await client.call_tool("forecast")
    expected = ["=?base64?Z3LDtsOfZQ==?=", "2", None, "forecast"]
    assert [each.headers.get("mcp-name") for each in server.asked[1:]] == expected


def listing(*tools: dict[str, Any]) -> Any:
    async def play(asked: Asked) -> None:
        if asked.method == "tools/list":
            await asked.result(tools=list(tools), ttlMs=0, cacheScope="private")
        else:
            await usual(asked)

    return play


@pytest.mark.requirement("x-mcp-header.client-supports", revisions=["2026-07-28"])
@pytest.mark.requirement("x-mcp-header.client-mirrors", revisions=["2026-07-28"])
@pytest.mark.requirement("x-mcp-header.exact-path", revisions=["2026-07-28"])
@pytest.mark.requirement("x-mcp-header.null-omitted", revisions=["2026-07-28"])
@pytest.mark.requirement("x-mcp-header.absent-omitted", revisions=["2026-07-28"])
@pytest.mark.requirement("x-mcp-header.values-encoded", revisions=["2026-07-28"])
@pytest.mark.requirement("x-mcp-header.type-conversion", revisions=["2026-07-28"], reason="facets of one call")
async def test_arguments_are_repeated_in_the_headers_that_the_listed_tool_asks_for() -> None:
    place = {
        "city": {"type": "string", "x-mcp-header": "City", "default": "Rome"},
        "at": {"type": "object", "properties": {"hour": {"type": "integer", "x-mcp-header": "Hour"}}},
        "exact": {"type": "boolean", "x-mcp-header": "Exact"},
    }
    tool = {"name": "forecast", "inputSchema": {"type": "object", "properties": place}}
    async with origin(listing(tool)) as server, Client(server.url) as client:
        await client.list_tools()
        await client.call_tool("forecast", {"city": "Zürich", "at": {"hour": 7}, "exact": True})
        await client.call_tool("forecast", {"city": None, "hour": 8})
        await client.call_tool("another", {"city": "Lyon"})
    said = [
        {name: value for name, value in each.fields if name.startswith("mcp-param-")}
        for each in server.of("tools/call")
    ]
    assert said == [
        {"mcp-param-city": "=?base64?WsO8cmljaA==?=", "mcp-param-hour": "7", "mcp-param-exact": "true"},
        {},
        {},
    ]


@pytest.mark.requirement("x-mcp-header.invalid-tool-rejected", revisions=["2026-07-28"])
@pytest.mark.requirement("x-mcp-header.invalid-tool-excluded", revisions=["2026-07-28"])
@pytest.mark.requirement("x-mcp-header.rejection-logged", revisions=["2026-07-28"])
async def test_a_tool_that_asks_for_headers_as_it_may_not_is_left_out_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = {"type": "object", "properties": {"city": {"type": "string", "x-mcp-header": ""}}}
    tools = ({"name": "bad", "inputSchema": bad}, {"name": "good", "inputSchema": CITY})
    async with origin(listing(*tools)) as server, Client(server.url) as client:
        with caplog.at_level(logging.WARNING, "mcport.client"):
            listed = await client.list_tools()
    assert [each.name for each in listed.tools] == ["good"]
    assert "tool 'bad' is left out of the list: x-mcp-header of 'city' must be the name of a header" in caplog.text


@pytest.mark.requirement("x-mcp-header.refresh-on-mismatch", revisions=["2026-07-28"])
async def test_a_call_whose_headers_do_not_fit_is_repeated_once_after_a_look_at_the_list() -> None:
    async def play(asked: Asked) -> None:
        if asked.method == "tools/list" and "cursor" not in asked.params:
            await asked.result(tools=[], nextCursor="more", ttlMs=0, cacheScope="private")
        elif asked.method == "tools/list":
            tools = [{"name": "forecast", "inputSchema": CITY}]
            await asked.result(tools=tools, ttlMs=0, cacheScope="private")
        elif "mcp-param-city" not in asked.headers:
            await asked.error(-32020, "Header mismatch", 400)
        else:
            await usual(asked)

    async with origin(play) as server, Client(server.url) as client:
        assert not (await client.call_tool("forecast", {"city": "Lyon"})).is_error
        with pytest.raises(RemoteError, match="Header mismatch"):
            await client.call_tool("unknown", {"city": "Lyon"})
    methods = [each.method for each in server.asked]
    lists = ["tools/list", "tools/list"]
    assert methods == ["server/discover", "tools/call", *lists, "tools/call", "tools/call", *lists]
    assert "io.modelcontextprotocol/protocolVersion" in server.of("tools/list")[0].params["_meta"]


async def test_headers_of_the_user_go_with_each_request_and_none_of_ours_can_be_said() -> None:
    async with origin() as server, Client(server.url, headers={"X-Key": "k"}) as client:
        await client.list_tools()
    assert [each.headers["x-key"] for each in server.asked] == ["k", "k"]
    with pytest.raises(ValueError, match="headers: Mcp-Method is said by the client itself"):
        Client("http://localhost/mcp", headers={"Mcp-Method": "x"})
    with pytest.raises(ValueError, match="has characters that no header may have"):
        Client("http://localhost/mcp", headers={"X-Key": "a\r\nb"})
    with pytest.raises(TypeError, match="headers: only for a server at a URL"):
        Client(["server"], headers={})


async def test_auth_and_clients_of_httpx_are_used_and_a_given_client_stays_open() -> None:
    async with origin() as server:
        async with Client(server.url, auth=httpx.BasicAuth("me", "secret")) as client:
            await client.list_tools()
        async with httpx.AsyncClient(headers={"X-Mine": "1"}, cookies={"c": "2"}, timeout=5) as mine:
            async with Client(server.url, http_client=mine) as client:
                await client.call_tool("forecast")
            assert not mine.is_closed
    assert [each.headers.get("authorization") for each in server.asked[:2]] == ["Basic bWU6c2VjcmV0"] * 2
    assert (server.asked[-1].headers["x-mine"], server.asked[-1].headers["cookie"]) == ("1", "c=2")
    with pytest.raises(TypeError, match=r"auth is .*httpx\.Auth"):
        Client("http://localhost/mcp", auth=("me", "secret"))  # type: ignore[arg-type]


async def test_a_cookie_that_a_server_sets_comes_back_to_it() -> None:
    async def play(asked: Asked) -> None:
        await asked.status(200, discovered(asked), content_type="application/json", set_cookie="worker=7; Path=/")

    def discovered(asked: Asked) -> bytes:
        return b'{"jsonrpc":"2.0","id":%d,"result":{"supportedVersions":["%s"],"capabilities":{"tools":{}}}}' % (
            asked.message["id"],
            VERSION.encode(),
        )

    async with origin(play, plays_opening=True) as server, Client(server.url) as client:
        server.play = usual
        await client.call_tool("forecast")
    assert [each.headers.get("cookie") for each in server.asked] == [None, "worker=7"]


async def test_a_server_that_sets_cookies_without_end_gets_some_of_them_back() -> None:
    async def play(asked: Asked) -> None:
        number = len(server.asked)
        cookies = b"".join(b"set-cookie: c%dx%d=%b; Path=/\r\n" % (number, each, b"v" * 100) for each in range(40))
        body = to_json({"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": []}})
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n" % len(body)
        await asked.raw(head + cookies + b"\r\n" + body)

    async with origin(play) as server, Client(server.url) as client:
        for _ in range(9):
            await client.call_tool("forecast")
    assert max(each.headers.get("cookie", "").count("=") for each in server.asked) == 80
    assert f"c{len(server.asked) - 1}x39=" in server.asked[-1].headers["cookie"], "the latest are among them"


async def test_one_redirect_to_the_same_origin_is_followed_with_the_body_and_kept_in_mind() -> None:
    async def play(asked: Asked) -> None:
        if asked.path == "/mcp":
            await asked.status(307, location="/mcp/")
        else:
            await usual(asked)

    async with origin(play, plays_opening=True) as server, Client(server.url) as client:
        await client.list_tools()
    assert [(each.path, each.method) for each in server.asked] == [
        ("/mcp", "server/discover"),
        ("/mcp/", "server/discover"),
        ("/mcp/", "tools/list"),
    ]


@pytest.mark.parametrize("location", ["http://{}/mcp/", "http://you:evil@{}/mcp/", "//{}/mcp/"])
@pytest.mark.parametrize("who", ["me:secret@", ""])
async def test_a_redirect_changes_nothing_of_who_asks(location: str, who: str) -> None:
    async def play(asked: Asked) -> None:
        if asked.path == "/mcp":
            await asked.status(307, location=location.format(asked.headers["host"]))
        else:
            await usual(asked)

    async with (
        origin(play, plays_opening=True) as server,
        Client(server.url.replace("://", f"://{who}"), headers={"X-Key": "k"}) as client,
    ):
        await client.list_tools()
    expected = "Basic bWU6c2VjcmV0" if who else None
    assert [each.headers.get("authorization") for each in server.asked] == [expected] * 3
    assert [each.headers["x-key"] for each in server.asked] == ["k"] * 3


@pytest.mark.parametrize("way", ["plain", "auth", "client", "following client"])
async def test_nothing_of_a_request_goes_to_another_origin(way: str) -> None:
    async with httpx.AsyncClient(auth=("me", "secret"), follow_redirects=way == "following client") as mine:
        options: dict[str, Any] = {"auth": {"auth": httpx.BasicAuth("me", "secret")}, "plain": {}}
        chosen = options.get(way, {"http_client": mine})
        async with origin() as evil, origin() as server, Client(server.url, **chosen) as client:
            for status in (301, 302, 303, 307, 308):
                server.play = partial(Asked.status, status=status, location=evil.url)
                with pytest.raises(HttpRefused, match=f"answered {status}: it sends requests elsewhere") as caught:
                    await client.call_tool("forecast")
                assert "\n" not in str(caught.value)
        assert evil.connections == 0


@pytest.mark.parametrize("way", ["plain", "auth", "client"])
@pytest.mark.parametrize("status", [200, 503])
async def test_what_comes_compressed_is_never_unpacked(way: str, status: int) -> None:
    async def play(asked: Asked) -> None:
        await asked.status(status, BOMB, content_type="application/json", content_encoding="gzip")

    async with httpx.AsyncClient() as mine, origin() as server:
        options: dict[str, Any] = {"auth": {"auth": httpx.BasicAuth("a", "b")}, "client": {"http_client": mine}}
        async with Client(server.url, **options.get(way, {})) as client:
            server.play = play
            tracemalloc.start()
            with pytest.raises((InvalidAnswer, HttpRefused), match=r"answered with gzip compression|answered 503"):
                await client.call_tool("forecast")
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
    assert peak < 1 << 20, f"{peak >> 10} KiB"


async def test_messages_are_shown_as_they_pass() -> None:
    shown: list[tuple[str, str]] = []
    async with (
        origin() as server,
        Client(server.url, trace=lambda way, data: shown.append((way, data.decode()))) as client,
    ):
        await client.call_tool("forecast")
    assert [way for way, _ in shown] == ["->", "<-", "->", "<-"]
    assert '"method":"tools/call"' in shown[2][1]
    assert '"done"' in shown[3][1]
