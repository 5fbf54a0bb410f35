"""The channel to a child process: what its end is called, and what closing leaves behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from mcport.core.framing import Oversized
from mcport.session.loop import current_loop
from mcport.transports import child_channel, pipes
from mcport.transports.child_channel import ChildChannel
from mcport.transports.process import DEFAULT_LIMITS, Child, ChildLimits
from tests.transports.children import Leash, program
from tests.transports.heard import Heard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the children use signals and FIFOs of POSIX")

LIMIT = 10_000
Start = Callable[..., Awaitable[tuple[ChildChannel, Heard]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    channels: list[ChildChannel] = []

    async def start(*command: str, limits: ChildLimits = DEFAULT_LIMITS) -> tuple[ChildChannel, Heard]:
        heard = Heard()
        channel = ChildChannel(await Child.start(list(command), limits=limits), current_loop(), LIMIT)
        channels.append(channel)
        channel.open(heard)
        return channel, heard

    yield start
    for channel in channels:
        await channel.aclose()


def python(script: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", script]


async def test_lines_go_both_ways_and_closing_ends_the_child(start: Start) -> None:
    channel, heard = await start(*program("echoes.py"))
    for line in (b"one", b"two"):
        channel.send(line)
    assert await heard.until(2) == [b"one", b"two"]
    channel.send(b"x" * (LIMIT + 1))
    assert isinstance((await heard.until(3))[2], Oversized)
    await channel.drain(1)
    assert channel.backlog == 0
    await channel.aclose()
    await channel.aclose()
    assert channel.child.returncode == 0
    assert heard.ends == []


async def test_the_end_of_a_child_is_told_once_with_its_exit_code_after_its_last_words(start: Start) -> None:
    _, heard = await start(*python("import sys; print('last words'); sys.exit(7)"))
    assert await heard.end() == "it exited with code 7"
    assert heard.lines == [b"last words"]
    assert len(heard.ends) == 1


async def test_a_child_that_is_killed_is_told_with_its_signal(start: Start) -> None:
    channel, heard = await start(*program("never_answers.py"))
    os.kill(channel.child.pid, signal.SIGKILL)
    assert await heard.end() == "it exited with code -9"
    channel.send(b"to nobody")
    await channel.drain(1)


async def test_a_child_that_closes_its_stdout_and_lives_is_told_as_such(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_channel, "EXIT_SECONDS", 0)
    _, heard = await start(*python("import os, sys; os.close(1); sys.stdin.read()"))
    assert await heard.end() == "it closed its stdout"


async def test_a_child_that_closes_its_stdin_and_lives_is_told_as_such(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(child_channel, "EXIT_SECONDS", 0)
    monkeypatch.setattr(pipes, "BROKEN_SECONDS", 0)
    limits = ChildLimits(close_seconds=0)
    script = "import os, signal; os.close(0); print('deaf', flush=True); signal.pause()"
    channel, heard = await start(*python(script), limits=limits)
    await heard.until(1)
    channel.send(b"hello?")
    assert await heard.end() == "it closed its stdin"


async def test_a_child_that_leaves_its_stdout_to_another_process_has_ended_all_the_same(
    start: Start, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(child_channel, "EXIT_SECONDS", 0)
    leash = Leash(tmp_path / "leash")
    channel, heard = await start(
        *program("leaves_grandchild.py", leash.path, "leaves"), limits=ChildLimits(close_seconds=0)
    )
    assert await heard.end() == "it exited with code 0"
    await channel.aclose()
    await leash.gone()
    leash.close()


async def test_closing_while_the_end_is_awaited_tells_nobody(start: Start) -> None:
    channel, heard = await start(*program("never_answers.py"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(channel.aclose)
        tasks.start_soon(channel.aclose)
    assert channel.child.returncode == 0
    await anyio.wait_all_tasks_blocked()
    assert heard.ends == []
