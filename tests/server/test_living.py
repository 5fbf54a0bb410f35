"""Lifespans: entered once while anybody is connected, and what becomes of their errors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from mcport import Context, EndOfStream, Server
from mcport.core.framing import Line
from mcport.session.loop import current_loop
from mcport.transports.memory import MemoryChannel
from tests.server.wire import ALL, NEW, Wire, serving, unopened

REVISION = NEW[0]
SECONDS = 5.0


class Story:
    """A lifespan that tells what happens, and stops where a test wants it to."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.tasks: set[int] = set()
        self.entering = anyio.Event()
        self.enter = anyio.Event()
        self.leaving = anyio.Event()
        self.leave = anyio.Event()
        self.enter.set()
        self.leave.set()
        self.lives = 0

    @asynccontextmanager
    async def lifespan(self, server: Server) -> AsyncIterator[str]:
        self.tasks.add(anyio.get_current_task().id)
        self.entering.set()
        try:
            await self.enter.wait()
        except BaseException:
            self.events.append("gave up")
            raise
        self.lives += 1
        self.events.append(f"enter {self.lives}")
        try:
            yield f"{server.name} life {self.lives}"
        finally:
            self.tasks.add(anyio.get_current_task().id)
            self.leaving.set()
            await self.leave.wait()
            self.events.append("leave")

    def server(self) -> Server:
        server = Server("demo", lifespan=self.lifespan)

        @server.tool
        async def which(ctx: Context[str]) -> str:
            return ctx.lifespan

        @server.tool
        def threaded(ctx: Context[str]) -> str:
            return ctx.lifespan

        return server


async def test_one_life_is_shared_by_all_connections_and_each_handler_reaches_what_it_yields() -> None:
    story = Story()
    server = story.server()
    async with serving(server, REVISION) as one:
        async with serving(server, ALL[0]) as other:
            assert await one.text("which") == await other.text("threaded") == "demo life 1"
        assert story.events == ["enter 1"]
        assert await one.text("which") == "demo life 1"
    assert story.events == ["enter 1", "leave"]
    assert len(story.tasks) == 1
    async with serving(server, REVISION) as wire:
        assert await wire.text("which") == "demo life 2"
    assert story.events == ["enter 1", "leave", "enter 2", "leave"]


async def test_without_a_lifespan_there_is_none() -> None:
    server = Server("demo")

    @server.tool
    async def which(ctx: Context) -> str:
        return f"{ctx.lifespan}"

    async with serving(server, REVISION) as wire:
        assert await wire.text("which") == "None"


async def serve(server: Server) -> None:
    """Serve a client that has gone already."""
    loop = current_loop()
    near, far = MemoryChannel.pair(loop, (1000, 1000))
    await near.aclose()
    await server.host.serve(far, loop)


def failing(at: str, error: Callable[[], BaseException]) -> Server:
    @asynccontextmanager
    async def lifespan(_: Server) -> AsyncIterator[None]:
        await anyio.lowlevel.checkpoint()
        if at == "enter":
            raise error()
        yield
        raise error()

    return Server("demo", lifespan=lifespan)


@pytest.mark.parametrize("at", ["enter", "leave"])
@pytest.mark.parametrize("error", [lambda: ValueError("no database"), lambda: SystemExit("no key"), KeyboardInterrupt])
async def test_what_a_lifespan_raises_comes_out_of_serving_by_itself(
    at: str, error: Callable[[], BaseException]
) -> None:
    server = failing(at, error)
    for _ in range(2):
        with pytest.raises(type(error())), anyio.fail_after(SECONDS):
            await serve(server)


async def test_a_client_whose_server_cannot_begin_sees_its_connection_end() -> None:
    loop = current_loop()
    near, far = MemoryChannel.pair(loop, (1000, 1000))
    wire = Wire(near, REVISION)
    near.open(_Receiver(wire))
    with pytest.raises(ValueError, match="no database"):
        await failing("enter", lambda: ValueError("no database")).host.serve(far, loop)
    with pytest.raises(AssertionError, match="the server ended"):
        await wire.read()


class _Receiver:
    def __init__(self, wire: Wire) -> None:
        self.receive = wire.receive
        self.ended = wire.end


async def test_all_who_wait_for_a_life_hear_that_it_failed() -> None:
    story, heard = Story(), []
    story.enter = anyio.Event()

    @asynccontextmanager
    async def lifespan(server: Server) -> AsyncIterator[None]:
        story.entering.set()
        await story.enter.wait()
        if server.name == "demo":
            raise ValueError("no")
        yield

    server = Server("demo", lifespan=lifespan)

    async def guest() -> None:
        with pytest.raises(ValueError, match="no"):
            await serve(server)
        heard.append(1)

    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(guest)
            tasks.start_soon(guest)
            await story.entering.wait()
            story.enter.set()
    assert len(heard) == 2


async def test_who_gives_up_waiting_does_not_end_the_life_of_others() -> None:
    story = Story()
    story.enter = anyio.Event()
    server = story.server()
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks, unopened(server, REVISION) as wire:
            await story.entering.wait()
            scope = anyio.CancelScope()
            tasks.start_soon(_within, scope, server)
            await anyio.wait_all_tasks_blocked()
            scope.cancel()
            await anyio.wait_all_tasks_blocked()
            story.enter.set()
            assert await wire.text("which") == "demo life 1"
            assert story.events == ["enter 1"]


async def _within(scope: anyio.CancelScope, server: Server) -> None:
    with scope:
        await serve(server)


async def test_a_life_that_nobody_waits_for_any_more_is_not_entered() -> None:
    story = Story()
    story.enter = anyio.Event()
    server = story.server()
    async with anyio.create_task_group() as tasks:
        scope = anyio.CancelScope()
        tasks.start_soon(_within, scope, server)
        await story.entering.wait()
        scope.cancel()
    await anyio.wait_all_tasks_blocked()
    assert story.events == ["gave up"]
    story.enter.set()
    async with serving(server, REVISION) as wire:
        assert await wire.text("which") == "demo life 1"


async def test_who_comes_while_a_life_is_ending_gets_the_next_one() -> None:
    story = Story()
    story.leave = anyio.Event()
    server = story.server()
    with anyio.fail_after(SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve, server)
            await story.leaving.wait()
            async with unopened(server, REVISION) as wire:
                wire.request("tools/call", {"name": "threaded"})
                await anyio.wait_all_tasks_blocked()
                assert story.events == ["enter 1"]
                story.leave.set()
                answer = await wire.read()
                assert answer["result"]["content"][0]["text"] == "demo life 2"
    assert story.events == ["enter 1", "leave", "enter 2", "leave"]


def test_a_server_can_be_served_in_one_loop_after_another() -> None:
    story = Story()
    server = story.server()

    async def once() -> str:
        story.enter, story.leave, story.entering, story.leaving = (anyio.Event() for _ in range(4))
        story.enter.set()
        story.leave.set()
        async with serving(server, REVISION) as wire:
            return await wire.text("threaded")

    async def abandoned() -> None:
        story.enter, story.leave, story.entering, story.leaving = (anyio.Event() for _ in range(4))
        story.enter.set()
        story.leave.set()
        await server.host.living.enter(current_loop())

    assert [anyio.run(once), anyio.run(once, backend="trio")] == ["demo life 1", "demo life 2"]
    anyio.run(abandoned)
    assert anyio.run(once) == "demo life 4"


# ---- transports and programs


class Scripted:
    """A transport of the user: says what it is given, and keeps what it gets."""

    def __init__(self, *messages: bytes) -> None:
        self.messages = list(messages)
        self.sent: list[bytes] = []
        self.answered = anyio.Event()
        self.closed = False

    async def receive(self) -> Line:
        if self.messages:
            return self.messages.pop(0)
        await self.answered.wait()
        raise EndOfStream("that was all")

    async def send(self, message: bytes) -> None:
        self.sent.append(message)
        self.answered.set()

    async def aclose(self) -> None:
        self.closed = True


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("transport.custom-preserve")
async def test_a_transport_of_the_user_is_served_inside_a_running_loop(revision: str) -> None:
    story = Story()
    meta = b'"io.modelcontextprotocol/protocolVersion":"%b","io.modelcontextprotocol/clientCapabilities":{}'
    opening = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"%b","capabilities":{},'
    opening += b'"clientInfo":{"name":"x","version":"1"}}}'
    discover = b'{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{' + meta + b"}}}"
    transport = Scripted((discover if revision in NEW else opening) % revision.encode())
    with anyio.fail_after(SECONDS):
        await story.server().serve(transport)
    (answer,) = transport.sent
    assert answer.startswith(b'{"jsonrpc":"2.0","id":1,"result":{')
    assert revision.encode() in answer
    assert transport.closed
    assert story.events == ["enter 1", "leave"]


PROGRAM = """
import sys
from contextlib import asynccontextmanager
from mcport import Server

@asynccontextmanager
async def lifespan(server):
    if sys.argv[1] == "exit":
        sys.exit("no API key")
    if sys.argv[1] == "enter":
        raise ValueError("no database")
    yield
    raise ValueError("cannot close")

Server("demo", lifespan=lifespan).run()
"""


@pytest.mark.parametrize(
    ("at", "last"),
    [("enter", "ValueError: no database"), ("leave", "ValueError: cannot close"), ("exit", "no API key")],
)
def test_a_program_whose_lifespan_fails_ends_with_a_short_traceback_and_code_1(
    at: str, last: str, tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = [sys.executable, str(tmp_path / "program.py"), at]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, lines[-1]) == (1, "", last)
    assert "ExceptionGroup" not in done.stderr
    frames = [line for line in lines if line.startswith("  File ")]
    assert len(frames) == (0 if at == "exit" else 4)
    assert all("program.py" in frame for frame in frames[:1] + frames[-1:])
