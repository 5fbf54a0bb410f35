"""Sessions that several workers serve over shared ports, without sticky routing: any worker serves any request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from mcport import Context, Server
from mcport.session.waiting import Lost

from .bridge import ask, asked
from .raw_session import Session, accept, call, initialize, message, session
from .shared_stores import Database, SharedEvents, SharedNotices, SharedSessions

pytestmark = pytest.mark.anyio


@dataclass
class Seen:
    """What handlers of either worker came across."""

    begun: anyio.Event = field(default_factory=anyio.Event)
    stopped: anyio.Event = field(default_factory=anyio.Event)
    progress: list[float] = field(default_factory=list)


def add_connect(made: Server, seen: Seen) -> None:
    @made.tool
    async def connect(ctx: Context, until: bool) -> str:
        """Send the user to a page, and wait there if so wished."""
        await ctx.elicit_url("Connect", "https://example.com/")
        if until:
            seen.begun.set()
            await seen.stopped.wait()
        return "connected"


def server(seen: Seen, database: Database, notices: SharedNotices) -> Server:
    made = Server("s", notices=notices)
    add_connect(made, seen)

    @made.tool
    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @made.tool
    async def interview(ctx: Context) -> str:
        """Ask the user, and then the model."""
        name = await ctx.elicit("Who are you?", str)
        poem = await ctx.sample(f"A poem for {name.data}")
        return f"{name.data}: {poem.content.text}"  # type: ignore[union-attr]

    @made.tool
    async def watched(ctx: Context) -> str:
        """Ask, and hear how far the client has come."""
        said = await ctx._exchange.outlet.ask("elicitation/create", {}, on_progress=lambda event: note(event.progress))
        return "lost" if isinstance(said, Lost) else "answered"

    def note(progress: float) -> None:
        seen.progress.append(progress)

    @made.tool
    async def wait() -> None:
        """Wait for ever."""
        seen.begun.set()
        try:
            await anyio.sleep_forever()
        finally:
            seen.stopped.set()

    @made.tool
    async def breaking(ctx: Context) -> str:
        """Ask, and break the database before the answer."""
        await ctx.elicit("Break it?", str)
        database.fails = True
        return "broken"

    @made.tool
    async def loud(ctx: Context) -> str:
        """Say something quietly."""
        await ctx.debug("psst")
        return "said"

    @made.resource("x:x")
    @made.resource("x:y")
    async def text() -> str:
        """Be read."""
        return "text"

    return made


@dataclass
class Workers:
    """Two apps that share what they keep, and what their handlers saw."""

    here: Any
    there: Any
    servers: list[Server]
    database: Database
    seen: Seen = field(default_factory=Seen)


@asynccontextmanager
async def workers(servers: int) -> AsyncIterator[Workers]:
    """Two apps of one server, or one app each of two servers, as in two processes."""
    database, seen = Database(), Seen()
    notices = [SharedNotices(database) for _ in range(servers)]
    made = [server(seen, database, each) for each in notices]
    here, there = (
        each.asgi(sessions=SharedSessions(database), events=SharedEvents(database)) for each in (made[0], made[-1])
    )
    async with notices[0].polling(), notices[-1].polling() if servers > 1 else anyio.create_task_group():
        yield Workers(here, there, made, database, seen)
        with anyio.CancelScope(shield=True):
            await here.aclose()
            await there.aclose()


both = pytest.mark.parametrize("servers", [1, 2], ids=["one server", "two servers"])


@both
async def test_any_worker_serves_any_request_of_a_session(servers: int) -> None:
    async with workers(servers) as two, session(two.here) as opened:
        for n in range(6):
            result = await opened.result(call("add", n, a=n, b=1), at=(two.here, two.there)[n % 2])
            assert result["structuredContent"] == {"result": n + 1}


@both
async def test_p20_answers_to_questions_reach_the_worker_that_asked(servers: int) -> None:
    async with (
        workers(servers) as two,
        session(two.here, elicitation={}, sampling={}) as opened,
        opened.post(call("interview"), at=two.there) as answer,
    ):
        question = await answer.event()
        assert question["method"] == "elicitation/create"
        await opened.tell(accept(question, "Ada"), at=two.here)
        question = await answer.event()
        assert question["method"] == "sampling/createMessage"
        await opened.tell(accept(question, "Roses"), at=two.here)
        (last,) = await answer.events()
        assert last["result"]["content"][0]["text"] == "Ada: Roses"


def completed(event: Any) -> tuple[str, str]:
    return event["method"], event["params"]["elicitationId"]


COMPLETE = "notifications/elicitation/complete"


@both
@pytest.mark.requirement("elicitation.complete-only-to-initiator", revisions=["2025-11-25"])
async def test_that_a_visit_is_complete_is_told_where_it_was_asked_while_its_request_goes_on(servers: int) -> None:
    async with (
        workers(servers) as two,
        session(two.here, elicitation={"url": {}}) as opened,
        opened.get(at=two.there) as hearing,
        opened.post(call("connect", until=True), at=two.here) as answer,
    ):
        question = await answer.event()
        await opened.tell(accept(question, None), at=two.there)
        with anyio.fail_after(5):
            await two.seen.begun.wait()
        assert two.servers[-1].complete_elicitation(question["params"]["elicitationId"]) is (servers == 1)
        assert completed(await answer.event()) == (COMPLETE, question["params"]["elicitationId"])
        two.seen.stopped.set()
        (last,) = await answer.events()
        assert last["result"]["content"][0]["text"] == "connected"
        two.servers[0].notify("com.example/next")
        assert (await hearing.event())["method"] == "com.example/next"


@both
@pytest.mark.parametrize("hears", ["here", "there"])
@pytest.mark.requirement("elicitation.complete-only-to-initiator", revisions=["2025-11-25"])
async def test_that_a_visit_is_complete_is_told_after_its_request_by_the_worker_that_is_heard(
    servers: int, hears: str
) -> None:
    async with (
        workers(servers) as two,
        session(two.here, elicitation={"url": {}}) as opened,
        session(two.there, elicitation={"url": {}}) as other,
        other.get(at=two.there) as elsewhere,
        opened.get(at=getattr(two, hears)) as hearing,
    ):
        async with opened.post(call("connect", until=False), at=two.here) as answer:
            question = await answer.event()
            await opened.tell(accept(question, None), at=two.there)
            await answer.events()
        two.servers[-1].complete_elicitation(question["params"]["elicitationId"])
        assert completed(await hearing.event()) == (COMPLETE, question["params"]["elicitationId"])
        assert not two.servers[-1].complete_elicitation(question["params"]["elicitationId"])
        two.servers[0].notify("com.example/next")
        for stream in (hearing, elsewhere):
            assert (await stream.event())["method"] == "com.example/next"


@both
async def test_many_questions_at_once_get_their_own_answers(servers: int) -> None:
    async with workers(servers) as two:

        async def interview(n: int) -> None:
            here, there = (two.here, two.there)[:: 1 if n % 2 else -1]
            async with session(here, elicitation={}, sampling={}) as opened, opened.post(call("interview")) as answer:
                await opened.tell(accept(await answer.event(), f"User {n}"), at=there)
                await opened.tell(accept(await answer.event(), f"Poem {n}"), at=there)
                (last,) = await answer.events()
                assert last["result"]["content"][0]["text"] == f"User {n}: Poem {n}"

        async with anyio.create_task_group() as tasks:
            for n in range(8):
                tasks.start_soon(interview, n)


@both
async def test_progress_on_a_question_and_its_broken_answer_reach_the_worker_that_asked(servers: int) -> None:
    async with workers(servers) as two, session(two.here) as opened, opened.post(call("watched")) as answer:
        question = await answer.event()
        token = question["params"]["_meta"]["progressToken"]
        progress = message("notifications/progress", None, progressToken=token, progress=5)
        await opened.tell(progress, at=two.there)
        broken = b'{"jsonrpc":"2.0","id":"%b","result":{},"error":{"code":1,"message":"m"}}' % question["id"].encode()
        async with opened.post(broken, at=two.there) as refused:
            assert refused.status == 400
        (last,) = await answer.events()
        assert last["result"]["content"][0]["text"] == "answered"
        assert two.seen.progress == [5]


@both
async def test_a_cancellation_reaches_the_worker_that_runs_the_request(servers: int) -> None:
    async with workers(servers) as two, session(two.here) as opened, asked(two.here, call("wait", 7), opened.headers):
        await two.seen.begun.wait()
        await opened.tell(message("notifications/cancelled", None, requestId=7), at=two.there)
        with anyio.fail_after(5):
            await two.seen.stopped.wait()


@both
async def test_p11_an_answer_that_was_missed_is_fetched_from_another_worker(servers: int) -> None:
    async with workers(servers) as two, session(two.here, elicitation={}, sampling={}) as opened:
        async with opened.post(call("interview")) as answer:
            question = await answer.event()
            last = answer.last_event_id
        await opened.tell(accept(question, "Ada"), at=two.there)
        async with opened.get(last, at=two.there) as answer:
            question = await answer.event()
            await opened.tell(accept(question, "Roses"), at=two.there)
            (fetched,) = await answer.events()
        assert fetched["result"]["content"][0]["text"] == "Ada: Roses"
        async with opened.get(answer.last_event_id, at=two.there) as answer:
            assert await answer.events() == []


@both
async def test_p21_one_notification_reaches_every_session_at_every_worker_once(servers: int) -> None:
    async with (
        workers(servers) as two,
        session(two.here) as one,
        session(two.there) as other,
        one.get(at=two.there) as hers,
        other.get(at=two.there) as his,
        session(two.there) as third,
        third.get(at=two.here) as theirs,
    ):
        two.servers[0].notify("com.example/a")
        two.servers[-1].notify("com.example/b")
        for answer in (hers, his, theirs):
            assert [(await answer.event())["method"][-1] for _ in "ab"] == ["a", "b"]


@both
async def test_the_stream_of_a_session_is_gone_on_with_at_another_worker(servers: int) -> None:
    async with workers(servers) as two, session(two.here) as opened:
        async with opened.get(at=two.here) as answer:
            two.servers[0].notify("com.example/1")
            await answer.event()
            last = answer.last_event_id
        two.servers[0].notify("com.example/2")
        async with opened.get(last, at=two.there) as answer:
            assert (await answer.event())["method"] == "com.example/2"
            two.servers[0].notify("com.example/3")
            # While it is handed over both workers may say the same: rather twice than never.
            heard = await answer.event()
            assert (heard if heard["method"][-1] == "3" else await answer.event())["method"] == "com.example/3"


@both
async def test_a_client_that_hears_at_one_worker_is_let_go_by_the_other(servers: int) -> None:
    async with (
        workers(servers) as two,
        session(two.here) as opened,
        opened.get(at=two.here) as former,
        opened.get(at=two.there) as latter,
    ):
        assert await former.events() == []
        two.servers[0].notify("com.example/x")
        assert (await latter.event())["method"] == "com.example/x"


@both
async def test_what_is_followed_at_one_worker_is_told_by_the_other(servers: int) -> None:
    async with workers(servers) as two, session(two.here) as opened, opened.get(at=two.here) as answer:

        async def subscribe(uri: str, at: Any) -> None:
            assert await opened.result(message("resources/subscribe", uri=uri), at=at) == {}

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(subscribe, "x:x", two.there)
            tasks.start_soon(subscribe, "x:y", two.here)
        assert await opened.result(call("add", a=1, b=1), at=two.here)  # the record is read again
        for uri in ("x:x", "x:y"):
            two.servers[0].notify_resource_updated(uri)
            assert (await answer.event())["params"] == {"uri": uri}
        await opened.result(message("resources/unsubscribe", uri="x:x"), at=two.there)
        await opened.result(call("add", a=1, b=1), at=two.here)
        two.servers[0].notify_resource_updated("x:x")
        two.servers[0].notify("com.example/next")
        assert (await answer.event())["method"] == "com.example/next"


@both
async def test_the_log_level_that_one_worker_was_told_holds_at_the_other(servers: int) -> None:
    async with workers(servers) as two, session(two.here) as opened:
        await opened.result(message("logging/setLevel", level="debug"), at=two.there)
        async with opened.post(call("loud"), at=two.here) as answer:
            said, last = await answer.events()
        assert (said["params"]["data"], last["result"]["content"][0]["text"]) == ("psst", "said")


@both
async def test_a_session_that_is_ended_at_one_worker_is_over_at_the_other(servers: int) -> None:
    async with workers(servers) as two, session(two.here) as opened:
        async with opened.get(at=two.here) as answer, asked(two.here, call("wait", 7), opened.headers):
            await two.seen.begun.wait()
            async with opened.delete(at=two.there) as deleted:
                assert deleted.status == 204
            assert await answer.events() == []
            with anyio.fail_after(5):
                await two.seen.stopped.wait()
        for app in (two.here, two.there):
            async with opened.post(call("add", a=1, b=1), at=app) as answer:
                assert answer.status == 404


@both
async def test_a_store_that_fails_is_503_and_says_nothing_of_the_session(
    servers: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with workers(servers) as two, session(two.here) as opened:
        two.database.fails = True
        for request in (opened.post(call("add", a=1, b=1)), opened.get(), opened.delete()):
            async with request as answer:
                assert answer.status == 503
                assert "sessions cannot be reached" in (await answer.json())["error"]["message"]
        async with ask(
            two.here, message("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={})
        ) as at:
            assert at.status == 503
        two.database.fails = False
        assert await opened.result(call("add", a=1, b=1))
    assert "a store of sessions failed: OSError" in caplog.text
    assert "secret-session-id" not in caplog.text


@both
async def test_an_answer_that_cannot_be_kept_reaches_the_client_all_the_same(servers: int) -> None:
    async with (
        workers(servers) as two,
        session(two.here, elicitation={}, sampling={}) as opened,
        opened.post(call("breaking")) as answer,
    ):
        question = await answer.event()
        await opened.tell(accept(question, "Ada"))
        (last,) = await answer.events()
        two.database.fails = False
        assert last["result"]["content"][0]["text"] == "broken"


async def test_ids_of_a_batch_that_could_not_be_kept_may_be_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*arguments: object) -> bool:
        raise OSError("no")

    batch = b"[%b,%b]" % (call("add", 5, a=1, b=1), message("notifications/initialized", None))
    async with workers(2) as two:
        async with ask(two.here, initialize("2025-03-26")) as answer:
            opened = Session(two.here, answer.headers["mcp-session-id"], "2025-03-26")
        with monkeypatch.context() as patch:
            patch.setattr(SharedSessions, "put", fails)
            async with opened.post(batch) as answer:
                assert answer.status == 503
        async with opened.post(batch) as answer:
            [said] = await answer.json()
        assert said["result"]["content"][0]["text"] == "2"
