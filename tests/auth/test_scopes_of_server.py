"""What has to be granted for what: challenges that say so, before anything is served (basic/authorization)."""

from __future__ import annotations

from typing import Any

import pytest

from mcport.core.principal import Principal
from tests.http.bridge import ask, stateless
from tests.http.raw_session import call, message, session

from .gate import METADATA, REVISIONS, Bearing, challenged, notes, said, token

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("auth.step-up.403-response")
@pytest.mark.requirement("auth.step-up.scope-for-operation")
@pytest.mark.requirement("auth.step-up.all-scopes-at-once", revisions=["2026-07-28"])
@pytest.mark.requirement("auth.error.status-codes")
@pytest.mark.parametrize("era", REVISIONS)
async def test_what_a_tool_needs_besides_is_told_at_once_and_before_a_stream_opens(era: str) -> None:
    app = Bearing(notes(scopes=["notes:read"]).asgi(answers="stream"), token())
    if era != "2026-07-28":
        async with session(app, era) as opened, opened.post(call("write", meta={"progressToken": 1})) as answer:
            body = await answer.json()
    else:
        async with ask(app, **stateless("tools/call", name="write", meta={"progressToken": 1})) as answer:
            body = await answer.json()
    assert answer.status == 403
    assert challenged(answer) == {
        "error": "insufficient_scope",
        "error_description": "this needs the scopes notes:read notes:write notes:share",
        "scope": "notes:read notes:write notes:share",
        "resource_metadata": METADATA,
    }
    assert "notes:share" in body["error"]["message"]


async def test_whoever_has_the_scopes_is_served() -> None:
    app = Bearing(notes().asgi(), token(scope="notes:write notes:share"))
    assert "written" in (await said(app, tool="write")).text  # type: ignore[attr-defined]


async def test_without_the_scopes_that_everything_needs_nothing_is_served() -> None:
    answer = await said(Bearing(notes(scopes=["notes:admin"]).asgi(), token()))
    assert (answer.status, challenged(answer)["scope"]) == (403, "notes:admin")


@pytest.mark.requirement("auth.scope.hierarchies", revisions=["2026-07-28"])
async def test_a_scope_that_contains_others_is_enough() -> None:
    contains = {"notes:all": ["notes:editor"], "notes:editor": ["notes:write", "notes:share"], "loop": ["loop"]}
    app = notes(scopes=["notes:write"], contains=contains).asgi()
    assert (await said(Bearing(app, token(scope="notes:all")), tool="write")).status == 200
    assert (await said(Bearing(app, token(scope="notes:write loop")), tool="write")).status == 403


@pytest.mark.parametrize(
    ("method", "params", "scope"),
    [
        ("resources/read", {"uri": "note://secret"}, "notes:secret"),
        ("resources/read", {"uri": "note://monday/private"}, "notes:secret"),
        ("resources/subscribe", {"uri": "note://secret"}, "notes:secret"),
        ("prompts/get", {"name": "ponder"}, "notes:prompt"),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "ponder"}, "argument": {"name": "a", "value": ""}},
            "notes:prompt",
        ),
        (
            "completion/complete",
            {"ref": {"type": "ref/resource", "uri": "note://{day}/private"}, "argument": {"name": "day", "value": ""}},
            "notes:secret",
        ),
    ],
)
async def test_resources_and_prompts_need_their_scopes_too(method: str, params: dict[str, Any], scope: str) -> None:
    app = notes().asgi()
    async with session(Bearing(app, token())) as opened:
        async with opened.post(message(method, **params)) as answer:
            assert (answer.status, challenged(answer)["scope"]) == (403, scope)
        async with opened.post(message(method, **params), Bearing(app, token(scope=scope))) as answer:
            assert answer.status == 200


async def test_whoever_listens_for_a_resource_needs_its_scopes() -> None:
    wanted = stateless("subscriptions/listen", notifications={"resourceSubscriptions": ["note://secret"]})
    async with ask(Bearing(notes().asgi(), token()), **wanted) as answer:
        assert (answer.status, challenged(answer)["scope"]) == (403, "notes:secret")


async def test_in_a_batch_every_request_counts() -> None:
    app = Bearing(notes().asgi(), token())
    async with session(app, "2025-03-26") as opened:
        batch = b"[" + call("who") + b"," + call("write", 2) + b"]"
        async with opened.post(batch) as answer:
            assert (answer.status, challenged(answer)["scope"]) == (403, "notes:write notes:share")


async def test_what_does_not_exist_is_told_by_the_protocol() -> None:
    app = Bearing(notes().asgi(), token())
    answer = await said(app, tool="nothing")
    assert "Unknown tool" in answer.text  # type: ignore[attr-defined]


async def test_without_a_gate_scopes_are_those_that_somebody_in_front_has_found() -> None:
    from mcport import Server

    server = Server("plain")

    @server.tool(scopes="notes:write")
    def write() -> str:
        return "written"

    app = server.asgi()

    def fronted(principal: str | None) -> Any:
        async def front(scope: Any, receive: Any, send: Any) -> None:
            await app({**scope, "mcport.principal": principal}, receive, send)

        return front

    assert (await said(fronted(None), tool="write")).status == 403
    assert (await said(fronted("ada"), tool="write")).status == 403
    assert (await said(fronted(Principal("ada", scopes=["notes:write"])), tool="write")).status == 200
