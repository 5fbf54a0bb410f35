"""Lines over descriptors that cannot be watched: files, the null device, terminals."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcport.session.loop import current_loop
from mcport.transports import threaded_pipes
from mcport.transports.pipes import open_pipes
from mcport.transports.threaded_pipes import CHUNK, CHUNKS_AHEAD, ThreadedPipeChannel
from tests.transports.children import PATIENCE
from tests.transports.heard import Heard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="uses terminals and select on pipes")

LIMIT = 4 * 1024 * 1024
settle = anyio.wait_all_tasks_blocked


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name.startswith("mcport pipe")}


@pytest.fixture(autouse=True)
def no_thread_stays() -> Any:
    before = threads()
    yield
    for thread in threads() - before:
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Ends:
    """A channel under test between two pipes, and their far ends."""

    def __init__(self) -> None:
        reading, self.feed = os.pipe()
        self.drain, writing = os.pipe()
        self.near = os.dup(reading), os.dup(writing)
        self.heard = Heard()
        self.channel = ThreadedPipeChannel(current_loop(), reading, writing, LIMIT)
        self.channel.open(self.heard)

    async def read(self, size: int) -> bytes:
        return await anyio.to_thread.run_sync(self._read, size)

    def _read(self, size: int) -> bytes:
        got = b""
        while len(got) < size and (piece := os.read(self.drain, size - len(got))):
            got += piece
        return got

    def forget_near(self) -> None:
        for fd in self.near:
            os.close(fd)
        self.near = ()  # type: ignore[assignment]


@pytest.fixture
async def ends() -> AsyncIterator[Ends]:
    made = Ends()
    yield made
    await made.channel.aclose()
    for fd in (made.feed, *made.near, made.drain):
        os.close(fd)


async def serve_file(path: Path, out: int) -> list[Any]:
    """Play the lines of a file through a channel; return what was heard."""
    heard = Heard()
    channel = open_pipes(current_loop(), os.open(path, os.O_RDONLY), out, LIMIT)
    assert isinstance(channel, ThreadedPipeChannel)
    channel.open(heard)
    reason = await heard.end()
    await channel.aclose()
    return [*heard.lines, reason]


async def test_a_file_is_read_to_its_end(tmp_path: Path) -> None:
    given = tmp_path / "in"
    lines = [b"%d" % number * 50 for number in range(5000)]
    given.write_bytes(b"\n".join(lines))
    heard = await serve_file(given, os.open(os.devnull, os.O_WRONLY))
    assert heard == [*lines, "the other side closed the connection"]


async def test_the_null_device_ends_at_once() -> None:
    heard = await serve_file(Path(os.devnull), os.open(os.devnull, os.O_WRONLY))
    assert heard == ["the other side closed the connection"]


async def test_a_file_takes_what_is_sent_in_order(tmp_path: Path) -> None:
    taken = tmp_path / "out"
    out = os.open(taken, os.O_CREAT | os.O_WRONLY)
    channel = open_pipes(current_loop(), os.open(os.devnull, os.O_RDONLY), out, LIMIT)
    messages = [b"x" * size for size in (1, 100_000, 3, 2_000_000, 5)]
    for message in messages:
        channel.send(message)
    with anyio.fail_after(PATIENCE):
        await channel.drain(1)
    await channel.aclose()
    assert taken.read_bytes() == b"".join(message + b"\n" for message in messages)


async def test_a_terminal_serves_both_ways() -> None:
    ours, theirs = os.openpty()
    heard = Heard()
    channel = open_pipes(current_loop(), os.dup(theirs), os.dup(theirs), LIMIT)
    assert isinstance(channel, ThreadedPipeChannel)
    channel.open(heard)
    os.write(ours, b"typed\n")
    assert await heard.until(1) == [b"typed"]
    channel.send(b"shown")
    with anyio.fail_after(PATIENCE):
        await channel.drain(1)
    await channel.aclose()
    seen = b""
    while not seen.endswith(b"shown\r\n"):
        seen += os.read(ours, 100)
    assert seen == b"typed\r\nshown\r\n"
    os.close(ours)
    os.close(theirs)


async def test_closing_wakes_a_reader_that_waits_and_leaves_the_next_line_to_others(ends: Ends) -> None:
    at_work = threads()
    assert len(at_work) == 2
    await ends.channel.aclose()
    await ends.channel.aclose()
    for thread in at_work:
        thread.join(PATIENCE)
    assert not threads()
    os.write(ends.feed, b"for the shell\n")
    assert os.read(ends.near[0], 100) == b"for the shell\n"
    assert ends.heard.ends == []


async def test_closing_before_opening_frees_the_descriptors() -> None:
    (reading, feed), (drain, writing) = os.pipe(), os.pipe()
    channel = ThreadedPipeChannel(current_loop(), reading, writing, LIMIT)
    channel.send(b"only this")
    await channel.aclose()
    assert os.read(drain, 100) == b"only this\n"
    assert os.read(drain, 100) == b""
    with pytest.raises(BrokenPipeError):
        os.write(feed, b"x")
    os.close(drain)
    os.close(feed)


async def test_a_slow_reader_is_waited_for(ends: Ends) -> None:
    big = b"x" * 1_000_000
    ends.channel.send(big)
    ends.channel.send(b"y")
    assert ends.channel.backlog == len(big) + 3
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ends.channel.drain, 1)
        assert await ends.read(len(big) + 3) == big + b"\ny\n"
    assert ends.channel.backlog == 0


async def test_a_reader_that_is_gone_ends_the_connection(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threaded_pipes, "BROKEN_SECONDS", 0)
    ends.forget_near()
    os.close(ends.drain)
    ends.drain = os.open(os.devnull, os.O_RDONLY)
    ends.channel.send(b"to nobody")
    ends.channel.send(b"to nobody either")
    with anyio.fail_after(PATIENCE):
        await ends.channel.drain(1)
    assert await ends.heard.end() == "the other side takes no more messages"
    os.write(ends.feed, b"ignored\n")
    await ends.channel.aclose()
    assert len(ends.heard.ends) == 1


async def test_descriptors_that_somebody_else_made_non_blocking_still_serve(ends: Ends) -> None:
    for fd in ends.near:
        os.set_blocking(fd, False)
    big = b"x" * 1_000_000
    ends.channel.send(big)
    assert await ends.read(len(big) + 1) == big + b"\n"
    os.write(ends.feed, b"one\n")
    assert await ends.heard.until(1) == [b"one"]
    assert ends.heard.ends == []


async def test_a_read_that_another_holder_wins_is_tried_again(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[int] = []

    def read(fd: int, size: int, read: Callable[[int, int], bytes] = os.read) -> bytes:
        if not lost:
            lost.append(fd)
            raise BlockingIOError
        return read(fd, size)

    monkeypatch.setattr(os, "read", read)
    os.write(ends.feed, b"one\n")
    assert await ends.heard.until(1) == [b"one"]
    assert lost


class LazyLoop:
    """A loop that never gets to what threads ask of it."""

    can_watch = True

    def __init__(self) -> None:
        self.asked: list[Callable[[], None]] = []

    def soon_from_thread(self, call: Callable[[], None]) -> None:
        self.asked.append(call)


class NoticedSemaphore(threading.Semaphore):
    """Says when somebody has to wait for it."""

    def __init__(self, value: int) -> None:
        super().__init__(value)
        self.exhausted = threading.Event()

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:
        if super().acquire(False):
            return True
        self.exhausted.set()
        return super().acquire(blocking, timeout)


def test_a_file_is_not_read_faster_than_the_loop_takes_it(tmp_path: Path) -> None:
    given = tmp_path / "in"
    given.write_bytes(b"x" * CHUNK * 3 * CHUNKS_AHEAD)
    reading = os.open(given, os.O_RDONLY)
    held = os.dup(reading)
    loop: Any = LazyLoop()
    channel = ThreadedPipeChannel(loop, reading, os.open(os.devnull, os.O_WRONLY), LIMIT)
    ahead = channel._ahead = NoticedSemaphore(CHUNKS_AHEAD)
    channel.open(Heard())
    assert ahead.exhausted.wait(PATIENCE)
    assert len(loop.asked) == CHUNKS_AHEAD
    assert os.lseek(held, 0, os.SEEK_CUR) == CHUNK * (CHUNKS_AHEAD + 1)
    channel.close()
    os.close(held)


async def test_a_read_error_is_told_as_the_reason(tmp_path: Path) -> None:
    """A directory can be opened, and not read."""
    heard = await serve_file(tmp_path, os.open(os.devnull, os.O_WRONLY))
    assert heard == ["reading failed: Is a directory"]
