"""`Depends`: values that handlers need and do not make themselves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import pytest

from mcport import Context, Depends, ProtocolError, Server, ToolError
from tests.server.depending import (
    Diary,
    coroutine,
    plain,
    shout,
    steps,
    stream,
    watched,
)
from tests.server.wire import ALL, NEW, serving

REVISION = NEW[0]


@pytest.fixture
def diary() -> Diary:
    return Diary()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("made_by", [plain, coroutine, steps, stream])
async def test_a_dependency_of_any_kind_reaches_tools_resources_and_prompts(
    revision: str, made_by: Callable[..., Any]
) -> None:
    server = Server("kinds")

    @server.tool
    async def use(word: str, value: str = Depends(made_by)) -> str:
        return f"{word} {value}"

    @server.tool
    def use_in_thread(word: str, *, value: str = Depends(made_by)) -> str:
        return f"{word} {value}"

    @server.resource("thing://{word}")
    async def thing(word: str, value: str = Depends(made_by)) -> str:
        return f"{word} {value}"

    @server.prompt
    async def ask(word: str, value: str = Depends(made_by)) -> str:
        return f"{word} {value}"

    said = f"one {made_by.__name__}"
    async with serving(server, revision) as wire:
        assert await wire.text("use", {"word": "one"}) == said
        assert await wire.text("use_in_thread", {"word": "one"}) == said
        read = (await wire.ask("resources/read", {"uri": "thing://one"}))["result"]
        assert read["contents"][0]["text"] == said
        got = (await wire.ask("prompts/get", {"name": "ask", "arguments": {"word": "one"}}))["result"]
        assert got["messages"][0]["content"]["text"] == said


Other = Annotated[threading.Thread, Depends(plain)]


async def test_dependencies_show_in_no_schema_and_are_no_arguments() -> None:
    server = Server("schemas")

    @server.tool
    async def use(word: str, other: Other, value: threading.Lock = Depends(plain)) -> str:
        """Use them."""
        return f"{value} {other}"

    async with serving(server, REVISION) as wire:
        (tool,) = (await wire.ask("tools/list"))["result"]["tools"]
        assert list(tool["inputSchema"]["properties"]) == ["word"]
        assert await wire.text("use", {"word": "x"}) == "plain plain"
        line = await wire.text("use", {"word": "x", "value": "mine"})
        assert line == "use: unknown argument 'value' (it takes word)"


async def test_functions_run_in_threads_and_coroutines_on_the_loop() -> None:
    server, loop = Server("threads"), threading.current_thread()

    def in_thread() -> bool:
        return threading.current_thread() is loop

    def steps_in_thread() -> Iterator[bool]:
        yield threading.current_thread() is loop

    async def on_loop() -> bool:
        return threading.current_thread() is loop

    @server.tool
    def where(
        a: bool = Depends(in_thread), b: bool = Depends(steps_in_thread), c: bool = Depends(on_loop)
    ) -> list[bool]:
        return [a, b, c, threading.current_thread() is loop]

    async with serving(server, REVISION) as wire:
        assert await wire.text("where") == "[false,false,true,false]"


async def test_a_dependency_is_made_once_a_call_whoever_asks(diary: Diary) -> None:
    server = Server("once")

    async def made() -> object:
        diary("made")
        return object()

    async def left(base: object = Depends(made)) -> object:
        return base

    @server.tool
    async def same(a: object = Depends(left), b: object = Depends(made)) -> bool:
        return a is b

    async with serving(server, REVISION) as wire:
        assert await wire.text("same") == "true"
        assert await wire.text("same") == "true"
    assert diary.taken() == ["made", "made"]


async def test_dependencies_of_dependencies_get_the_context_of_the_call() -> None:
    server = Server("context")

    @server.tool
    async def tell(ctx: Context, loud: str = Depends(shout)) -> bool:
        return loud == str(ctx.request_id).upper() + "!"

    async with serving(server, REVISION) as wire:
        assert await wire.text("tell") == "true"


@pytest.mark.parametrize("revision", ALL)
async def test_p19_an_unexpected_error_of_a_dependency_is_told_by_an_id_alone(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("unexpected")

    async def secret() -> str:
        raise RuntimeError("the password is x")

    @server.tool
    async def use(a: str = Depends(secret)) -> str:
        return a

    @server.prompt
    async def ask(a: str = Depends(secret)) -> str:
        return a

    async with serving(server, revision) as wire:
        text = await wire.text("use")
        error = await wire.error("prompts/get", {"name": "ask"})
    assert text.startswith("Tool 'use' failed unexpectedly (error ")
    assert error["message"].startswith("Prompt 'ask' failed unexpectedly (error ")
    assert "password" not in text + error["message"]
    assert caplog.text.count("RuntimeError: the password is x") == 2
    assert "in secret" in caplog.text
    assert "resolving.py" not in caplog.text


@pytest.mark.parametrize("revision", ALL)
async def test_errors_that_a_dependency_raises_on_purpose_pass_as_written(revision: str) -> None:
    server = Server("purpose")

    def login(kind: str) -> Callable[..., Any]:
        async def check() -> None:
            raise ToolError("log in first") if kind == "tool" else ProtocolError("go away", code=-32050)

        return check

    @server.tool
    async def soft(a: None = Depends(login("tool"))) -> str:
        return "in"

    @server.tool
    async def hard(a: None = Depends(login("protocol"))) -> str:
        return "in"

    async with serving(server, revision) as wire:
        result = await wire.call("soft")
        assert (result["isError"], result["content"][0]["text"]) == (True, "log in first")
        if revision not in NEW:
            assert (await wire.error("tools/call", {"name": "hard"}))["code"] == -32050
        assert (await wire.error("tools/call", {"name": "hard"}))["message"] == "go away"


async def test_p24_wrong_arguments_keep_the_tools_own_names_and_no_dependency_is_made(diary: Diary) -> None:
    server = Server("names")

    @server.tool
    async def use(count: int, a: str = Depends(watched(diary, "a"))) -> str:
        return a

    async with serving(server, REVISION) as wire:
        assert await wire.text("use", {"count": "x"}) == "use: argument 'count' must be an integer, got 'x'"
        assert await wire.text("use", {}) == "use: argument 'count' is missing"
    assert diary.taken() == []


async def test_a_test_may_put_another_function_in_place_of_a_dependency() -> None:
    server = Server("override")

    @server.tool
    async def use(a: str = Depends(plain), b: str = Depends(shouted)) -> str:
        return f"{a} {b}"

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "plain PLAIN"
        with server.override(plain, coroutine):
            assert await wire.text("use") == "coroutine COROUTINE"
            with server.override(plain, lambda: "lambda"):
                assert await wire.text("use") == "lambda LAMBDA"
            assert await wire.text("use") == "coroutine COROUTINE"
        assert await wire.text("use") == "plain PLAIN"


def shouted(a: str = Depends(plain)) -> str:
    return a.upper()


def needy(token: str) -> str:
    return token


class Settings:
    """A class that needs to be told something."""

    def __init__(self, place: str) -> None: ...


def of_call(ctx: Context) -> str:
    return ctx.revision


def of_call_through(a: str = Depends(plain)) -> str:
    return a


def around(value: Circle) -> str:
    return value


Circle = Annotated[str, Depends(around)]


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        (
            Depends(needy),
            "dependency needy: nothing fills in parameter 'token': "
            "give it a default or Depends(...), or annotate it with Context",
        ),
        (Depends(Settings), "dependency Settings: nothing fills in parameter 'place': give it a default"),
        (Depends(around), "dependencies in a circle: around -> around"),
        (Depends(contextmanager(steps)), "dependency steps: give the generator function itself, without a decorator"),
        (Depends(of_call, scope="process"), "dependency of_call: with scope 'process' it cannot take a Context"),
        (
            Depends(of_call_through, scope="process"),
            "dependency of_call_through: with scope 'process' its parameter 'a' needs that scope as well",
        ),
    ],
)
def test_a_dependency_that_cannot_work_is_refused_in_one_line_when_the_handler_is_registered(
    mark: Any, line: str
) -> None:
    async def use(a: str = mark) -> str:
        return a

    with pytest.raises(TypeError) as caught:
        Server("refused").tool(use)
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_what_is_no_function_or_no_scope_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="Depends takes a function or a class, not int"):
        Depends(5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="scope is 'call' or 'process', not 'session'"):
        Depends(plain, scope="session")  # type: ignore[arg-type]


def test_a_replacement_cannot_depend_on_what_it_replaces() -> None:
    with pytest.raises(TypeError, match="shouted: it cannot depend on what it is to replace"):
        Server("override").override(plain, shouted).__enter__()


def test_a_handler_without_dependencies_is_called_itself() -> None:
    server = Server("plain")

    @server.tool
    async def use(a: int) -> int:
        return a

    entry = server._tools.listing.get("use")
    assert entry is not None
    assert entry.function is use
