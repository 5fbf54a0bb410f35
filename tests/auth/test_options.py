"""What a program says of itself, and what becomes of it; and answers that a server gives to wear a client out."""

from __future__ import annotations

import httpx
import pytest

from mcport import AuthFailed, Client, OAuth
from mcport.auth.steps import Answer
from tests.http.scripted import Stream

from .scripted import ISSUER, SERVER_METADATA, World, server_metadata


@pytest.mark.parametrize("dpop", [False, True])
def test_a_client_that_binds_its_tokens_registers_as_one(dpop: bool) -> None:
    world = World()
    world.app = OAuth(dpop=dpop)._grant._identities.app  # type: ignore[attr-defined]
    world.log_in()
    assert world.registered[0].get("dpop_bound_access_tokens", False) is dpop


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_a_document_of_a_client_is_not_on_this_machine(host: str) -> None:
    with pytest.raises(ValueError, match="on this machine, where nobody can read it"):
        OAuth(client_metadata_url=f"https://{host}/me.json")


def test_a_secret_that_a_person_brings_is_shown_to_the_authorization_server() -> None:
    async def ask(issuer: str) -> tuple[str, str | None]:
        raise AssertionError("the world answers for the person")

    world = World(ask=ask)
    world.documents[SERVER_METADATA] = server_metadata(registration_endpoint=None)
    world.says = ("me", "s3cret")
    world.log_in()
    assert world.asked[-1].headers["authorization"].startswith("Basic ")


@pytest.mark.parametrize(("status", "passing"), [(400, False), (428, False), (429, True), (500, True), (503, True)])
def test_only_what_may_go_better_later_is_called_passing(status: int, passing: bool) -> None:
    world = World()
    world.posts[f"{ISSUER}/token"] = lambda form: Answer(status)
    with pytest.raises(AuthFailed) as caught:
        world.log_in()
    assert caught.value.passing is passing


@pytest.mark.anyio
async def test_a_refusal_without_end_is_not_read() -> None:
    streams: list[Stream] = []

    async def refuse(request: httpx.Request) -> httpx.Response:
        streams.append(Stream().put(b"no" * 1000))
        return httpx.Response(401, headers={"www-authenticate": "Bearer"}, stream=streams[-1])

    async with httpx.AsyncClient(transport=httpx.MockTransport(refuse)) as http:
        with pytest.raises(AuthFailed):
            async with Client("https://127.0.0.1:1/mcp", http_client=http, auth=OAuth()):
                pass
    assert streams
    assert all(each.closed.is_set() for each in streams)
