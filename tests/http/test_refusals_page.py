"""What the page of errors says of refusals that depend on the moment, word for word what is answered."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
import pytest

from mcport import Limits, Server
from mcport.transports.http.server.guard import BODY_SECONDS
from tests.docs.pages import DOCS

from .bridge import Answer, ask, asked, stateless
from .raw_session import call, initialize, message, session
from .shared_stores import Database, SharedSessions

pytestmark = pytest.mark.anyio

ROW = re.compile(r"^\| (\d{3}) \| `(.*?)` \|", re.M)
PAGE = {line: int(status) for status, line in ROW.findall((DOCS / "errors.md").read_text(encoding="utf-8"))}


def server(begun: anyio.Event | None = None, **limits: int) -> Server:
    made = Server("s", limits=Limits(**limits))

    @made.tool
    async def wait() -> None:
        """Wait."""
        if begun is not None:
            begun.set()
        await anyio.sleep_forever()

    return made


async def said(answer: Answer) -> tuple[int, str]:
    return answer.status, (await answer.json())["error"]["message"]


@asynccontextmanager
async def slow(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    app = server().asgi()
    app._guard._seconds = 0.01
    async with ask(app, None) as answer:
        yield answer
    await app.aclose()


@asynccontextmanager
async def busy(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    begun = anyio.Event()
    app = server(begun, requests_in_flight=1).asgi()
    opened = await stack.enter_async_context(session(app))
    await stack.enter_async_context(asked(app, call("wait"), opened.headers))
    await begun.wait()
    async with opened.post(message("ping", 2)) as answer:
        yield answer


@asynccontextmanager
async def heard(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    opened = await stack.enter_async_context(session(server(listens=1).asgi()))
    await stack.enter_async_context(opened.get())
    async with opened.get() as answer:
        yield answer


@asynccontextmanager
async def crowded(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    app = server(sessions=1).asgi()
    await stack.enter_async_context(session(app))
    async with ask(app, initialize()) as answer:
        yield answer


@asynccontextmanager
async def storeless(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    database = Database()
    database.fails = True
    async with ask(server().asgi(sessions=SharedSessions(database)), initialize()) as answer:
        yield answer


@asynccontextmanager
async def ending(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    begun = anyio.Event()
    app = server(begun).asgi()
    tasks = await stack.enter_async_context(anyio.create_task_group())
    await stack.enter_async_context(asked(app, **stateless("tools/call", name="wait")))
    await begun.wait()
    tasks.start_soon(app.aclose)
    await anyio.wait_all_tasks_blocked()
    async with ask(app, **stateless("tools/list")) as answer:
        yield answer


@asynccontextmanager
async def lifeless(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    @asynccontextmanager
    async def lifespan(made: Server) -> AsyncIterator[None]:
        if made.name:
            raise RuntimeError("no database")
        yield

    async with ask(Server("s", lifespan=lifespan).asgi(), **stateless("tools/list")) as answer:
        yield answer


@asynccontextmanager
async def foreign(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    opened = await stack.enter_async_context(session(server().asgi()))
    async with opened.get("7") as answer:
        yield answer


@asynccontextmanager
async def forgotten(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    opened = await stack.enter_async_context(session(server().asgi()))
    async with opened.get("pgone.7") as answer:
        yield answer


@asynccontextmanager
async def broken(stack: AsyncExitStack) -> AsyncIterator[Answer]:
    def health() -> str:
        raise RuntimeError("no database")

    async with ask(server().asgi(routes={"/health": health}), path="/health", method="GET") as answer:
        yield answer


MOMENTS = [slow, busy, heard, crowded, storeless, ending, lifeless, foreign, forgotten, broken]


@pytest.mark.parametrize("moment", MOMENTS)
async def test_what_is_answered_stands_on_the_page(moment: Any) -> None:
    async with AsyncExitStack() as stack:
        answer = await stack.enter_async_context(moment(stack))
        status, line = await said(answer)
        line = line.replace("0.01 s", f"{BODY_SECONDS:g} s").replace("'7'", "'...'")
        assert PAGE.get(line) == status, line


def test_every_moment_of_the_page_is_shown() -> None:
    assert len(PAGE) == len(MOMENTS)
