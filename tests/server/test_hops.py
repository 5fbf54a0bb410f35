"""The hop budget: what one tools/call may cost a server over pipes, as counts and never as seconds.

On POSIX and asyncio: no thread, no memory stream, one task where something is awaited and none elsewhere, two
validations at most (the parameters are taken apart by hand, so it is one), one dump, and a bounded number of turns of
the loop. And no call costs more because there are more tools. Under a profile hook every call of Python and of C is
seen.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import json
import os
import sys
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import anyio.streams.memory
import pytest

import mcport
from mcport import Context, Server
from mcport.session.loop import current_loop
from mcport.transports.pipes import PipeChannel
from tests.server.wire import ALL, CAPABILITIES, NEW, VERSION, Json

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="threads read and write the pipes of Windows")

HOME = str(Path(mcport.__file__).parent)
VALIDATIONS = {"validate_python", "validate_json", "validate_strings", "isinstance_python"}
PARSES = {"from_json", "loads", "validate_json"}
WAKING = {"eventfd_write", "call_soon_threadsafe", "start_new_thread"}
DUMPS = {"to_json", "to_python", "dumps", "model_dump_json", "to_jsonable_python"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def server_of(tools: int = 1) -> Server:
    server = Server("budget")

    @server.tool
    async def add(a: int, b: int) -> int:
        return a + b

    @server.tool
    async def say(word: str, ctx: Context) -> str:
        await anyio.lowlevel.checkpoint()
        return word * 2

    @server.tool
    def plain(a: int) -> int:
        return a

    for number in range(tools - 3):
        server.tool(name=f"more{number}")(add)
    return server


class Pipes:
    """A server served over two pipes, spoken to with reads and writes of the operating system."""

    def __init__(self, revision: str, taken: int, given: int) -> None:
        self.revision = revision
        self._taken = taken
        self._given = given
        self._count = 0
        self._rest = b""

    def write(self, method: str, params: Json) -> None:
        self._count += 1
        if self.revision in NEW:
            params = {"_meta": {VERSION: self.revision, CAPABILITIES: {}}, **params}
        message = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        os.write(self._given, json.dumps(message).encode() + b"\n")

    async def ask(self, method: str, params: Json) -> Json:
        """Ask, and give the loop turns until the answer is in the pipe."""
        self.write(method, params)
        return await self.read()

    async def read(self) -> Json:
        while b"\n" not in self._rest:
            await asyncio.sleep(0)
            try:
                self._rest += os.read(self._taken, 65536)
            except BlockingIOError:
                continue
        line, _, self._rest = self._rest.partition(b"\n")
        return json.loads(line)

    async def call(self, tool: str, arguments: Json) -> Json:
        return (await self.ask("tools/call", {"name": tool, "arguments": arguments}))["result"]["content"][0]["text"]


async def over_pipes(server: Server, revision: str, talk: Callable[[Pipes], Awaitable[None]]) -> None:
    """Serve over pipes, open the conversation, and talk."""
    (server_in, given), (taken, server_out) = os.pipe(), os.pipe()
    os.set_blocking(taken, False)
    loop = current_loop()
    pipes = Pipes(revision, taken, given)
    try:
        async with anyio.create_task_group() as tasks:
            channel = PipeChannel(loop, server_in, server_out, server.limits.message_bytes)
            tasks.start_soon(server.host.serve, channel, loop)
            with anyio.fail_after(5):
                if revision not in NEW:
                    info = {"name": "x", "version": "1"}
                    params = {"protocolVersion": revision, "capabilities": {}, "clientInfo": info}
                    await pipes.ask("initialize", params)
                await talk(pipes)
            os.close(given)
            given = -1
    finally:
        os.close(taken)
        if given >= 0:
            os.close(given)


class Count:
    """What a profile hook saw: calls of C and of Python by name, and how many of mcport's own there were."""

    def __init__(self) -> None:
        self.c: Counter[str] = Counter()
        self.own = 0
        self.names: Counter[str] = Counter()

    def hook(self, frame: Any, event: str, argument: Any) -> None:
        if event == "c_call":
            self.c[argument.__name__] += 1
        elif event == "call":
            self.own += frame.f_code.co_filename.startswith(HOME)
            self.names[frame.f_code.co_name] += 1

    def of(self, names: set[str]) -> int:
        return sum(self.c[name] + self.names[name] for name in names)


@contextmanager
def counting() -> Iterator[Count]:
    count = Count()
    gc.disable()  # else what earlier tests left behind may be taken away now, by finalizers that count
    sys.setprofile(count.hook)
    try:
        yield count
    finally:
        sys.setprofile(None)
        gc.enable()


class Turns:
    """What the loop did: how many callbacks it ran, and the steps of which tasks were among them."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.callbacks = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        handle, turns = asyncio.Handle._run, self

        def run(self: Any) -> None:
            turns.callbacks += 1
            owner = getattr(self._callback, "__self__", None)
            if isinstance(owner, asyncio.Task):
                turns.tasks.add(owner)
            handle(self)

        patch.setattr(asyncio.Handle, "_run", run)
        patch.setattr(asyncio.get_running_loop(), "call_soon_threadsafe", _never)
        patch.setattr(threading.Thread, "start", _never)
        patch.setattr(anyio.streams.memory.MemoryObjectSendStream, "send_nowait", _never)


def _never(*_: Any, **__: Any) -> None:
    raise AssertionError("not in one tools/call")


CALLS: list[tuple[str, Json, str]] = [("add", {"a": 1, "b": 2}, "3"), ("say", {"word": "x"}, "xx")]


STEPS = 10
"""Turns that the loop gets after a request was written: more than any answer needs."""


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("tool", "arguments", "text"), CALLS)
async def test_one_call_validates_twice_at_most_and_dumps_once(
    revision: str, tool: str, arguments: Json, text: str
) -> None:
    async def talk(pipes: Pipes) -> None:
        await pipes.call(tool, arguments)
        pipes.write("tools/call", {"name": tool, "arguments": arguments})
        with counting() as count:
            for _ in range(STEPS):
                await asyncio.sleep(0)
        assert (await pipes.read())["result"]["content"] == [{"type": "text", "text": text}]
        assert 1 <= count.of(VALIDATIONS) <= 2
        # An integer is written without any dump; a string id takes part in the message and is dumped on its own.
        assert count.of(DUMPS) == (0 if text == "3" else 1)
        assert count.of(PARSES) == 1

    await over_pipes(server_of(3), revision, talk)


@dataclasses.dataclass
class Sum:
    a: int
    total: float


@pytest.mark.parametrize("revision", ALL)
async def test_a_structured_result_is_dumped_once_and_its_text_is_made_of_the_same_bytes(revision: str) -> None:
    server = server_of(3)

    @server.tool
    async def total(a: int) -> Sum:
        return Sum(a, a + 0.5)

    async def talk(pipes: Pipes) -> None:
        await pipes.call("total", {"a": 1})
        pipes.write("tools/call", {"name": "total", "arguments": {"a": 1}})
        with counting() as count:
            for _ in range(STEPS):
                await asyncio.sleep(0)
        assert (await pipes.read())["result"]["content"] == [{"type": "text", "text": '{"a":1,"total":1.5}'}]
        assert count.of(VALIDATIONS) == 1  # of the arguments: the value was built from its type
        assert count.of(DUMPS) == 2  # the value, and its JSON as a string
        assert count.of(PARSES) == 1

    await over_pipes(server, revision, talk)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("tool", "arguments", "text"), CALLS)
async def test_one_call_is_one_task_at_most_and_few_turns_of_the_loop_without_threads_and_memory_streams(
    revision: str, tool: str, arguments: Json, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def talk(pipes: Pipes) -> None:
        for _ in range(3):  # the first call makes the table of routes, the next one what stands in for a task
            await pipes.call(tool, arguments)
        mine = asyncio.current_task()
        pipes.write("tools/call", {"name": tool, "arguments": arguments})
        with monkeypatch.context() as patch, counting() as count:
            turns = Turns(patch)
            for _ in range(STEPS):
                await asyncio.sleep(0)
        assert (await pipes.read())["result"]["content"][0]["text"] == text
        # One tool awaits something once, the other nothing; an eager first step (Python 3.12) is none of the loop's.
        steps = (1 if sys.version_info >= (3, 12) else 2) if tool == "say" else 0
        assert len(turns.tasks - {mine}) == min(steps, 1)
        assert not count.of(WAKING)
        # What is left beside the test's own steps: the watch on the pipe, each step of the task, and no other.
        assert turns.callbacks - STEPS == 1 + steps

    await over_pipes(server_of(3), revision, talk)


async def test_many_calls_that_arrive_together_leave_in_one_write() -> None:
    async def talk(pipes: Pipes) -> None:
        await pipes.call("add", {"a": 1, "b": 2})
        for number in range(20):
            pipes.write("tools/call", {"name": "add", "arguments": {"a": number, "b": 0}})
        with counting() as count:
            for _ in range(STEPS):
                await asyncio.sleep(0)
        answers = [(await pipes.read())["result"]["content"][0]["text"] for _ in range(20)]
        assert answers == [str(number) for number in range(20)]
        assert count.of({"write", "writev"}) == 1
        assert count.c["readv"] == 1

    await over_pipes(server_of(3), NEW[0], talk)


@pytest.mark.parametrize("tool", ["add", "say", "plain"])
@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
async def test_no_call_costs_more_because_there_are_more_tools(revision: str, tool: str) -> None:
    arguments: Json = {"add": {"a": 1, "b": 2}, "say": {"word": "x"}, "plain": {"a": 1}}[tool]
    costs: list[int] = []

    async def talk(pipes: Pipes) -> None:
        for _ in range(2):
            await pipes.ask("tools/list", {})
            await pipes.call(tool, arguments)
        pipes.write("tools/call", {"name": tool, "arguments": arguments})
        with counting() as count:
            while not count.of({"write", "writev"}):
                await asyncio.sleep(0)
        await pipes.read()
        costs.append(count.own)

    for tools in (3, 30, 300):
        await over_pipes(server_of(tools), revision, talk)
    assert costs[0] > 5
    assert len(set(costs)) == 1, costs
