"""The whole dance on this machine: client, browser, authorization server and protected server, with no one else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mcport import (
    AuthFailed,
    Client,
    ClientCredentials,
    EnterpriseManaged,
    FileTokens,
    Granted,
    IdentityProvider,
    OAuth,
    SigningKey,
    WorkloadIdentity,
    asked_of,
)
from mcport.auth import jose
from mcport.auth.bearer import keys
from mcport.auth.grant import Grant
from mcport.testing import AuthorizationServer, Registered, serving

from .dance import Answers, Stage, stage

pytestmark = pytest.mark.anyio

BOTH = ["2025-11-25", "2026-07-28"]
KEY = jose.new_key()
PUBLIC = jose.public_key(KEY, "ES256")


async def asked(where: Stage, auth: OAuth | Grant, revision: str = "2026-07-28") -> str:
    """Ask the server who this is."""
    login = auth if isinstance(auth, OAuth) else Granted(auth)
    async with Client(where.url, auth=login, revision=revision) as client:
        return (await client.call_tool("who", {})).text()


# ---- a person


@pytest.mark.parametrize("revision", BOTH)
@pytest.mark.parametrize("answers", ["json", "stream"])
async def test_a_person_logs_in_once_and_once_more_where_more_is_needed(revision: str, answers: Answers) -> None:
    async with stage(answers=answers) as where:
        async with Client(where.url, auth=where.oauth(), revision=revision) as client:
            assert (await client.call_tool("who", {})).text() == "ada may notes:read"
            assert len(where.pages) == 1
            assert (await client.call_tool("write", {"text": "hello"})).text() == "written: hello"
            assert len(where.pages) == 2
            assert (await client.call_tool("who", {})).text() == "ada may notes:read notes:write"
        assert len(where.pages) == 2


@pytest.mark.parametrize("revision", BOTH)
async def test_a_token_that_is_over_is_refreshed_without_the_person(revision: str) -> None:
    async with stage(seconds=0) as where:
        auth = where.oauth()
        async with Client(where.url, auth=auth, revision=revision) as client:
            first = await auth.status(where.url)
            await client.call_tool("who", {})
            later = await auth.status(where.url)
        assert first is not None
        assert later is not None
        assert first.access.reveal() != later.access.reveal()
        assert len(where.pages) == 1


@pytest.mark.parametrize("revision", BOTH)
async def test_a_restart_asks_nobody_and_whoever_logs_out_is_asked_again(revision: str, tmp_path: Path) -> None:
    async with stage() as where:
        for _ in range(2):
            auth = where.oauth(store=FileTokens(tmp_path / "tokens.json"))
            assert await asked(where, auth, revision) == "ada may notes:read"
        assert len(where.pages) == 1
        await auth.logout(where.url)
        where.authority.subject = "bob"
        assert await asked(where, auth, revision) == "bob may notes:read"
        assert len(where.pages) == 2


async def test_a_refresh_token_that_was_taken_back_leads_to_the_person(tmp_path: Path) -> None:
    async with stage(seconds=0) as where:
        auth = where.oauth()
        await asked(where, auth)
        tokens = await auth.status(where.url)
        assert tokens is not None
        assert tokens.refresh is not None
        where.authority.revoke(tokens.refresh.reveal())
        assert await asked(where, auth) == "ada may notes:read"
        assert len(where.pages) == 2


# ---- programs


@pytest.mark.parametrize("revision", BOTH)
@pytest.mark.parametrize("proof", [{"client_secret": "s3cret: +"}, {"key": SigningKey(KEY)}], ids=["secret", "key"])
async def test_a_program_gets_in_with_its_own_credentials(revision: str, proof: dict[str, Any]) -> None:
    robots = [Registered("robot", secret="s3cret: +") if "client_secret" in proof else Registered("robot", key=PUBLIC)]
    async with stage(clients=robots) as where:
        grant = ClientCredentials(where.authority.issuer, "robot", **proof)
        assert await asked(where, grant, revision) == "robot may notes:read"
        wrong = {"client_secret": "guess"} if "client_secret" in proof else {"key": SigningKey(jose.new_key())}
        with pytest.raises(AuthFailed, match="invalid_client"):
            await asked(where, ClientCredentials(where.authority.issuer, "robot", **wrong), revision)


@pytest.mark.parametrize("revision", BOTH)
async def test_a_workload_gets_in_by_the_word_of_its_platform(revision: str) -> None:
    async with serving() as platform, stage() as where:
        where.authority.trust(platform.issuer, platform.keys)

        async def stated() -> str:
            return platform.token(where.authority.issuer, sub="pod-7", client_id=None)

        assert await asked(where, WorkloadIdentity(where.authority.issuer, stated), revision) == "pod-7 may notes:read"
        platform.rotate()
        with pytest.raises(AuthFailed, match="invalid_grant"):
            await asked(where, WorkloadIdentity(where.authority.issuer, stated), revision)


@pytest.mark.parametrize("revision", BOTH)
async def test_a_person_of_a_company_gets_in_by_the_word_of_its_identity_provider(revision: str) -> None:
    app = Registered("app", secret="s3cret")
    async with serving(subject="eve", clients=[app]) as company, stage(clients=[app]) as where:
        where.authority.trust(company.issuer, company.keys)

        async def identity() -> str:
            return company.id_token("app")

        provider = IdentityProvider(f"{company.issuer}/token", "app", "s3cret")
        grant = EnterpriseManaged(where.authority.issuer, "app", "s3cret", provider, identity)
        assert await asked(where, grant, revision) == "eve may notes:read"
        assert where.pages == []


# ---- tokens that are bound to a key


@pytest.mark.parametrize("revision", BOTH)
@pytest.mark.parametrize("nonces", [False, True])
async def test_a_token_that_is_bound_to_a_key_is_worth_nothing_without_it(revision: str, nonces: bool) -> None:
    async with stage(lambda *_: {"dpop": "required"}, nonces=nonces) as where:
        auth = where.oauth(dpop=True)
        async with Client(where.url, auth=auth, revision=revision) as client:
            assert (await client.call_tool("who", {})).text() == "ada may notes:read"
            where.authority.renew_nonce()
            assert (await client.call_tool("write", {"text": "hello"})).text() == "written: hello"
        tokens = await auth.status(where.url)
        assert tokens is not None
        assert (await where.post(tokens.access.reveal())).status_code == 401


async def test_a_program_may_bind_its_tokens_to_a_key_as_well() -> None:
    robot = Registered("robot", secret="s3cret")
    async with stage(lambda *_: {"dpop": "required"}, nonces=True, clients=[robot]) as where:
        grant = ClientCredentials(where.authority.issuer, "robot", client_secret="s3cret")
        async with Client(where.url, auth=Granted(grant, dpop=True)) as client:
            assert (await client.call_tool("who", {})).text() == "robot may notes:read"


# ---- what a server knows of its issuer


def introspecting(authority: AuthorizationServer, url: str) -> dict[str, Any]:
    return {"verifier": asked_of(authority.issuer, url, client_id="notes", client_secret="s3cret")}


@pytest.mark.parametrize("revision", BOTH)
async def test_an_issuer_that_is_asked_about_each_token_may_take_it_back(revision: str) -> None:
    async with stage(introspecting, clients=[Registered("notes", secret="s3cret")]) as where:
        auth = where.oauth()
        async with Client(where.url, auth=auth, revision=revision) as client:
            assert (await client.call_tool("who", {})).text() == "ada may notes:read"
            tokens = await auth.status(where.url)
            assert tokens is not None
            where.authority.revoke(tokens.access.reveal())
            assert (await where.post(tokens.access.reveal())).status_code == 401
            assert (await client.call_tool("who", {})).text() == "ada may notes:read"
        assert len(where.pages) == 1


async def test_a_new_key_of_the_issuer_is_fetched_when_it_is_first_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "PAUSE_SECONDS", 0)
    async with stage() as where:
        old = where.authority.token(where.url, "notes:read")
        assert (await where.post(old)).status_code != 401
        where.authority.rotate(forget=True)
        assert (await where.post(where.authority.token(where.url, "notes:read"))).status_code != 401
        assert (await where.post(old)).status_code == 401


@pytest.mark.parametrize("gate", [lambda *_: {}, introspecting], ids=["keys", "introspection"])
async def test_while_the_issuer_is_away_nobody_is_let_in_and_nobody_is_told_that_a_token_is_bad(gate: Any) -> None:
    def elsewhere(authority: AuthorizationServer, url: str) -> dict[str, Any]:
        authority.metadata["jwks_uri"] = authority.metadata["introspection_endpoint"] = "http://127.0.0.1:1/"
        return dict(gate(authority, url))

    async with stage(elsewhere) as where:
        answer = await where.post(where.authority.token(where.url, "notes:read"))
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert "www-authenticate" not in answer.headers
