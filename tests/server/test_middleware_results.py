"""What middleware gets of results: values that are made when somebody looks at them, and bytes else."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from mcport import InputRequired, Middleware, Next, Request, Server, ToolCall
from mcport.core.dialects.envelope import Body, Fixed
from mcport.server.middleware import undressing
from mcport.server.middleware.unread import Unread, as_it_came, unread
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import CallToolResult, ListToolsResult, TextContent, Tool
from tests.server.wire import ALL, NEW, OLD, serving

REVISION = REVISIONS[NEW[0]]
CALL = "tools/call"
PLAIN = CallToolResult(content=[TextContent(type="text", text="x")])


def fresh() -> Any:
    return unread(CALL, Body(b'{"content":[{"type":"text","text":"x"}]}'), REVISION)


def is_unread(result: object) -> bool:
    return isinstance(result, Unread)


def other() -> Any:
    return unread(CALL, {"content": [], "other": 1}, REVISION)


class Passing(Middleware):
    """Looks at no result."""

    async def on_request(self, request: Request, next: Next[Request, Any]) -> Any:
        result = await next(request)
        assert isinstance(result, CallToolResult | ListToolsResult)
        assert not isinstance(result, InputRequired)
        return result


@pytest.mark.parametrize("revision", ALL)
async def test_a_result_that_no_middleware_looks_at_is_never_read(
    revision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reading(*what: object) -> Any:
        read.append(str(what))
        raise AssertionError

    monkeypatch.setattr(undressing, "_typed", reading)
    monkeypatch.setattr(undressing, "_copied", reading)
    answers = []
    for middleware in ([], [Passing(), Passing()]):
        server = Server("demo", middleware=middleware)

        @server.tool
        async def add(a: int) -> int:
            return a

        @server.tool
        async def fail(a: int) -> int:
            raise KeyError(a)

        @server.tool
        async def made(a: int) -> CallToolResult:
            return CallToolResult(content=[], meta={"com.example/a": a})

        async with serving(server, revision) as wire:
            answers.append([await wire.ask("tools/list"), await wire.call("add", {"a": 1})])
            answers[-1].append(await wire.call("made", {"a": 1}))
            assert (await wire.call("fail", {"a": 1}))["isError"]
    assert answers[0] == answers[1]
    assert read == []


LOOKS: list[Callable[[Any], Any]] = [
    lambda result: result.content,
    lambda result: result.text if hasattr(result, "text") else None,
    repr,
    str,
    vars,
    list,
    lambda result: result == PLAIN,
    PLAIN.__eq__,
    lambda result: result.to_json(NEW[0]),
    lambda result: result.to_wire(NEW[0]),
    lambda result: result.model_dump(),
    lambda result: CallToolResult.__pydantic_serializer__.to_json(result),
    copy.copy,
    copy.deepcopy,
    lambda result: pickle.loads(pickle.dumps(result)),
    lambda result: result.model_copy(update={"is_error": True}),
]


@pytest.mark.parametrize("look", LOOKS)
def test_whoever_looks_sees_an_ordinary_value(look: Callable[[Any], Any]) -> None:
    result = fresh()
    assert is_unread(result)
    assert look(result) == look(PLAIN.model_copy())
    assert type(result) is CallToolResult
    assert type(look(fresh())) is type(look(PLAIN.model_copy()))


def test_setting_and_deleting_make_it_an_ordinary_value_first() -> None:
    result = fresh()
    result.is_error = True
    assert not is_unread(result)
    assert result.to_wire(OLD[-1]) == {"content": [{"type": "text", "text": "x"}], "isError": True}
    result = other()
    del result.other
    assert result.to_wire(OLD[-1]) == {"content": []}


def test_asking_for_the_class_is_no_look() -> None:
    result = fresh()
    assert isinstance(result, CallToolResult)
    assert not isinstance(result, InputRequired | ListToolsResult)
    assert result.__class__ is CallToolResult
    match result:
        case InputRequired():
            raise AssertionError
        case CallToolResult():
            pass
    assert is_unread(result)


def test_what_is_shared_by_all_is_copied_for_whoever_looks() -> None:
    shared = Fixed(ListToolsResult(tools=[Tool(name="a", input_schema={"type": "object"})]))
    passed = unread("tools/list", shared, REVISION)
    assert as_it_came(passed, REVISION) is shared
    passed.tools[0].name = "b"
    assert isinstance(shared.result, ListToolsResult)
    assert shared.result.tools[0].name == "a"
    assert as_it_came(passed, REVISION) is passed


@pytest.mark.parametrize("first", ALL)
@pytest.mark.parametrize("second", [OLD[0], *NEW])
async def test_a_result_that_a_middleware_kept_is_said_as_each_revision_says_it(first: str, second: str) -> None:
    class Keeping(Middleware):
        kept: Any = None

        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            if self.kept is None:
                self.kept = await next(request)
            return self.kept

    def server_with(*middleware: Middleware) -> Server:
        server = Server("demo", middleware=middleware)

        @server.tool
        async def made() -> CallToolResult:
            return CallToolResult(content=[TextContent(type="text", text="x")])

        return server

    server = server_with(Keeping())
    async with serving(server, first) as wire:
        await wire.call("made")
    async with serving(server, second) as wire, serving(server_with(), second) as other:
        assert await wire.call("made") == await other.call("made")
