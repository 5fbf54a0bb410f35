"""What the authorization server for development refuses to programs, companies and keys: what they could get wrong."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

import pytest

from mcport.auth import jose, proof
from mcport.auth.assertions import BEARER_GRANT, SigningKey
from mcport.auth.enterprise import ASSERTION, EXCHANGE, IDENTITY
from mcport.auth.pkce import challenge_of
from mcport.auth.secret import Secret
from mcport.auth.steps import Given
from mcport.testing import AuthorizationServer, Registered
from mcport.testing.approvals import Approvals, Approved
from mcport.testing.granting import COMPANY_KIND
from mcport.testing.wire import Refused

ISSUER = "http://127.0.0.1:9000"
TOKEN = f"{ISSUER}/token"
RESOURCE = "http://127.0.0.1:8000/mcp"
KEY = jose.new_key()
ROBOT = {"authorization": f"Basic {b64encode(b'robot:s3cret').decode()}"}


@pytest.fixture
def server() -> AuthorizationServer:
    known = Registered("robot", secret="s3cret"), Registered("signer", key=jose.public_key(KEY, "ES256"))
    return AuthorizationServer(ISSUER, clients=[*known, Registered("person", ["http://127.0.0.1:1/callback"])])


def asked(server: AuthorizationServer, headers: dict[str, str] | None = None, at: str = "token", /, **form: str) -> Any:
    """Ask for tokens; return the document of the answer with its status and headers."""
    body = urlencode({"resource": RESOURCE, **form}).encode()
    status, fields, content = server.answer("POST", f"/{at}", headers or {}, body)
    return {"status": status, "headers": fields, **(json.loads(content) if content else {})}


# ---- programs


def test_a_program_acts_in_its_own_name_and_gets_nothing_to_refresh(server: AuthorizationServer) -> None:
    given = asked(server, ROBOT, grant_type="client_credentials", scope="a")
    signed = jose.verify(given["access_token"], server.keys, ["ES256"])
    assert (signed.claims["sub"], signed.claims["client_id"], signed.claims["aud"]) == ("robot", "robot", RESOURCE)
    assert "refresh_token" not in given


@pytest.mark.parametrize("id", ["person", "nobody", "signer"])
def test_who_proves_nothing_gets_nothing(server: AuthorizationServer, id: str) -> None:
    assert asked(server, grant_type="client_credentials", client_id=id)["status"] in (400, 401)


def test_a_statement_of_a_program_is_for_this_server_of_that_program_and_good_once(server: AuthorizationServer) -> None:
    given = Given(time.time, lambda size: bytes(size))
    good = SigningKey(KEY).form("signer", ISSUER, given)
    assert asked(server, grant_type="client_credentials", **good)["status"] == 200
    assert asked(server, grant_type="client_credentials", **good)["error"] == "invalid_client"
    for wrong in (
        SigningKey(jose.new_key()).form("signer", ISSUER, given),
        SigningKey(KEY).form("robot", ISSUER, given),
        SigningKey(KEY).form("signer", "https://other.example.com", given),
        SigningKey(KEY).form("signer", ISSUER, Given(lambda: time.time() - 3600, bytes)),
        {**good, "client_assertion": "nonsense"},
    ):
        assert asked(server, grant_type="client_credentials", **wrong)["error"] == "invalid_client"


# ---- platforms and companies


def statement(key: Any = KEY, kind: str = "JWT", **claims: object) -> str:
    usual = {"iss": "https://platform.example", "sub": "pod", "aud": ISSUER, "exp": time.time() + 60}
    return jose.sign({**usual, **claims}, key, "ES256", {"typ": kind})


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": jose.new_key()},
        {"aud": "https://other.example.com"},
        {"exp": 1},
        {"exp": None},
        {"iss": "https://nobody.example"},
        {"iss": "https://second.example"},
        {"sub": ""},
    ],
)
def test_a_workload_is_believed_by_the_word_of_its_own_platform_alone(
    server: AuthorizationServer, wrong: dict[str, Any]
) -> None:
    server.trust("https://platform.example", [jose.public_key(KEY, "ES256")])
    server.trust("https://second.example", [jose.public_key(jose.new_key(), "ES256")])
    assert asked(server, grant_type=BEARER_GRANT, assertion=statement())["status"] == 200
    assert asked(server, grant_type=BEARER_GRANT, assertion=statement(**wrong))["error"] == "invalid_grant"


@pytest.mark.parametrize("wrong", [{"client_id": "person"}, {"resource": "https://other.example.com/mcp"}])
def test_the_word_of_a_company_is_for_one_program_and_one_server(
    server: AuthorizationServer, wrong: dict[str, str]
) -> None:
    server.trust("https://platform.example", [jose.public_key(KEY, "ES256")])
    named = {"client_id": "robot", "resource": RESOURCE, "scope": "a"}
    good = statement(kind=COMPANY_KIND, **named)
    given = asked(server, ROBOT, grant_type=BEARER_GRANT, assertion=good, scope="a b")
    assert (given["status"], given["scope"]) == (200, "a")
    assert asked(server, grant_type=BEARER_GRANT, assertion=good, client_id="robot")["status"] == 401
    bad = statement(kind=COMPANY_KIND, **{**named, **wrong})
    assert asked(server, ROBOT, grant_type=BEARER_GRANT, assertion=bad)["error"] == "invalid_grant"


def test_a_provider_exchanges_the_identity_token_of_the_program_that_asks(server: AuthorizationServer) -> None:
    form = {
        "grant_type": EXCHANGE,
        "requested_token_type": ASSERTION,
        "subject_token_type": IDENTITY,
        "audience": "https://as.example",
        "subject_token": server.id_token("robot"),
    }
    given = asked(server, ROBOT, **form)
    signed = jose.verify(given["access_token"], server.keys, ["ES256"])
    assert (signed.header["typ"], given["token_type"]) == (COMPANY_KIND, "N_A")
    said = {name: signed.claims[name] for name in ("sub", "aud", "client_id", "resource")}
    assert said == {"sub": "ada", "aud": "https://as.example", "client_id": "robot", "resource": RESOURCE}
    for wrong in ({"subject_token": server.id_token("other")}, {"subject_token": "x"}, {"audience": ""}):
        assert asked(server, ROBOT, **{**form, **wrong})["status"] == 400


# ---- tokens that are bound to a key


def bound(
    nonce: str | None = None, url: str = TOKEN, method: str = "POST", age: float = 0, id: str = ""
) -> dict[str, str]:
    id = id or str(time.monotonic_ns())
    made = proof.make(KEY, "ES256", (method, url), id=id, now=time.time() - age, nonce=nonce)
    return {**ROBOT, "dpop": made}


def test_a_token_is_bound_to_the_key_that_was_proven(server: AuthorizationServer) -> None:
    given = asked(server, bound(), grant_type="client_credentials")
    signed = jose.verify(given["access_token"], server.keys, ["ES256"])
    assert given["token_type"] == "DPoP"
    assert signed.claims["cnf"] == {"jkt": jose.thumbprint(jose.public_key(KEY, "ES256"))}


@pytest.mark.parametrize(
    "wrong", [{"url": f"{ISSUER}/other"}, {"method": "GET"}, {"age": 400}, {"age": -400}, {"id": "used"}]
)
def test_a_proof_is_for_this_request_and_good_once(server: AuthorizationServer, wrong: dict[str, Any]) -> None:
    assert asked(server, bound(id="used"), grant_type="client_credentials")["status"] == 200
    assert asked(server, bound(**wrong), grant_type="client_credentials")["error"] == "invalid_dpop_proof"
    nonsense = {**ROBOT, "dpop": "nonsense"}
    assert asked(server, nonsense, grant_type="client_credentials")["error"] == "invalid_dpop_proof"


def test_a_server_with_numbers_wants_the_latest_one() -> None:
    server = AuthorizationServer(ISSUER, clients=[Registered("robot", secret="s3cret")], nonces=True)
    for _ in range(2):
        wanted = asked(server, bound(), grant_type="client_credentials")
        assert (wanted["status"], wanted["error"]) == (400, "use_dpop_nonce")
        nonce = wanted["headers"]["dpop-nonce"]
        assert asked(server, bound(nonce), grant_type="client_credentials")["status"] == 200
        server.renew_nonce()
        assert asked(server, bound(nonce), grant_type="client_credentials")["error"] == "use_dpop_nonce"


# ---- what comes twice


def test_a_code_that_comes_twice_ends_the_login_that_it_began() -> None:
    approvals, verifier = Approvals(time.time), Secret("v" * 43)
    code = approvals.code(Approved("ada", "me", RESOURCE, "", "back", challenge_of(verifier)))
    form = {"code": code, "code_verifier": verifier.reveal(), "redirect_uri": "back"}
    refresh = approvals.refresh_token(approvals.redeem("me", form))
    with pytest.raises(Refused, match="no such code"):
        approvals.redeem("me", form)
    with pytest.raises(Refused, match="no such refresh token"):
        approvals.again("me", {"refresh_token": refresh}, None)


def test_a_refresh_token_that_is_bound_to_a_key_is_good_with_that_key_alone() -> None:
    approvals = Approvals(time.time)
    refresh = approvals.refresh_token(Approved("ada", "me", RESOURCE, "", key="one"))
    with pytest.raises(Refused, match="another key"):
        approvals.again("me", {"refresh_token": refresh}, "two")


# ---- what is asked about a token


def test_only_a_client_that_proves_itself_is_told_about_tokens(server: AuthorizationServer) -> None:
    token = server.token(RESOURCE)
    assert asked(server, ROBOT, "introspect", token=token)["active"] is True
    assert asked(server, None, "introspect", token=token, client_id="person")["error"] == "unauthorized_client"
    assert asked(server, None, "introspect", token=token)["status"] == 401
    assert asked(server, ROBOT, "revoke", token=token)["status"] == 200
    assert asked(server, ROBOT, "introspect", token=token)["active"] is False
    assert not server.knows(token)


def test_an_authorization_server_that_others_could_reach_says_that_it_is_none(caplog: pytest.LogCaptureFixture) -> None:
    AuthorizationServer(ISSUER)
    assert caplog.messages == []
    AuthorizationServer("https://login.example.com")
    assert "for development only" in caplog.text
