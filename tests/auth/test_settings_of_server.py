"""`BearerAuth(...)` as somebody writes it for the first time: what cannot be is told at once, the log has the rest."""

from __future__ import annotations

import importlib.util
import logging
import time
from typing import Any

import pytest

from mcport import BearerAuth, ClientCredentials, DPoP, Principal, SigningKey, StaticTokens, Unverifiable
from mcport.auth import jose
from mcport.auth.bearer.keys import FixedKeys
from mcport.auth.bearer.verifying import AskedTokens, ByIssuer, SignedTokens

from .gate import ISSUER, PUBLIC, RESOURCE, notes, said, token

OTHER = "https://other.example.com"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"resource": None}, "resource is the public URL of the endpoint, not NoneType"),
        ({"resource": "http://mcp.example.com/mcp"}, "resource: 'http://mcp.example.com/mcp' is not https"),
        ({"resource": "mcp.example.com/mcp"}, "resource: 'mcp.example.com/mcp' is no URL of a place on the web"),
        ({"resource": "htps://mcp.example.com"}, "resource: 'htps://mcp.example.com' is no URL of a place on the web"),
        ({"issuer": None}, "issuer is the URL of an authorization server, or a list of such, not NoneType"),
        ({"issuer": []}, "issuer names at least one authorization server"),
        ({"verifier": StaticTokens}, "verifier has .*, and the class StaticTokens has not"),
        ({"verifier": len}, "verifier has .*, and builtin_function_or_method has not"),
        ({"dpop": "always"}, "dpop is True, False or \"required\", not 'always'"),
        ({"remember": "1"}, "remember is a number of seconds, 0 for not at all, not '1'"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(options: dict[str, Any], line: str) -> None:
    given: dict[str, Any] = {"resource": RESOURCE, "issuer": ISSUER, **options}
    with pytest.raises((ValueError, TypeError), match=f"^{line}$"):
        BearerAuth(given.pop("resource"), **given)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BearerAuth(RESOURCE, issuer=ISSUER),
        lambda: BearerAuth(RESOURCE, issuer=ISSUER, verifier=StaticTokens({"t": "ada"}), dpop=True),
        lambda: SigningKey("-----BEGIN PRIVATE KEY-----"),
        DPoP,
    ],
)
def test_without_the_extra_its_name_is_told_when_something_that_needs_it_is_made(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"^signed tokens need joserfc: pip install 'mcport\[auth\]'$"):
        make()


def test_what_needs_no_signatures_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    BearerAuth(RESOURCE, issuer=ISSUER, verifier=StaticTokens({"t": "ada"}))
    ClientCredentials(None, "robot", client_secret="s")


def test_credentials_that_are_empty_are_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"^client_secret is empty"):
        ClientCredentials(ISSUER, "robot", client_secret="")


# ---- what the log says


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("claims", "line"),
    [
        (
            {"aud": "https://else.example.com"},
            f"it is for another server (aud is 'https://else.example.com', and this one is '{RESOURCE}'; said once)",
        ),
        (
            {"iss": f"{ISSUER}/"},
            f"it comes from another issuer (iss is '{ISSUER}/', and issuer= is '{ISSUER}'; said once)",
        ),
    ],
)
async def test_what_may_be_a_slip_in_the_settings_is_a_warning_once_and_never_a_token(
    claims: dict[str, Any], line: str, caplog: pytest.LogCaptureFixture
) -> None:
    verifier, bad = SignedTokens(ISSUER, [RESOURCE], FixedKeys([PUBLIC])), token(**claims)
    for _ in range(3):
        assert await verifier.verify(bad) is None
    warned = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert warned == [f"a token is refused: {line}"]
    assert bad not in caplog.text


@pytest.mark.anyio
async def test_everyday_refusals_are_no_warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "mcport.auth")

    async def inactive(token: str) -> Any:
        return {"active": False}

    assert await AskedTokens(ISSUER, [RESOURCE], inactive).verify("x") is None
    assert await SignedTokens(ISSUER, [RESOURCE], FixedKeys([PUBLIC])).verify(token(exp=1)) is None
    told = [(each.levelname, each.getMessage().removeprefix("a token is refused: ")) for each in caplog.records]
    assert told == [("INFO", "its issuer says that it is not active"), ("INFO", "it has expired")]


# ---- several issuers


class Away:
    """An issuer that cannot be reached."""

    async def verify(self, token: str) -> Principal | None:
        raise Unverifiable("no route")


@pytest.mark.anyio
async def test_an_issuer_that_cannot_be_reached_is_in_the_way_of_its_own_tokens_alone() -> None:
    ours = SignedTokens(ISSUER, [RESOURCE], FixedKeys([PUBLIC]))
    several = ByIssuer({OTHER: Away(), ISSUER: ours})
    principal = await several.verify(token())
    assert principal is not None
    assert principal.issuer == ISSUER
    with pytest.raises(Unverifiable):
        await several.verify(token(iss=OTHER))
    assert await several.verify(token(iss="https://third.example.com")) is None
    assert await several.verify("nonsense") is None


@pytest.mark.anyio
async def test_no_issuer_is_asked_for_keys_by_a_token_of_another_one() -> None:
    class Asked(FixedKeys):
        async def find(self, id: object) -> Any:
            raise AssertionError("nobody should ask")

    assert await SignedTokens(ISSUER, [RESOURCE], Asked([])).verify(token(iss=OTHER)) is None


# ---- bonds


@pytest.mark.anyio
@pytest.mark.parametrize("dpop", [False, True])
async def test_an_issuer_that_says_of_a_token_that_it_is_bound_to_nothing_has_said_that(dpop: bool) -> None:
    class Said:
        async def verify(self, token: str) -> Principal | None:
            return Principal("ada", claims={"cnf": None}, expires_at=time.time() + 60)

    answer = await said(notes(verifier=Said(), dpop=dpop).asgi(), authorization="Bearer x")
    assert answer.status == 200


def test_what_a_token_claims_is_read_without_a_key_and_only_if_it_is_one() -> None:
    assert jose.unverified(token())["iss"] == ISSUER
    with pytest.raises(jose.BadToken, match="claims nothing"):
        jose.unverified(token().split(".")[0] + ".WzFd.AA")
