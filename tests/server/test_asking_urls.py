"""Sending the user to a URL: accepting is not completing, and who may be told that it is completed."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from mcport import Context, ElicitUrl, Server, UrlElicitationRequired
from mcport.errors import ProtocolError
from mcport.spec.revisions import REVISIONS
from tests.server.answering import EVERYTHING, Seen, called, said, served
from tests.server.wire import ALL, NEW, OLD, serving

pytestmark = pytest.mark.anyio

URLS = [name for name in ALL if REVISIONS[name].elicits_url]
NAMED = [name for name in ALL if REVISIONS[name].identifies_url_elicitations]
NAMELESS = [name for name in OLD if name not in NAMED]
FORMS_ONLY: Any = {"elicitation": {}}

URL = "https://example.com/connect"
ACCEPT = {"action": "accept"}


@pytest.mark.parametrize("revision", URLS)
@pytest.mark.requirement("elicitation.url-params", "elicitation.message-required")
@pytest.mark.requirement("elicitation.handles-all-outcomes", revisions=NEW)
async def test_a_url_elicitation_has_mode_message_and_url(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def connect(ctx: Context) -> str:
        return (await ctx.elicit_url("Connect your account", URL)).action

    for action in ("accept", "decline", "cancel"):
        user = Seen({"action": action})
        async with serving(server, revision, EVERYTHING) as wire:
            assert await said(wire, "connect", user) == action
        asked = user.asked[0]["params"]
        assert (asked["mode"], asked["message"], asked["url"]) == ("url", "Connect your account", URL)
        assert ("elicitationId" in asked) is (revision in NAMED)


@pytest.mark.parametrize("revision", URLS)
async def test_the_user_is_asked_again_until_all_is_done(revision: str) -> None:
    server, done = Server("x"), iter([False, False, True])

    @server.tool
    async def connect(ctx: Context) -> str:
        async def connected() -> bool:
            return next(done)

        return (await ctx.elicit_url("Connect", URL, until=connected, key="k")).action

    user = Seen(ACCEPT, ACCEPT, ACCEPT)
    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "connect", user) == "accept"
    assert len(user.asked) == 3


@pytest.mark.parametrize("revision", URLS)
async def test_a_user_who_declines_is_not_asked_again(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def connect(ctx: Context) -> str:
        return (await ctx.elicit_url("Connect", URL, until=lambda: False)).action

    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "connect", Seen(ACCEPT, {"action": "decline"})) == "decline"


@pytest.mark.parametrize("revision", URLS)
async def test_a_user_who_never_finishes_is_asked_a_bounded_number_of_times(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def connect(ctx: Context) -> str:
        return (await ctx.elicit_url("Connect", URL, until=lambda: False)).action

    user = Seen(*[ACCEPT] * 20)
    async with serving(server, revision, EVERYTHING) as wire:
        message = await served(wire, "tools/call", {"name": "connect"}, user)
        assert "error" in message or message["result"]["isError"]
    assert len(user.asked) == 10


@pytest.mark.parametrize("revision", URLS)
@pytest.mark.requirement("elicitation.no-undeclared-mode", "elicitation.empty-capability-is-form")
async def test_a_mode_that_was_not_declared_is_never_asked(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def ask(ctx: Context, url: bool) -> str:
        await (ctx.elicit_url("Connect", URL) if url else ctx.elicit("Sure?"))
        return "asked"

    cases: list[tuple[Any, bool]] = [({}, True), ({"form": {}}, True), ({"url": {}}, False)]
    for declared, url in cases:
        async with serving(server, revision, {"elicitation": declared}) as wire:
            message = await wire.ask("tools/call", {"name": "ask", "arguments": {"url": url}})
            assert message.get("error", {}).get("code") == -32021 or message["result"]["isError"]
            await wire.silent()
    async with serving(server, revision, FORMS_ONLY) as wire:
        assert await said(wire, "ask", Seen(ACCEPT), url=False) == "asked"


@pytest.mark.requirement("elicitation.url-valid", "elicitation.url-https")
@pytest.mark.requirement("elicitation.url-params", revisions=NEW)
def test_what_is_no_url_to_open_is_refused_before_it_is_sent(caplog: pytest.LogCaptureFixture) -> None:
    for bad in [
        "",
        "example.com",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://a b/",
        "https://[/",
        "https://a:99999/",
        "https://a\u200b.example/",
        "https://a/\u202e",
        "https://a/\n",
        "javascript://a/%0Aalert(1)",
        "ftp://a/",
        "//a/",
    ]:
        with pytest.raises(ValueError, match="URL"):
            ElicitUrl("Go", bad)
    with pytest.raises(ValueError, match="password"):
        ElicitUrl("Go", "https://ada:secret@example.com/")
    ElicitUrl("Go", "https://example.com/x?y=1")
    ElicitUrl("Go", "http://localhost:8000/x")
    assert not caplog.records
    ElicitUrl("Go", "http://example.com/x")
    assert "not https" in caplog.text
    with pytest.raises(ValueError, match="message"):
        ElicitUrl("", "https://example.com/")


# ---- completion, and the error


@pytest.mark.parametrize("revision", NAMED)
@pytest.mark.requirement(
    "elicitation.complete-notification", "elicitation.complete-has-id", "elicitation.complete-only-to-initiator"
)
async def test_completion_is_told_to_the_client_that_was_asked_and_once(revision: str) -> None:
    server, ids = Server("x"), []

    @server.tool
    async def connect(ctx: Context) -> str:
        found = await ctx.elicit_url("Connect", URL)
        ids.append(str(found.elicitation_id))
        return "ok"

    async with serving(server, revision, EVERYTHING) as wire, serving(server, revision, EVERYTHING) as other:
        user = Seen(ACCEPT)
        await said(wire, "connect", user)
        assert ids[0] == user.asked[0]["params"]["elicitationId"]
        assert await anyio.to_thread.run_sync(server.complete_elicitation, ids[0])
        told = await wire.read()
        assert told["method"] == "notifications/elicitation/complete"
        assert told["params"] == {"elicitationId": ids[0]}
        assert not server.complete_elicitation(ids[0])
        assert not server.complete_elicitation("unknown")
        await wire.silent()
        await other.silent()


def demanding() -> Server:
    server, state = Server("x"), {"visits": 0}

    @server.tool
    async def files(ctx: Context) -> str:
        if state["visits"] == 0:
            state["visits"] += 1
            raise UrlElicitationRequired("Connect first", [{"message": "Connect", "url": URL}])
        return "files"

    @server.tool
    async def pretend() -> str:
        raise ProtocolError("not really", code=-32042)

    return server


@pytest.mark.parametrize("revision", NAMED)
@pytest.mark.requirement(
    "elicitation.required-error",
    "elicitation.required-error-code",
    "elicitation.required-error-lists",
    "elicitation.required-error-url-mode",
)
async def test_a_visit_that_is_needed_first_is_the_error_that_lists_it(revision: str) -> None:
    server = demanding()
    async with serving(server, revision, EVERYTHING) as wire:
        error = await wire.error("tools/call", {"name": "files", "arguments": {}})
        assert error["code"] == -32042
        (needed,) = error["data"]["elicitations"]
        assert (needed["mode"], needed["url"], needed["message"]) == ("url", URL, "Connect")
        assert server.complete_elicitation(needed["elicitationId"])
        assert (await wire.read())["params"] == {"elicitationId": needed["elicitationId"]}
        assert await wire.text("files") == "files"


@pytest.mark.parametrize("revision", NEW)
async def test_revisions_without_that_error_ask_for_the_visit(revision: str) -> None:
    user = Seen(ACCEPT)
    async with serving(demanding(), revision, EVERYTHING) as wire:
        assert await said(wire, "files", user) == "files"
    assert user.asked[0]["params"] == {"mode": "url", "message": "Connect", "url": URL}


@pytest.mark.parametrize("revision", ALL)
async def test_a_client_that_opens_no_urls_is_not_sent_to_one(revision: str) -> None:
    async with serving(demanding(), revision, FORMS_ONLY) as wire:
        message = await wire.ask("tools/call", {"name": "files", "arguments": {}})
        if revision in NEW:
            assert message["error"]["code"] == -32021
        else:
            assert message["result"]["isError"]


@pytest.mark.parametrize("revision", NAMED + NEW)
@pytest.mark.requirement("elicitation.required-error-only-then", revisions=NAMED)
async def test_that_code_is_for_nothing_else(revision: str) -> None:
    async with serving(demanding(), revision, EVERYTHING) as wire:
        assert (await wire.error("tools/call", {"name": "pretend", "arguments": {}}))["code"] == -32603


@pytest.mark.parametrize("revision", NAMELESS)
async def test_revisions_without_urls_fail_in_a_way_that_says_so(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def connect(ctx: Context) -> str:
        return (await ctx.elicit_url("Connect", URL)).action

    async with serving(server, revision, EVERYTHING) as wire:
        result = await called(wire, "connect", Seen())
        assert result["isError"]
        assert "elicitation.url" in result["content"][0]["text"]


def test_the_error_names_visits_and_nothing_else() -> None:
    for bad in ([], [{"url": URL}], [{"message": "x"}], [{"message": "x", "url": URL, "mode": "url"}]):
        with pytest.raises(ValueError, match="elicitation"):
            UrlElicitationRequired("no", bad)
