"""Tokens that are bound to a key, and the proofs that come with them (RFC 9449)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mcport.auth import challenge, jose

from .gate import challenged, notes, proof, said, token

pytestmark = pytest.mark.anyio


HOLDER = jose.new_key()
BOUND = {"cnf": {"jkt": jose.thumbprint(HOLDER)}}


async def test_a_token_that_is_bound_to_a_key_comes_with_a_proof() -> None:
    bearer = token(**BOUND)
    app = notes(dpop=True).asgi()
    answer = await said(app, authorization=f"DPoP {bearer}", dpop=proof(HOLDER, bearer))
    assert "ada by host" in answer.text  # type: ignore[attr-defined]
    assert (await said(app, authorization=f"Bearer {token()}")).status == 200


@pytest.mark.parametrize("dpop", [False, True])
async def test_a_bound_token_is_no_bearer_token(dpop: bool) -> None:
    answer = await said(notes(dpop=dpop).asgi(), authorization=f"Bearer {token(**BOUND)}")
    assert (answer.status, challenged(answer)["error"]) == (401, "invalid_token")


async def test_where_every_token_has_to_be_bound_others_are_refused() -> None:
    app = notes(dpop="required").asgi()
    answer = await said(app, authorization=f"Bearer {token()}")
    assert answer.status == 401
    assert challenge.find(challenge.read([answer.headers["www-authenticate"]]), "Bearer") is None
    assert "ES256" in challenged(answer, "DPoP")["algs"].split()


async def test_a_token_without_a_binding_is_not_taken_with_a_proof() -> None:
    bearer = token()
    answer = await said(notes(dpop=True).asgi(), authorization=f"DPoP {bearer}", dpop=proof(HOLDER, bearer))
    assert answer.status == 401


async def test_a_proof_is_good_for_one_request() -> None:
    bearer = token(**BOUND)
    once = proof(HOLDER, bearer)
    app = notes(dpop=True).asgi()
    assert (await said(app, authorization=f"DPoP {bearer}", dpop=once)).status == 200
    answer = await said(app, authorization=f"DPoP {bearer}", dpop=once)
    assert (answer.status, challenged(answer, "DPoP")["error"]) == (401, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "wrong",
    [
        {"htm": "GET"},
        {"htu": "https://mcp.example.com/other"},
        {"htu": "https://evil.example.com/mcp"},
        {"htu": None},
        {"iat": time.time() - 3600},
        {"iat": time.time() + 3600},
        {"iat": None},
        {"iat": "now"},
        {"ath": "x"},
        {"ath": None},
        {"jti": None},
        {"jti": ""},
        {"jti": "x" * 300},
    ],
)
async def test_a_proof_of_something_else_is_refused(wrong: dict[str, Any]) -> None:
    bearer = token(**BOUND)
    answer = await said(notes(dpop=True).asgi(), authorization=f"DPoP {bearer}", dpop=proof(HOLDER, bearer, **wrong))
    assert (answer.status, challenged(answer, "DPoP")["error"]) == (401, "invalid_dpop_proof")


async def test_a_proof_with_another_key_is_refused() -> None:
    bearer = token(**BOUND)
    answer = await said(notes(dpop=True).asgi(), authorization=f"DPoP {bearer}", dpop=proof(jose.new_key(), bearer))
    assert challenged(answer, "DPoP")["error"] == "invalid_dpop_proof"


async def test_a_proof_may_leave_out_what_the_url_asks_for() -> None:
    bearer = token(**BOUND)
    app = notes(dpop=True).asgi()
    loose = proof(HOLDER, bearer, url="https://MCP.example.com:443/mcp?x=1")
    assert (await said(app, authorization=f"DPoP {bearer}", dpop=loose)).status == 200


async def test_a_token_that_is_bound_to_something_unknown_is_refused() -> None:
    bearer = token(cnf={"x5t#S256": "abc"})
    answer = await said(notes(dpop=True).asgi(), authorization=f"DPoP {bearer}", dpop=proof(HOLDER, bearer))
    assert answer.status == 401
