"""Grants without a browser, driven without any I/O: what they ask for, and what they never give away."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport.auth import jose
from mcport.auth.assertions import CLIENT_KIND, LIFE_SECONDS, SigningKey
from mcport.auth.dpop import DPoP
from mcport.auth.enterprise import EnterpriseManaged, IdentityProvider
from mcport.auth.flow import Flow, Policy, Refusal
from mcport.auth.grant import Grant
from mcport.auth.machines import ClientCredentials, WorkloadIdentity, from_file
from mcport.auth.presenting import Bearer, Presenting
from mcport.auth.proof import digest_of
from mcport.auth.steps import Answer, NoOutcome, Obtain, Step
from mcport.auth.tokens import Tokens
from mcport.errors import AuthFailed

from .scripted import (
    ISSUER,
    REFUSED,
    RESOURCE_METADATA,
    SERVER,
    SERVER_METADATA,
    World,
    answer,
    resource_metadata,
    server_metadata,
)

IDP = "https://idp.example/token"


class Program(World):
    """A world with a program that has a grant of its own."""

    def __init__(self, grant: Grant, presenting: Presenting | None = None) -> None:
        super().__init__()
        self.grant = grant
        self.presenting = presenting or Bearer()
        self.obtained: list[str] = []

    def flow(self, server: str = SERVER, **policy: Any) -> Flow:
        return Flow(server, self.grant, self.presenting, self.given, Policy(**policy))

    def log_in(self, flow: Flow | None = None, refusal: Refusal = REFUSED, used: Tokens | None = None) -> Tokens:
        """Get tokens; without a flow, as a program that has none yet."""
        if flow is None:
            self.store.clear()
        return super().log_in(flow, refusal, used)

    def _outcome(self, step: Step) -> Any:
        if not isinstance(step, Obtain):
            return super()._outcome(step)
        self.obtained.append(step.purpose)
        try:
            step.source().__await__().send(None)
        except StopIteration as stop:
            return stop.value
        except RuntimeError as error:
            return NoOutcome(str(error))


def says(*texts: str) -> Callable[[], Awaitable[str]]:
    """A source that returns one text after the other, and fails when there is none left."""
    left = list(texts)

    async def source() -> str:
        if not left:
            raise RuntimeError("no more")
        return left.pop(0)

    return source


# ---- client credentials


def test_a_program_proves_itself_by_its_secret_in_a_header() -> None:
    program = Program(ClientCredentials(ISSUER, "a b", client_secret="s:1"))
    tokens = program.log_in(refusal=Refusal(401, ("notes:read",)))
    assert tokens.access.reveal() == "token-1"
    assert program.forms == [{"grant_type": "client_credentials", "scope": "notes:read", "resource": SERVER}]
    assert program.asked[-1].headers["authorization"] == "Basic " + base64.b64encode(b"a+b:s%3A1").decode()
    assert program.registered == program.visited == []


def test_a_program_proves_itself_by_a_signed_statement_to_its_issuer() -> None:
    key = jose.new_key()
    program = Program(ClientCredentials(ISSUER, "robot", key=SigningKey(key, id="k1")))
    program.log_in()
    [form] = program.forms
    assert form["client_assertion_type"] == CLIENT_KIND
    header, claims = jose.verify(form["client_assertion"], [jose.public_key(key, "ES256")], ["ES256"])
    assert header == {"alg": "ES256", "kid": "k1"}
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("robot", "robot", ISSUER)
    assert claims["exp"] - claims["iat"] == LIFE_SECONDS
    assert claims["iat"] == program.time
    program.log_in()
    again = jose.verify(program.forms[1]["client_assertion"], [jose.public_key(key, "ES256")], ["ES256"])
    assert again.claims["jti"] != claims["jti"]


def test_credentials_go_to_no_other_issuer_than_their_own() -> None:
    program = Program(ClientCredentials("https://mine.example", "robot", client_secret="s"))
    with pytest.raises(AuthFailed, match="authorization_servers"):
        program.log_in()
    assert program.forms == []


def test_a_way_to_prove_oneself_that_is_not_taken_is_not_tried() -> None:
    program = Program(ClientCredentials(ISSUER, "robot", client_secret="s"))
    program.documents[SERVER_METADATA] = server_metadata(token_endpoint_auth_methods_supported=["private_key_jwt"])
    with pytest.raises(AuthFailed, match="client_secret_basic"):
        program.log_in()
    assert program.forms == []


@pytest.mark.requirement("auth.step-up.own-behalf")
@pytest.mark.parametrize("steps_up", [False, True])
def test_a_program_asks_for_more_only_if_it_was_told_to(steps_up: bool) -> None:
    program = Program(ClientCredentials(ISSUER, "robot", client_secret="s", steps_up=steps_up))
    flow = program.flow()
    first = program.log_in(flow, Refusal(401, ("a",)))
    if not steps_up:
        with pytest.raises(AuthFailed, match="was not given"):
            program.log_in(flow, Refusal(403, ("b",)), first)
        return
    program.log_in(flow, Refusal(403, ("b",)), first)
    assert program.forms[-1]["scope"] == "a b"


@pytest.mark.parametrize("options", [{}, {"client_secret": "s", "key": SigningKey(jose.new_key())}])
def test_credentials_are_of_one_kind(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="either"):
        ClientCredentials(ISSUER, "robot", **options)


def test_a_signing_key_shows_nothing_of_itself_and_is_judged_at_once() -> None:
    key = jose.new_key()
    assert key["d"] not in repr(SigningKey(key))
    for none in ("nonsense", jose.public_key(key, "ES256"), {}):
        with pytest.raises(ValueError, match="key"):
            SigningKey(none)


# ---- workloads


def test_a_workload_shows_what_its_platform_says_of_it_and_nothing_else() -> None:
    program = Program(WorkloadIdentity(ISSUER, says("jwt-1\n", "jwt-2")))
    program.log_in(refusal=Refusal(401, ("a",)))
    program.log_in()
    grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert program.forms == [
        {"grant_type": grant, "assertion": "jwt-1", "scope": "a", "resource": SERVER},
        {"grant_type": grant, "assertion": "jwt-2", "resource": SERVER},
    ]
    assert "authorization" not in program.asked[-1].headers


@pytest.mark.parametrize("error", ["invalid_grant", "invalid_scope", "unauthorized_client"])
def test_what_an_authorization_server_says_of_a_workload_is_final(error: str) -> None:
    program = Program(WorkloadIdentity(ISSUER, says("one", "two"), client_id="w"))
    program.posts[f"{ISSUER}/token"] = lambda form: answer({"error": error}, 400)
    with pytest.raises(AuthFailed) as caught:
        program.log_in()
    assert caught.value.error == error
    assert len(program.forms) == len(program.obtained) == 1
    assert program.forms[0]["client_id"] == "w"


@pytest.mark.parametrize("text", ["", "  \n"])
def test_a_source_that_brings_nothing_is_told_of(text: str) -> None:
    program = Program(WorkloadIdentity(ISSUER, says(text)))
    with pytest.raises(AuthFailed, match="returned none"):
        program.log_in()


def test_a_source_that_fails_is_told_of() -> None:
    with pytest.raises(AuthFailed, match="no more"):
        Program(WorkloadIdentity(ISSUER, says())).log_in()


@pytest.mark.anyio
async def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    file = anyio.Path(tmp_path / "token")
    source = from_file(str(file))
    for text in ("one", "two"):
        await file.write_text(text)
        assert await source() == text


# ---- in a company


def enterprise(*id_tokens: str, secret: str | None = None) -> Program:
    provider = IdentityProvider(IDP, "at-idp", secret)
    program = Program(EnterpriseManaged(ISSUER, "at-as", "as-secret", provider, says(*id_tokens)))
    program.posts[IDP] = lambda form: answer(
        {
            "access_token": f"jag-{form['subject_token']}",
            "issued_token_type": "urn:ietf:params:oauth:token-type:id-jag",
            "token_type": "N_A",
            "expires_in": 300,
        }
    )
    return program


def exchanged(program: Program) -> list[dict[str, str]]:
    from urllib.parse import parse_qsl

    return [dict(parse_qsl(ask.body.decode())) for ask in program.asked if ask.url == IDP]


def test_the_provider_of_a_company_lets_its_people_in_without_a_browser() -> None:
    program = enterprise("id-1")
    tokens = program.log_in(refusal=Refusal(401, ("a", "b")))
    assert exchanged(program) == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
            "requested_token_type": "urn:ietf:params:oauth:token-type:id-jag",
            "audience": ISSUER,
            "resource": SERVER,
            "scope": "a b",
            "subject_token": "id-1",
            "subject_token_type": "urn:ietf:params:oauth:token-type:id_token",
            "client_id": "at-idp",
        }
    ]
    assert program.forms == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
            "assertion": "jag-id-1",
            "scope": "a b",
            "resource": SERVER,
        }
    ]
    assert program.asked[-1].headers["authorization"].startswith("Basic ")
    assert (tokens.issuer, tokens.client_id) == (ISSUER, "at-as")


def test_the_identity_token_goes_to_the_provider_alone_and_secrets_to_their_own_side() -> None:
    program = enterprise("id-1", secret="idp-secret")
    program.log_in()
    for ask in program.asked:
        said = ask.body.decode() + base64.b64decode(ask.headers.get("authorization", "Basic ")[6:]).decode()
        assert ("id-1" in said.replace("jag-id-1", "")) == (ask.url == IDP)
        assert ("idp-secret" in said) == (ask.url == IDP)
        assert ("as-secret" in said) == (ask.url == f"{ISSUER}/token")


def test_an_assertion_is_used_as_long_as_it_is_good() -> None:
    program = enterprise("id-1", "id-2")
    program.log_in()
    program.time += 200
    program.log_in()
    assert len(exchanged(program)) == 1
    program.time += 100
    program.log_in()
    assert [each["subject_token"] for each in exchanged(program)] == ["id-1", "id-2"]


def test_an_assertion_for_one_purpose_is_not_used_for_another() -> None:
    program = enterprise("id-1", "id-2")
    program.log_in(refusal=Refusal(401, ("a",)))
    program.log_in(refusal=Refusal(401, ("b",)))
    assert [each["scope"] for each in exchanged(program)] == ["a", "b"]


def test_an_assertion_that_is_not_taken_any_more_is_got_anew_once() -> None:
    program = enterprise("id-1", "id-2", "id-3")
    program.log_in()
    program.posts[f"{ISSUER}/token"] = lambda form: answer({"error": "invalid_grant"}, 400)
    with pytest.raises(AuthFailed, match="invalid_grant"):
        program.log_in()
    assert [form["assertion"] for form in program.forms] == ["jag-id-1", "jag-id-1", "jag-id-2"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"},
        {"issued_token_type": None},
        {"token_type": "Bearer"},
        {"access_token": ""},
    ],
)
def test_whatever_else_a_provider_gives_is_shown_to_nobody(wrong: dict[str, Any]) -> None:
    program = enterprise("id-1")
    right = program.posts[IDP]
    program.posts[IDP] = lambda form: answer({**json.loads(right(form).body), **wrong})
    with pytest.raises(AuthFailed, match="ID-JAG"):
        program.log_in()
    assert program.forms == []


def test_what_a_provider_refuses_is_told() -> None:
    program = enterprise("id-1")
    program.posts[IDP] = lambda form: answer({"error": "access_denied", "error_description": "not in the group"}, 400)
    with pytest.raises(AuthFailed, match="not in the group"):
        program.log_in()


def test_nobody_is_shown_the_secret_of_a_provider() -> None:
    assert "idp-secret" not in repr(IdentityProvider(IDP, "a", "idp-secret"))


# ---- tokens that are bound to a key


def proved(ask_or_headers: Any, key: Any) -> dict[str, Any]:
    headers = getattr(ask_or_headers, "headers", ask_or_headers)
    header, claims = jose.verify_own_key(headers["dpop"], ["ES256"])
    assert header["typ"] == "dpop+jwt"
    assert jose.thumbprint(header["jwk"]) == jose.thumbprint(key)
    return claims


def bound_program() -> tuple[Program, DPoP]:
    proving = DPoP()
    program = Program(ClientCredentials(ISSUER, "robot", client_secret="s"), proving)
    program.posts[f"{ISSUER}/token"] = lambda form: answer({"access_token": "bound", "token_type": "DPoP"})
    return program, proving


def test_the_token_request_and_every_request_to_the_server_bring_a_proof_of_their_own() -> None:
    program, proving = bound_program()
    tokens = program.log_in()
    claims = proved(program.asked[-1], proving.key)
    assert (claims["htm"], claims["htu"], "ath" in claims) == ("POST", f"{ISSUER}/token", False)
    headers = [proving.for_server("GET", f"{SERVER}?a=b#c", tokens, program.given) for _ in range(2)]
    assert headers[0]["authorization"] == "DPoP bound"
    first, second = (proved(each, proving.key) for each in headers)
    assert (first["htm"], first["htu"], first["ath"]) == ("GET", SERVER, digest_of("bound"))
    assert first["jti"] != second["jti"]


def test_a_bearer_token_is_not_taken_where_a_bound_one_was_asked_for() -> None:
    program, _ = bound_program()
    program.posts[f"{ISSUER}/token"] = lambda form: answer({"access_token": "free", "token_type": "Bearer"})
    with pytest.raises(AuthFailed, match="token_type"):
        program.log_in()


def test_an_authorization_server_may_want_a_number_of_its_own_in_the_proof() -> None:
    program, proving = bound_program()
    wanted = Answer(400, {"dpop-nonce": "n1"}, json.dumps({"error": "use_dpop_nonce"}).encode())
    given = program.posts[f"{ISSUER}/token"]
    answers = [lambda form: wanted, given]
    program.posts[f"{ISSUER}/token"] = lambda form: answers.pop(0)(form)
    program.log_in()
    without, with_it = (proved(ask, proving.key) for ask in program.asked[-2:])
    assert "nonce" not in without
    assert with_it["nonce"] == "n1"
    assert without["jti"] != with_it["jti"]


def test_a_number_that_is_wanted_again_and_again_ends_in_an_error() -> None:
    program, _ = bound_program()
    numbers = iter(range(10))
    program.posts[f"{ISSUER}/token"] = lambda form: Answer(
        400, {"dpop-nonce": str(next(numbers))}, json.dumps({"error": "use_dpop_nonce"}).encode()
    )
    with pytest.raises(AuthFailed, match="use_dpop_nonce"):
        program.log_in()
    assert len(program.forms) == 2


def test_the_server_and_the_authorization_server_have_numbers_of_their_own() -> None:
    program, proving = bound_program()
    tokens = program.log_in()
    challenge = 'Bearer error="x", DPoP error="use_dpop_nonce"'
    assert proving.heard(SERVER, Answer(401, {"dpop-nonce": "rs", "www-authenticate": challenge}))
    assert proved(proving.for_server("POST", SERVER, tokens, program.given), proving.key)["nonce"] == "rs"
    assert "nonce" not in proved(proving.for_tokens(f"{ISSUER}/token", program.given), proving.key)
    assert not proving.heard(SERVER, Answer(200, {"dpop-nonce": "next"}))
    assert proved(proving.for_server("POST", SERVER, tokens, program.given), proving.key)["nonce"] == "next"


@pytest.mark.parametrize(
    "answered",
    [
        Answer(401, {"www-authenticate": 'DPoP error="use_dpop_nonce"'}),
        Answer(401, {"dpop-nonce": "n", "www-authenticate": 'DPoP error="invalid_token"'}),
        Answer(401, {"dpop-nonce": "n" * 2000, "www-authenticate": 'DPoP error="use_dpop_nonce"'}),
        Answer(400, {"dpop-nonce": "n"}, b'{"error": "invalid_grant"}'),
        Answer(500, {"dpop-nonce": "n"}, b'{"error": "use_dpop_nonce"}'),
    ],
)
def test_nothing_else_is_worth_a_second_try(answered: Answer) -> None:
    assert not DPoP().heard(SERVER, answered)


def test_a_key_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no key for ES256"):
        DPoP({"kty": "RSA"})


def test_tokens_of_no_grant_are_refreshed_by_somebody_else() -> None:
    program = enterprise("id-1")
    assert isinstance(program.log_in(), Tokens)
    program.documents[RESOURCE_METADATA] = resource_metadata(authorization_servers=["https://evil.example"])
    with pytest.raises(AuthFailed):
        program.log_in()
    assert len(program.forms) == 1
