"""How serving ends when it is cut short: handlers clean up before the server's life ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from mcport import Client, Server
from mcport.session.loop import current_loop
from tests.session.scripted import ScriptedChannel, request

CALL = (
    '{"name":"work","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
    '"io.modelcontextprotocol/clientCapabilities":{}}}'
)


async def test_handlers_clean_up_before_the_lifespan_ends_when_serving_is_cancelled() -> None:
    story: list[str] = []
    running = anyio.Event()

    @asynccontextmanager
    async def lifespan(_: Server) -> AsyncIterator[None]:
        yield
        story.append("lifespan left")

    server = Server("slow", lifespan=lifespan)

    @server.tool
    async def work() -> None:
        running.set()
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
                story.append("handler cleaned up")

    channel = ScriptedChannel()
    async with anyio.create_task_group() as serving:
        serving.start_soon(server.host.serve, channel, current_loop())
        await anyio.wait_all_tasks_blocked()
        channel.say(request(1, "tools/call", CALL))
        await running.wait()
        serving.cancel_scope.cancel()
    assert story == ["handler cleaned up", "lifespan left"]


async def test_a_handler_that_lets_out_a_cancellation_of_its_own_is_answered() -> None:
    server = Server("odd")

    @server.tool
    async def quit() -> None:
        raise anyio.get_cancelled_exc_class()("mine")

    async with Client(server) as client:
        with anyio.fail_after(5):
            result = await client.call_tool("quit")
    assert result.is_error


SLOW_START = """
import anyio, sys
from contextlib import asynccontextmanager
from mcport import Server

@asynccontextmanager
async def lifespan(server):
    try:
        sys.stderr.write("starting\\n"); sys.stderr.flush()
        await anyio.sleep_forever()
        yield
    finally:
        sys.stderr.write("cleaned up\\n"); sys.stderr.flush()

Server("slow", lifespan=lifespan).run()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_a_signal_during_a_slow_start_cleans_up_and_ends_quietly(tmp_path: Path) -> None:
    program = tmp_path / "slow.py"
    program.write_text(SLOW_START, encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stderr is not None
    assert child.stderr.readline() == b"starting\n"
    os.kill(child.pid, signal.SIGTERM)
    out, err = child.communicate(timeout=20)
    assert (out, err, child.returncode) == (b"", b"cleaned up\n", 0)


BUSY = """
import signal, sys
from mcport import Server

server = Server("busy")

def say(word):
    sys.stderr.write(word + "\\n"); sys.stderr.flush()

@server.tool
async def work() -> None:
    before = signal.getsignal(signal.SIGINT)
    say("busy")
    while signal.getsignal(signal.SIGINT) is before:
        pass
    say("heard")
    while True:
        pass

server.run()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_second_signal_ends_a_server_whose_loop_is_blocked(tmp_path: Path, number: signal.Signals, code: int) -> None:
    program = tmp_path / "busy.py"
    program.write_text(BUSY, encoding="utf-8")
    child = subprocess.Popen(
        [sys.executable, str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdin is not None
    assert child.stderr is not None
    child.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":%b}\n' % CALL.encode())
    child.stdin.flush()
    end = threading.Timer(20, child.kill)
    end.start()
    for said in (b"busy\n", b"heard\n"):
        assert child.stderr.readline() == said
        child.send_signal(number)
    child.communicate()
    end.cancel()
    assert child.returncode == code
