"""An issuer is asked for its keys, or about a token: over sockets, where its metadata says, and nowhere else."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import anyio
import httpx
import pytest

from mcport.auth import fetch
from mcport.auth.bearer import issuers
from mcport.auth.bearer.denied import Unverifiable
from mcport.auth.bearer.issuers import asked_of, signed_by
from mcport.auth.bearer.verifying import Verifier
from mcport.core.principal import Principal
from mcport.testing import AuthorizationServer

from .places import Answer, place

pytestmark = pytest.mark.anyio

RESOURCE = "https://mcp.example.com/mcp"
OAUTH = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


class Issuer:
    """An authorization server of which a test may change what it says, with all that it was asked."""

    def __init__(self, origin: str, path: str) -> None:
        self.url = origin + path
        self.server = AuthorizationServer(self.url)
        self.said: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.bodies: list[tuple[Mapping[str, str], bytes]] = []
        self.only: str | None = None

    def __call__(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append(target)
        self.bodies.append((headers, body))
        if target in self.said:
            return self.said[target]
        if self.only is not None and "well-known" in target and target != self.only:
            return 404, {}, b""
        return self.server.answer(method, target, headers, body)

    def token(self, **claims: object) -> str:
        return self.server.token(RESOURCE, **claims)  # type: ignore[arg-type]


@asynccontextmanager
async def issuer(path: str = "") -> AsyncGenerator[Issuer]:
    made: list[Issuer] = []

    def make(origin: str) -> Issuer:
        made.append(Issuer(origin, path))
        return made[0]

    async with place(make):
        yield made[0]


def said(document: object, status: int = 200) -> Answer:
    return status, {"content-type": "application/json"}, json.dumps(document).encode()


def by_keys(at: Issuer, **options: Any) -> Verifier:
    return signed_by(at.url, RESOURCE, **options)


def by_asking(at: Issuer, **options: Any) -> Verifier:
    return asked_of(at.url, RESOURCE, client_id="notes", client_secret="s3 cret", **options)


Means: TypeAlias = Callable[..., Verifier]
BOTH = pytest.mark.parametrize("means", [by_keys, by_asking])


async def unverifiable(verifying: Awaitable[Principal | None]) -> None:
    """Nobody can tell, for now."""
    with pytest.raises(Unverifiable):
        await verifying


# ---- where its metadata is


@pytest.mark.requirement("auth.discovery.multiple-endpoints")
@pytest.mark.parametrize(
    ("path", "only"),
    [
        ("", OAUTH),
        ("", OPENID),
        ("/tenant", f"{OAUTH}/tenant"),
        ("/tenant", f"{OPENID}/tenant"),
        ("/tenant", f"/tenant{OPENID}"),
    ],
)
async def test_the_keys_of_an_issuer_are_found_wherever_its_metadata_is(path: str, only: str) -> None:
    async with issuer(path) as at:
        at.only = only
        principal = await by_keys(at).verify(at.token())
        assert principal is not None
        assert (principal.subject, principal.issuer) == ("ada", at.url)
        assert at.asked[-2:] == [only, f"{path}/jwks"]


@BOTH
async def test_an_issuer_without_metadata_cannot_be_asked(means: Means) -> None:
    async with issuer() as at:
        at.only = "nowhere"
        await unverifiable(means(at).verify(at.token()))
        assert at.asked == [OAUTH, OPENID]


@BOTH
async def test_metadata_of_another_issuer_counts_for_nothing(means: Means) -> None:
    for wrong in ("https://evil.example.com", "{}/", "{}#", None, 7):
        async with issuer() as at:
            at.server.metadata["issuer"] = wrong.format(at.url) if isinstance(wrong, str) else wrong
            await unverifiable(means(at).verify(at.token()))
            assert at.asked == [OAUTH]


@BOTH
@pytest.mark.parametrize(
    "broken",
    [said({}, 500), said({}, 503), said([]), said("text"), (200, {}, b"<html>"), (200, {}, b""), said({}, 204)],
)
async def test_an_issuer_that_is_broken_is_not_taken_for_one_without_metadata(means: Means, broken: Answer) -> None:
    async with issuer() as at:
        at.said[OAUTH] = broken
        await unverifiable(means(at).verify(at.token()))
        assert at.asked == [OAUTH]


# ---- where its endpoints are


@pytest.mark.parametrize("name", ["jwks_uri", "introspection_endpoint"])
@pytest.mark.parametrize(
    "there",
    [
        None,
        "",
        7,
        "/jwks",
        "http://mcp.example.com/",
        "file:///etc/passwd",
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "https://192.168.0.1:1/",
        "https://169.254.169.254/latest",
        "https://ada@127.0.0.1/",
    ],
)
async def test_an_endpoint_that_nobody_should_be_sent_to_is_not_asked(name: str, there: object) -> None:
    async with issuer() as at:
        at.server.metadata[name] = there
        await unverifiable((by_keys if name == "jwks_uri" else by_asking)(at).verify(at.token()))
        assert at.asked == [OAUTH]


async def test_the_keys_may_be_published_by_another_server_of_this_machine() -> None:
    async with issuer() as at, issuer("/elsewhere") as other:
        at.server.metadata["jwks_uri"] = f"{other.url}/keys"
        other.said["/elsewhere/keys"] = said({"keys": at.server.keys})
        assert await by_keys(at).verify(at.token()) is not None
        assert other.asked == ["/elsewhere/keys"]


async def test_keys_whose_place_is_set_are_fetched_without_metadata() -> None:
    async with issuer() as at:
        assert await by_keys(at, jwks_uri=f"{at.url}/jwks").verify(at.token()) is not None
        assert at.asked == ["/jwks"]


AWAY = 302, {"location": "https://evil.example.com/"}, b""
NO_KEYS = [said({}, 404), said([]), said({"keys": {}}), said({"keys": None}), (200, {}, b"x"), said({}, 500), AWAY]


@pytest.mark.parametrize("keys", NO_KEYS)
async def test_what_is_no_set_of_keys_verifies_nothing_and_is_not_asked_for_at_once_again(keys: Answer) -> None:
    async with issuer() as at:
        at.said["/jwks"] = keys
        verifier = by_keys(at)
        for _ in range(3):
            await unverifiable(verifier.verify(at.token()))
        assert at.asked.count("/jwks") == 1


async def test_a_key_of_another_kind_among_the_good_ones_does_no_harm() -> None:
    async with issuer() as at:
        strange = [{"kty": "oct", "k": "c2VjcmV0"}, 7, None, {"kty": "EC"}, {"kid": 1}]
        at.said["/jwks"] = said({"keys": [*strange, *at.server.keys]})
        assert await by_keys(at).verify(at.token()) is not None


async def test_requests_side_by_side_fetch_the_keys_once() -> None:
    async with issuer() as at:
        verifier = by_keys(at)
        found: list[Principal | None] = []

        async def verify() -> None:
            found.append(await verifier.verify(at.token()))

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(verify)
        assert len([each for each in found if each is not None]) == 10
        assert at.asked == [OAUTH, "/jwks"]


async def test_the_keys_of_one_issuer_verify_nothing_of_another() -> None:
    async with issuer() as at, issuer() as other:
        verifier = by_keys(at)
        assert await verifier.verify(other.token()) is None
        assert await verifier.verify(other.token(iss=at.url)) is None
        assert await verifier.verify(at.token(iss=other.url)) is None
        assert other.asked == []


# ---- about a token


async def test_an_issuer_is_asked_about_a_token_by_this_server_with_its_own_credentials() -> None:
    async with issuer() as at:
        at.said["/introspect"] = said({"active": True, "sub": "ada", "aud": RESOURCE, "scope": "a b"})
        verifier = by_asking(at)
        for _ in range(2):
            principal = await verifier.verify("some token+")
            assert principal is not None
            assert principal.scopes == {"a", "b"}
        assert at.asked == [OAUTH, "/introspect", "/introspect"]
        headers, body = at.bodies[1]
        assert headers["authorization"] == "Basic " + b64encode(b"notes:s3+cret").decode()
        assert parse_qs(body.decode()) == {"token": ["some token+"], "token_type_hint": ["access_token"]}


async def test_an_endpoint_that_is_set_is_asked_without_metadata() -> None:
    async with issuer() as at:
        at.said["/ask"] = said({"active": False})
        assert await by_asking(at, introspection_endpoint=f"{at.url}/ask").verify("x") is None
        assert at.asked == ["/ask"]


@pytest.mark.parametrize("answer", [said({"active": True}, 401), said({}, 500), said([]), said(True), (200, {}, b"")])
async def test_an_issuer_that_gives_no_answer_about_a_token_says_neither_yes_nor_no(answer: Answer) -> None:
    async with issuer() as at:
        at.said["/introspect"] = answer
        await unverifiable(by_asking(at).verify("x"))


async def test_an_issuer_that_does_not_say_for_whom_a_token_is_has_to_be_trusted_in_words() -> None:
    async with issuer() as at:
        at.said["/introspect"] = said({"active": True, "sub": "ada"})
        assert await by_asking(at).verify("x") is None
        assert await by_asking(at, audience_said=False).verify("x") is not None


# ---- the way there


@BOTH
async def test_an_issuer_that_does_not_answer_is_not_waited_for_forever(
    means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuers, "Fetcher", lambda url, private: fetch.Fetcher(url, private=private, seconds=0.05))
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as silent:
        port = silent.extra(anyio.abc.SocketAttribute.local_port)
        at = Issuer(f"http://127.0.0.1:{port}", "")
        with pytest.raises(Unverifiable, match="not done within"):
            await by_asking(at).verify(at.token())
        with pytest.raises(Unverifiable):
            await means(at).verify(at.token())


@pytest.mark.parametrize(("private", "reached"), [(False, False), (True, True)])
async def test_an_issuer_in_a_private_network_is_asked_only_where_that_is_allowed(
    private: bool, reached: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def resolved(host: str, port: int, **options: Any) -> Any:
        return [(2, 1, 6, "", ("10.0.0.7", port))]

    async def handled(self: object, request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        raise httpx.ConnectError("nobody is there")

    monkeypatch.setattr(anyio, "getaddrinfo", resolved)
    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", handled)
    verifier = signed_by("https://login.corp.example", RESOURCE, private=private)
    token = AuthorizationServer("https://login.corp.example").token(RESOURCE)
    await unverifiable(verifier.verify(token))
    assert bool(asked) is reached
