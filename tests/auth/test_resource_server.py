"""A protected server over HTTP, as the bytes are: who is let in, and what others are told (basic/authorization)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from mcport.auth import jose
from mcport.auth.bearer.denied import Unverifiable
from mcport.auth.bearer.verifying import AskedTokens, StaticTokens
from mcport.core.principal import Principal
from tests.http.bridge import ask
from tests.http.raw_session import STREAM, call, message, session

from .gate import (
    ISSUER,
    METADATA,
    RESOURCE,
    REVISIONS,
    WELL_KNOWN,
    Bearing,
    challenged,
    gate,
    notes,
    posted,
    said,
    token,
)

pytestmark = pytest.mark.anyio

# ---- without a good token


@pytest.mark.requirement("auth.prm.server-mechanism")
@pytest.mark.requirement("auth.error.status-codes")
@pytest.mark.requirement("auth.v1.unauthorized-401")
@pytest.mark.parametrize("era", REVISIONS)
async def test_without_a_token_a_client_is_told_where_to_get_one(era: str) -> None:
    answer = await said(notes().asgi(), era)
    assert answer.status == 401
    assert challenged(answer) == {"resource_metadata": METADATA}


@pytest.mark.requirement("auth.scope.in-challenge")
@pytest.mark.parametrize("era", REVISIONS)
async def test_the_scopes_that_everything_needs_are_told_with_the_first_challenge(era: str) -> None:
    answer = await said(notes(scopes=["notes:read", "notes:list"]).asgi(), era)
    assert challenged(answer)["scope"] == "notes:read notes:list"


@pytest.mark.requirement("auth.token.server-validates")
@pytest.mark.requirement("auth.token.error-response")
@pytest.mark.requirement("auth.token.invalid-401")
@pytest.mark.parametrize("era", REVISIONS)
@pytest.mark.parametrize(
    "bad",
    [
        "nonsense",
        token(exp=time.time() - 61),
        token(exp=None),
        token(nbf=time.time() + 43_200),
        token(exp="soon"),
        token(sub=None, client_id=None),
        token(sub=7),
        token(header={"typ": "dpop+jwt"}),
        token(header={"typ": "id_token"}),
        token(header={"kid": "two"}),
        token({**jose.new_key(), "kid": "one"}),
    ],
)
async def test_a_token_that_is_not_good_gets_401_and_a_reason_in_the_challenge(era: str, bad: str) -> None:
    answer = await said(notes().asgi(), era, authorization=f"Bearer {bad}")
    assert answer.status == 401
    assert challenged(answer)["error"] == "invalid_token"
    assert bad not in answer.text  # type: ignore[attr-defined]


@pytest.mark.requirement("auth.token.audience")
@pytest.mark.requirement("auth.token.only-own-resource")
@pytest.mark.requirement("auth.token.no-other")
@pytest.mark.parametrize("era", REVISIONS)
@pytest.mark.parametrize(
    "other",
    [
        {"aud": "https://other.example.com/mcp"},
        {"aud": "https://mcp.example.com"},
        {"aud": ["https://mcp.example.com/mcp/x", "x"]},
        {"aud": None},
        {"aud": {"a": RESOURCE}},
        {"iss": "https://login.example.com/"},
        {"iss": "https://evil.example.com"},
        {"iss": None},
    ],
)
async def test_a_token_for_another_server_or_of_another_issuer_is_refused(era: str, other: dict[str, Any]) -> None:
    answer = await said(notes().asgi(), era, authorization=f"Bearer {token(**other)}")
    assert answer.status == 401
    assert challenged(answer)["error"] == "invalid_token"


@pytest.mark.requirement("auth.resource.accept-uppercase")
@pytest.mark.requirement("auth.resource.no-trailing-slash")
@pytest.mark.parametrize("audience", ["HTTPS://MCP.Example.com/mcp", "https://mcp.example.com:443/mcp", RESOURCE + "/"])
async def test_an_audience_may_be_written_in_another_case_or_with_a_slash(audience: str) -> None:
    assert (await said(notes().asgi(), authorization=f"Bearer {token(aud=['x', audience])}")).status == 200


@pytest.mark.requirement("auth.token.oauth-2.1-section-5")
@pytest.mark.parametrize("era", REVISIONS)
async def test_a_token_is_taken_from_the_header_alone(era: str) -> None:
    request = posted(era)
    async with ask(notes().asgi(), path=f"/mcp?access_token={token()}", **request) as answer:
        assert answer.status == 401


@pytest.mark.requirement("auth.error.status-codes")
@pytest.mark.parametrize("era", REVISIONS)
@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "bearer é", "Bearer " + "a" * 17_000]
)
async def test_what_has_no_form_is_told_so_with_400(era: str, value: str) -> None:
    answer = await said(notes().asgi(), era, authorization=value)
    assert answer.status == 400
    assert challenged(answer)["error"] == "invalid_request"


@pytest.mark.requirement("auth.token.oauth-2.1-section-5")
async def test_two_tokens_in_one_request_are_refused() -> None:
    good = token()
    answer = await said(Bearing(notes().asgi(), good), authorization=f"Bearer {good}")
    assert answer.status == 400


async def test_other_schemes_are_no_token() -> None:
    answer = await said(notes().asgi(), authorization="Basic YTpi")
    assert answer.status == 401
    assert "error" not in challenged(answer)


async def test_an_issuer_that_cannot_be_reached_is_no_fault_of_the_token() -> None:
    class Away:
        async def verify(self, token: str) -> Principal | None:
            raise Unverifiable("connection refused")

    answer = await said(notes(verifier=Away()).asgi(), authorization="Bearer x")
    assert (answer.status, "www-authenticate" in answer.headers) == (503, False)
    assert answer.headers["retry-after"] == "5"


# ---- with one


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_whoever_has_a_good_token_is_known_to_the_tool(scheme: str) -> None:
    answer = await said(notes().asgi(), authorization=f"{scheme} {token(scope='b a')}")
    assert "ada by host may a b" in answer.text  # type: ignore[attr-defined]


@pytest.mark.requirement("auth.token.no-passthrough")
@pytest.mark.parametrize("era", REVISIONS)
async def test_a_tool_is_not_shown_the_token(era: str) -> None:
    app = Bearing(notes().asgi(), token())
    if era != "2026-07-28":
        async with session(app, era) as opened:
            seen = str(await opened.result(call("seen")))
    else:
        seen = (await said(app, tool="seen")).text  # type: ignore[attr-defined]
    assert "content-type" in seen
    assert "authorization" not in seen


async def test_the_second_request_with_a_token_is_not_judged_again_until_it_expires() -> None:
    class Counting:
        def __init__(self) -> None:
            self.asked = 0

        async def verify(self, token: str) -> Principal | None:
            self.asked += 1
            return Principal("ada", client_id="host", expires_at=now + 30)

    now = 1_000_000.0
    verifier = Counting()
    app = notes(verifier=verifier, now=lambda: now).asgi()
    for _ in range(3):
        assert (await said(app, authorization="Bearer one")).status == 200
    assert verifier.asked == 1
    now += 31
    assert (await said(app, authorization="Bearer one")).status == 200
    assert verifier.asked == 2


@pytest.mark.parametrize("dpop", [False, True])
@pytest.mark.parametrize("scheme", ["Bearer", "BEARER"])
async def test_a_token_is_judged_again_in_time_however_often_it_is_used(dpop: bool, scheme: str) -> None:
    now, asked = 1_000_000.0, list[str]()

    class Counting:
        async def verify(self, token: str) -> Principal | None:
            asked.append(token)
            return Principal("ada", client_id="host")

    app = notes(verifier=Counting(), now=lambda: now, remember=60, dpop=dpop).asgi()
    for _ in range(5):
        assert (await said(app, authorization=f"{scheme} one")).status == 200
        now += 20
    assert len(asked) == 2


async def test_a_token_that_was_refused_is_judged_again() -> None:
    answers: list[Principal | None] = [None, Principal("ada", client_id="host")]

    class Slow:
        async def verify(self, token: str) -> Principal | None:
            return answers.pop(0)

    app = notes(verifier=Slow()).asgi()
    assert [(await said(app, authorization="Bearer one")).status for _ in range(2)] == [401, 200]


async def test_a_session_belongs_to_whoever_opened_it() -> None:
    app = notes().asgi()
    async with session(Bearing(app, token())) as opened:
        for thief in (token(sub="eve"), token(sub=None, client_id="host")):
            for request in (opened.post(call("who"), Bearing(app, thief)), opened.get(at=Bearing(app, thief))):
                async with request as answer:
                    assert answer.status == 404
            async with opened.delete(Bearing(app, thief)) as answer:
                assert answer.status == 404
        assert "ada by host" in str(await opened.result(call("who"), Bearing(app, token(scope="other"))))


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [("GET", "/mcp", STREAM), ("DELETE", "/mcp", {}), ("GET", "/sse", STREAM), ("POST", "/messages", {})],
)
async def test_every_method_and_path_of_the_endpoint_wants_a_token(method: str, path: str, headers: Any) -> None:
    async with ask(notes().asgi(), message("ping"), headers, path, method) as answer:
        assert answer.status == 401
        assert challenged(answer) == {"resource_metadata": METADATA}


async def test_browsers_are_shown_nothing_of_a_protected_server() -> None:
    async with ask(notes().asgi(), b"", {"accept": "text/html", "content-type": None}, method="GET") as answer:
        assert answer.status == 401


# ---- what is published


@pytest.mark.requirement("auth.prm.server-implements")
@pytest.mark.requirement("auth.prm.authorization-servers")
@pytest.mark.requirement("auth.prm.server-mechanism")
async def test_everybody_may_read_how_tokens_are_got() -> None:
    auth = {"scopes": ["notes:read"], "name": "Notes", "documentation": "https://example.com/docs"}
    app = notes(**auth, scopes_supported=["notes:read", "notes:write"]).asgi()
    usual = {"content-type": None, "origin": "https://page.example.com"}
    async with ask(app, b"", {**usual, "origin": None}, WELL_KNOWN, "GET") as answer:
        assert answer.status == 200
        assert answer.headers["access-control-allow-origin"] == "*"
        assert await answer.json() == {
            "resource": RESOURCE,
            "authorization_servers": [ISSUER],
            "scopes_supported": ["notes:read", "notes:write"],
            "bearer_methods_supported": ["header"],
            "resource_name": "Notes",
            "resource_documentation": "https://example.com/docs",
        }


async def test_nothing_that_is_published_comes_from_a_request() -> None:
    app = notes().asgi(allowed_hosts=["*"])
    for path, headers in ((WELL_KNOWN, {"content-type": None}), ("/mcp", {})):
        method = "GET" if path == WELL_KNOWN else "POST"
        async with ask(app, message("ping"), {**headers, "host": "evil.example.com"}, path, method) as answer:
            assert "evil" not in (await answer.body()).decode() + str(answer.headers)


@pytest.mark.requirement("auth.refresh.server-no-offline-access", revisions=["2026-07-28"])
@pytest.mark.parametrize("option", ["scopes", "scopes_supported"])
def test_offline_access_is_never_asked_for(option: str) -> None:
    with pytest.raises(ValueError, match="offline_access"):
        gate(**{option: ["notes:read", "offline_access"]})


@pytest.mark.requirement("auth.scope.challenge-any-set")
async def test_the_challenged_scopes_need_not_be_among_those_that_are_published() -> None:
    app = Bearing(notes(scopes_supported=["notes:read"]).asgi(), token())
    answer = await said(app, tool="write")
    assert challenged(answer)["scope"] == "notes:write notes:share"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"resource": "http://mcp.example.com/mcp"}, "resource"),
        ({"resource": "mcp.example.com"}, "resource"),
        ({"resource": RESOURCE + "?a=b"}, "resource"),
        ({"resource": RESOURCE + "#a"}, "resource"),
        ({"issuer": "http://login.example.com"}, "issuer"),
        ({"issuer": []}, "at least one"),
        ({"scopes": ["a b"]}, "no scope"),
        ({"scopes": ['a"b']}, "no scope"),
    ],
)
def test_settings_that_no_client_could_work_with_are_refused_in_one_line(options: dict[str, Any], line: str) -> None:
    from mcport.auth.bearer.bearer import BearerAuth

    settings = {"resource": RESOURCE, "issuer": ISSUER, **options}
    with pytest.raises(ValueError, match=line) as caught:
        BearerAuth(settings.pop("resource"), verifier=StaticTokens({"t": "ada"}), **settings)
    assert "\n" not in str(caught.value)


# ---- tokens of other kinds


async def test_an_issuer_may_be_asked_about_each_token() -> None:
    claims: dict[str, Any] = {"active": True, "sub": "ada", "client_id": "host", "aud": RESOURCE, "scope": "a"}

    async def introspect(token: str) -> Any:
        return claims if token == "known" else {"active": False}

    app = notes(verifier=AskedTokens(ISSUER, [RESOURCE], introspect), remember=0).asgi()
    assert "ada by host may a" in (await said(app, authorization="Bearer known")).text  # type: ignore[attr-defined]
    assert (await said(app, authorization="Bearer other")).status == 401
    for wrong in (
        {"active": "true"},
        {"aud": "https://other.example.com"},
        {"exp": 1},
        {"iss": "https://evil.example.com"},
    ):
        claims |= wrong
        assert (await said(app, authorization="Bearer known")).status == 401
        claims |= {"active": True, "aud": RESOURCE, "exp": None, "iss": ISSUER}
    del claims["aud"]
    assert (await said(app, authorization="Bearer known")).status == 401


async def test_tokens_may_be_listed_for_development() -> None:
    listed = StaticTokens({"s3cret": Principal("ada", client_id="host"), "other": "eve"}, scopes=["notes:read"])
    app = notes(verifier=listed).asgi()
    assert "ada by host" in (await said(app, authorization="Bearer s3cret")).text  # type: ignore[attr-defined]
    assert "eve by None may notes:read" in (await said(app, authorization="Bearer other")).text  # type: ignore[attr-defined]
    assert (await said(app, authorization="Bearer guess")).status == 401
    for wrong in ("", "a\nb", "é"):
        with pytest.raises(ValueError, match="printable"):
            StaticTokens({wrong: "ada"})
