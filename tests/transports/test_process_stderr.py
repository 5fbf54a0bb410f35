"""What a child writes to stderr: always read, its tail kept and harmless, told by the line to who asks (P5)."""

import os

import anyio
import anyio.to_thread
import pytest

from mcport.session.loop import current_loop
from mcport.transports import stderr
from mcport.transports.process import Child, ChildLimits
from mcport.transports.stderr import StderrReader
from tests.transports.children import PATIENCE, program, read_line

KIB = 1024


@pytest.mark.requirement("stdio.stderr-client-choice")
async def test_the_last_words_of_a_child_are_there_when_its_exit_is_told() -> None:
    child = await Child.start(program("dies_at_start.py"))
    assert await child.wait_exit() == 2
    assert child.stderr_tail() == "settings.toml: no such file\n"
    await child.end()
    assert child.stderr_tail() == "settings.toml: no such file\n"


async def test_last_words_are_read_even_if_the_loop_did_not_come_to_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StderrReader, "_ready", lambda reader: None)
    child = await Child.start(program("dies_at_start.py"))
    await child.wait_exit()
    assert child.stderr_tail() == "settings.toml: no such file\n"
    await child.end()


async def test_a_child_that_floods_stderr_is_not_held_up_and_its_tail_is_bounded() -> None:
    child = await Child.start(program("floods_stderr.py", str(512 * KIB)), limits=ChildLimits(stderr_bytes=KIB))
    assert await read_line(child.stdout_fd) == "done"
    await child.end()
    assert child.returncode == 0
    tail = child.stderr_tail().splitlines()
    numbers = [int(line.removeprefix("line ")) for line in tail]
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert numbers[-1] > 40_000
    assert KIB - 20 < len(child.stderr_tail()) <= KIB


@pytest.mark.requirement("stdio.stderr-logging", "stdio.stderr-not-errors")
async def test_each_line_is_told_while_the_child_runs_and_ends_nothing() -> None:
    lines: list[str] = []
    child = await Child.start(program("floods_stderr.py", "20"), on_stderr=lines.append)
    assert await read_line(child.stdout_fd) == "done"
    assert not child.exited
    await child.end()
    assert lines == ["line 1", "line 2", "line 3"]


async def test_a_function_that_fails_is_not_called_again_and_hurts_nobody(caplog: pytest.LogCaptureFixture) -> None:
    lines: list[str] = []

    def fail(line: str) -> None:
        lines.append(line)
        raise ValueError(line)

    child = await Child.start(program("floods_stderr.py", "20"), on_stderr=fail)
    assert await read_line(child.stdout_fd) == "done"
    await child.end()
    assert lines == ["line 1"]
    assert [record.getMessage() for record in caplog.records] == [
        "The function given for stderr lines failed; it is not called again"
    ]
    assert child.stderr_tail() == "line 1\nline 2\nline 3\n"


async def test_where_pipes_cannot_be_watched_a_thread_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(current_loop()), "can_watch", False)
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    lines: list[str] = []
    child = await Child.start(program("dies_at_start.py"), on_stderr=lines.append)
    assert await child.wait_exit() == 2
    await child.end()
    assert child.stderr_tail() == "settings.toml: no such file\n"
    assert lines == ["settings.toml: no such file"]


async def test_a_thread_that_saw_the_exit_waits_for_the_thread_that_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(current_loop()), "can_watch", False)
    monkeypatch.setattr(stderr, "SETTLE_SECONDS", PATIENCE)
    reading, writing = os.pipe()
    reader = StderrReader(current_loop(), reading, KIB)
    seen: list[str] = []

    async def settle() -> None:
        await anyio.to_thread.run_sync(reader.settle)
        seen.append(reader.text())

    async with anyio.create_task_group() as group:
        group.start_soon(settle)
        await anyio.wait_all_tasks_blocked()
        assert seen == []
        os.write(writing, b"last words")
        os.close(writing)
    assert seen == ["last words"]
