"""No token, code, verifier or secret shows: in no log, repr, error or traceback, whether a login is done or fails."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import pytest

from mcport import AuthFailed, Client, FileTokens, MemoryTokens, OAuth
from mcport.auth import jose
from mcport.auth.assertions import SigningKey
from mcport.auth.bearer.verifying import StaticTokens
from mcport.auth.dpop import DPoP
from mcport.auth.enterprise import EnterpriseManaged, IdentityProvider
from mcport.auth.machines import ClientCredentials
from mcport.auth.secret import Secret
from mcport.auth.steps import Ask, Returned, Save, Visit

from .conftest import Realm
from .gate import Bearing, notes, said, token
from .places import Answer
from .scripted import ISSUER, World, answer

SECRET = ("code", "code_verifier", "refresh_token", "access_token", "client_secret", "state")


class Overhearing:
    """Remembers every secret that passes an authorization server, and what `spoil` makes of its answers."""

    def __init__(self, realm: Realm) -> None:
        self.realm = realm
        self.secrets: set[str] = set()
        self.spoil: dict[str, Answer] = {}
        self._answer = realm.authority.server.answer
        realm.authority.server.answer = self.answer  # type: ignore[method-assign]

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        form = dict(parse_qsl(body.decode() + "&" + urlsplit(target).query))
        status, fields, content = self._answer(method, target, headers, body)
        came = dict(parse_qsl(urlsplit(fields.get("location", "")).query))
        given = json.loads(content) if content[:1] == b"{" else {}
        for each in (form, came, given):
            self.secrets.update(str(each[name]) for name in SECRET if each.get(name))
        if form.get("grant_type") in self.spoil:
            return self.spoil[form["grant_type"]]
        return status, fields, content

    async def browse(self, page: str) -> None:
        """Be a browser that logs nothing."""
        there = urlsplit(
            self.answer("GET", page.removeprefix(self.realm.authority.server.issuer), {}, b"")[1]["location"]
        )
        async with await anyio.connect_tcp(there.hostname or "", there.port or 0) as stream:
            await stream.send(f"GET {there.path}?{there.query} HTTP/1.1\r\nhost: {there.netloc}\r\n\r\n".encode())
            await stream.receive()

    def found_in(self, *texts: str) -> set[str]:
        assert len(self.secrets) >= 4
        return {secret for secret in self.secrets for text in texts if secret in text}


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that was logged, as lines and as what is behind them."""
    return "\n".join(f"{each.getMessage()} {each.__dict__}" for each in caplog.records)


def told(error: BaseException) -> str:
    """All that a report of an error may show, with the values of variables, as some tools report them."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [each for each in report.stack if "/tests/" not in each.filename]
    return f"{error!r} {error} {vars(error)} {[(each.line, each.locals) for each in ours]}"


@pytest.fixture
def overheard(realm: Realm, caplog: pytest.LogCaptureFixture) -> Overhearing:
    caplog.set_level(logging.DEBUG)
    return Overhearing(realm)


@pytest.mark.requirement("auth.security.token-storage", "auth.refresh.confidential")
async def test_a_login_and_a_refresh_leave_no_secret_in_any_log_or_repr(
    overheard: Overhearing, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    realm = overheard.realm
    store = FileTokens(tmp_path / "tokens.json")
    auth = realm.oauth(open_url=overheard.browse, store=store)
    async with Client(realm.url, auth=auth) as client:
        await client.list_tools()
        tokens = await auth.status(realm.url)
        assert tokens is not None
        realm.authority.revoked.add(tokens.access.reveal())
        await client.list_tools()
        shown = repr([auth, auth.principal, vars(auth), store, tokens, client, await auth.status(realm.url)])
    assert len([each for each in realm.authority.asked if each == "POST /token"]) == 2
    assert overheard.found_in(logged(caplog), shown) == set()


@pytest.mark.requirement("auth.security.token-storage", "auth.refresh.confidential")
@pytest.mark.parametrize(
    "content", [b"{}", b'{"access_token": "n0t\\nf0r-you"}', b"n0t f0r-you", b'{"error": "n0t f0r-you"}']
)
@pytest.mark.parametrize("status", [200, 400, 503])
async def test_a_login_that_fails_shows_no_secret_to_whoever_is_told(
    overheard: Overhearing, caplog: pytest.LogCaptureFixture, status: int, content: bytes
) -> None:
    overheard.spoil = {"authorization_code": (status, {}, content)}
    with pytest.raises(AuthFailed) as caught:
        await overheard.realm.ask(overheard.realm.oauth(open_url=overheard.browse))
    assert overheard.found_in(logged(caplog), told(caught.value)) == set()
    assert "f0r-you" not in logged(caplog) + told(caught.value)


def test_an_authorization_server_that_repeats_what_it_was_sent_has_it_shown_to_nobody() -> None:
    world = World(client_id="me", client_secret=Secret("s3cret"))
    for name in ("code", "code_verifier"):
        world.posts[f"{ISSUER}/token"] = lambda form, name=name: answer(  # type: ignore[misc]
            {"error": "invalid_grant", "error_description": f"unknown: {form[name]}"}, 400
        )
        with pytest.raises(AuthFailed) as caught:
            world.log_in()
        assert world.forms[-1][name] not in told(caught.value)
        assert "token request: answered 400 (invalid_grant)" in str(caught.value)


async def test_a_gate_logs_no_token_whether_it_is_good_or_not(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    good, bad = token(), token(aud="https://other.example.com")
    app = notes().asgi()
    texts = [(await said(Bearing(app, each))).text for each in (good, bad, "n0nsense")]  # type: ignore[attr-defined]
    assert caplog.records
    for secret in (good, bad, "n0nsense"):
        assert secret not in logged(caplog) + str(texts)


@pytest.mark.requirement("auth.security.token-storage", "auth.refresh.confidential")
def test_nothing_that_holds_a_secret_shows_it() -> None:
    key = jose.new_key()
    provider = IdentityProvider("https://idp.example/token", "me", "s3cret")

    async def source() -> str:
        return "s3cret"

    holders: list[Any] = [
        OAuth(client_id="me", client_secret="s3cret"),
        ClientCredentials(ISSUER, "me", client_secret="s3cret"),
        ClientCredentials(ISSUER, "me", key=SigningKey(key)),
        EnterpriseManaged(ISSUER, "me", "s3cret", provider, source),
        provider,
        DPoP(key),
        StaticTokens({"s3cret": "ada"}),
        MemoryTokens(),
        Ask("x", "https://as.example", "POST", {"authorization": "Basic s3cret"}, b"s3cret"),
        Visit("https://as.example?state=s3cret", "s3cret"),
        Save("x", "s3cret"),
        Returned("code=s3cret"),
        Secret("s3cret"),
    ]
    for each in holders:
        inside = {} if isinstance(each, Secret) or not hasattr(each, "__dict__") else vars(each)
        for text in (repr(each), str(each), f"{each}"):
            assert "s3cret" not in text
            assert key["d"] not in text
        if not isinstance(each, MemoryTokens | DPoP | Ask | Visit | Save | Returned):
            assert "s3cret" not in repr(inside), each
