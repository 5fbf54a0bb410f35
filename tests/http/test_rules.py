"""Which requests are let in, and what the others are answered with: every rule of both eras, as it is on the wire."""

from __future__ import annotations

import secrets
from typing import Any

import anyio
import pytest
from pydantic_core import to_json

from mcport import Limits, Server
from mcport.core.http.hosts import Gate
from mcport.core.jsonrpc import parse_json
from mcport.session.loop import current_loop
from mcport.spec.revisions import HANDSHAKE, STATELESS
from mcport.transports.http.server.asgi import AsgiWire, Event, Receive
from mcport.transports.http.server.guard import Guard
from mcport.transports.http.server.wire import Refused

from .bridge import ask, stateless
from .raw_session import STREAM, call, initialize, message, session
from .test_sessions import server

pytestmark = pytest.mark.anyio

LATEST = STATELESS[0].name
STREAMABLE = [revision.name for revision in HANDSHAKE if revision.has_streamable_http]
PING = message("ping")
WITH_META = message("ping", _meta={"io.modelcontextprotocol/protocolVersion": LATEST})
Headers = dict[str, str | None]


async def error_of(app: Any, body: bytes, headers: Headers, **request: Any) -> tuple[int, int, str]:
    async with ask(app, body, headers, **request) as answer:
        error = (await answer.json())["error"]
        return answer.status, error["code"], error["message"]


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, -32700),
        (b'"text"', {}, 400, -32600),
        (b'{"jsonrpc":"2.0","method":7}', {}, 400, -32600),
        (b'{"jsonrpc":"1.0","method":"notifications/x"}', {}, 400, -32600),
        (b"[]", {}, 400, -32600),
        (PING, {}, 400, -32600),
        (message("notifications/initialized", None), {}, 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"result":{}}', {}, 400, -32600),
        (PING, {"mcp-session-id": "there is none"}, 404, -32600),
        (PING, {"mcp-protocol-version": "1999-01-01"}, 400, -32022),
        (PING, {"mcp-protocol-version": "not a version"}, 400, -32022),
        (message("notifications/x", None), {"mcp-protocol-version": "1999-01-01"}, 400, -32022),
        (PING, {"mcp-protocol-version": LATEST}, 400, -32602),
        (WITH_META, {}, 400, -32020),
        (WITH_META, {"mcp-protocol-version": "2025-11-25"}, 400, -32020),
        (WITH_META, {"mcp-protocol-version": LATEST}, 400, -32602),
    ],
)
async def test_what_is_not_let_in_is_told_why(body: bytes, headers: Headers, status: int, code: int) -> None:
    app = server().asgi()
    assert (await error_of(app, body, headers))[:2] == (status, code)
    await app.aclose()


@pytest.mark.requirement("http.session.missing-400", revisions=STREAMABLE)
@pytest.mark.requirement("http.notification.rejected-status", revisions=STREAMABLE)
@pytest.mark.requirement("base.error.same-id", revisions=STREAMABLE)
@pytest.mark.requirement("http.notification.error-body", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
@pytest.mark.parametrize(
    "body", [PING, message("notifications/initialized", None), b'{"jsonrpc":"2.0","id":1,"result":{}}']
)
@pytest.mark.parametrize(("id", "status"), [(None, 400), ("nobody has this one", 404)])
async def test_what_belongs_to_no_session_is_refused_and_if_it_is_no_request_with_an_error_without_id(
    revision: str, body: bytes, id: str | None, status: int
) -> None:
    app = server().asgi()
    async with ask(app, body, {"mcp-session-id": id, "mcp-protocol-version": revision}) as answer:
        said = await answer.json()
    assert (answer.status, said["error"]["code"]) == (status, -32600)
    assert said.get("id") == (1 if body == PING else None)
    await app.aclose()


@pytest.mark.requirement("http.notification.rejected-status", revisions=[LATEST])
@pytest.mark.requirement("http.notification.error-body", revisions=[LATEST])
@pytest.mark.parametrize("notification", [{"jsonrpc": "1.0"}, {"method": 7}, {"params": {}}, {"params": "x"}])
async def test_a_stateless_notification_that_cannot_be_taken_is_refused_with_an_error_without_id(
    notification: dict[str, Any],
) -> None:
    app = server().asgi()
    meta = {"io.modelcontextprotocol/protocolVersion": LATEST}
    said = {"jsonrpc": "2.0", "method": "notifications/x", "params": {"_meta": meta}} | notification
    headers: Headers = {"mcp-protocol-version": LATEST, "mcp-method": "notifications/x"}
    async with ask(app, to_json(said), headers) as answer:
        assert (answer.status, (await answer.json()).get("id")) == (400, None)
    await app.aclose()


@pytest.mark.requirement("http.origin.validate", revisions=[*STREAMABLE, LATEST])
@pytest.mark.requirement("http.origin.invalid-403", revisions=["2025-11-25", LATEST])
@pytest.mark.requirement("http.origin.error-body", revisions=["2025-11-25", LATEST])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE", "PUT"])
@pytest.mark.parametrize("revision", [*STREAMABLE, LATEST])
async def test_a_page_that_is_not_let_in_reaches_nothing_whatever_its_method(revision: str, method: str) -> None:
    made, run = server(), []
    made.tool(name="note")(lambda: run.append("noted"))
    app = made.asgi()
    async with session(app, revision if revision in STREAMABLE else "2025-11-25") as opened:
        request = stateless("tools/call", name="note")
        if revision in STREAMABLE:
            request = {"body": call("note"), "headers": {**opened.headers, "accept": "text/event-stream"}}
        body, headers = request["body"], request["headers"]
        async with ask(app, body, {**headers, "origin": "http://evil.example"}, method=method) as answer:
            error = await answer.json()
            assert (answer.status, error.get("id")) == (403, None)
            assert "allowed_origins=['http://evil.example']" in error["error"]["message"]
        status, _, line = await error_of(app, body, {**headers, "host": "evil.example"}, method=method)
        assert (status, "allowed_hosts=['evil.example']" in line) == (421, True)
        assert run == []
        async with ask(app, body, {**headers, "origin": "http://localhost:5173"}) as answer:
            assert (answer.status, run) == (200, ["noted"])
    await app.aclose()


@pytest.mark.requirement("http.origin.validate", revisions=["2024-11-05"])
@pytest.mark.parametrize(("path", "method"), [("/sse", "GET"), ("/messages", "POST")])
async def test_the_older_endpoints_have_the_same_guard(path: str, method: str) -> None:
    app = server().asgi()
    headers: Headers = {"origin": "http://evil.example"}
    assert (await error_of(app, PING, headers, method=method, path=path))[0] == 403
    await app.aclose()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": None}, 415),
        ({"content-type": "text/plain"}, 415),
        ({"content-type": "application/json-seq"}, 415),
        ({"content-type": "multipart/form-data; boundary=application/json"}, 415),
        ({"content-encoding": "gzip"}, 415),
        ({"content-length": "1001"}, 413),
        ({"content-length": "9" * 5000}, 413),
        ({"content-type": "Application/JSON; charset=utf-8"}, 200),
        ({"content-encoding": "identity"}, 200),
    ],
)
async def test_a_body_is_plain_json_of_a_bearable_size(headers: Headers, status: int) -> None:
    app = Server("s", limits=Limits(message_bytes=1000)).asgi()
    async with ask(app, initialize(), headers) as answer:
        assert answer.status == status
    await app.aclose()


async def test_a_body_that_is_longer_than_it_was_announced_is_413() -> None:
    app = Server("s", limits=Limits(message_bytes=1000)).asgi()
    status, _, line = await error_of(app, b'"%b"' % (b"x" * 2000), {"content-length": "10"})
    assert (status, "Limits.message_bytes" in line) == (413, True)
    await app.aclose()


async def test_a_body_may_have_as_many_bytes_as_the_limit_says() -> None:
    app = Server("s", limits=Limits(message_bytes=1000)).asgi()
    for announced in (None, "1000"):
        for more, expected in ((0, 400), (1, 413)):
            headers = {"content-length": announced and str(1000 + more)}
            async with ask(app, b'"%b"' % (b"x" * (998 + more)), headers) as answer:
                assert answer.status == expected
    await app.aclose()


async def test_a_body_that_does_not_come_is_408_and_one_in_pieces_is_put_together() -> None:
    guard, pieces = Guard(Gate(), 100, seconds=0.01), [b'{"a"', b":", b"1}"]

    async def never() -> dict[str, Any]:
        await anyio.sleep_forever()
        raise AssertionError

    async def slowly() -> dict[str, Any]:
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def nowhere(event: Event) -> None:
        raise AssertionError(event)

    def posted(receive: Receive) -> AsgiWire:
        return AsgiWire({"type": "http", "headers": []}, receive, nowhere)

    assert await guard.body(posted(slowly), current_loop()) == b'{"a":1}'
    with pytest.raises(Refused) as refused:
        await guard.body(posted(never), current_loop())
    assert refused.value.status == 408


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "PATCH", "TRACE"])
async def test_other_methods_are_405_and_are_told_which_there_are(method: str) -> None:
    app = server().asgi()
    async with ask(app, b"", method=method) as answer:
        assert (answer.status, answer.headers["allow"]) == (405, "POST, GET, DELETE")
    await app.aclose()


@pytest.mark.requirement("http.get.sse-or-405", revisions=STREAMABLE)
@pytest.mark.requirement("http.endpoint.post-and-get", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_a_get_is_a_stream_for_who_accepts_one_and_405_for_others(revision: str) -> None:
    app = server().asgi()
    async with session(app, revision) as opened:
        async with opened.get() as answer:
            assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
        async with ask(app, b"", {**opened.headers, "accept": "application/json"}, method="GET") as answer:
            assert answer.status == 405
    await app.aclose()


@pytest.mark.requirement("http.version-header.invalid-400", revisions=["2025-06-18", "2025-11-25"])
@pytest.mark.requirement("http.session.missing-400", revisions=["2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
async def test_each_request_of_a_session_names_it_and_a_version_that_there_is(revision: str, method: str) -> None:
    app = server().asgi()
    body, usual = (PING, {}) if method == "POST" else (b"", STREAM)
    async with session(app, revision) as opened:
        for version in ("1999-01-01", "not a version", "", f"{revision}, {revision}"):
            wrong: Headers = {**opened.headers, **usual, "mcp-protocol-version": version}
            assert (await error_of(app, body, wrong, method=method))[:2] == (400, -32022)
        named: Headers = {**usual, "mcp-protocol-version": revision}
        assert (await error_of(app, body, named, method=method))[0] == 400
        assert (await error_of(app, body, {**named, "mcp-session-id": "none"}, method=method))[0] == 404
        assert await opened.result(PING) == {}
    await app.aclose()


@pytest.mark.requirement("http.legacy-traffic.get-delete-405")
@pytest.mark.requirement("http.headers.missing-version-rejected")
async def test_a_server_of_the_stateless_era_alone_has_no_sessions() -> None:
    app = Server("s", revisions=[LATEST]).asgi()
    for method in ("GET", "DELETE"):
        async with ask(app, b"", STREAM, method=method) as answer:
            assert (answer.status, answer.headers["allow"]) == (405, "POST")
    for body in (PING, initialize(), message("notifications/x", None)):
        status, code, line = await error_of(app, body, {})
        assert (status, code, LATEST in line) == (400, -32020, True)
    await app.aclose()


@pytest.mark.requirement("http.legacy-traffic.session-id-ignored")
@pytest.mark.requirement("http.legacy-traffic.last-event-id-ignored")
async def test_a_stateless_request_minds_no_session_and_no_event() -> None:
    app = server().asgi()
    request = stateless("tools/call", name="add", arguments={"a": 1, "b": 2})
    async with session(app) as opened:
        for id in ("none", opened.headers["mcp-session-id"]):
            request["headers"] |= {"mcp-session-id": id, "last-event-id": "x.1"}
            async with ask(app, **request) as answer:
                assert (answer.status, "mcp-session-id" in answer.headers) == (200, False)
                assert (await answer.json())["result"]["structuredContent"] == 3
    await app.aclose()


@pytest.mark.requirement("http.notification.accepted-202", revisions=[LATEST])
async def test_a_stateless_notification_is_taken() -> None:
    app = server().asgi()
    body = message("notifications/x", None, _meta={"io.modelcontextprotocol/protocolVersion": LATEST})
    async with ask(app, body, {"mcp-protocol-version": LATEST, "mcp-method": "notifications/x"}) as answer:
        assert (answer.status, await answer.body()) == (202, b"")
    await app.aclose()


@pytest.mark.parametrize("asked", ["2024-11-05", "1999-01-01", LATEST])
async def test_initialize_agrees_on_a_version_that_both_have(asked: str) -> None:
    app = server().asgi()
    async with ask(app, initialize(asked)) as answer:
        agreed = (await answer.json())["result"]["protocolVersion"]
        id = answer.headers["mcp-session-id"]
    assert agreed == (asked if asked == "2024-11-05" else "2025-11-25")
    async with ask(app, call("add", a=1, b=2), {"mcp-session-id": id}) as answer:
        assert answer.status == 200
    await app.aclose()


@pytest.mark.requirement("http.session.server-may-assign", revisions=STREAMABLE)
@pytest.mark.requirement("http.session.id-visible-ascii", revisions=STREAMABLE)
@pytest.mark.requirement("http.session.id-secure", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_sessions_have_ids_that_nobody_guesses(revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int | None] = []
    draw = secrets.token_urlsafe

    def counted(nbytes: int | None = None) -> str:
        drawn.append(nbytes)
        return draw(nbytes)

    monkeypatch.setattr(secrets, "token_urlsafe", counted)
    app = server().asgi()
    async with session(app, revision) as one, session(app, revision) as other:
        ids = [each.headers["mcp-session-id"] or "" for each in (one, other)]
    assert ids[0] != ids[1]
    assert all(id and set(id) <= {chr(code) for code in range(0x21, 0x7F)} for id in ids)
    assert [nbytes for nbytes in drawn if nbytes is not None and nbytes >= 16] == [32, 32]
    await app.aclose()


@pytest.mark.requirement("http.version-header.missing-assumes-2025-03-26", revisions=["2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_a_session_says_which_version_it_is_where_the_header_is_missing(revision: str) -> None:
    app = server().asgi()
    async with session(app, revision) as opened:
        del opened.headers["mcp-protocol-version"]
        assert await opened.result(PING) == {}
        async with opened.post(b"[%b]" % PING) as answer:  # 2025-03-26 alone has arrays: it is not assumed of others
            assert answer.status == (200 if revision == "2025-03-26" else 400)
    await app.aclose()


async def test_a_second_initialize_on_a_session_is_refused_and_changes_nothing() -> None:
    made = server()
    app = made.asgi()
    async with session(app, "2025-06-18", elicitation={}) as opened:
        async with opened.post(initialize("2025-11-25", sampling={})) as answer:
            assert (await answer.json())["error"]["code"] == -32600
        async with opened.post(call("greet")) as answer:
            assert (await answer.event())["method"] == "elicitation/create"
            await opened.tell(message("notifications/cancelled", None, requestId=1))
    await app.aclose()


async def test_an_initialize_that_fails_begins_no_session() -> None:
    app = server().asgi()
    async with ask(app, message("initialize", capabilities={})) as answer:
        assert (await answer.json())["error"]["code"] == -32602
        assert "mcp-session-id" not in answer.headers
    await app.aclose()


async def test_the_same_id_twice_in_flight_is_refused() -> None:
    app = server().asgi()
    async with session(app, elicitation={}) as opened, opened.post(call("greet", 5)) as answer:
        await answer.event()
        async with opened.post(call("add", 5, a=1, b=2)) as second:
            assert (second.status, (await second.json())["error"]["code"]) == (400, -32600)
        async with opened.post(call("add", 6, a=1, b=2)) as third:
            assert (await third.json())["id"] == 6
    await app.aclose()


@pytest.mark.parametrize(
    ("root", "path", "status"),
    [
        ("", "/mcp", 200),
        ("/api", "/api/mcp", 200),
        ("/api", "/api", 200),
        ("/api", "/api/", 200),
        ("/mcp", "/mcp", 200),
        ("/mcp", "/mcp/mcp", 200),
        ("", "/mcp/", 404),
        ("", "/other", 404),
        ("/api", "/api/other", 404),
        ("", "//mcp", 404),
        ("", "/mcp/../mcp", 404),
    ],
)
async def test_p16_there_is_one_endpoint_wherever_it_is_mounted_and_no_redirect(
    root: str, path: str, status: int
) -> None:
    app = server().asgi()

    async def mounted(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "root_path": root}, receive, send)

    async with ask(mounted, initialize(), path=path) as answer:
        assert answer.status == status
    async with ask(mounted, b"", STREAM, path=path, method="GET") as answer:
        assert answer.status == (400 if status == 200 else 404)  # 400: it names no session
    await app.aclose()


async def test_a_websocket_is_turned_away() -> None:
    app, sent = server().asgi(), list[Any]()

    async def send(event: Any) -> None:
        sent.append(event)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    await app({"type": "websocket", "path": "/mcp", "headers": []}, receive, send)
    assert [event["type"] for event in sent] == ["websocket.close"]


@pytest.mark.requirement("http.notification.accepted-202", revisions=["2025-03-26"])
async def test_only_one_revision_has_arrays_of_messages() -> None:
    app = server().asgi()
    both = b"[%b,%b]" % (call("add", 1, a=1, b=2), call("nothing", 2))
    for revision in ("2025-06-18", "2025-11-25", "2024-11-05"):
        async with session(app, revision) as opened, opened.post(both) as answer:
            allowed = opened.revision.allows_batches
            assert (answer.status == 200) == allowed
    async with session(app, "2025-03-26") as opened:
        async with opened.post(
            b"[%b,%b]" % (b'{"jsonrpc":"2.0","id":1,"method":7}', call("add", 2, a=1, b=2))
        ) as answer:
            first, second = await answer.json()
            assert (first["error"]["code"], second["id"]) == (-32600, 2)
        for quiet in (message("notifications/x", None), b'{"jsonrpc":"2.0","id":"nobody","result":{}}'):
            async with opened.post(b"[%b,%b]" % (quiet, quiet)) as answer:
                assert (answer.status, await answer.body()) == (202, b"")
        async with opened.post(b"[%b]" % initialize()) as answer:
            assert parse_json(await answer.body())["error"]["code"] == -32600
    await app.aclose()
