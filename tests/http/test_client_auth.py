"""`Client(url, auth=...)`: what may be said there, and one line for everything else."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from mcport import BearerAuth, Client, ClientCredentials, OAuth, StaticTokens
from mcport.auth.grant import Desk, Found, wanted
from mcport.auth.identity import Identity
from mcport.auth.steps import Steps
from mcport.auth.tokens import Tokens, read_tokens

from .origin import Asked, Origin, origin, usual

URL = "http://127.0.0.1:1/mcp"
GATE = BearerAuth("https://mcp.example.com/mcp", issuer="https://a.example", verifier=StaticTokens({"t": "ada"}))


class Known:
    """A grant that knows its token already."""

    issuer = None
    for_user = False

    def tokens(self, found: Found, desk: Desk) -> Steps[Tokens]:
        yield from ()
        return read_tokens({"access_token": "t1", "token_type": "Bearer"}, wanted(found, Identity("me"), desk), 0)

    def identity(self, tokens: Tokens) -> Steps[Identity | None]:
        yield from ()
        return None


def protected(place: Origin) -> Any:
    """Serve a server that wants the token, and what leads there."""

    async def play(asked: Asked) -> None:
        base = place.url.removesuffix("/mcp")
        documents = {
            "/.well-known/oauth-protected-resource/mcp": {"resource": place.url, "authorization_servers": [base]},
            "/.well-known/oauth-authorization-server": {"issuer": base, "token_endpoint": f"{base}/token"},
        }
        if asked.path in documents:
            await asked.json(documents[asked.path])
        elif asked.headers.get("authorization") != "Bearer t1":
            await asked.status(401, www_authenticate="Bearer")
        else:
            await usual(asked)

    return play


@pytest.mark.anyio
async def test_a_grant_is_enough_to_log_in() -> None:
    async with origin(plays_opening=True) as place:
        place.play = protected(place)
        async with Client(place.url, auth=Known()) as client:
            assert (await client.call_tool("forecast")).text() == "done"


@pytest.mark.parametrize(
    ("auth", "line"),
    [
        (("me", "secret"), "not tuple"),
        (OAuth, "not the class OAuth"),
        (ClientCredentials, "not the class ClientCredentials"),
        (GATE, "not BearerAuth"),
    ],
)
def test_what_authorizes_no_requests_is_told_in_one_line(auth: Any, line: str) -> None:
    with pytest.raises(TypeError, match=rf'^auth is "oauth", OAuth\(\.\.\.\), .*, {line}$'):
        Client(URL, auth=auth)


def test_a_token_in_the_place_of_a_word_is_not_repeated_and_its_place_is_told() -> None:
    with pytest.raises(ValueError, match=re.escape('headers={"authorization": "Bearer ..."}')) as told:
        Client(URL, auth="eyJhbGciOi")  # type: ignore[arg-type]
    assert "eyJ" not in str(told.value)


def test_any_httpx_auth_and_any_grant_is_taken() -> None:
    for auth in (httpx.BasicAuth("me", "secret"), OAuth(), ClientCredentials(None, "robot", client_secret="s")):
        Client(URL, auth=auth)
