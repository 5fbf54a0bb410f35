"""Load that goes on for long: sessions that are left, calls without end, listeners that only listen.

What is held is measured over an application in the same process, so that figures count mcport and not sockets. `--slow`
runs the long versions.
"""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest
from anyio.abc import TaskGroup

from mcport import Server
from mcport.stores.sessions import MemorySessions
from mcport.transports.http.server.postbox import Postbox
from tests.http.bridge import USUAL, ask, stateless
from tests.http.raw_session import Session, call, initialize, message

pytestmark = pytest.mark.anyio

KIB = 1024
SESSION_KIB = 16
MEASURED = 100
"""Of so many sessions the memory is measured, which is slow."""
LISTENER_KIB = 32


SLOW = pytest.mark.slow
KEPT = {"asyncio": 500, "trio": 2200}
"""So many objects may be left, however much was done, and they are the loop's own: asyncio keeps up to a hundred timers
that were cancelled, with the context of each, until it sweeps them all at once; trio up to a thousand deadlines that
are over, each a scope and an entry of its heap."""
ONE = pytest.mark.parametrize("anyio_backend", ["asyncio", pytest.param("trio", marks=SLOW)])
"""Either loop; trio is slow where allocations are traced."""


class Held:
    """How many bytes are held more than at the beginning."""

    def __init__(self) -> None:
        gc.collect()
        self._before = tracemalloc.get_traced_memory()[0]

    @property
    def kib(self) -> float:
        """What is held now, without garbage."""
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - self._before) / KIB


@contextmanager
def traced() -> Iterator[Held]:
    """Measure what is held."""
    tracemalloc.start()
    try:
        yield Held()
    finally:
        tracemalloc.stop()


def count_objects() -> int:
    """How many things there are that may hold others: a leak of any kind shows in it."""
    gc.collect()
    return len(gc.get_objects())


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def adder(**options: Any) -> Server:
    server = Server("adder", **options)

    @server.tool
    def add(a: int, b: int) -> int:
        return a + b

    return server


async def opened(app: Any) -> Session:
    """Open a session as a client does that then calls a tool."""
    async with ask(app, initialize()) as answer:
        assert answer.status == 200
        session = Session(app, answer.headers["mcp-session-id"], "2025-11-25")
    async with session.post(message("notifications/initialized", None)) as answer:
        assert answer.status == 202
    async with session.post(call("add", a=1, b=1)) as answer:
        assert answer.status == 200
    return session


def postbox(app: Any) -> Postbox:
    """This worker's part of the sessions of an app."""
    (residence,) = app._residences._here.values()
    found = app._handshake._postbox(residence)
    assert isinstance(found, Postbox)
    return found


@ONE
async def test_p12_a_thousand_sessions_that_are_left_cost_little_and_nothing_once_they_are_over(
    anyio_backend: str,
) -> None:
    clock = Clock()
    sessions = MemorySessions(now=clock)
    app = adder().asgi(sessions=sessions, session_seconds=60)
    await opened(app)
    objects = count_objects()
    with traced() as held:
        for _ in range(MEASURED):
            await opened(app)
        idle = held.kib / MEASURED
        postbox(app)._sweep()
        swept = held.kib / MEASURED
    for _ in range(1000 - MEASURED):
        await opened(app)
    clock.now = 61.0
    last = await opened(app)
    postbox(app)._sweep()
    print(f"\nidle session: {idle:.1f} KiB, once its worker let go {swept:.1f} KiB")
    assert idle < SESSION_KIB
    assert swept < 2
    assert list(sessions._records) == [last.headers["mcp-session-id"]]
    assert count_objects() - objects < KEPT[anyio_backend]
    await app.aclose()


@pytest.mark.parametrize("era", ["stateless", "sessions"])
@pytest.mark.parametrize(
    ("anyio_backend", "calls"),
    [("asyncio", 2_000), pytest.param("asyncio", 20_000, marks=SLOW), pytest.param("trio", 10_000, marks=SLOW)],
)
async def test_calls_leave_nothing_behind_however_many(era: str, calls: int, anyio_backend: str) -> None:
    app = adder().asgi()
    session = await opened(app)

    async def one(id: int) -> None:
        if era == "stateless":
            asking = ask(app, **stateless("tools/call", id, name="add", arguments={"a": 1, "b": 1}))
        else:
            asking = session.post(call("add", id, a=1, b=1))
        async with asking as answer:
            assert (await answer.json())["result"]["content"][0]["text"] == "2"

    for id in range(100):
        await one(id)
    objects = count_objects()
    for id in range(calls):
        await one(id)
    left = count_objects() - objects
    print(f"\n{calls} calls: {left} objects more")
    assert left < KEPT[anyio_backend]
    await app.aclose()


class Listeners:
    """Clients that wait for changes: the ends of their connections, and nothing around them."""

    def __init__(self, app: Any) -> None:
        listening = stateless("subscriptions/listen", notifications={"toolsListChanged": True})
        headers = [(name.encode(), value.encode()) for name, value in {**USUAL, **listening["headers"]}.items()]
        self._scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": headers}
        self._body = {"type": "http.request", "body": listening["body"], "more_body": False}
        self._app = app
        self._count = 0
        self._leave = anyio.Event()
        self._told: set[int] = set()
        self._all = anyio.Event()

    async def come(self, tasks: TaskGroup, more: int) -> None:
        """So many more of them come, and are told that they are."""
        before, self._count = self._count, self._count + more
        self._told.update(range(before))
        for number in range(before, self._count):
            tasks.start_soon(self._listen, number)
        await self.until_told()

    async def _listen(self, number: int) -> None:
        """One of them, until all leave."""
        events = iter([self._body])

        async def receive() -> dict[str, Any]:
            for event in events:
                return event
            await self._leave.wait()
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            if event.get("body"):
                self._told.add(number)
                if len(self._told) == self._count:
                    self._all.set()

        await self._app(dict(self._scope), receive, send)

    async def until_told(self) -> None:
        """Wait until each of them is told something."""
        with anyio.fail_after(100):
            await self._all.wait()
        self._all = anyio.Event()
        self._told.clear()

    def leave(self) -> None:
        """All go away."""
        self._leave.set()


@pytest.mark.parametrize(
    ("anyio_backend", "count"),
    [("asyncio", 1000), pytest.param("asyncio", 10_000, marks=SLOW), pytest.param("trio", 1000, marks=SLOW)],
)
async def test_listeners_that_only_listen_cost_little_and_all_of_them_are_told(count: int) -> None:
    server = adder()
    app = server.asgi()
    await opened(app)
    listeners = Listeners(app)
    async with anyio.create_task_group() as tasks:
        with traced() as held:
            await listeners.come(tasks, MEASURED)
            kib = held.kib / MEASURED
        await listeners.come(tasks, count - MEASURED)
        began = time.process_time()
        server.add_tool(lambda: None, name="news")
        await listeners.until_told()
        took = time.process_time() - began
        listeners.leave()
    print(f"\n{count} listeners: {kib:.1f} KiB each, and all are told in {took * 1000:.0f} ms of a processor")
    assert kib < LISTENER_KIB
    assert took < count / 1000
    assert postbox(app)._residence.turns == set()
    await app.aclose()
