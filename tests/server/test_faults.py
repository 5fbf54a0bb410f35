"""What goes wrong in handlers: what the log says, what the client is told, and that the connection lives."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from mcport import ProtocolError, ResourceNotFound, Server, ToolError
from mcport.errors import HeaderMismatch, InvalidParams, MissingCapability, UnsupportedRevision
from tests.server.wire import ALL, NEW, OLD, Json, Wire, serving

ID = re.compile(r"error [0-9a-f]{8}")


def raising(error: BaseException | Callable[[], object], dev: bool = False) -> Server:
    """Return a server whose tools, resource and prompt raise an error, or call what raises one."""
    server = Server("raises", dev=dev)

    def go() -> None:
        if isinstance(error, BaseException):
            raise error
        error()

    @server.tool
    async def quick() -> None:
        go()

    @server.tool
    async def waiting() -> None:
        await anyio.lowlevel.checkpoint()
        go()

    @server.tool
    def plain() -> None:
        go()

    @server.resource("data://it")
    async def read() -> str:
        go()
        return ""

    @server.prompt
    async def say() -> str:
        go()
        return ""

    return server


TOOLS = ["quick", "waiting", "plain"]
HANDLERS: list[tuple[str, Json, str]] = [
    *[("tools/call", {"name": name}, f"Tool '{name}'") for name in TOOLS],
    ("resources/read", {"uri": "data://it"}, "Resource 'data://it'"),
    ("prompts/get", {"name": "say"}, "Prompt 'say'"),
]


async def told(wire: Wire, method: str, params: Json) -> str:
    """Ask, and return the text of whatever failure comes back."""
    answer = await wire.ask(method, params)
    if method != "tools/call":
        assert answer["error"]["code"] == -32603
        return str(answer["error"]["message"])
    assert answer["result"]["isError"] is True
    return str(answer["result"]["content"][0]["text"])


def logged(caplog: pytest.LogCaptureFixture) -> str:
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.name == "mcport.server"
    return record.getMessage()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("method", "params", "name"), HANDLERS)
async def test_p19_the_client_gets_a_safe_text_with_an_id_and_the_log_a_short_traceback_with_it(
    revision: str, method: str, params: Json, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(raising(ValueError("password is hunter2")), revision) as wire:
        text = await told(wire, method, params)
        await wire.silent()
    assert "hunter2" not in text
    assert "\n" not in text
    found = ID.search(text)
    assert found is not None
    assert text.startswith(f"{name} failed unexpectedly")
    log = logged(caplog)
    assert found[0] in log
    assert log.endswith("ValueError: password is hunter2")
    frames = [line for line in log.splitlines() if line.startswith("  File ")]
    assert 1 <= len(frames) <= 7
    assert all(__file__ in frame for frame in frames)
    assert "in go" in frames[-1]


def blame_json() -> None:
    json.loads("{nonsense")


def chained() -> None:
    try:
        raise KeyError("inner")
    except KeyError as error:
        raise RuntimeError("outer") from error


def deep(count: int = 40) -> None:
    if count:
        deeper(count)
    raise ValueError("deep")


def deeper(count: int) -> None:
    deep(count - 1)


def grouped() -> None:
    raise ExceptionGroup("several", [ValueError("first"), TypeError("second")])


@pytest.mark.parametrize(
    ("call", "wanted", "lines"),
    [
        (blame_json, ["in blame_json", "json.decoder.JSONDecodeError", "more frames of libraries"], 15),
        (chained, ["RuntimeError: outer", "because of KeyError: 'inner'"], 12),
        (deep, ["ValueError: deep"], 20),
        (grouped, ["with ValueError: first", "with TypeError: second"], 12),
    ],
)
async def test_p19_a_traceback_is_short_and_begins_with_the_authors_code(
    call: Callable[[], None], wanted: list[str], lines: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(raising(call), NEW[0]) as wire:
        await told(wire, "tools/call", {"name": "quick"})
    story = logged(caplog).splitlines()
    assert len(story) <= lines
    assert __file__ in story[1]
    for part in wanted:
        assert any(part in line for line in story), part


@pytest.mark.parametrize("revision", ALL)
async def test_p19_in_dev_mode_all_is_shown(revision: str) -> None:
    async with serving(raising(ValueError("password is hunter2"), dev=True), revision) as wire:
        for method, params, name in HANDLERS:
            text = await told(wire, method, params)
            assert text.startswith(f"{name} failed (error ")
            assert "ValueError: password is hunter2" in text
            assert __file__ in text


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("text", ["Try Lyon.", "", "two\nlines", "{braces} %s", "half \ud800 a letter"])
async def test_p19_tool_errors_are_told_as_written(revision: str, text: str, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(raising(ToolError(text)), revision) as wire:
        for name in TOOLS:
            found = await told(wire, "tools/call", {"name": name})
            assert found == text.replace("\ud800", "?")
    assert not caplog.records


# ---- protocol errors


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("method", "params", "name"), HANDLERS)
async def test_a_protocol_error_of_a_handler_goes_out_as_it_is(
    revision: str, method: str, params: Json, name: str
) -> None:
    async with serving(raising(InvalidParams("no such day", data={"day": [None]})), revision) as wire:
        assert await wire.error(method, params) == {"code": -32602, "message": "no such day", "data": {"day": [None]}}
    async with serving(raising(ProtocolError("mine", code=4000)), revision) as wire:
        assert await wire.error(method, params) == {"code": 4000, "message": "mine"}


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("error-codes.no-retired-codes", revisions=NEW)
async def test_a_resource_that_is_not_there_gets_the_code_of_the_revision(revision: str) -> None:
    async with serving(raising(ResourceNotFound("gone", data={"uri": "x"})), revision) as wire:
        wanted = -32602 if revision in NEW else -32002
        for method, params, _ in HANDLERS:
            assert (await wire.error(method, params))["code"] == wanted
        assert (await wire.error("resources/read", {"uri": "data://other"}))["code"] == wanted


CODES = [-32002, -32042, -32020, -32021, -32022, -32023, -32050, -32099]


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize("code", CODES)
@pytest.mark.requirement(
    "error-codes.no-retired-codes",
    "error-codes.reserved-range-only-defined",
    "error-codes.defined-codes-as-specified",
)
async def test_a_handler_cannot_send_codes_that_the_protocol_keeps(
    revision: str, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(raising(ProtocolError("mine", code=code, data=1)), revision) as wire:
        for method, params, _ in HANDLERS:
            assert await wire.error(method, params) == {"code": -32603, "message": "mine", "data": 1}
    assert str(code) in caplog.text


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("error-codes.defined-codes-as-specified")
async def test_defined_codes_go_out_from_the_classes_that_mean_them(revision: str) -> None:
    meant: list[tuple[ProtocolError, int]] = [
        (MissingCapability("needs sampling", required={"sampling": {}}), -32021),
        (HeaderMismatch("no header"), -32020),
        (UnsupportedRevision("x", ("y",)), -32022),
    ]
    for error, code in meant:
        async with serving(raising(error), revision) as wire:
            assert (await wire.error("tools/call", {"name": "quick"}))["code"] == code


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.parametrize("code", [-32042, -32050])
async def test_the_handshake_era_leaves_its_ranges_to_servers(revision: str, code: int) -> None:
    """All but the one code that its last revision gave a meaning, and so to `UrlElicitationRequired` alone."""
    has_a_meaning = code == -32042 and revision == OLD[-1]
    async with serving(raising(ProtocolError("mine", code=code)), revision) as wire:
        assert (await wire.error("tools/call", {"name": "quick"}))["code"] == (-32603 if has_a_meaning else code)


@pytest.mark.requirement("error-codes.no-new-legacy-range")
def test_the_table_of_errors_has_no_code_of_its_own_in_the_old_range() -> None:
    import mcport.errors

    codes = {value for name, value in vars(mcport.errors).items() if name.isupper() and isinstance(value, int)}
    assert {code for code in codes if -32019 <= code <= -32000} == {-32002}


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("base.error.integer-code", "base.error.code-and-message")
async def test_errors_that_cannot_be_sent_as_they_are_are_made_so(revision: str) -> None:
    odd: list[tuple[Any, Json]] = [
        (ProtocolError("a", code="x"), {"code": -32603, "message": "a"}),  # type: ignore[arg-type]
        (ProtocolError("a", code=1.5), {"code": -32603, "message": "a"}),  # type: ignore[arg-type]
        (ProtocolError("a", code=True), {"code": -32603, "message": "a"}),
        (ProtocolError(5, code=7), {"code": 7, "message": "5"}),  # type: ignore[arg-type]
        (ProtocolError("a\ud800", code=7), {"code": 7, "message": "a?"}),
        (ProtocolError("a", code=7, data=object()), {"code": 7, "message": "a"}),
        (ProtocolError("a", code=7, data=float("nan")), {"code": 7, "message": "a"}),
    ]
    for error, wanted in odd:
        async with serving(raising(error), revision) as wire:
            assert await wire.error("tools/call", {"name": "quick"}) == wanted
            await wire.silent()


# ---- what is no Exception


class Odd(BaseException):
    pass


@pytest.mark.parametrize(
    "error", [SystemExit(3), SystemExit("bye"), Odd("odd"), StopIteration("s"), StopAsyncIteration()]
)
async def test_nothing_that_a_handler_lets_out_ends_the_server(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(raising(error), NEW[0]) as wire:
        for method, params, name in HANDLERS:
            caplog.clear()
            assert (await told(wire, method, params)).startswith(f"{name} failed unexpectedly")
            assert __file__ in logged(caplog)
            assert type(error).__name__ in logged(caplog)
        await wire.silent()


@pytest.fixture
def signals() -> Iterator[list[int]]:
    """The SIGINTs that reach the program."""
    found: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: found.append(number))
    yield found
    signal.signal(signal.SIGINT, before)


async def test_a_ctrl_c_that_strikes_in_a_handler_reaches_the_program(signals: list[int]) -> None:
    async with serving(raising(KeyboardInterrupt()), NEW[0]) as wire:
        for name in ("quick", "waiting"):
            await told(wire, "tools/call", {"name": name})
        assert signals == [signal.SIGINT] * 2
        await told(wire, "tools/call", {"name": "plain"})
        assert len(signals) == 2


async def test_a_cancellation_that_nobody_asked_for_is_a_failure_and_is_answered(
    anyio_backend_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    if anyio_backend_name != "asyncio":
        return  # trio has no way to cancel less than a scope
    server = Server("futures")

    @server.tool
    async def wait() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.cancel)
        await future

    async with serving(server, NEW[0]) as wire:
        assert (await told(wire, "tools/call", {"name": "wait"})).startswith("Tool 'wait' failed unexpectedly")
        assert "CancelledError" in logged(caplog)
        await wire.silent()


async def test_warnings_and_recursion_are_ordinary_failures() -> None:
    def endless() -> None:
        endless()

    async with serving(raising(endless), NEW[0]) as wire:
        assert "failed unexpectedly" in await told(wire, "tools/call", {"name": "quick"})
    assert sys.getrecursionlimit() > 100
