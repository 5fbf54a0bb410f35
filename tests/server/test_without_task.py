"""Tools that await nothing are answered without a task: nobody sees a difference, and what must wait gets its task."""

from __future__ import annotations

import asyncio
from typing import Any

import anyio
import pytest

from mcport import Context, Elicit, InputRequired, Limits, Middleware, Server
from mcport.stores.values import MemoryStore
from tests.server.test_hops import Pipes, over_pipes
from tests.server.wire import ALL, CAPABILITIES, NEW, VERSION, Json


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def has_task() -> bool:
    """Whether the running code has a task of its own, which is not over while it runs."""
    task = asyncio.current_task()
    assert task is not None
    return not task.done()


async def asked_twice(server: Server, revision: str, tool: str) -> list[Json]:
    """The answers to two calls of a tool, once the table of routes is there and the loop has run through something."""
    answers: list[Json] = []

    async def talk(pipes: Pipes) -> None:
        await pipes.ask("tools/list", {})
        await pipes.ask("tools/call", {"name": tool, "arguments": {}})
        for _ in range(2):
            answers.append(await pipes.ask("tools/call", {"name": tool, "arguments": {}}))

    await over_pipes(server, revision, talk)
    return answers


def texts(answers: list[Json]) -> list[str]:
    return [answer["result"]["content"][0]["text"] for answer in answers]


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_awaits_nothing_has_no_task_of_its_own(revision: str) -> None:
    server = Server("s")

    @server.tool(structured=False)
    async def look(ctx: Context) -> bool:
        return has_task()

    assert texts(await asked_twice(server, revision, "look")) == ["false"] * 2


@pytest.mark.parametrize("revision", ALL)
async def test_what_anyio_tells_of_the_current_task_is_told_without_one_too(revision: str) -> None:
    server = Server("s")

    @server.tool
    async def look() -> str:
        with anyio.CancelScope() as scope:
            scope.cancel()
        asyncio.current_task().set_name("renamed")  # type: ignore[union-attr]
        task = anyio.get_current_task()
        return f"{task.name}, {task.has_pending_cancellation()}, {scope.cancelled_caught}"

    assert texts(await asked_twice(server, revision, "look")) == ["mcport: no task, False, False"] * 2


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_awaits_something_has_a_task(revision: str) -> None:
    server = Server("s")

    @server.tool(structured=False)
    async def look() -> bool:
        await asyncio.sleep(0)
        return has_task()

    assert texts(await asked_twice(server, revision, "look")) == ["true"] * 2


@pytest.mark.parametrize("revision", ALL)
async def test_whoever_stands_around_a_tool_has_a_task_and_so_has_the_tool(revision: str) -> None:
    seen: list[bool] = []

    class Looks(Middleware):
        async def on_call_tool(self, request: Any, next: Any) -> Any:
            seen.append(has_task())
            return await next(request)

    server = Server("s", middleware=[Looks()])

    @server.tool(structured=False)
    async def look() -> bool:
        return has_task()

    assert texts(await asked_twice(server, revision, "look")) == ["true"] * 2
    assert seen == [True, True, True]


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_under_limits_has_a_task(revision: str) -> None:
    server = Server("s")

    @server.tool(structured=False, timeout=5)
    async def look() -> bool:
        return has_task()

    assert texts(await asked_twice(server, revision, "look")) == ["true"] * 2


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, SystemExit, GeneratorExit])
async def test_what_a_tool_lets_out_without_a_task_fails_its_own_call_only(
    revision: str, error: type[BaseException]
) -> None:
    server = Server("s")

    @server.tool
    async def fail() -> str:
        raise error("no")

    answers = await asked_twice(server, revision, "fail")
    assert [answer["result"]["isError"] for answer in answers] == [True, True]


class SlowStore(MemoryStore):
    """A store that waits, as one over a network does, and tells who waits for it."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[bool] = []

    async def put(self, name: str, value: bytes, seconds: float) -> None:
        await self._wait()
        await super().put(name, value, seconds)

    async def get(self, name: str) -> bytes | None:
        await self._wait()
        return await super().get(name)

    async def _wait(self) -> None:
        self.tasks.append(has_task())
        await asyncio.sleep(0)


@pytest.mark.parametrize("revision", NEW)
async def test_what_a_tool_asks_by_hand_is_kept_and_found_again_in_a_task(revision: str) -> None:
    store, long = SlowStore(), "x" * 3000
    server = Server("s", limits=Limits(state_bytes=2000), ask_store=store)

    @server.tool
    async def who(ctx: Context) -> str | InputRequired:
        if not ctx.input_responses:
            return InputRequired({"k": Elicit("Who?", str)}, state=long)
        return f"{ctx.input_responses['k']['action']} {ctx.request_state == long}"

    async def talk(pipes: Pipes) -> None:
        await pipes.ask("tools/list", {})
        call = {"name": "who", "arguments": {}, "_meta": {VERSION: revision, CAPABILITIES: {"elicitation": {}}}}
        asked = (await pipes.ask("tools/call", call))["result"]
        answers = {"inputResponses": {"k": {"action": "decline"}}, "requestState": asked["requestState"]}
        assert texts([await pipes.ask("tools/call", {**call, **answers})]) == ["decline True"]

    await over_pipes(server, revision, talk)
    assert store.tasks == [True, True]
