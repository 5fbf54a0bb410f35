"""The authorization server for development agrees to what is asked for correctly, and to nothing else."""

import json
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from mcport.auth.jose import verify
from mcport.auth.pkce import challenge_of
from mcport.auth.secret import Secret
from mcport.testing.authorization import AuthorizationServer, Registered

ISSUER = "http://127.0.0.1:9000"
RESOURCE = "http://127.0.0.1:8000/mcp"
BACK = "http://127.0.0.1:4711/callback"
VERIFIER = Secret("v" * 43)

ASKED = {
    "response_type": "code",
    "client_id": "me",
    "redirect_uri": BACK,
    "state": "s",
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
    "resource": RESOURCE,
    "scope": "read",
}
FORM = {
    "grant_type": "authorization_code",
    "client_id": "me",
    "redirect_uri": BACK,
    "code_verifier": VERIFIER.reveal(),
    "resource": RESOURCE,
}

ROBOT = {"authorization": f"Basic {b64encode(b'robot:s3cret').decode()}"}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def server(clock: Clock) -> AuthorizationServer:
    known = Registered("me", [BACK]), Registered("robot", [BACK], "s3cret")
    return AuthorizationServer(ISSUER, clients=known, now=clock)


def authorize(server: AuthorizationServer, **changes: str | None) -> tuple[int, dict[str, str]]:
    """Ask for a code; return the status and what the browser is sent back with."""
    asked = {name: value for name, value in {**ASKED, **changes}.items() if value is not None}
    status, headers, _ = server.answer("GET", f"/authorize?{urlencode(asked)}", {}, b"")
    query = parse_qs(urlsplit(headers.get("location", "")).query)
    return status, {name: values[0] for name, values in query.items()}


def token(
    server: AuthorizationServer, headers: dict[str, str] | None = None, /, **changes: str | None
) -> dict[str, Any]:
    """Ask for tokens; return the answer with its status."""
    form = {name: value for name, value in {**FORM, **changes}.items() if value is not None}
    status, _, body = server.answer("POST", "/token", headers or {}, urlencode(form).encode())
    return {"status": status, **json.loads(body)}


def test_a_code_is_redeemed_once_and_tells_who_issued_it(server: AuthorizationServer) -> None:
    status, back = authorize(server)
    assert (status, back["state"], back["iss"]) == (302, "s", ISSUER)
    given = token(server, code=back["code"])
    assert (given["status"], given["token_type"], given["scope"]) == (200, "Bearer", "read")
    assert token(server, code=back["code"])["error"] == "invalid_grant"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_grant"),
        ({"redirect_uri": f"{BACK}2"}, "invalid_grant"),
        ({"client_id": "robot"}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"resource": "http://127.0.0.1:8000/other"}, "invalid_target"),
        ({"resource": None}, "invalid_target"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"code": "made-up"}, "invalid_grant"),
    ],
)
def test_a_code_is_good_only_with_all_that_belongs_to_it(
    server: AuthorizationServer, changes: dict[str, str | None], error: str
) -> None:
    _, back = authorize(server)
    assert token(server, **{"code": back["code"], **changes})["error"] == error


def test_a_code_does_not_last(server: AuthorizationServer, clock: Clock) -> None:
    _, back = authorize(server)
    clock.now += 61
    assert token(server, code=back["code"])["error"] == "invalid_grant"


@pytest.mark.parametrize("changes", [{"client_id": "nobody"}, {"redirect_uri": "https://evil.example/"}])
def test_nobody_is_sent_where_the_client_was_not_registered_for(
    server: AuthorizationServer, changes: dict[str, str | None]
) -> None:
    assert authorize(server, **changes) == (400, {})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "invalid_request"),
        ({"resource": None}, "invalid_target"),
    ],
)
def test_what_is_missing_in_a_request_is_told_to_the_client(
    server: AuthorizationServer, changes: dict[str, str | None], error: str
) -> None:
    _, back = authorize(server, **changes)
    assert (back["error"], back["iss"], back["state"]) == (error, ISSUER, "s")
    assert "code" not in back


def test_a_refresh_token_is_good_once_and_one_that_comes_twice_ends_the_login(server: AuthorizationServer) -> None:
    _, back = authorize(server)
    first = token(server, code=back["code"])["refresh_token"]
    again = {"grant_type": "refresh_token", "code": None, "redirect_uri": None, "code_verifier": None}
    second = token(server, **again, refresh_token=first)["refresh_token"]
    assert token(server, **again, refresh_token=first)["error"] == "invalid_grant"
    assert token(server, **again, refresh_token=second)["error"] == "invalid_grant"


def test_a_secret_has_to_be_shown_in_the_header(server: AuthorizationServer) -> None:
    _, back = authorize(server, client_id="robot")
    assert token(server, ROBOT, code=back["code"], client_id=None)["status"] == 200
    for pair in (b"robot:wrong", b"robot", b"\xff"):
        wrong = {"authorization": f"Basic {b64encode(pair).decode()}"}
        assert token(server, wrong, code="x", client_id=None)["status"] == 401
    assert token(server, {"authorization": "Basic ?"}, code="x")["status"] == 401


def test_a_client_registers_and_is_told_its_id(server: AuthorizationServer) -> None:
    for method, secret in (("none", False), ("client_secret_basic", True)):
        asked = {"redirect_uris": [BACK], "token_endpoint_auth_method": method}
        status, _, body = server.answer("POST", "/register", {}, json.dumps(asked).encode())
        said = json.loads(body)
        assert (status, "client_secret" in said, said["redirect_uris"]) == (201, secret, [BACK])
        assert authorize(server, client_id=said["client_id"])[0] == 302
    for wrong in (b"", b"[]", b"{}", b'{"redirect_uris": 7}'):
        assert server.answer("POST", "/register", {}, wrong)[0] == 400


def test_tokens_are_signed_by_the_key_that_is_published_and_known_when_asked_for(
    server: AuthorizationServer, clock: Clock
) -> None:
    given = server.token(RESOURCE, "read", tenant="a")
    keys = json.loads(server.answer("GET", "/jwks", {}, b"")[2])["keys"]
    assert all("d" not in each for each in keys)
    signed = verify(given, keys, ["ES256"])
    assert (signed.header["typ"], signed.claims["aud"], signed.claims["tenant"]) == ("at+jwt", RESOURCE, "a")

    def active(text: str) -> bool:
        body = server.answer("POST", "/introspect", ROBOT, urlencode({"token": text}).encode())[2]
        return bool(json.loads(body)["active"])

    assert active(given)
    assert not active("made-up")
    clock.now += 3600
    assert not active(given)


def test_metadata_stands_where_the_issuer_wants_it_and_may_be_changed() -> None:
    server = AuthorizationServer(
        f"{ISSUER}/tenant", metadata={"registration_endpoint": None, "scopes_supported": ["a"]}
    )
    status, _, body = server.answer("GET", "/.well-known/oauth-authorization-server/tenant", {}, b"")
    said = json.loads(body)
    assert (status, said["issuer"], said["scopes_supported"]) == (200, f"{ISSUER}/tenant", ["a"])
    assert "registration_endpoint" not in said
    assert server.answer("GET", "/.well-known/oauth-authorization-server", {}, b"")[0] == 404
    assert server.answer("GET", "/tenant/token", {}, b"")[0] == 404
    assert server.answer("POST", "/tenant/token", {}, b"a=1&a=2")[0] == 400


async def test_it_is_an_application_of_asgi(server: AuthorizationServer) -> None:
    sent: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"token=", "more_body": True},
        {"type": "http.request", "body": b"x"},
    ]

    async def receive() -> dict[str, Any]:
        return events.pop(0)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    shown = [(b"authorization", ROBOT["authorization"].encode())]
    scope = {"type": "http", "method": "POST", "path": "/introspect", "query_string": b"", "headers": shown}
    await server(scope, receive, send)
    assert sent[0]["status"] == 200
    assert (b"content-type", b"application/json") in sent[0]["headers"]
    assert json.loads(sent[1]["body"]) == {"active": False}
    await server({"type": "lifespan"}, receive, send)
