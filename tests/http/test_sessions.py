"""The handshake era over HTTP: sessions, their streams, and what comes back to them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import anyio
import pytest
from pydantic_core import to_json

from mcport import Context, Server
from mcport.stores.events import MemoryEvents
from mcport.stores.sessions import MemorySessions

from .bridge import Answer, ask, asked
from .raw_session import STREAM, Session, call, initialize, message, session

pytestmark = pytest.mark.anyio

STREAMABLE = ["2025-03-26", "2025-06-18", "2025-11-25"]


def server() -> Server:
    made = Server("s")

    @made.tool
    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @made.tool
    async def steps(ctx: Context) -> str:
        """Report progress."""
        for step in range(3):
            await ctx.report_progress(step + 1, 3)
        return "done"

    @made.tool
    async def greet(ctx: Context) -> str:
        """Ask for a name."""
        asked = await ctx.elicit("Who are you?", str)
        return f"Hello {asked.data}" if asked.accepted else "Hello nobody"

    return made


@pytest.mark.requirement("http.session.terminated-404", revisions=STREAMABLE)
@pytest.mark.requirement("http.response.content-type", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_a_session_is_opened_used_and_ended(revision: str) -> None:
    app = server().asgi()
    async with session(app, revision) as opened:
        async with opened.post(call("add", a=1, b=2)) as answer:
            assert answer.headers["content-type"] == "application/json"
            assert (await answer.json())["result"]["content"][0]["text"] == "3"
        async with opened.delete() as answer:
            assert answer.status == 204
        for request in (opened.post(call("add", a=1, b=2)), opened.get(), opened.delete()):
            async with request as answer:
                assert answer.status == 404
    await app.aclose()


@pytest.mark.parametrize("headers", [{"mcp-session-id": "unknown"}, {"mcp-session-id": "x" * 500}])
async def test_a_session_that_there_is_not_is_404(headers: dict[str, str | None]) -> None:
    app = server().asgi()
    async with ask(app, call("add", a=1, b=2), headers) as answer:
        assert answer.status == 404
    await app.aclose()


async def test_a_message_without_a_session_is_400() -> None:
    app = server().asgi()
    async with ask(app, call("add", a=1, b=2)) as answer:
        assert answer.status == 400
        assert "mcp-session-id is missing" in (await answer.json())["error"]["message"]
    await app.aclose()


@pytest.mark.requirement("http.sse.messages-before-response", revisions=STREAMABLE)
@pytest.mark.requirement("http.response.content-type", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_what_is_said_before_the_answer_makes_a_stream_of_it(revision: str) -> None:
    app = server().asgi()
    async with session(app, revision) as opened, opened.post(call("steps", meta={"progressToken": 5})) as answer:
        *progress, last = await answer.events()
    assert [each["params"]["progress"] for each in progress] == [1, 2, 3]
    assert last["result"]["content"][0]["text"] == "done"
    await app.aclose()


def reply_to(question: dict[str, Any], result: dict[str, Any]) -> bytes:
    return to_json({"jsonrpc": "2.0", "id": question["id"], "result": result})


async def reply(opened: Session, question: dict[str, Any], name: str) -> None:
    answer = reply_to(question, {"action": "accept", "content": {"value": name}})
    async with opened.post(answer) as taken:
        assert taken.status == 202


async def test_p20_a_tool_asks_on_the_stream_of_its_request_and_the_answer_is_posted() -> None:
    app = server().asgi()
    async with session(app, elicitation={}) as opened, opened.post(call("greet")) as answer:
        question = await answer.event()
        assert question["method"] == "elicitation/create"
        await reply(opened, question, "Ada")
        (last,) = await answer.events()
    assert last["result"]["content"][0]["text"] == "Hello Ada"
    await app.aclose()


class Walk:
    """A server with a tool that takes a step, and the next one when `go_on` is set."""

    def __init__(self) -> None:
        self.go_on = anyio.Event()
        self.made = server()

        @self.made.tool
        async def walk(ctx: Context) -> str:
            """Walk."""
            await ctx.report_progress(1)
            await self.go_on.wait()
            await ctx.report_progress(2)
            return "there"


@pytest.mark.requirement("http.disconnect-not-cancel", revisions=STREAMABLE)
@pytest.mark.requirement("http.sse.resumable", revisions=STREAMABLE)
@pytest.mark.requirement("http.resume.replay", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_leaving_is_no_cancellation_and_what_was_missed_is_fetched_later(revision: str) -> None:
    walk = Walk()
    app = walk.made.asgi()
    async with session(app, revision) as opened:
        async with opened.post(call("walk", meta={"progressToken": 5})) as answer:
            assert (await answer.event())["params"]["progress"] == 1
            last = answer.last_event_id
        walk.go_on.set()
        async with opened.get(last) as answer:
            step, fetched = await answer.events()
    assert step["params"]["progress"] == 2
    assert fetched["result"]["content"][0]["text"] == "there"
    await app.aclose()


@pytest.mark.requirement("http.streams.no-broadcast", revisions=STREAMABLE)
@pytest.mark.requirement("http.sse.messages-relate", revisions=STREAMABLE)
@pytest.mark.requirement("http.get.server-messages", revisions=STREAMABLE)
@pytest.mark.requirement("http.get.unrelated-messages", revisions=STREAMABLE)
@pytest.mark.requirement(
    "http.get.no-responses", revisions=STREAMABLE, reason="sides of one rule: to each stream its own"
)
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_each_message_goes_to_one_stream_and_to_the_one_that_it_belongs_to(revision: str) -> None:
    walk = Walk()
    app = walk.made.asgi()
    async with session(app, revision) as opened, opened.get() as hearing:
        first, second = (opened.post(call("walk", id, {"progressToken": id})) for id in (1, 2))
        async with first as one, second as two:
            walk.made.notify_tools_changed()
            walk.go_on.set()
            for id, answer in ((1, one), (2, two)):
                *steps, last = await answer.events()
                assert [each["params"]["progressToken"] for each in steps] == [id, id]
                assert last["id"] == id
        async with opened.delete():
            heard = await hearing.events()
    assert [each["method"] for each in heard] == ["notifications/tools/list_changed"]
    await app.aclose()


@pytest.mark.requirement("http.resume.event-id-unique", revisions=STREAMABLE)
@pytest.mark.requirement("http.resume.no-cross-stream-replay", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_no_two_events_have_one_id_and_what_is_fetched_is_of_that_stream_alone(revision: str) -> None:
    walk, sessions, events = Walk(), MemorySessions(), MemoryEvents()
    app, other = (walk.made.asgi(sessions=sessions, events=events) for _ in range(2))
    ids: list[str] = []
    async with session(app, revision) as opened, opened.get() as hearing, AsyncExitStack() as streams:
        answers = [
            await streams.enter_async_context(opened.post(call("walk", id, {"progressToken": id}), at))
            for id, at in enumerate((app, app, other))
        ]
        ids += [await id_after_event(answer) for answer in answers]
        walk.go_on.set()
        ids += [await id_after_event(answer) for answer in (*answers, *answers)]
        walk.made.notify_tools_changed()
        ids.append(await id_after_event(hearing))
        assert len(set(ids)) == len(ids) == 10
        for id in range(3):
            async with opened.get(ids[id]) as answer:
                step, last = await answer.events()
            assert (step["params"]["progressToken"], last["id"]) == (id, id)
    for each in (app, other):
        await each.aclose()


async def id_after_event(answer: Answer) -> str:
    """Take a message, and return the id of its event."""
    await answer.event()
    return answer.last_event_id


@pytest.mark.requirement("http.get.server-messages", revisions=["2025-11-25"])
@pytest.mark.requirement("http.get.unrelated-messages", revisions=["2025-11-25"])
async def test_p21_changes_come_on_the_stream_of_the_session() -> None:
    made = server()
    app = made.asgi()
    async with session(app) as opened, opened.get() as answer:
        made.notify_tools_changed()
        assert (await answer.event())["method"] == "notifications/tools/list_changed"
        async with opened.delete() as deleted:
            assert deleted.status == 204
        assert await answer.events() == []
    await app.aclose()


@pytest.mark.requirement("lifecycle.server-waits", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_nothing_is_told_on_a_stream_before_the_client_says_that_it_is_ready(revision: str) -> None:
    made = server()
    app = made.asgi()
    async with ask(app, initialize(revision)) as answer:
        opened = Session(app, answer.headers["mcp-session-id"], revision)
    async with opened.get() as hearing:
        made.notify_tools_changed()
        await anyio.wait_all_tasks_blocked()
        await opened.tell(message("notifications/initialized", None))
        made.notify_prompts_changed()
        async with opened.delete():
            said = [each["method"] for each in await hearing.events()]
    assert "notifications/tools/list_changed" not in said
    await app.aclose()


async def test_a_stream_of_a_session_goes_on_where_it_broke_off() -> None:
    made = server()
    app = made.asgi()
    async with session(app) as opened:
        async with opened.get() as answer:
            made.notify_tools_changed()
            await answer.event()
            last = answer.last_event_id
        made.notify_prompts_changed()
        made.notify_tools_changed()
        async with opened.get(last) as answer:
            missed = [(await answer.event())["method"] for _ in range(1)]
            assert missed == ["notifications/tools/list_changed"]
            made.notify_tools_changed()
            assert (await answer.event())["method"] == "notifications/tools/list_changed"
    await app.aclose()


@pytest.mark.requirement("cancel.server-stops-work", revisions=STREAMABLE)
@pytest.mark.requirement("cancel.no-response", revisions=STREAMABLE)
@pytest.mark.parametrize("revision", STREAMABLE)
@pytest.mark.parametrize("streams", [False, True])
async def test_a_cancelled_request_gets_no_answer(revision: str, streams: bool) -> None:
    made, begun, stopped = server(), anyio.Event(), anyio.Event()

    @made.tool
    async def wait(ctx: Context) -> None:
        """Wait."""
        if streams:
            await ctx.report_progress(1)
        begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()

    app = made.asgi()
    body = call("wait", 9, meta={"progressToken": 5})
    async with session(app, revision) as opened, asked(app, body, opened.headers) as answer:
        await begun.wait()
        await opened.tell(message("notifications/cancelled", None, requestId=9, reason="enough"))
        with anyio.fail_after(5):
            await stopped.wait()
            await answer.started.wait()
        if streams:
            assert [each["method"] for each in await answer.events()] == ["notifications/progress"]
        else:
            assert b"result" not in await answer.body()
        assert await opened.result(message("ping")) == {}
    await app.aclose()


@pytest.mark.requirement("batch.responses-may-be-batched")
async def test_a_batch_is_answered_by_a_batch_where_there_are_batches() -> None:
    app = server().asgi()
    batch = b"[%b,%b,%b]" % (call("add", 1, a=1, b=2), call("add", 2, a=3, b=4), message("notifications/x", None))
    async with session(app, "2025-03-26") as opened, opened.post(batch) as answer:
        assert [each["id"] for each in await answer.json()] == [1, 2]
    async with session(app, "2025-06-18") as opened, opened.post(batch) as answer:
        assert answer.status == 400
    await app.aclose()


@pytest.mark.requirement("http.sse.messages-before-response", revisions=["2025-03-26"])
@pytest.mark.requirement("http.sse.eventual-response", revisions=["2025-03-26"])
@pytest.mark.requirement("http.sse.close-after-response", revisions=["2025-03-26"])
@pytest.mark.requirement("http.response.content-type", revisions=["2025-03-26"])
@pytest.mark.requirement("batch.receive", revisions=["2025-03-26"])
async def test_the_stream_of_a_batch_ends_with_the_last_of_its_answers() -> None:
    walk = Walk()
    app = walk.made.asgi()
    batch = b"[%b,%b]" % (call("walk", 1, {"progressToken": 1}), call("walk", 2, {"progressToken": 2}))
    async with session(app, "2025-03-26") as opened, opened.post(batch) as answer:
        first = await answer.event()
        walk.go_on.set()
        said = [first, *await answer.events()]
    messages = [each for one in said for each in (one if isinstance(one, list) else [one])]
    for id in (1, 2):
        steps = [each for each in messages if each.get("params", {}).get("progressToken") == id]
        assert [each["params"]["progress"] for each in steps] == [1, 2]
    assert sorted(each["id"] for each in messages if "id" in each) == [1, 2]
    assert "id" in messages[-1]
    await app.aclose()


async def test_streams_end_when_the_server_goes() -> None:
    app = server().asgi()
    async with session(app) as opened, opened.get() as answer, anyio.create_task_group() as tasks:
        tasks.start_soon(app.aclose)
        with anyio.fail_after(5):
            assert await answer.events() == []


@pytest.mark.parametrize("last", ["nonsense", "x.", ".1", "p.x", "p.-1", "p." + "1" * 16, "p" * 100 + ".1", "p.²"])
async def test_an_event_id_that_is_not_of_this_server_is_400(last: str) -> None:
    app = server().asgi()
    async with (
        session(app) as opened,
        ask(app, b"", {**opened.headers, **STREAM, "last-event-id": last}, method="GET") as answer,
    ):
        assert answer.status == 400
        assert "is not of this server" in (await answer.json())["error"]["message"]
    await app.aclose()


async def test_a_stream_that_is_not_known_any_more_cannot_be_gone_on_with_and_that_of_a_session_begins_anew() -> None:
    made = server()
    app = made.asgi(events=MemoryEvents(most_events=1))
    async with session(app) as opened:
        async with opened.post(call("steps", meta={"progressToken": 5})) as answer:
            first = (await answer.raw_event()).id
        async with opened.get(first) as answer:
            assert answer.status == 400
            assert "cannot be continued" in (await answer.json())["error"]["message"]
        async with opened.get() as answer:
            begun = (await answer.raw_event()).id
            for number in range(3):
                made.notify("com.example/x", {"number": number})
                await answer.event()
        async with opened.get(begun) as answer:
            assert answer.status == 200
            assert (await answer.event())["method"] == "notifications/tools/list_changed"
    await app.aclose()


async def test_a_stream_that_begins_anew_in_place_of_another_says_first_that_anything_may_have_changed() -> None:
    made = server()

    @made.resource("note://a")
    async def note() -> str:
        return "a note"

    app = made.asgi(events=MemoryEvents(most_events=1))
    async with session(app) as opened:
        assert await opened.result(message("resources/subscribe", uri="note://a")) == {}
        async with opened.get() as answer:
            begun = (await answer.raw_event()).id
            for number in range(3):
                made.notify("com.example/x", {"number": number})
                await answer.event()
        async with opened.get(begun) as answer:
            made.notify("com.example/y")
            said = [await answer.event() for _ in range(4)]
    assert [(each["method"], each.get("params")) for each in said] == [
        ("notifications/resources/list_changed", None),
        ("notifications/resources/updated", {"uri": "note://a"}),
        ("notifications/tools/list_changed", None),
        ("com.example/y", None),
    ]
    await app.aclose()


async def test_the_latest_stream_of_a_session_counts_and_the_one_before_is_ended() -> None:
    made = server()
    app = made.asgi()
    async with session(app) as opened, opened.get() as former, opened.get() as latter:
        assert await former.events() == []
        made.notify("com.example/x")
        assert (await latter.event())["method"] == "com.example/x"
    await app.aclose()


async def test_a_client_that_hears_before_it_says_that_it_is_ready_is_told_from_then_on() -> None:
    made = server()
    app = made.asgi()
    async with ask(app, initialize()) as answer:
        opened = Session(app, answer.headers["mcp-session-id"], "2025-11-25")
    async with opened.get() as hearing:
        made.notify("com.example/early")
        await opened.tell(message("notifications/initialized", None))
        made.notify("com.example/late")
        assert (await hearing.event())["method"] == "com.example/late"
    await app.aclose()


async def test_an_answer_that_came_before_a_batch_became_a_stream_is_on_it() -> None:
    made, go_on = server(), anyio.Event()

    @made.tool
    async def later(ctx: Context) -> str:
        """Say something when the other request is answered."""
        await go_on.wait()
        await ctx.report_progress(1)
        return "later"

    app = made.asgi()
    calls = [call("add", 1, a=1, b=1), call("later", 2, {"progressToken": 5})]
    async with (
        session(app, "2025-03-26") as opened,
        asked(app, b"[" + b",".join(calls) + b"]", opened.headers) as answer,
    ):
        await anyio.wait_all_tasks_blocked()
        go_on.set()
        await answer.started.wait()
        first, progress, last = await answer.events()
        assert (first["id"], progress["method"], last["id"]) == (1, "notifications/progress", 2)
    await app.aclose()


async def test_a_request_that_was_withdrawn_ends_its_stream_for_who_comes_back() -> None:
    walk = Walk()
    app = walk.made.asgi()
    async with session(app) as opened:
        async with opened.post(call("walk", 7, {"progressToken": 5})) as answer:
            await answer.event()
            last = answer.last_event_id
        await opened.tell(message("notifications/cancelled", None, requestId=7))
        async with opened.get(last) as answer:
            assert await answer.events() == []
    await app.aclose()


async def test_a_handler_that_outlives_its_session_is_told_so_when_it_asks() -> None:
    made, told, over = Server("s"), list[str](), anyio.Event()

    @made.tool
    async def stubborn(ctx: Context) -> None:
        try:
            await ctx.report_progress(1)
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    await ctx.elicit("Still there?", str)
                except Exception as error:
                    told.append(str(error))
                over.set()

    app = made.asgi()
    async with session(app, elicitation={}) as opened, opened.post(call("stubborn", meta={"progressToken": 1})):
        with anyio.fail_after(5):
            async with opened.delete() as answer:
                assert answer.status == 204
            await over.wait()
    assert ["the session is over" in each for each in told] == [True]
    await app.aclose()
