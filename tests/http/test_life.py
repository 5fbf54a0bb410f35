"""How an app begins, goes on and ends: lifespans, loops, shutdown, sessions that are left, bounds, principals."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from mcport import Context, Limits, Server
from mcport.stores.notices import MemoryNotices
from mcport.stores.sessions import MemorySessions
from mcport.transports.http.server import postbox, residence

from .bridge import ask, asked, stateless
from .raw_session import Session, accept, call, initialize, message, session
from .test_sessions import server

pytestmark = pytest.mark.anyio

STREAMABLE = ["2025-03-26", "2025-06-18", "2025-11-25"]


class Waiting:
    """A server whose tool waits, and what became of its calls."""

    def __init__(self, stubborn: bool = False) -> None:
        self.begun, self.go_on, self.cleaned = anyio.Event(), anyio.Event(), anyio.Event()
        self.made = Server("s")

        @self.made.tool
        async def wait() -> str:
            """Wait."""
            self.begun.set()
            with anyio.CancelScope(shield=stubborn):
                try:
                    await self.go_on.wait()
                finally:
                    self.cleaned.set()
            return "done"


def waits(era: str, opened: Session) -> dict[str, Any]:
    """Arguments of `ask` for a call that waits."""
    if era == "stateless":
        return stateless("tools/call", name="wait")
    return {"body": call("wait"), "headers": opened.headers}


def as_user(app: Any, name: str | None) -> Any:
    """An app behind somebody who checked the authorization."""

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "mcport.principal": name}, receive, send)

    return behind


# ---- the beginning


async def test_a_lifespan_that_fails_is_503_in_one_line_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    fails = [True, False]

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[str]:
        if fails.pop(0):
            raise OSError("secret: no database")
        yield "here"

    app = Server("s", lifespan=lifespan).asgi()
    async with ask(app, initialize()) as answer:
        assert answer.status == 503
        line = (await answer.json())["error"]["message"]
        assert "lifespan failed" in line
        assert "secret" not in line
    assert "secret: no database" in caplog.text
    async with ask(app, initialize()) as answer:
        assert answer.status == 200
    await app.aclose()


async def test_all_who_wait_for_a_lifespan_that_fails_are_told_so() -> None:
    begun, statuses, fail = 0, list[int](), anyio.Event()

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[None]:
        nonlocal begun
        begun += 1
        await fail.wait()
        if begun:
            raise OSError("no database")
        yield

    app = Server("s", lifespan=lifespan).asgi()

    async def one() -> None:
        async with ask(app, initialize()) as answer:
            statuses.append(answer.status)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(one)
        await anyio.wait_all_tasks_blocked()
        fail.set()
    assert (statuses, begun) == ([503] * 3, 1)
    await app.aclose()


async def test_apps_of_one_server_share_its_lifespan() -> None:
    said: list[str] = []

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[None]:
        said.append("enter")
        yield
        said.append("leave")

    made = Server("s", lifespan=lifespan)
    apps = [made.asgi(), made.asgi()]
    for app in apps:
        async with session(app) as opened:
            assert await opened.result(message("ping")) == {}
    for app in apps:
        await app.aclose()
        await app.aclose()
    assert said == ["enter", "leave"]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_p16_an_app_works_in_a_new_loop_for_each_request_and_leaves_nothing_there(
    anyio_backend: str, backend: str
) -> None:
    notices = MemoryNotices()
    made = Server("s", notices=notices)

    @made.tool
    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    app = made.asgi()
    ids: list[str] = []

    async def open_session() -> None:
        async with session(app) as opened:
            ids.append(str(opened.headers["mcp-session-id"]))

    async def use(n: int) -> None:
        async with ask(app, call("add", n, a=n, b=1), {"mcp-session-id": ids[0]}) as answer:
            assert (await answer.json())["result"]["structuredContent"] == {"result": n + 1}

    anyio.run(open_session, backend=backend)
    for n in range(3):
        anyio.run(use, n, backend=backend)
    assert notices._hearers == ()
    assert len(app._residences._here) == 0


# ---- the end


@pytest.mark.parametrize("era", ["stateless", "session"])
async def test_what_runs_when_the_server_goes_has_time_to_finish(era: str) -> None:
    waiting = Waiting()
    app = waiting.made.asgi()
    async with session(app) as opened:
        request = waits(era, opened)
        async with asked(app, **request) as answer, anyio.create_task_group() as tasks:
            await waiting.begun.wait()
            tasks.start_soon(app.aclose)
            await anyio.wait_all_tasks_blocked()
            async with ask(app, initialize()) as late:
                assert late.status == 503
            waiting.go_on.set()
            await answer.started.wait()
            assert (await answer.json())["result"]["content"][0]["text"] == "done"


@pytest.mark.parametrize("era", ["stateless", "session"])
async def test_what_does_not_finish_is_stopped_and_cleans_up(era: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residence, "GRACE", 0.01)
    waiting = Waiting()
    app = waiting.made.asgi()
    async with session(app) as opened:
        request = waits(era, opened)
        async with asked(app, **request) as answer:
            await waiting.begun.wait()
            await app.aclose()
            assert waiting.cleaned.is_set()
            await answer.started.wait()
            assert (await answer.json())["error"]["message"] == "the server is shutting down"
            assert answer.status == 503


async def test_what_cannot_be_stopped_does_not_keep_the_server(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(residence, "GRACE", 0.01)
    monkeypatch.setattr(residence, "CLEANUP", 0.01)
    waiting = Waiting(stubborn=True)
    app = waiting.made.asgi()
    async with session(app) as opened, asked(app, call("wait"), opened.headers):
        await waiting.begun.wait()
        with anyio.fail_after(5):
            await app.aclose()
        assert "1 requests do not end" in caplog.text
        waiting.go_on.set()


async def test_a_question_that_is_open_when_the_server_goes_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(residence, "GRACE", 0.01)
    app = server().asgi()
    async with session(app, elicitation={}) as opened, opened.post(call("greet")) as answer:
        await answer.event()
        await app.aclose()
        assert [each for each in await answer.events() if "result" in each] == []


@pytest.mark.requirement("http.sse.keep-alive")
@pytest.mark.parametrize("era", ["stateless", "session"])
async def test_an_answer_that_takes_long_becomes_a_stream_that_says_it_lives(
    era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(residence, "ALIVE_SECONDS", 0.005)
    waiting = Waiting()
    app = waiting.made.asgi()
    async with session(app) as opened:
        request = waits(era, opened)
        async with ask(app, **request) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            while b":" not in (await answer._chunk() or b""):
                pass
            waiting.go_on.set()
            (last,) = await answer.events()
            assert last["result"]["content"][0]["text"] == "done"
    await app.aclose()


# ---- sessions that are left, and bounds


@pytest.mark.requirement("http.session.may-terminate", revisions=STREAMABLE)
@pytest.mark.requirement("http.sse.terminate-on-session-expiry", revisions=["2025-11-25"])
@pytest.mark.parametrize("revision", STREAMABLE)
async def test_p12_a_session_that_is_over_in_the_store_is_over_everywhere(
    revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postbox, "SWEEP_SECONDS", 0.005)
    waiting, sessions = Waiting(), MemorySessions()
    app = waiting.made.asgi(sessions=sessions)
    async with session(app, revision) as opened, opened.get() as answer, asked(app, call("wait"), opened.headers):
        await waiting.begun.wait()
        await sessions.drop(str(opened.headers["mcp-session-id"]))
        assert await answer.events() == []
        with anyio.fail_after(5):
            await waiting.cleaned.wait()
        async with opened.post(message("ping")) as refused:
            assert refused.status == 404
    await app.aclose()


async def test_p12_sessions_expire_and_are_bounded() -> None:
    time = [0.0]
    sessions = MemorySessions(2, now=lambda: time[0])
    app = server().asgi(sessions=sessions, session_seconds=60)
    async with session(app) as one, session(app) as other:
        async with ask(app, initialize()) as answer:
            assert (answer.status, answer.headers["retry-after"]) == (503, "30")
            assert "mcp-session-id" not in answer.headers
        time[0] = 59.0
        assert await one.result(message("ping")) == {}
        time[0] = 61.0
        async with other.post(message("ping")) as answer:
            assert answer.status == 404
        assert await one.result(message("ping")) == {}
        async with session(app):
            pass
    await app.aclose()


async def test_p12_the_limit_of_sessions_is_the_servers() -> None:
    app = Server("s", limits=Limits(sessions=1)).asgi()
    async with session(app), ask(app, initialize()) as answer:
        assert answer.status == 503
    await app.aclose()


async def test_p12_a_worker_keeps_nothing_of_sessions_at_which_nothing_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postbox, "SWEEP_SECONDS", 0.005)
    app = server().asgi()
    async with session(app) as opened:
        (here,) = app._residences._here.values()
        box = app._handshake._postbox(here)
        with anyio.fail_after(5):
            while box.seats:
                await anyio.sleep(0.002)
        assert await opened.result(message("ping")) == {}
    await app.aclose()


async def test_one_session_cannot_take_everything() -> None:
    made = Server("s", limits=Limits(requests_in_flight=1, listens=1))

    @made.tool
    async def hold(ctx: Context) -> str:
        """Ask, and so wait."""
        return str((await ctx.elicit("Who?", str)).data)

    app = made.asgi()
    async with session(app, elicitation={}) as opened, opened.post(call("hold")) as answer:
        question = await answer.event()
        async with opened.post(message("ping", 2)) as refused:
            assert refused.status == 429
        async with opened.get() as first:
            async with opened.get() as refused:
                assert refused.status == 429
            assert first.status == 200
        await opened.tell(accept(question, "Ada"))
        (last,) = await answer.events()
        assert last["result"]["content"][0]["text"] == "Ada"
    await app.aclose()


# ---- whose it is


def asking() -> Server:
    made = Server("s", seal_key=b"k" * 32)

    @made.tool
    async def whoami(ctx: Context) -> str:
        """Say who asks."""
        return str(ctx.principal)

    @made.tool
    async def greet(ctx: Context) -> str:
        """Ask for a name."""
        return f"Hello {(await ctx.elicit('Who?', str)).data}"

    return made


@pytest.mark.parametrize("other", ["eve", None])
async def test_a_session_is_its_principals_and_unknown_to_anybody_else(other: str | None) -> None:
    app = asking().asgi()
    ada, eve = as_user(app, "ada"), as_user(app, other)
    async with session(ada) as opened:
        assert (await opened.result(call("whoami")))["content"][0]["text"] == "ada"
        requests: list[Callable[..., Any]] = [opened.get, opened.delete, lambda at: opened.post(call("whoami"), at=at)]
        for request in requests:
            async with request(at=eve) as answer:
                assert answer.status == 404
        async with opened.post(accept({"id": "x", "method": "elicitation/create"}, "Eve"), at=eve) as answer:
            assert answer.status == 404
        assert (await opened.result(call("whoami")))["content"][0]["text"] == "ada"
    await app.aclose()


async def test_state_that_travels_is_its_principals() -> None:
    app = asking().asgi()
    capabilities: dict[str, Any] = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}
    async with ask(as_user(app, "ada"), **stateless("tools/call", meta=capabilities, name="greet")) as answer:
        required = (await answer.json())["result"]
    responses = {key: {"action": "accept", "content": {"value": "Ada"}} for key in required["inputRequests"]}
    again = stateless(
        "tools/call",
        meta=capabilities,
        name="greet",
        requestState=required["requestState"],
        inputResponses=responses,
    )
    async with ask(as_user(app, "eve"), **again) as answer:
        assert (await answer.json())["error"]["code"] == -32602
    async with ask(as_user(app, "ada"), **again) as answer:
        assert (await answer.json())["result"]["content"][0]["text"] == "Hello Ada"
    await app.aclose()


async def test_no_log_line_holds_the_id_of_a_session(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    app = server().asgi()
    async with session(app, elicitation={}) as opened:
        id = str(opened.headers["mcp-session-id"])
        async with opened.post(call("greet")) as answer:
            await answer.event()
            last = answer.last_event_id
        async with opened.get(last):
            pass
        await opened.tell(message("notifications/cancelled", None, requestId=1))
        (here,) = app._residences._here.values()
        assert id[:8] not in repr(app._handshake._postbox(here).seats[id])
        async with opened.delete():
            pass
        async with opened.post(message("ping")) as answer:
            assert id not in (await answer.body()).decode()
    await app.aclose()
    assert id[:8] not in caplog.text
