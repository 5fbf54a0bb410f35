"""The table of attacks on authorization: each row one attack, and where it is shown to fail.

Most stand beside what they attack; those that go through several rooms, or have no other place, are below.
"""

from __future__ import annotations

import ast
import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest

from mcport.auth import challenge, jose
from mcport.auth.fetch import Fetcher
from mcport.auth.flow import Refusal
from mcport.auth.steps import Answer, Ask, NoOutcome
from mcport.errors import AuthFailed

from .gate import PUBLIC, REVISIONS, challenged, notes, said, token
from .scripted import (
    ISSUER,
    RESOURCE_METADATA,
    SERVER_METADATA,
    World,
    answer,
    resource_metadata,
    server_metadata,
)

TABLE = {
    "an answer of another authorization server (mix-up), a wrong iss": (
        "callback.test_an_answer_of_another_issuer_is_refused_whatever_was_promised"
    ),
    "a missing iss": "callback.test_an_answer_without_issuer_is_refused_where_one_was_promised_and_nowhere_else",
    "words of another authorization server": "callback.test_an_error_of_another_issuer_is_neither_shown_nor_acted_on",
    "a code of one login in another one (state mismatch)": "callback.test_an_answer_to_something_else_is_thrown_away",
    "metadata of another resource": "discovery.test_a_document_that_is_not_right_leads_nowhere",
    "metadata of another issuer": "discovery.test_metadata_of_another_issuer_is_thrown_away",
    "proof keys left out (downgrade)": "discovery.test_nobody_is_led_to_a_server_that_does_not_protect_codes",
    "credentials drawn to another authorization server": (
        "flow.test_another_authorization_server_is_shown_nothing_of_the_one_before"
    ),
    "an open redirect on the way to a document": "fetch.test_no_redirect_leads_to_another_origin",
    "a redirect of a request with a secret in it": (
        "fetch.test_redirects_are_followed_within_an_origin_for_documents_alone"
    ),
    "a redirect of the MCP endpoint": (
        "presenting.test_a_token_goes_to_no_other_origin_however_a_server_asks_for_that"
    ),
    "an open redirect at the authorization server": (
        "authorization_server.test_nobody_is_sent_where_the_client_was_not_registered_for"
    ),
    "addresses of this machine and its networks, mapped and translated ones (SSRF)": (
        "fetch.test_an_address_is_where_it_leads_however_it_is_written"
    ),
    "a public server that leads to private places (SSRF)": (
        "fetch.test_a_server_leads_to_public_places_and_to_where_it_is_itself"
    ),
    "a name that changes between check and use (rebinding)": (
        "fetch.test_a_name_is_resolved_once_and_the_connection_goes_where_was_judged"
    ),
    "a name with a good and a bad address": "fetch.test_every_address_of_a_name_has_to_be_within_reach",
    "a document without end": "fetch.test_an_answer_has_a_bound_in_size_and_is_not_shown",
    "a document that unpacks to one": "fetch.test_an_answer_that_is_compressed_is_not_unpacked",
    "a refusal without end": "options.test_a_refusal_without_end_is_not_read",
    "a document that never comes": "fetch.test_an_answer_has_a_bound_in_time",
    "a page that is a script, a file or an option (opener)": "loopback.test_nothing_but_a_web_address_is_opened",
    "endpoints that are scripts or not https": "discovery.test_no_endpoint_is_used_that_is_not_https",
    "another page's request to the port that waits": (
        "loopback.test_what_was_not_waited_for_is_turned_away_and_the_wait_goes_on"
    ),
    "a script in what the browser brings back": (
        "loopback.test_the_answer_that_is_waited_for_is_taken_and_the_page_says_nothing_of_it"
    ),
    "a code that is used twice": "authorization_server.test_a_code_is_redeemed_once_and_tells_who_issued_it",
    "a refresh token that is used twice": (
        "authorization_server.test_a_refresh_token_is_good_once_and_one_that_comes_twice_ends_the_login"
    ),
    "a token for another audience, or of another issuer": (
        "resource_server.test_a_token_for_another_server_or_of_another_issuer_is_refused"
    ),
    "a token in a URL": "resource_server.test_a_token_is_taken_from_the_header_alone",
    "a token that is handed on": "resource_server.test_a_tool_is_not_shown_the_token",
    "alg none": "jose.test_a_token_without_a_signature_is_refused",
    "a public key taken for a secret (key confusion)": "jose.test_a_public_key_is_never_taken_for_a_secret",
    "a key of the attacker's in the header": "jose.test_a_key_in_the_header_is_not_used",
    "an extension that nobody knows (crit)": "jose.test_critical_extensions_are_refused_as_none_is_known",
    "a flood of unknown keys": "keys.test_unknown_keys_do_not_make_the_server_ask_again_and_again",
    "a proof that is used twice (DPoP)": "proofs.test_a_proof_is_good_for_one_request",
    "a proof of another request, token or time (DPoP)": "proofs.test_a_proof_of_something_else_is_refused",
    "a proof with another key (DPoP)": "proofs.test_a_proof_with_another_key_is_refused",
    "a bound token without its key (DPoP)": "proofs.test_a_bound_token_is_no_bearer_token",
    "a stolen session id": "handles.test_an_id_of_a_session_is_worth_nothing_without_its_principals_token",
    "a stolen event id": "handles.test_a_stream_that_broke_off_is_continued_by_whoever_it_was_for",
    "a requestState of somebody else": "handles.test_a_state_with_all_that_is_kept_in_it_serves_who_got_it_alone",
    "a Host that would be published": "resource_server.test_nothing_that_is_published_comes_from_a_request",
    "tokens in logs, reprs and errors": "leaks.test_a_login_and_a_refresh_leave_no_secret_in_any_log_or_repr",
    "a login that never ends (step-up)": (
        "flow.test_more_scopes_are_asked_for_together_with_those_before_and_at_most_three_times"
    ),
}


@pytest.mark.parametrize("attack", TABLE)
def test_each_attack_of_the_table_has_a_test(attack: str) -> None:
    file, name = TABLE[attack].split(".")
    tree = ast.parse((Path(__file__).parent / f"test_{file}.py").read_text(encoding="utf-8"))
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


# ---- forged tokens, at the gate of a server


def forged(header: dict[str, Any], secret: bytes | None = None) -> str:
    """A token with all the right claims, signed with a secret or not at all."""
    _, claims, _ = token().split(".")
    head = base64.urlsafe_b64encode(json.dumps({"typ": "at+jwt", "kid": "one", **header}).encode()).rstrip(b"=")
    said = f"{head.decode()}.{claims}"
    mac = b"" if secret is None else hmac.new(secret, said.encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


STRANGER = {**jose.new_key(), "kid": "one"}
FORGED = {
    "none": forged({"alg": "none"}),
    "None": forged({"alg": "None"}),
    "no alg": forged({}),
    "the public key as a secret": forged({"alg": "HS256"}, json.dumps(PUBLIC).encode()),
    "half of the public key as a secret": forged({"alg": "HS256"}, PUBLIC["x"].encode()),
    "an empty secret": forged({"alg": "HS256"}, b""),
    "a key in the header": token(STRANGER, {"jwk": jose.public_key(STRANGER, "ES256")}),
    "a place for keys in the header": token(STRANGER, {"jku": "https://evil.example.com/keys"}),
    "an id of a key that is a path": token(STRANGER, {"kid": "../../dev/null"}),
    "an extension": forged({"alg": "ES256", "crit": ["exp"], "exp": 0}),
    "a signature of zeros": ".".join([*token().split(".")[:2], "A" * 86]),
    "a signature of something else": ".".join([*token().split(".")[:2], token(sub="eve").split(".")[2]]),
}


@pytest.mark.anyio
@pytest.mark.requirement("auth.token.server-validates")
@pytest.mark.parametrize("era", REVISIONS)
async def test_no_forged_token_passes_the_gate(era: str) -> None:
    app = notes().asgi()
    assert (await said(app, era, authorization=f"Bearer {token()}")).status == 200
    for what, bad in FORGED.items():
        answer = await said(app, era, authorization=f"Bearer {bad}")
        assert (answer.status, challenged(answer)["error"]) == (401, "invalid_token"), what


@pytest.mark.anyio
@pytest.mark.parametrize("subject", ['mallory", error="x', "mallory\r\nx-evil: 1", "mallory\u2028"])
async def test_nothing_that_a_token_says_gets_into_a_header_of_the_answer(subject: str) -> None:
    for bad in ({"sub": subject, "exp": 1}, {"sub": subject, "scope": subject}):
        answer = await said(notes().asgi(), tool="write", authorization=f"Bearer {token(**bad)}")
        assert answer.status in (401, 403)
        assert "mallory" not in str(answer.headers)
        assert "x-evil" not in answer.headers


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\0b", "é", "a\x7fb"])
def test_a_challenge_is_never_written_with_what_could_end_it(value: str) -> None:
    with pytest.raises(ValueError, match="printable"):
        challenge.write("Bearer", {"scope": value})
    with pytest.raises(ValueError, match="no name"):
        challenge.write("Bearer", {value: "a"})
    [read] = challenge.read([challenge.write("Bearer", {"scope": 'a", error="x\\'})])
    assert read.params == {"scope": 'a", error="x\\'}


# ---- hostile servers


@pytest.mark.anyio
@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data",
        "https://169.254.169.254/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0/",
        "https://localhost/",
        "https://user:s3cret@mcp.example/",
        "https://mcp.example\\@127.0.0.1/",
        "https://mcp.example/#x",
        "https://mcp.example/\r\nHost: evil",
        "https://mcp.example:99999/",
        "https:///nowhere",
        "https://mcp.example/" + "a" * 3000,
        "javascript:alert(1)",
        "file:///etc/passwd",
        "gopher://mcp.example/",
        "-oProxyCommand=x",
        "",
    ],
)
async def test_no_challenge_makes_a_client_ask_where_it_should_not(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    async def connect(*_: object) -> httpx.Response:
        raise AssertionError("it is asked")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", connect)
    async with Fetcher("https://mcp.example/mcp") as fetcher:
        outcome = await fetcher.fetch(Ask("resource_metadata", url))
    assert isinstance(outcome, NoOutcome)
    assert outcome.reason.isprintable()
    assert "s3cret" not in outcome.reason
    assert len(outcome.reason) < 400


DEEP = b'{"a":' * 10_000 + b"1" + b"}" * 10_000


@pytest.mark.parametrize("place", [RESOURCE_METADATA, SERVER_METADATA])
@pytest.mark.parametrize(
    "body",
    [DEEP, b"[" * 100_000, b'{"issuer": "a", "issuer": "b"}', b"\xff\xfe{}", b"NaN", b"[]", b'"x"', b"", b"1" * 99_999],
)
def test_a_document_that_is_none_is_read_as_none(place: str, body: bytes) -> None:
    world = World()
    world.documents[place] = Answer(200, {}, body)
    if place == RESOURCE_METADATA:
        world.documents[place.removesuffix("/mcp")] = Answer(200, {}, body)
    with pytest.raises(AuthFailed, match="publishes no metadata") as caught:
        world.log_in()
    assert len(str(caught.value)) < 1000
    assert world.visited == world.forms == []


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "registration_endpoint"])
@pytest.mark.parametrize(
    "url",
    [
        "https://me:s3cret@as.example/x",
        "https://as.example\\@evil.example/x",
        "https://as.example/x\r\nHost: evil.example",
        "https://as.example/x y",
        "https://as.example/" + "a" * 3000,
        "data:text/html,<script>",
        "mailto:a@b.c",
        "https://",
        "//as.example/x",
        " https://as.example/x",
    ],
)
def test_no_endpoint_is_used_that_is_no_plain_url(name: str, url: str) -> None:
    world = World()
    world.documents[SERVER_METADATA] = server_metadata(ISSUER, **{name: url})
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.parameter == name
    assert world.visited == world.forms == world.registered == []
    assert len(str(caught.value)) < 1000
    assert all(each.isprintable() for each in str(caught.value).replace("\n", ""))


@pytest.mark.parametrize("evil", ["a b\r\nx-evil: 1", "a&client_id=evil&redirect_uri=https://evil.example", "a#b", "é"])
def test_whatever_a_server_says_stays_one_value_of_one_parameter(evil: str) -> None:
    world = World()
    world.documents[RESOURCE_METADATA] = resource_metadata(scopes_supported=[evil])
    world.documents[SERVER_METADATA] = server_metadata(authorization_endpoint=f"{ISSUER}/authorize?tenant=a")
    world.posts[f"{ISSUER}/register"] = lambda form: answer({"client_id": evil}, 201)
    world.log_in()
    [asked] = world.visited
    assert (asked["client_id"], asked["scope"], asked["tenant"]) == (evil, evil, "a")
    assert asked["redirect_uri"] == world.redirect_uri
    assert world.forms[0]["client_id"] == evil


@pytest.mark.parametrize("access", ["a\r\nx-evil: 1", "a b", "é", "a\0", "", 7, None])
def test_a_token_that_would_not_stay_in_its_header_is_refused(access: object) -> None:
    world = World()
    world.posts[f"{ISSUER}/token"] = lambda form: answer({"access_token": access, "token_type": "Bearer"})
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.parameter == "access_token"
    assert world.store.keys() & {each for each in world.store if "tokens" in each} == set()


def test_what_is_shown_of_a_servers_words_moves_no_cursor_and_shows_no_password() -> None:
    world = World()
    for url in (
        "https://user:s3cret@mcp.example/x",
        "https://mcp.example/\x9b2J\x1b[2J",
        "https://mcp.example/" + "a" * 3000,
    ):
        world.documents[url] = NoOutcome("no")
        with pytest.raises(AuthFailed) as caught:
            world.log_in(refusal=Refusal(401, metadata_url=url))
        assert "s3cret" not in str(caught.value)
        assert all(line.isprintable() and len(line) < 500 for line in str(caught.value).split("\n"))
