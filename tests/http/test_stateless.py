"""The stateless era over HTTP, as the bytes are: what comes back for a POST."""

from __future__ import annotations

import anyio
import pytest

from mcport import Context, Server
from mcport.core.dialects.contract import META_CAPABILITIES, META_VERSION

from .bridge import STATELESS_VERSION, ask, asked, stateless
from .raw_session import message, session

pytestmark = pytest.mark.anyio


def weather() -> Server:
    server = Server("weather")

    @server.tool
    async def forecast(city: str) -> str:
        """Forecast."""
        return f"Sunny in {city}"

    @server.tool
    async def slow(ctx: Context) -> str:
        """Report progress."""
        for step in range(3):
            await ctx.report_progress(step + 1, 3)
        return "done"

    return server


@pytest.mark.requirement("http.response.content-type", revisions=["2026-07-28"])
async def test_a_request_is_answered_with_one_piece_of_json() -> None:
    app = weather().asgi()
    async with ask(app, **stateless("tools/call", name="forecast", arguments={"city": "Lyon"})) as answer:
        assert answer.status == 200
        said = await answer.json()
    assert said["id"] == 1
    assert said["result"]["content"][0]["text"] == "Sunny in Lyon"
    assert "mcp-session-id" not in answer.headers
    await app.aclose()


@pytest.mark.requirement("http.sse.messages-before-response", revisions=["2026-07-28"])
@pytest.mark.requirement("http.sse.messages-relate", revisions=["2026-07-28"])
@pytest.mark.requirement("http.sse.x-accel-buffering")
@pytest.mark.requirement("http.sse.close-after-response", revisions=["2026-07-28"])
async def test_what_is_said_before_the_answer_makes_a_stream_of_it() -> None:
    app = weather().asgi()
    async with ask(app, **stateless("tools/call", name="slow", meta={"progressToken": "p"})) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["x-accel-buffering"] == "no"
        *progress, last = await answer.events()
    assert [each["params"]["progress"] for each in progress] == [1, 2, 3]
    assert {each["params"]["progressToken"] for each in progress} == {"p"}
    assert last["result"]["content"][0]["text"] == "done"
    await app.aclose()


@pytest.mark.requirement("http.method-not-found-404")
@pytest.mark.parametrize("method", ["ping", "logging/setLevel", "unknown/method"])
async def test_a_method_that_there_is_not_is_404(method: str) -> None:
    app = weather().asgi()
    async with ask(app, **stateless(method)) as answer:
        assert answer.status == 404
        assert (await answer.json())["error"]["code"] == -32601
    await app.aclose()


@pytest.mark.requirement("cancel.http.close-is-cancel")
@pytest.mark.requirement("cancel.server-stops-work", revisions=["2026-07-28"])
@pytest.mark.requirement("cancel.no-response", revisions=["2026-07-28"])
async def test_leaving_withdraws_the_request() -> None:
    server, begun, stopped = Server("s"), anyio.Event(), anyio.Event()

    @server.tool
    async def wait() -> None:
        """Wait."""
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    app = server.asgi()
    with anyio.fail_after(5):
        async with asked(app, **stateless("tools/call", name="wait")) as answer:
            await begun.wait()
            answer.leave.set()
            await stopped.wait()
    assert not answer.started.is_set()
    await app.aclose()


async def test_listening_stays_open_and_ends_with_its_result_when_the_server_goes() -> None:
    server = weather()
    app = server.asgi()
    asked = stateless("subscriptions/listen", id=7, notifications={"toolsListChanged": True})
    async with ask(app, **asked) as answer:
        assert (await answer.event())["method"] == "notifications/subscriptions/acknowledged"
        server.notify_tools_changed()
        changed = await answer.event()
        assert changed["method"] == "notifications/tools/list_changed"
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.aclose)
            (last,) = await answer.events()
        assert last["id"] == 7
        assert last["result"]["resultType"] == "complete"


def curious() -> Server:
    server = Server("s")

    @server.tool
    async def greet(ctx: Context) -> str:
        """Ask for a name."""
        await ctx.report_progress(1)
        return f"Hello {(await ctx.elicit('Who?', str)).data}"

    return server


@pytest.mark.requirement("http.sse.no-server-requests")
async def test_a_stream_brings_no_question_but_a_result_that_asks() -> None:
    app = curious().asgi()
    meta = {META_CAPABILITIES: {"elicitation": {"form": {}}}, "progressToken": 5}
    async with ask(app, **stateless("tools/call", meta=meta, name="greet")) as answer:
        progress, last = await answer.events()
    assert "id" not in progress
    assert last["result"]["resultType"] == "input_required"
    await app.aclose()


@pytest.mark.requirement("meta.capabilities.missing-http-400")
async def test_a_client_that_cannot_be_asked_is_refused_with_400() -> None:
    app = curious().asgi()
    async with ask(app, **stateless("tools/call", name="greet")) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, -32021)
    await app.aclose()


@pytest.mark.requirement("meta.request.missing-field-http-400")
async def test_a_request_that_does_not_say_what_its_client_can_is_refused_with_400() -> None:
    app = weather().asgi()
    body = message("tools/list", _meta={META_VERSION: STATELESS_VERSION})
    async with ask(app, body, stateless("tools/list")["headers"]) as answer:
        assert (answer.status, (await answer.json())["error"]["code"]) == (400, -32602)
    await app.aclose()


@pytest.mark.requirement("era.server.dual")
@pytest.mark.requirement("era.server.concurrent")
async def test_one_endpoint_serves_both_eras_at_the_same_time() -> None:
    app = weather().asgi()
    async with session(app) as opened, opened.get():
        async with ask(app, **stateless("tools/list")) as answer:
            tools = (await answer.json())["result"]["tools"]
        assert [each["name"] for each in (await opened.result(message("tools/list")))["tools"]] == [
            each["name"] for each in tools
        ]
    await app.aclose()
