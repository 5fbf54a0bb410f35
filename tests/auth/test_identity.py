"""Who the client is to an authorization server, how it registers, and how it proves itself."""

from base64 import b64encode
from typing import Any

import pytest

from mcport.auth.flow import Refusal
from mcport.auth.identity import Identity, application_type, dumped, loaded
from mcport.auth.secret import Secret
from mcport.errors import AuthFailed

from .scripted import CALLBACK, ISSUER, SERVER_METADATA, World, answer, server_metadata

ME = "https://me.example/client.json"


def offering(world: World, **members: Any) -> World:
    world.documents[SERVER_METADATA] = server_metadata(**members)
    return world


@pytest.mark.requirement(
    "auth.registration.priority",
    "auth.preregistration",
    "auth.cimd.support",
    "auth.cimd.client-checks",
    "auth.cimd.client-fallback",
)
@pytest.mark.requirement("auth.dcr.deprecated", revisions=["2026-07-28"], reason="the order is what each asks for")
def test_an_identity_that_was_brought_along_comes_first_then_a_document_then_registration() -> None:
    documents: dict[str, Any] = {"client_id_metadata_document_supported": True}
    for app, members, expected in (
        ({"client_id": "me", "metadata_url": ME}, documents, "me"),
        ({"metadata_url": ME}, documents, ME),
        ({"metadata_url": ME}, {}, "client-0"),
        ({}, documents, "client-0"),
    ):
        world = offering(World(**app), **members)
        world.log_in()
        assert world.visited[0]["client_id"] == world.forms[0]["client_id"] == expected
        assert bool(world.registered) is (expected == "client-0")


@pytest.mark.requirement("auth.registration.cimd-portable")
def test_a_document_of_the_clients_own_is_good_anywhere() -> None:
    world = offering(World(metadata_url=ME), client_id_metadata_document_supported=True)
    tokens = world.log_in()
    assert tokens.client_id == ME
    assert not any("client" in key.split('"')[1] for key in world.store)


def test_without_any_way_the_person_is_asked_and_the_answer_is_kept() -> None:
    with pytest.raises(AuthFailed, match=r"client_id: https://as\.example registers no clients"):
        offering(World(), registration_endpoint=None).log_in()

    async def ask(issuer: str) -> tuple[str, str | None] | None:
        raise AssertionError("only drivers call it")

    world = offering(World(ask=ask), registration_endpoint=None)
    with pytest.raises(AuthFailed, match="client_id: none was given"):
        world.log_in()
    world.says = ("me", "s3cret")
    tokens = world.log_in()
    world.says = None
    assert world.log_in(used=tokens).client_id == tokens.client_id == "me"


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("http://127.0.0.1:4711/callback", "native"),
        ("http://localhost/callback", "native"),
        ("http://[::1]:1/callback", "native"),
        ("com.example.app:/callback", "native"),
        ("https://app.example/callback", "web"),
    ],
)
@pytest.mark.requirement("auth.dcr.native", "auth.dcr.web", "auth.dcr.application-type")
def test_a_registration_says_what_kind_of_application_it_is(uri: str, kind: str) -> None:
    assert application_type(uri) == kind
    world = World()
    world.redirect_uri = uri
    world.log_in()
    assert world.registered[0]["application_type"] == kind


@pytest.mark.requirement("auth.refresh.grant-type")
def test_a_registration_asks_for_refresh_tokens() -> None:
    world = World()
    world.log_in()
    assert world.registered[0]["grant_types"] == ["authorization_code", "refresh_token"]


@pytest.mark.requirement("auth.dcr.handles-rejection", "auth.dcr.surface-error")
def test_a_registration_names_no_scopes_so_that_more_may_be_asked_for_later() -> None:
    world = World()
    world.log_in(refusal=Refusal(401, ("notes:read",)))
    assert "scope" not in world.registered[0]
    world = World(registration={"scope": "notes:read notes:write"})
    world.log_in(refusal=Refusal(401, ("notes:read",)))
    assert world.registered[0]["scope"] == "notes:read notes:write"


def test_a_registration_that_is_refused_says_why() -> None:
    world = World()
    refusal = {"error": "invalid_redirect_uri", "error_description": "web clients only"}
    world.posts[f"{ISSUER}/register"] = lambda form: answer(refusal, 400)
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.error == "invalid_redirect_uri"
    assert caught.value.cause == "registration: answered 400 (invalid_redirect_uri: web clients only)"


@pytest.mark.parametrize(
    ("document", "parameter"),
    [
        ({}, "client_id"),
        ({"client_id": 1}, "client_id"),
        ({"client_id": "a", "token_endpoint_auth_method": "private_key_jwt"}, "token_endpoint_auth_method"),
        ({"client_id": "a", "token_endpoint_auth_method": "client_secret_basic"}, "client_secret"),
        ({"client_id": "a", "client_secret": "s", "client_secret_expires_at": "soon"}, "client_secret_expires_at"),
    ],
)
def test_a_registration_that_makes_no_sense_is_not_used(document: dict[str, object], parameter: str) -> None:
    world = World()
    world.posts[f"{ISSUER}/register"] = lambda form: answer(document, 201)
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.parameter == parameter
    assert world.visited == []


def test_a_registration_is_used_again_until_its_secret_expires_or_the_way_back_is_another_one() -> None:
    world = World()
    said = {"client_id": "a", "client_secret": "s", "client_secret_expires_at": 2000}
    world.posts[f"{ISSUER}/register"] = lambda form: answer(said, 201)
    flow = world.flow()
    tokens = world.log_in(flow)
    tokens = world.log_in(flow, used=tokens)
    assert len(world.registered) == 1
    world.redirect_uri = "http://127.0.0.1:9999/callback"
    tokens = world.log_in(flow, used=tokens)
    assert len(world.registered) == 2
    world.time = 2000
    world.log_in(flow, used=tokens)
    assert len(world.registered) == 3


def test_an_issuer_that_has_forgotten_the_client_is_registered_with_the_next_time() -> None:
    world = World()
    flow = world.flow()
    good = world.posts[f"{ISSUER}/token"]
    world.posts[f"{ISSUER}/token"] = lambda form: answer({"error": "invalid_client"}, 401)
    with pytest.raises(AuthFailed, match="invalid_client"):
        world.log_in(flow)
    world.posts[f"{ISSUER}/token"] = good
    world.log_in(flow)
    assert len(world.registered) == 2


@pytest.mark.parametrize(
    ("taken", "method"),
    [
        (None, "client_secret_basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["client_secret_post"], "client_secret_post"),
    ],
)
def test_a_secret_is_shown_in_the_way_that_the_server_takes(taken: list[str] | None, method: str) -> None:
    world = World(client_id="a b", client_secret=Secret("s:3&"))
    offering(world, token_endpoint_auth_methods_supported=taken)
    world.log_in()
    [form], header = world.forms, world.asked[-1].headers.get("authorization")
    if method == "client_secret_basic":
        assert header == f"Basic {b64encode(b'a+b:s%3A3%26').decode()}"
        assert "client_secret" not in form
    else:
        assert (form["client_id"], form["client_secret"], header) == ("a b", "s:3&", None)


def test_a_secret_goes_nowhere_where_no_way_to_show_it_is_taken() -> None:
    world = offering(World(client_id="a", client_secret=Secret("s")), token_endpoint_auth_methods_supported=["none"])
    with pytest.raises(AuthFailed, match="token_endpoint_auth_methods_supported"):
        world.log_in()


def test_an_identity_is_stored_as_it_was_and_other_forms_are_forgotten() -> None:
    identity = Identity("a", "client_secret_basic", Secret("s"), 2000.0, (CALLBACK,))
    assert loaded(dumped(identity)) == identity
    for text in (None, "", "{}", "[]", "7", '{"version": 2}', '{"version": 1}', "no JSON"):
        assert loaded(text) is None
