"""The flow of authorization, driven without any I/O: what it asks for, in which order, and what it refuses."""

import json

import pytest

from mcport.auth.flow import MOST_LOGINS, Operation, Refusal, refusal_of
from mcport.auth.pkce import challenge_of
from mcport.auth.secret import Secret
from mcport.errors import AuthFailed

from .scripted import (
    CALLBACK,
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


@pytest.mark.requirement(
    "auth.prm.client-uses",
    "auth.registration.client-id-first",
    "auth.pkce.implemented",
    "auth.pkce.s256",
    "auth.resource.implemented",
    "auth.resource.in-both-requests",
    "auth.resource.names-server",
    "auth.resource.always-sent",
    "auth.redirect.registered",
    "auth.dcr.support",
    reason="one login from beginning to end, of which each asks for one detail",
)
def test_a_person_logs_in_at_a_server_that_nobody_knew_before() -> None:
    world = World()
    tokens = world.log_in()
    assert tokens.access == Secret("token-1")
    assert [ask.url for ask in world.asked] == [
        RESOURCE_METADATA,
        SERVER_METADATA,
        f"{ISSUER}/register",
        f"{ISSUER}/token",
    ]
    [registered], [asked], [form] = world.registered, world.visited, world.forms
    assert registered["redirect_uris"] == [CALLBACK]
    assert asked["response_type"] == "code"
    assert (asked["client_id"], asked["redirect_uri"]) == ("client-0", CALLBACK)
    assert (form["client_id"], form["redirect_uri"], form["code"]) == ("client-0", CALLBACK, "the-code")
    assert asked["code_challenge_method"] == "S256"
    assert asked["code_challenge"] == challenge_of(Secret(form["code_verifier"]))
    assert asked["resource"] == form["resource"] == SERVER


@pytest.mark.requirement("auth.pkce.implemented")
def test_every_request_has_a_verifier_and_a_state_of_its_own() -> None:
    world = World()
    flow = world.flow()
    first = world.log_in(flow)
    world.log_in(flow, used=first)
    assert len({each["state"] for each in world.visited}) == 2
    assert len({each["code_verifier"] for each in world.forms}) == 2


@pytest.mark.requirement("auth.refresh.not-assumed", "auth.refresh.rotation-stored")
def test_what_was_stored_is_good_after_a_restart_and_refreshed_when_it_is_old() -> None:
    world = World()
    given = {"access_token": "a", "token_type": "bearer", "expires_in": "3600", "refresh_token": "r1"}
    world.posts[f"{ISSUER}/token"] = lambda form: answer(given)
    world.log_in()
    asked = len(world.asked)
    again = world.run(world.flow().prepare(Operation()))
    assert again is not None
    assert (again.access, len(world.asked)) == (Secret("a"), asked)

    world.time += 3580
    given.update(access_token="b", refresh_token="r2")
    later = world.run(world.flow().prepare(Operation()))
    assert later is not None
    assert (later.access, later.refresh) == (Secret("b"), Secret("r2"))
    assert world.forms[-1] == {
        "grant_type": "refresh_token",
        "refresh_token": "r1",
        "client_id": "client-0",
        "resource": SERVER,
    }
    world.time += 3600
    del given["refresh_token"]
    world.run(world.flow().prepare(Operation()))
    assert world.forms[-1]["refresh_token"] == "r2"
    assert len(world.visited) == 1


def test_a_refresh_that_is_refused_leads_to_a_login_and_one_that_cannot_be_sent_does_not() -> None:
    world = World()
    flow = world.flow()
    given = {"access_token": "a", "token_type": "Bearer", "expires_in": 60, "refresh_token": "r1"}
    world.posts[f"{ISSUER}/token"] = lambda form: answer(given)
    world.log_in(flow)
    world.time += 60
    world.posts[f"{ISSUER}/token"] = lambda form: answer({}, 503)
    with pytest.raises(AuthFailed) as caught:
        world.run(flow.prepare(Operation()))
    assert caught.value.passing
    world.posts[f"{ISSUER}/token"] = lambda form: answer({"error": "invalid_grant"}, 400)
    assert world.run(flow.prepare(Operation())) is None


@pytest.mark.requirement(
    "auth.step-up.client-responds",
    "auth.step-up.user-client",
    "auth.step-up.scope-union",
    "auth.scope.reauthorize-union",
    "auth.step-up.retry-limit",
)
def test_more_scopes_are_asked_for_together_with_those_before_and_at_most_three_times() -> None:
    world = World()
    flow, operation = world.flow(), Operation()
    tokens = world.run(flow.renew(Refusal(401, ("read",)), None, operation))
    for scopes in (("write",), ("admin",)):
        tokens = world.run(flow.renew(Refusal(403, scopes), tokens, operation))
    assert [each["scope"] for each in world.visited] == ["read", "read write", "read write admin"]
    with pytest.raises(AuthFailed, match=r"wants more after 3 authorizations: the scope 'root'"):
        world.run(flow.renew(Refusal(403, ("root",)), tokens, operation))
    assert len(world.visited) == MOST_LOGINS


@pytest.mark.requirement("auth.step-up.track-attempts", "auth.step-up.retry-limit")
def test_scopes_that_did_not_help_are_not_asked_for_again() -> None:
    world = World()
    flow, operation = world.flow(), Operation()
    refusal = Refusal(403, ("write",))
    tokens = world.run(flow.renew(refusal, None, operation))
    for each in (operation, Operation()):
        with pytest.raises(AuthFailed, match="the server wants the scope 'write', and had been given a token for that"):
            world.run(flow.renew(refusal, tokens, each))
    assert len(world.visited) == 1


def test_a_server_that_refuses_the_token_it_wanted_is_not_asked_for_another_one() -> None:
    world = World()
    flow, operation = world.flow(), Operation()
    tokens = world.run(flow.renew(REFUSED, None, operation))
    with pytest.raises(AuthFailed, match="access_token: the server does not take the token"):
        world.run(flow.renew(REFUSED, tokens, operation))


def test_whoever_was_refused_with_an_old_token_gets_the_one_that_somebody_else_has_got() -> None:
    world = World()
    flow = world.flow()
    tokens = world.log_in(flow)
    assert world.log_in(flow, used=None) == tokens
    assert len(world.visited) == 1


@pytest.mark.requirement(
    "auth.registration.keyed-by-issuer",
    "auth.registration.no-reuse-on-change",
    "auth.registration.reregister",
    "auth.registration.separate-per-as",
    "auth.registration.no-cross-as",
)
def test_another_authorization_server_is_shown_nothing_of_the_one_before() -> None:
    world, other = World(), "https://other.example"
    flow = world.flow()
    given = {"access_token": "a", "token_type": "Bearer", "refresh_token": "r1"}
    world.posts[f"{ISSUER}/token"] = lambda form: answer(given)
    tokens = world.log_in(flow)
    world.documents[RESOURCE_METADATA] = resource_metadata(authorization_servers=[other])
    world.documents[f"{other}/.well-known/oauth-authorization-server"] = server_metadata(other)
    world.serve(other)
    before = len(world.asked)
    moved = world.log_in(flow, used=tokens)
    assert moved.issuer == other
    assert world.visited[-1]["client_id"] == "client-2"
    sent = b"".join(ask.body for ask in world.asked[before:])
    assert b"r1" not in sent
    assert b"client-0" not in sent


@pytest.mark.requirement("auth.registration.mismatch-error")
def test_a_client_id_that_was_brought_along_goes_to_no_other_authorization_server() -> None:
    world, other = World(client_id="me", client_secret=Secret("s3cret")), "https://other.example"
    world.documents[RESOURCE_METADATA] = resource_metadata(authorization_servers=[other])
    world.documents[f"{other}/.well-known/oauth-authorization-server"] = server_metadata(other)
    pinned = World(client_id="me", client_secret=Secret("s3cret"), issuer=ISSUER)
    pinned.documents = world.documents
    with pytest.raises(AuthFailed, match="authorization_servers"):
        pinned.log_in()
    assert pinned.gets == [RESOURCE_METADATA]

    unpinned = World(client_id="me", client_secret=Secret("s3cret"))
    flow = unpinned.flow()
    tokens = unpinned.log_in(flow)
    unpinned.documents.update(world.documents)
    with pytest.raises(AuthFailed, match=r"the client's id is of 'https://as\.example'"):
        unpinned.log_in(flow, used=tokens)
    assert len(unpinned.visited) == 1


def test_a_failure_names_the_parameter_and_shows_the_way_to_it_without_any_secret() -> None:
    world = World()
    world.callback = {"iss": "https://evil.example"}
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.parameter == "iss"
    assert str(caught.value) == "\n  ".join(
        [
            f"Cannot log in to server '{SERVER}': iss: the answer is from 'https://evil.example', "
            f"and '{ISSUER}' was asked",
            f"GET {RESOURCE_METADATA}: 200",
            f"GET {SERVER_METADATA}: 200",
            f"POST {ISSUER}/register: 201",
            f"visiting {ISSUER}/authorize with client_id=client-0, redirect_uri={CALLBACK}, resource={SERVER}",
        ]
    )


@pytest.mark.requirement("auth.security.token-storage", "auth.refresh.confidential")
def test_no_token_or_secret_shows_in_what_a_program_prints() -> None:
    world = World(client_id="me", client_secret=Secret("s3cret"))
    given = {"access_token": "acc3ss", "token_type": "Bearer", "refresh_token": "r3fresh"}
    world.posts[f"{ISSUER}/token"] = lambda form: answer(given)
    tokens = world.log_in()
    shown = repr([tokens, world.app, world.asked, world.given])
    assert json.dumps(shown).count("Secret(...)") == 3
    for secret in ("acc3ss", "r3fresh", "s3cret", world.visited[0]["state"]):
        assert secret not in shown


@pytest.mark.parametrize(
    ("status", "header", "expected"),
    [
        (
            401,
            'Bearer scope="a b", resource_metadata="https://x.example"',
            Refusal(401, ("a", "b"), "https://x.example"),
        ),
        (401, "Basic realm=x", Refusal(401)),
        (403, 'Bearer error="insufficient_scope", scope="a"', Refusal(403, ("a",))),
        (403, 'Bearer error="invalid_token"', None),
        (403, "", None),
        (404, "Bearer", None),
        (200, "Bearer", None),
    ],
)
@pytest.mark.requirement("auth.www-authenticate.parsed")
def test_only_what_authorization_would_help_is_a_refusal(status: int, header: str, expected: Refusal | None) -> None:
    assert refusal_of(status, [header], "Bearer") == expected
