"""Which era a POST belongs to, and whether its headers let it in."""

from typing import Any

import pytest
from pydantic_core import to_json

from mcport.core.dialects.contract import META_CAPABILITIES, META_VERSION, Offer
from mcport.core.http.admission import Lane, lane_of
from mcport.core.http.headers import METHOD, NAME, SESSION, VERSION
from mcport.core.jsonrpc import decode
from mcport.errors import ProtocolError
from mcport.spec.revisions import REVISIONS, STATELESS

NEWEST = STATELESS[0].name
OLD = "2025-06-18"
BOTH = Offer(REVISIONS, info=lambda _: {}, capabilities=lambda _: {})
HEADERS = {VERSION: NEWEST, METHOD: "tools/call", NAME: "add"}
META = {META_VERSION: NEWEST, META_CAPABILITIES: {}}


def request(method: str = "tools/call", meta: object = META, **params: Any) -> bytes:
    params = {"name": "add", **params}
    if meta is not None:
        params["_meta"] = meta
    return to_json({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})


def lane(headers: dict[str, str], body: bytes, offer: Offer = BOTH) -> Lane:
    return lane_of(headers, decode(body), offer)


def refused(headers: dict[str, str], body: bytes, offer: Offer = BOTH) -> tuple[int, int, str]:
    with pytest.raises(ProtocolError) as raised:
        lane(headers, body, offer)
    return raised.value.http_status, raised.value.code, raised.value.message


def test_a_request_that_says_everything_itself_is_stateless_even_in_a_session() -> None:
    assert lane(HEADERS, request()) is Lane.STATELESS
    assert lane({**HEADERS, SESSION: "s"}, request()) is Lane.STATELESS


@pytest.mark.parametrize("headers", [{}, {SESSION: "s"}, {VERSION: OLD}, {VERSION: OLD, SESSION: "s"}])
def test_what_says_nothing_of_itself_belongs_to_a_session(headers: dict[str, str]) -> None:
    assert lane(headers, request(meta=None)) is Lane.HANDSHAKE
    assert lane(headers, request(meta={"progressToken": 1})) is Lane.HANDSHAKE
    assert lane(headers, b'{"jsonrpc":"2.0","method":"notifications/initialized"}') is Lane.HANDSHAKE
    assert lane(headers, b'{"jsonrpc":"2.0","id":1,"result":{}}') is Lane.HANDSHAKE
    assert lane(headers, b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]') is Lane.HANDSHAKE


@pytest.mark.parametrize("headers", [{}, {VERSION: OLD}, {VERSION: "1999-01-01"}, {VERSION: NEWEST}])
def test_initialize_needs_no_header(headers: dict[str, str]) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18"}}'
    assert lane(headers, body) is Lane.HANDSHAKE


def test_a_notification_of_the_stateless_era_is_only_heard() -> None:
    body = b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"_meta":{"%s":"%s"}}}'
    assert lane({}, body % (META_VERSION.encode(), NEWEST.encode())) is Lane.HEARD


@pytest.mark.requirement("http.headers.protocol-version-mismatch")
@pytest.mark.requirement("http.headers.mismatch-400-error")
@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({METHOD: "tools/call", NAME: "add"}, "MCP-Protocol-Version is missing"),
        ({**HEADERS, VERSION: OLD}, f"MCP-Protocol-Version is '{OLD}', and the body says '{NEWEST}'"),
        ({**HEADERS, VERSION: "v999.0.0"}, "MCP-Protocol-Version is 'v999.0.0'"),
        ({VERSION: NEWEST, NAME: "add"}, "Mcp-Method is missing"),
        ({VERSION: NEWEST, METHOD: "tools/call"}, "Mcp-Name is missing"),
    ],
)
def test_headers_that_do_not_repeat_the_body_are_refused(headers: dict[str, str], says: str) -> None:
    status, code, message = refused(headers, request())
    assert (status, code) == (400, -32020)
    assert says in message


@pytest.mark.requirement("version.unsupported-http-400")
@pytest.mark.parametrize("version", ["v999.0.0", OLD])
def test_the_version_is_judged_before_the_other_headers(version: str) -> None:
    body = request(meta={META_VERSION: version, META_CAPABILITIES: {}})
    assert refused({VERSION: version}, body)[:2] == (400, -32022)


def test_missing_capabilities_are_told_as_such() -> None:
    assert refused(HEADERS, request(meta={META_VERSION: NEWEST}))[:2] == (400, -32602)


@pytest.mark.parametrize("body", [request(meta=None), b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]'])
def test_a_stateless_version_in_the_header_wants_it_in_the_body_too(body: bytes) -> None:
    status, code, message = refused({VERSION: NEWEST, METHOD: "tools/call", NAME: "add"}, body)
    assert (status, code) == (400, -32602)
    assert "is missing" in message


def test_an_unknown_version_in_the_header_is_refused_with_those_that_are_served() -> None:
    status, code, message = refused({VERSION: "v999.0.0"}, request(meta=None))
    assert (status, code) == (400, -32022)
    assert OLD in message


@pytest.mark.parametrize(
    ("body", "code"), [(b"{", -32700), (b"\xff", -32700), (b"{}", -32600), (b"[]", -32600), (b"5", -32600)]
)
def test_what_is_no_message_is_refused(body: bytes, code: int) -> None:
    assert refused(HEADERS, body)[:2] == (400, code)
