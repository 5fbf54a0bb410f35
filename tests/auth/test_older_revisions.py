"""Servers of 2025-03-26, being their own authorization servers; and of 2025-06-18, with one way to describe those."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from mcport.auth.secret import Secret
from mcport.auth.steps import Answer
from mcport.errors import AuthFailed

from .scripted import ISSUER, RESOURCE_METADATA, SERVER, SERVER_METADATA, World, answer, server_metadata

ORIGIN = "https://mcp.example"
METADATA = f"{ORIGIN}/.well-known/oauth-authorization-server"
NONE_OF_ITS_OWN = [RESOURCE_METADATA, f"{ORIGIN}/.well-known/oauth-protected-resource"]


class Older(World):
    """A server that speaks 2025-03-26 and knows nothing of resource metadata."""

    def __init__(self, **app: Any) -> None:
        super().__init__(**app)
        self.documents = {}
        self.serve(ORIGIN)

    @property
    def posted(self) -> list[str]:
        return [ask.url for ask in self.asked if ask.method == "POST"]


@pytest.mark.requirement(
    "auth.v1.base-url",
    "auth.v1.client-default-endpoints",
    "auth.v1.metadata-at-root",
    "auth.v1.metadata-before-defaults",
    "auth.v1.version-header",
)
@pytest.mark.parametrize("server", [SERVER, f"{ORIGIN}/a/b/mcp", ORIGIN])
def test_without_any_metadata_the_endpoints_stand_at_the_root_of_the_server(server: str) -> None:
    world = Older()
    tokens = world.log_in(world.flow(server, legacy=True))
    assert tokens.issuer == ORIGIN
    assert [url for url in world.gets if "authorization-server" in url] == [METADATA]
    assert world.gets[-1] == METADATA
    [looked] = [ask for ask in world.asked if ask.url == METADATA]
    assert looked.headers["mcp-protocol-version"] == "2025-03-26"
    assert world.pages == [f"{ORIGIN}/authorize"]
    assert world.posted == [f"{ORIGIN}/register", f"{ORIGIN}/token"]


@pytest.mark.requirement("auth.v1.metadata-client", "auth.v1.metadata-before-defaults")
def test_what_the_metadata_of_an_older_server_says_counts_and_nothing_stands_where_it_goes_without_saying() -> None:
    world = Older()
    elsewhere = {"authorization_endpoint": f"{ORIGIN}/in", "token_endpoint": f"{ORIGIN}/give"}
    world.documents[METADATA] = server_metadata(ORIGIN, registration_endpoint=f"{ORIGIN}/new", **elsewhere)
    world.posts = {f"{ORIGIN}/new": world.posts[f"{ORIGIN}/register"], f"{ORIGIN}/give": world.posts[f"{ORIGIN}/token"]}
    world.log_in(world.flow(legacy=True))
    assert world.gets == [*NONE_OF_ITS_OWN, METADATA]
    assert (world.pages, world.posted) == ([f"{ORIGIN}/in"], [f"{ORIGIN}/new", f"{ORIGIN}/give"])


@pytest.mark.requirement("auth.v1.oauth-2.1")
@pytest.mark.parametrize("secret", [None, "s3cret"])
def test_public_and_confidential_clients_log_in_to_an_older_server_with_proof_keys(secret: str | None) -> None:
    world = Older(client_id="me", client_secret=None if secret is None else Secret(secret))
    tokens = world.log_in(world.flow(legacy=True))
    [asked], [form] = world.visited, world.forms
    assert asked["code_challenge_method"] == "S256"
    assert form["code_verifier"]
    proof = world.asked[-1].headers.get("authorization")
    assert proof == (None if secret is None else "Basic " + base64.b64encode(b"me:s3cret").decode())
    assert tokens.client_id == "me"


@pytest.mark.requirement("auth.v1.metadata-before-defaults")
@pytest.mark.parametrize("broken", [Answer(503), Answer(429)])
def test_metadata_that_cannot_be_read_for_now_is_not_taken_for_none(broken: Answer) -> None:
    world = Older()
    world.documents[METADATA] = broken
    with pytest.raises(AuthFailed) as caught:
        world.log_in(world.flow(legacy=True))
    assert caught.value.passing
    assert (world.visited, world.posted) == ([], [])


def test_an_older_servers_metadata_may_not_be_of_somebody_else() -> None:
    world = Older()
    world.documents[METADATA] = server_metadata("https://evil.example")
    with pytest.raises(AuthFailed, match="issuer"):
        world.log_in(world.flow(legacy=True))
    assert (world.visited, world.posted) == ([], [])


@pytest.mark.requirement("auth.discovery.rfc8414")
def test_the_endpoints_of_an_authorization_server_are_those_of_its_own_metadata() -> None:
    world = World()
    elsewhere = {"authorization_endpoint": f"{ISSUER}/in", "token_endpoint": f"{ISSUER}/give"}
    world.documents[SERVER_METADATA] = server_metadata(**elsewhere)
    world.posts[f"{ISSUER}/give"] = lambda form: answer({"access_token": "t", "token_type": "Bearer"})
    assert world.log_in().endpoint == f"{ISSUER}/give"
    assert world.pages == [f"{ISSUER}/in"]
    assert world.gets == [RESOURCE_METADATA, SERVER_METADATA]
