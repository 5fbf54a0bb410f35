"""Tokens: what a token endpoint may answer, which scopes are asked for, and how tokens are stored."""

import pytest

from mcport.auth.flow import Refusal
from mcport.auth.scopes import named_in, selected, union, with_refreshing
from mcport.auth.secret import Secret
from mcport.auth.tokens import dumped, loaded
from mcport.errors import AuthFailed

from .scripted import ISSUER, RESOURCE_METADATA, SERVER_METADATA, World, answer, resource_metadata, server_metadata

GOOD = {"access_token": "a", "token_type": "Bearer"}


@pytest.mark.parametrize(
    ("document", "parameter"),
    [
        ({"access_token": None}, "access_token"),
        ({"access_token": ""}, "access_token"),
        ({"access_token": "a\r\nHost: b"}, "access_token"),
        ({"access_token": "a b"}, "access_token"),
        ({"access_token": ["a"]}, "access_token"),
        ({"token_type": None}, "token_type"),
        ({"token_type": "DPoP"}, "token_type"),
        ({"expires_in": -1}, "expires_in"),
        ({"expires_in": True}, "expires_in"),
        ({"expires_in": "soon"}, "expires_in"),
        ({"refresh_token": 7}, "refresh_token"),
        ({"scope": ["a"]}, "scope"),
    ],
)
def test_an_answer_that_is_not_right_gives_no_token(document: dict[str, object], parameter: str) -> None:
    world = World()
    world.posts[f"{ISSUER}/token"] = lambda form: answer({**GOOD, **document})
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.parameter == parameter


@pytest.mark.parametrize(("lifetime", "until"), [(None, None), (60, 1060), ("60", 1060), (60.5, 1060.5), (0, 1000)])
def test_a_lifetime_is_counted_by_the_wall_clock(lifetime: object, until: float | None) -> None:
    world = World()
    world.posts[f"{ISSUER}/token"] = lambda form: answer({**GOOD, "token_type": "bearer", "expires_in": lifetime})
    tokens = world.log_in()
    assert tokens.expires == until
    assert tokens.fresh(1000) is (until != 1000)
    assert tokens.fresh(1e12) is (until is None)


def test_a_token_is_renewed_a_little_before_its_end() -> None:
    world = World()
    for lifetime, early in ((3600, 30), (60, 15)):
        world.posts[f"{ISSUER}/token"] = lambda form, lifetime=lifetime: answer({**GOOD, "expires_in": lifetime})  # type: ignore[misc]
        tokens = world.log_in(world.flow(profile=str(lifetime)))
        assert tokens.fresh(1000 + lifetime - early - 1)
        assert not tokens.fresh(1000 + lifetime - early)


def test_an_error_of_the_token_endpoint_is_told_and_no_token_of_it() -> None:
    world = World()
    refusal = {"error": "invalid_grant", "error_description": "used up", "access_token": "s3cret"}
    world.posts[f"{ISSUER}/token"] = lambda form: answer(refusal, 400)
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.error == "invalid_grant"
    assert "used up" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("challenged", "supported", "wanted", "asked"),
    [
        ("read", ["read", "write"], (), "read"),
        ("admin", ["read", "write"], (), "admin"),
        (None, ["read", "write"], (), "read write"),
        (None, None, (), None),
        (None, [], (), None),
        ("read", ["all"], ("mine",), "read mine"),
        (None, ["all"], ("mine",), "mine"),
    ],
)
@pytest.mark.requirement(
    "auth.scope.selection-order",
    "auth.scope.challenge-authoritative",
    "auth.scope.no-set-relation",
    "auth.step-up.initial-guidance",
)
def test_scopes_come_from_the_challenge_else_from_the_metadata_else_from_nowhere(
    challenged: str | None, supported: list[str] | None, wanted: tuple[str, ...], asked: str | None
) -> None:
    world = World()
    world.documents[RESOURCE_METADATA] = resource_metadata(scopes_supported=supported)
    world.log_in(world.flow(scopes=wanted), Refusal(401, named_in(challenged)))
    assert world.visited[0].get("scope") == asked


@pytest.mark.requirement("auth.scope.fallback-when-absent", revisions=["2025-11-25"])
def test_a_challenge_without_scope_leaves_the_choice_to_the_metadata() -> None:
    assert selected(None, ("a",), None) == ("a",)


@pytest.mark.requirement("auth.refresh.offline-access")
def test_access_offline_is_asked_for_where_the_authorization_server_offers_it() -> None:
    for offered, scope, prompt in ((["a", "offline_access"], "a offline_access", "consent"), (["a"], "a", None)):
        world = World()
        world.documents[SERVER_METADATA] = server_metadata(scopes_supported=offered)
        world.log_in(refusal=Refusal(401, ("a",)))
        assert (world.visited[0]["scope"], world.visited[0].get("prompt")) == (scope, prompt)


def test_sets_of_scopes_keep_their_order_and_have_each_once() -> None:
    assert named_in(" b  a b ") == ("b", "a")
    assert named_in("  ") is named_in(None) is None
    assert union(("a", "b"), None, ("b", "c")) == ("a", "b", "c")
    assert union(None, ()) is None
    assert with_refreshing(None, ("offline_access",)) == ("offline_access",)


def test_tokens_are_stored_as_they_were_and_other_forms_are_forgotten() -> None:
    world = World()
    world.posts[f"{ISSUER}/token"] = lambda form: answer({**GOOD, "refresh_token": "r", "expires_in": 5, "scope": "x"})
    tokens = world.log_in(refusal=Refusal(401, ("a", "b")))
    assert (tokens.asked, tokens.granted) == (("a", "b"), ("x",))
    assert loaded(dumped(tokens)) == tokens
    for text in (None, "", "{}", "[]", "7", '{"version": 2}', '{"version": 1}', "no JSON"):
        assert loaded(text) is None


@pytest.mark.requirement("auth.token.only-own-as")
def test_each_server_and_each_profile_has_tokens_of_its_own() -> None:
    world = World()
    world.log_in()
    for flow in (world.flow("https://mcp.example/other"), world.flow(profile="work")):
        assert world.run(flow.kept()) is None
    assert world.run(world.flow().kept()) is not None


def test_a_secret_shows_nowhere_and_is_compared_by_what_it_holds() -> None:
    secret = Secret("s3cret")
    assert f"{secret} {secret!r} {[secret]}" == "Secret(...) Secret(...) [Secret(...)]"
    assert secret == Secret("s3cret")
    assert secret != Secret("other")
    assert len({secret, Secret("s3cret")}) == 1
    with pytest.raises(TypeError, match="not pickled"):
        secret.__reduce__()
