"""Middleware around handlers that ask: it sees questions as values, in every round, and may ask itself."""

from __future__ import annotations

from itertools import count
from typing import Any

import anyio
import pytest

from mcport import Context, InputRequired, Middleware, Next, Server, ToolCall
from mcport.spec.types import CallToolResult
from tests.server.answering import EVERYTHING, Seen, accept, said
from tests.server.wire import NEW, serving

ASKING = ["2025-06-18", "2025-11-25", *NEW]


def asks(*middleware: Middleware) -> Server:
    server = Server("asks", middleware=middleware)

    @server.tool
    async def age(name: str, ctx: Context) -> str:
        return f"{name} is {(await ctx.elicit('How old?', int)).data}"

    return server


class Watching(Middleware):
    """Writes down how the next one ended."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
        try:
            result = await next(request)
        except BaseException as error:
            self.seen.append(type(error))
            raise
        self.seen.append(result.__class__)
        return result


@pytest.mark.parametrize("revision", ASKING)
async def test_middleware_sees_the_value_that_stands_for_questions_and_never_what_stops_the_handler(
    revision: str,
) -> None:
    watching = Watching()
    async with serving(asks(watching), revision, EVERYTHING) as wire:
        assert await said(wire, "age", Seen(accept(value=7)), name="Ada") == "Ada is 7"
    assert watching.seen == ([InputRequired, CallToolResult] if revision in NEW else [CallToolResult])


@pytest.mark.parametrize("revision", ASKING)
async def test_arguments_that_middleware_changes_anew_each_round_do_not_spoil_the_answers(revision: str) -> None:
    numbers = count(1)

    class Changing(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            request.arguments["name"] += str(next_number())
            return await next(request)

    def next_number() -> int:
        return next(numbers)

    async with serving(asks(Changing()), revision, EVERYTHING) as wire:
        rounds = 2 if revision in NEW else 1
        assert await said(wire, "age", Seen(accept(value=7)), name="Ada") == f"Ada{rounds} is 7"


@pytest.mark.parametrize("revision", ASKING)
async def test_middleware_may_ask_itself(revision: str) -> None:
    class Consenting(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            if not (await request.context.elicit(f"Run {request.name}?")).accepted:
                return CallToolResult(content=[], is_error=True)
            return await next(request)

    async with serving(asks(Consenting()), revision, EVERYTHING) as wire:
        answers = Seen(accept(), accept(value=7))
        assert await said(wire, "age", answers, name="Ada") == "Ada is 7"
    assert answers.asked[0]["params"]["message"] == "Run age?"


@pytest.mark.parametrize("revision", ASKING)
async def test_middleware_may_ask_in_a_task_group(revision: str) -> None:
    class Consenting(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            async def consent() -> None:
                await request.context.elicit(f"Run {request.name}?")

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(consent)
            return await next(request)

    async with serving(asks(Consenting()), revision, EVERYTHING) as wire:
        assert await said(wire, "age", Seen(accept(), accept(value=7)), name="Ada") == "Ada is 7"
