"""Polling (2025-11-25): a handler lets its client go, which comes back for the answer; and answers that are streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from mcport import Context, Server
from mcport.core.jsonrpc import parse_json
from mcport.stores.events import MemoryEvents

from .bridge import Answer, ask, asked, stateless
from .raw_session import accept, call, message, session

pytestmark = pytest.mark.anyio

STREAMABLE = ["2025-03-26", "2025-06-18", "2025-11-25"]


class Slow:
    """A server whose tools let the client go; they go on when `go_on` is set."""

    def __init__(self) -> None:
        self.go_on = anyio.Event()
        self.made = Server("s")

        @self.made.tool
        async def long(ctx: Context, retry: float | None = None) -> str:
            """Take long."""
            await ctx.close_stream(retry)
            await self.go_on.wait()
            await ctx.info("nearly")
            return "done"

        @self.made.tool
        def asking(ctx: Context) -> str:
            """Let the client go, and ask."""
            ctx.blocking.close_stream(0.25)
            return f"Hello {ctx.blocking.elicit('Who?', str).data}"

        @self.made.tool
        async def waiting() -> str:
            """Wait without a word."""
            await self.go_on.wait()
            return "waited"

        @self.made.tool
        async def quick() -> str:
            """Be quick."""
            return "quick"


async def raw_events(answer: Answer) -> list[Any]:
    found = []
    try:
        while True:
            found.append(await answer.raw_event())
    except anyio.EndOfStream:
        return found


@pytest.mark.requirement("http.sse.prime-event")
@pytest.mark.requirement("http.sse.retry-field-sent")
@pytest.mark.requirement("http.sse.server-may-close-connection")
@pytest.mark.requirement("http.resume.replay", revisions=["2025-11-25"])
@pytest.mark.requirement("http.resume.event-id-encodes-stream")
async def test_a_client_that_is_let_go_comes_back_for_the_rest() -> None:
    slow = Slow()
    app = slow.made.asgi()
    async with session(app) as opened:
        async with opened.post(call("long", retry=2.5)) as answer:
            events = await raw_events(answer)
            assert [(event.data, bool(event.id)) for event in events] == [(b"", True), (b"", True)]
            assert answer.retry == 2.5
        slow.go_on.set()
        async with opened.get(answer.last_event_id) as answer:
            said, last = await answer.events()
        assert (said["params"]["data"], last["result"]["content"][0]["text"]) == ("nearly", "done")
    await app.aclose()


async def test_a_plain_function_lets_its_client_go_as_well_and_asks_when_it_is_back() -> None:
    slow = Slow()
    app = slow.made.asgi()
    async with session(app, elicitation={}) as opened:
        async with opened.post(call("asking")) as answer:
            # A question that is quicker than the end of the first stream still comes there.
            quick = [parse_json(event.data) for event in await raw_events(answer) if event.data]
            assert answer.retry == 0.25
        async with opened.get(answer.last_event_id) as answer:
            await opened.tell(accept(quick[0] if quick else await answer.event(), "Ada"))
            (last,) = await answer.events()
        assert last["result"]["content"][0]["text"] == "Hello Ada"
    await app.aclose()


@pytest.mark.requirement("http.get.retry-before-close")
async def test_a_stream_that_the_server_may_close_says_first_when_to_come_back() -> None:
    slow = Slow()
    app = slow.made.asgi()
    async with session(app) as opened, opened.get() as first:
        primed = await first.raw_event()
        assert (primed.data, bool(primed.id), first.retry is not None) == (b"", True, True)
        async with opened.get(primed.id) as second:  # the one before is closed, and the session goes on
            assert await raw_events(first) == []
            slow.made.notify_tools_changed()
            assert (await second.event())["method"] == "notifications/tools/list_changed"
    await app.aclose()


@pytest.mark.requirement("http.sse.no-close-before-response")
@pytest.mark.parametrize("revision", ["2025-03-26", "2025-06-18"])
async def test_older_clients_are_not_let_go(revision: str) -> None:
    slow = Slow()
    slow.go_on.set()
    app = slow.made.asgi()
    async with session(app, revision) as opened, opened.post(call("long")) as answer:
        assert (await answer.events())[-1]["result"]["content"][0]["text"] == "done"
    await app.aclose()


async def test_stateless_clients_are_not_let_go() -> None:
    slow = Slow()
    slow.go_on.set()
    app = slow.made.asgi()
    async with ask(app, **stateless("tools/call", name="long", arguments={})) as answer:
        assert (await answer.json())["result"]["content"][0]["text"] == "done"
    await app.aclose()


async def test_a_time_that_is_none_is_refused() -> None:
    slow = Slow()
    app = slow.made.asgi()
    async with session(app) as opened:
        result = await opened.result(call("long", retry=-1))
        assert result["isError"]
    await app.aclose()


@pytest.mark.requirement("http.response.content-type", revisions=STREAMABLE)
@pytest.mark.requirement("http.sse.close-after-response", revisions=STREAMABLE)
@pytest.mark.requirement("http.sse.eventual-response", revisions=STREAMABLE)
@pytest.mark.requirement("http.resume.event-ids", revisions=STREAMABLE)
@pytest.mark.requirement("http.notification.accepted-202", revisions=STREAMABLE, reason="each kind of message in turn")
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_every_answer_is_a_stream_where_the_server_is_set_to(revision: str) -> None:
    app = Slow().made.asgi(answers="stream")
    async with session(app, revision) as opened:
        for body in (call("quick"), message("ping")):
            async with opened.post(body) as answer:
                events = await raw_events(answer)
                assert all(event.id for event in events)
                said = [event.data for event in events]
                assert said[:-1] == ([b""] if revision == "2025-11-25" else [])
                assert "result" in parse_json(said[-1])
        async with opened.post(message("notifications/x", None)) as answer:
            assert (answer.status, await answer.body()) == (202, b"")
        await opened.tell(b'{"jsonrpc":"2.0","id":"nobody","result":{}}')
    await app.aclose()


async def test_an_answer_that_is_there_at_once_is_one_piece_and_can_be_fetched_by_whom_it_did_not_reach() -> None:
    app = Slow().made.asgi(answers="stream")
    async with session(app) as opened:
        async with opened.post(call("quick")) as answer:
            assert "content-length" in answer.headers
            begun, last = await raw_events(answer)
        assert answer.retry == 1.0
        async with opened.get(begun.id) as answer:
            assert [(event.id, event.data) for event in await raw_events(answer)] == [(last.id, last.data)]
        async with opened.get(last.id) as answer:
            assert await raw_events(answer) == []
    await app.aclose()


async def test_a_stream_whose_answer_takes_its_time_has_begun_before() -> None:
    slow = Slow()
    app = slow.made.asgi(answers="stream")
    async with session(app) as opened, opened.post(call("waiting")) as answer:
        begun = await answer.raw_event()
        assert (begun.data, bool(begun.id)) == (b"", True)
        slow.go_on.set()
        (last,) = await answer.events()
        assert last["result"]["content"][0]["text"] == "waited"
    await app.aclose()


class LateEvents(MemoryEvents):
    """A store that writes when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = anyio.Event(), anyio.Event()

    async def append(self, log: str, events: Sequence[bytes], seconds: float) -> int:
        self.asked.set()
        await self.go_on.wait()
        return await super().append(log, events, seconds)


async def test_an_answer_that_is_being_written_down_is_not_begun_a_second_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcport.transports.http.server.watch.WATCH_SECONDS", 1000.0)
    slow, events = Slow(), LateEvents()
    app = slow.made.asgi(answers="stream", events=events)
    async with session(app) as opened, asked(app, call("waiting"), opened.headers) as answer:
        (residence,) = app._residences._here.values()
        await anyio.wait_all_tasks_blocked()
        residence.watch._look()  # from now on it is an old request
        slow.go_on.set()
        await events.asked.wait()
        residence.watch._look()
        events.go_on.set()
        await answer.started.wait()
        assert "content-length" in answer.headers
        assert [bool(event.data) for event in await raw_events(answer)] == [False, True]
    await app.aclose()


@pytest.mark.parametrize("setting", [{"answers": "xml"}, {"session_seconds": 0}, {"session_seconds": float("inf")}])
async def test_a_setting_that_is_none_is_refused_in_one_line(setting: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(setting))) as refused:
        Server("s").asgi(**setting)
    assert "\n" not in str(refused.value)


@pytest.mark.requirement("http.get.retry-before-close", revisions=["2025-11-25"])
@pytest.mark.requirement("http.get.server-may-close", revisions=["2025-11-25"])
async def test_a_stream_that_is_only_disconnected_has_said_before_when_to_come_back() -> None:
    app = Server("s").asgi()
    async with session(app) as opened:
        last = None
        for _ in "begun", "gone on with":
            async with opened.get(last) as hearing:
                last = (await hearing.raw_event()).id
                assert (last != "", hearing.retry) == (True, 1.0)
                await app.aclose()
                assert await hearing.events() == []
            assert await opened.result(message("ping")) == {}
    await app.aclose()


@pytest.mark.requirement("http.headers.missing-version-legacy", revisions=["2026-07-28"])
async def test_a_request_without_a_version_is_served_in_the_version_of_its_session() -> None:
    app = Server("s").asgi()
    async with session(app, "2025-03-26") as opened:
        del opened.headers["mcp-protocol-version"]
        async with opened.post(b"[" + message("ping") + b"]") as answer:
            assert (answer.status, [each["result"] for each in await answer.json()]) == (200, [{}])
    await app.aclose()
