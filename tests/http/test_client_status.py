"""What a client makes of the first answer of a URL: the status and the body together tell the era."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import to_json

from mcport import Client, ConnectFailed, RemoteError

from .origin import VERSION, Asked, origin, usual

pytestmark = pytest.mark.anyio

OLDER = "2025-11-25"
JSON = "application/json"


def error(code: int, data: Any = None, id: Any = None) -> bytes:
    said = {"code": code, "message": "no", **({} if data is None else {"data": data})}
    return to_json({"jsonrpc": "2.0", "id": id, "error": said})


def dispatcher(status: int, body: bytes, kind: str) -> Any:
    """A server of the handshake era, with a session, that answers what it does not know with this."""

    async def play(asked: Asked) -> None:
        if asked.message is None or "id" not in asked.message:
            await asked.status(405 if asked.message is None else 202)
        elif asked.method == "server/discover":
            await asked.status(status, body, content_type=kind)
        else:
            info = {"name": "older", "version": "1"}
            await asked.result(protocolVersion=OLDER, capabilities={"tools": {}}, serverInfo=info, content=[])

    return play


@pytest.mark.requirement("era.http.fallback-initialize")
@pytest.mark.requirement("era.http.inspect-400-body")
@pytest.mark.requirement("era.client.other-means-legacy")
@pytest.mark.parametrize("status", [400, 404, 405, 406, 415])
@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "text/plain"),
        (b"Bad Request: no valid session ID provided", "text/plain"),
        (b"<html>no</html>", "text/html"),
        (b"{", JSON),
        (b'{"detail":"no"}', JSON),
        (error(-32600), JSON),
        (error(-32000, id="server-error"), JSON),
        (error(-32601, id=1), JSON),
    ],
)
async def test_a_refusal_that_no_server_of_the_newer_era_gives_leads_to_initialize(
    status: int, body: bytes, kind: str
) -> None:
    async with origin(dispatcher(status, body, kind), plays_opening=True) as server, Client(server.url) as client:
        assert client.revision == OLDER
        await client.call_tool("forecast")
    posted = [each for each in server.asked if each.message is not None]
    assert [each.method for each in posted][:4] == [
        "server/discover",
        "initialize",
        "notifications/initialized",
        "tools/call",
    ]
    later = [each for each in server.asked[2:] if each.message is None or each.method != "initialize"]
    assert {each.headers["mcp-protocol-version"] for each in later} == {OLDER}
    assert not any("_meta" in each.params for each in posted[1:] if each.method == "tools/call")


@pytest.mark.requirement("era.http.modern-error-retry")
@pytest.mark.requirement("era.http.inspect-400-body")
@pytest.mark.requirement("version.client-retry-supported")
async def test_a_version_that_the_server_lists_is_taken_up() -> None:
    async def play(asked: Asked) -> None:
        if len(server.asked) == 1:
            refusal = error(-32022, {"supported": ["2999-01-01", VERSION], "requested": VERSION}, 1)
            await asked.status(400, refusal, content_type=JSON)
        else:
            await usual(asked)

    async with origin(play, plays_opening=True) as server, Client(server.url) as client:
        assert client.revision == VERSION
    assert [each.method for each in server.asked] == ["server/discover", "server/discover"]
    first, second = (each.message["id"] for each in server.asked)
    assert first != second


@pytest.mark.requirement("version.client-retry-supported")
@pytest.mark.requirement("era.client.modern-error-no-fallback")
async def test_without_a_version_in_common_both_lists_are_named_and_nothing_else_is_tried() -> None:
    refusal = error(-32022, {"supported": ["2999-01-01", "2999-02-02"], "requested": VERSION}, 1)

    async def play(asked: Asked) -> None:
        await asked.status(400, refusal, content_type=JSON)

    async with origin(play, plays_opening=True) as server:
        with pytest.raises(ConnectFailed) as failed:
            await Client(server.url).connect()
    assert [each.method for each in server.asked] == ["server/discover"]
    for version in ("2999-01-01", "2999-02-02", VERSION, OLDER):
        assert version in str(failed.value)


@pytest.mark.requirement("era.http.modern-error-retry")
async def test_a_request_that_is_refused_for_its_version_in_a_conversation_is_not_begun_anew() -> None:
    async def play(asked: Asked) -> None:
        await asked.error(-32022, "no", 400)

    async with origin(play) as server, Client(server.url) as client:
        with pytest.raises(RemoteError) as refused:
            await client.call_tool("forecast")
        server.play = usual
        assert client.revision == VERSION
        await client.call_tool("forecast")
    assert refused.value.code == -32022
    assert "initialize" not in [each.method for each in server.asked]


@pytest.mark.requirement("http.headers.names-case-insensitive")
@pytest.mark.parametrize("write", [str.lower, str.upper, str.title])
@pytest.mark.parametrize("way", ["one piece", "stream"])
async def test_names_of_headers_may_be_written_in_any_case(way: str, write: Any) -> None:
    async def play(asked: Asked) -> None:
        body = to_json({"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": []}})
        kind = JSON
        if way == "stream":
            kind, body = "text/event-stream", b"data: %b\n\n" % body
        fields = {"content-type": kind, "content-length": str(len(body)), "set-cookie": "a=b"}
        head = "".join(f"{write(name)}: {value}\r\n" for name, value in fields.items())
        await asked.raw(f"HTTP/1.1 200 OK\r\n{head}\r\n".encode() + body)

    async with origin(play) as server, Client(server.url) as client:
        for _ in range(2):
            await client.request("tools/call", {"name": "t"})
    assert server.asked[-1].headers["cookie"] == "a=b"
    assert server.connections == 1
