"""Streams of the stateless era: each carries what belongs to its request, and ends with it."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from mcport import Context, Server
from mcport.core.dialects.contract import META_CAPABILITIES, META_LOG_LEVEL, META_SUBSCRIPTION

from .bridge import Answer, ask, stateless

pytestmark = pytest.mark.anyio

LISTEN = "subscriptions/listen"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
NOTE = "note://1"


class Board:
    """A server whose tool takes a step, and the next one when `go_on` is set."""

    def __init__(self) -> None:
        self.began, self.go_on, self.stopped = anyio.Event(), anyio.Event(), anyio.Event()
        self.made = Server("board", log_level="debug")
        self.made.resource(NOTE)(self.note)

        @self.made.prompt
        def ask() -> str:
            """Ask."""
            return "?"

        @self.made.tool
        async def walk(ctx: Context) -> str:
            """Walk."""
            await ctx.report_progress(1)
            await ctx.info("on the way")
            self.began.set()
            try:
                await self.go_on.wait()
            finally:
                self.stopped.set()
            await ctx.report_progress(2)
            return "there"

    def note(self) -> str:
        """Tell."""
        return "told"

    @property
    def listeners(self) -> int:
        """How many listening requests are known of."""
        return sum(len(audience) for audience in self.made._telling._audiences)


def listening(id: int, **wanted: Any) -> dict[str, Any]:
    return stateless(LISTEN, id, notifications=wanted)


def walking(id: int) -> dict[str, Any]:
    return stateless("tools/call", id, {"progressToken": id, META_LOG_LEVEL: "info"}, name="walk")


async def acknowledged(answer: Answer) -> Any:
    first = await answer.event()
    assert first["method"] == ACKNOWLEDGED
    return first["params"]


@pytest.mark.requirement("http.sse.messages-relate", revisions=["2026-07-28"])
@pytest.mark.requirement("subscriptions.no-request-scoped")
@pytest.mark.requirement("subscriptions.only-requested-types")
@pytest.mark.requirement("http.response.content-type", revisions=["2026-07-28"])
@pytest.mark.requirement("logging.own-stream-only", revisions=["2026-07-28"])
async def test_each_stream_carries_what_belongs_to_its_request() -> None:
    board = Board()
    app = board.made.asgi()
    async with (
        ask(app, **listening(1, toolsListChanged=True)) as tools,
        ask(app, **listening(2, promptsListChanged=True, resourceSubscriptions=[NOTE])) as others,
        ask(app, **walking(3)) as one,
        ask(app, **walking(4)) as two,
    ):
        await board.began.wait()
        board.made.notify_tools_changed()
        board.made.notify_prompts_changed()
        board.made.notify_resource_updated(NOTE)
        board.go_on.set()
        for id, answer in ((3, one), (4, two)):
            assert answer.headers["content-type"] == "text/event-stream"
            *said, last = await answer.events()
            assert [each["params"].get("progressToken", "log") for each in said] == [id, "log", id]
            assert last["id"] == id
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.aclose)
            heard = [await answer.events() for answer in (tools, others)]
    for id, (first, *changes, last) in zip((1, 2), heard, strict=True):
        assert first["method"] == ACKNOWLEDGED
        assert {each["params"]["_meta"][META_SUBSCRIPTION] for each in changes} == {id}
        assert last["id"] == id
    assert [[each["method"].split("/")[1] for each in changes] for _, *changes, _ in heard] == [
        ["tools"],
        ["prompts", "resources"],
    ]


@pytest.mark.requirement("subscriptions.acknowledged-first")
@pytest.mark.requirement("subscriptions.nothing-before-ack")
@pytest.mark.requirement("subscriptions.ack-subset")
@pytest.mark.requirement("subscriptions.multiple")
async def test_a_stream_begins_with_what_it_will_tell() -> None:
    board = Board()
    app = board.made.asgi()
    for _ in range(5):
        board.made.notify_tools_changed()
        async with ask(app, **listening(1, toolsListChanged=True, resourceSubscriptions=[NOTE, "x:y"])) as answer:
            board.made.notify_tools_changed()
            agreed = await acknowledged(answer)
            assert agreed["notifications"] == {"toolsListChanged": True, "resourceSubscriptions": [NOTE]}
    await app.aclose()


@pytest.mark.requirement("subscriptions.ends-on-client-cancel")
@pytest.mark.requirement("subscriptions.scoped-to-request")
@pytest.mark.requirement("cancel.http.close-is-cancel")
async def test_closing_a_stream_ends_its_subscription_and_no_other() -> None:
    board = Board()
    app = board.made.asgi()
    async with ask(app, **listening(1, toolsListChanged=True)) as staying:
        await acknowledged(staying)
        async with ask(app, **listening(1, toolsListChanged=True)) as leaving:
            await acknowledged(leaving)
            assert board.listeners == 2
        assert board.listeners == 1
        board.made.notify_tools_changed()
        assert (await staying.event())["method"] == "notifications/tools/list_changed"
    assert board.listeners == 0
    await app.aclose()


@pytest.mark.requirement("subscriptions.graceful-response")
@pytest.mark.requirement("cancel.server-only-for-listen")
async def test_a_stream_that_the_server_ends_closes_with_a_result() -> None:
    board = Board()
    app = board.made.asgi()
    async with ask(app, **listening(5, toolsListChanged=True)) as answer:
        await acknowledged(answer)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(app.aclose)
            (last,) = await answer.events()  # and then the stream is at its end
    assert (last["id"], last["result"]["resultType"]) == (5, "complete")
    assert last["result"]["_meta"][META_SUBSCRIPTION] == 5


@pytest.mark.requirement("cancel.http.close-is-cancel")
@pytest.mark.requirement("cancel.server-stops-work", revisions=["2026-07-28"])
@pytest.mark.requirement("cancel.no-response", revisions=["2026-07-28"])
async def test_leaving_in_the_middle_of_a_stream_withdraws_its_request_alone() -> None:
    left, stayed = Board(), Board()
    apps = left.made.asgi(), stayed.made.asgi()
    async with ask(apps[1], **walking(1)) as staying:
        with anyio.fail_after(5):
            async with ask(apps[0], **walking(1)) as answer:
                assert (await answer.event())["method"] == "notifications/progress"
                await left.began.wait()
                answer.leave.set()
                await left.stopped.wait()
        assert b'"id"' not in b"".join(answer.chunks)
        stayed.go_on.set()
        assert (await staying.events())[-1]["id"] == 1
    for app in apps:
        await app.aclose()


@pytest.mark.requirement("cancel.ignore-invalid", revisions=["2026-07-28"])
@pytest.mark.requirement("cancel.receiver-may-ignore", revisions=["2026-07-28"])
async def test_a_cancellation_that_is_posted_withdraws_nothing() -> None:
    board = Board()
    app = board.made.asgi()
    async with ask(app, **walking(1)) as answer:
        await board.began.wait()
        for params in ({"requestId": 1}, {"requestId": 99}, {}):
            told = stateless("notifications/cancelled", **dict[str, Any](params))
            body = told["body"].replace(b'"id":1,', b"")
            async with ask(app, body, told["headers"]) as taken:
                assert (taken.status, await taken.body()) == (202, b"")
        board.go_on.set()
        assert (await answer.events())[-1]["result"]["content"][0]["text"] == "there"
    await app.aclose()


@pytest.mark.requirement("stateless.no-same-connection-needed")
@pytest.mark.requirement("stateless.many-conversations")
async def test_what_belongs_together_may_come_to_any_worker_in_any_order() -> None:
    asked: list[str] = []

    def worker() -> Any:
        made = Server("s", seal_key=b"k" * 32)

        @made.tool
        async def greet(ctx: Context, whom: str) -> str:
            """Greet."""
            asked.append(whom)
            return f"{whom} and {(await ctx.elicit(f'Who else but {whom}?', str)).data}"

        return made.asgi()

    workers = [worker(), worker()]
    meta: dict[str, Any] = {META_CAPABILITIES: {"elicitation": {"form": {}}}}
    questions: dict[str, Any] = {}
    for number, whom in enumerate(("Ada", "Bob")):
        request = stateless("tools/call", 1, meta, name="greet", arguments={"whom": whom})
        async with ask(workers[number], **request) as answer:
            questions[whom] = (await answer.json())["result"]
    for number, whom in enumerate(("Bob", "Ada")):
        result = questions[whom]
        answers = {key: {"action": "accept", "content": {"value": "me"}} for key in result["inputRequests"]}
        again = {"inputResponses": answers, "requestState": result["requestState"]}
        request = stateless("tools/call", 1, meta, name="greet", arguments={"whom": whom}, **again)
        async with ask(workers[number], **request) as answer:
            assert (await answer.json())["result"]["content"][0]["text"] == f"{whom} and me"
    assert asked == ["Ada", "Bob", "Bob", "Ada"]
    for app in workers:
        await app.aclose()
