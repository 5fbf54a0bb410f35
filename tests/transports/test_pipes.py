"""Lines over watched descriptors: order and content, slow and vanished readers, and flags that others see."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.framing import Oversized
from mcport.session.loop import current_loop
from mcport.transports import pipes
from mcport.transports.pipes import PipeChannel, is_switchable, is_watchable, open_pipes
from mcport.transports.threaded_pipes import ThreadedPipeChannel
from tests.transports.children import PATIENCE
from tests.transports.heard import Heard

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot watch pipes")

LIMIT = 4 * 1024 * 1024
settle = anyio.wait_all_tasks_blocked


class Ends:
    """A channel under test, and the far ends of its two pipes."""

    def __init__(self, limit: int = LIMIT) -> None:
        reading, self.feed = os.pipe()
        self.drain, writing = os.pipe()
        self.fds = reading, writing
        self.heard = Heard()
        self.channel = PipeChannel(current_loop(), reading, writing, limit)
        self.channel.open(self.heard)

    def fill(self) -> None:
        """Send until the pipe takes no more."""
        while not self.channel.backlog:
            self.channel.send(b"x" * 60_000)

    def read_all(self) -> bytes:
        os.set_blocking(self.drain, False)
        got = b""
        with suppress(BlockingIOError):
            while piece := os.read(self.drain, 65536):
                got += piece
        return got

    def close_far(self) -> None:
        for fd in (self.feed, self.drain):
            with suppress(OSError):
                os.close(fd)


@pytest.fixture
async def ends() -> Any:
    made = Ends()
    yield made
    await made.channel.aclose()
    made.close_far()


def waiting(channel: PipeChannel | ThreadedPipeChannel) -> int:
    return len(channel._backlog._waiting)


# ---- order and content


SIZES = st.one_of(
    st.integers(1, 40),
    st.sampled_from([4094, 4095, 4096, 65534, 65535, 65536, 65537]),
    st.integers(1, 20_000),
    st.integers(100_000, 1024 * 1024),
)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@settings(max_examples=12)
@given(sizes=st.lists(st.tuples(SIZES, st.booleans()), min_size=1, max_size=12), turns=st.sets(st.integers(0, 11)))
def test_messages_of_any_size_arrive_whole_and_in_order_through_a_tiny_pipe(
    backend: str, sizes: list[tuple[int, bool]], turns: set[int]
) -> None:
    messages = [bytes([97 + number]) * size for number, (size, _) in enumerate(sizes)]

    async def play() -> None:
        reading, writing = os.pipe()
        unused_in, unused_out = os.pipe()
        if sys.platform == "linux":
            fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
        loop, heard = current_loop(), Heard()
        sender = PipeChannel(loop, unused_in, writing, LIMIT)
        taker = PipeChannel(loop, reading, os.dup(unused_out), LIMIT)
        taker.open(heard)
        for number, (message, (_, more)) in enumerate(zip(messages, sizes, strict=True)):
            sender.send(message, more)
            if number in turns:
                await anyio.lowlevel.checkpoint()
        with anyio.fail_after(PATIENCE):
            await sender.drain(1)
        assert sender.backlog == 0
        assert await heard.until(len(messages)) == messages
        await sender.aclose()
        assert await heard.end() == "the other side closed the connection"
        await taker.aclose()
        os.close(unused_out)

    anyio.run(play, backend=backend)


@pytest.mark.requirement("stdio.no-embedded-newlines", "batch.stdio-line")
async def test_every_message_is_one_line(ends: Ends) -> None:
    ends.channel.send(b'{"one":1}')
    ends.channel.send(b'[{"two":2},{"three":3}]')
    assert ends.read_all() == b'{"one":1}\n[{"two":2},{"three":3}]\n'


async def test_lines_are_delivered_as_they_come_and_the_last_one_needs_no_newline(ends: Ends) -> None:
    os.write(ends.feed, b"one\ntwo\nthr")
    await ends.heard.until(2)
    assert ends.heard.batches == [[b"one", b"two"]]
    os.write(ends.feed, b"ee\nlast")
    await ends.heard.until(3)
    os.close(ends.feed)
    assert await ends.heard.end() == "the other side closed the connection"
    assert ends.heard.lines == [b"one", b"two", b"three", b"last"]
    assert len(ends.heard.ends) == 1


async def test_a_line_over_the_bound_comes_as_its_ends_and_the_next_one_is_well() -> None:
    ends = Ends(limit=5000)
    for _ in range(5):
        os.write(ends.feed, b"y" * 3000)
        await settle()
    os.write(ends.feed, b"\nnext\n")
    big, after = await ends.heard.until(2)
    assert isinstance(big, Oversized)
    assert (big.size, after) == (15_000, b"next")
    await ends.channel.aclose()
    ends.close_far()


async def test_what_is_sent_during_a_delivery_leaves_in_one_write() -> None:
    """Packets of a sequential socket show the writes."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    loop = current_loop()
    ours_fd = ours.detach()
    channel = PipeChannel(loop, ours_fd, ours_fd, LIMIT)

    class Echoes(Heard):
        def receive(self, batch: list[Any]) -> None:
            for line in batch:
                channel.send(line)
            super().receive(batch)

    heard = Echoes()
    channel.open(heard)
    with theirs:
        theirs.send(b"a\nb\nc\n")
        await heard.until(3)
        assert theirs.recv(100) == b"a\nb\nc\n"
        channel.send(b"d", True)
        channel.send(b"e", True)
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(100)
        await settle()
        assert theirs.recv(100) == b"d\ne\n"
        channel.send(b"f", True)
        channel.send(b"g")
        assert theirs.recv(100) == b"f\ng\n"
        await channel.aclose()
        assert theirs.recv(100) == b""


# ---- slow readers


async def test_a_slow_reader_is_waited_for_until_it_has_read_enough_and_no_longer(ends: Ends) -> None:
    ends.fill()
    for _ in range(5):
        ends.channel.send(b"y" * 60_000)
    bound = ends.channel.backlog
    passed = anyio.Event()

    async def wait() -> None:
        await ends.channel.drain(bound)
        passed.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait)
        await settle()
        assert waiting(ends.channel) == 1
        os.read(ends.drain, 65536)
        with anyio.fail_after(PATIENCE):
            await passed.wait()
    assert 0 < ends.channel.backlog < bound


async def test_nobody_who_gave_up_waiting_is_remembered(ends: Ends) -> None:
    ends.fill()
    for _ in range(20):
        with anyio.move_on_after(0):
            await ends.channel.drain(1)
    assert waiting(ends.channel) == 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ends.channel.drain, 1)
        await settle()
        assert waiting(ends.channel) == 1
        tasks.cancel_scope.cancel()
    assert waiting(ends.channel) == 0


async def test_closing_lets_go_of_those_who_wait_and_drops_what_a_slow_reader_did_not_take(ends: Ends) -> None:
    ends.fill()
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ends.channel.drain, 1)
            await settle()
            await ends.channel.aclose()
    assert ends.channel.backlog == 0
    ends.channel.send(b"too late")
    assert b"late" not in ends.read_all()
    assert os.read(ends.drain, 1) == b""


# ---- readers that are gone


async def test_a_reader_that_is_gone_ends_the_connection_after_a_while(
    ends: Ends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipes, "BROKEN_SECONDS", 0)
    ends.fill()
    os.close(ends.drain)
    with anyio.fail_after(PATIENCE):
        await ends.channel.drain(1)
    assert await ends.heard.end() == "the other side takes no more messages"
    ends.channel.send(b"more")
    await ends.channel.drain(1)
    assert len(ends.heard.ends) == 1


async def test_the_last_words_of_one_who_takes_nothing_any_more_are_heard(ends: Ends) -> None:
    os.close(ends.drain)
    ends.channel.send(b"to nobody")
    assert ends.channel.backlog == 0
    os.write(ends.feed, b"farewell\n")
    await ends.heard.until(1)
    os.close(ends.feed)
    assert await ends.heard.end() == "the other side closed the connection"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a terminal that hung up is at its end")
async def test_a_read_error_is_told_as_the_reason() -> None:
    ours, theirs = os.openpty()
    drain, writing = os.pipe()
    heard = Heard()
    channel = PipeChannel(current_loop(), ours, writing, LIMIT)
    channel.open(heard)
    os.close(theirs)
    assert await heard.end() == "reading failed: Input/output error"
    await channel.aclose()
    os.close(drain)


# ---- the end


async def test_closing_sends_what_can_be_sent_and_frees_both_descriptors(ends: Ends) -> None:
    ends.channel.send(b"last", True)
    await ends.channel.aclose()
    await ends.channel.aclose()
    assert os.read(ends.drain, 100) == b"last\n"
    assert os.read(ends.drain, 100) == b""
    with pytest.raises(BrokenPipeError):
        os.write(ends.feed, b"x")
    assert ends.heard.ends == []


async def test_what_was_still_to_leave_is_not_written_to_whoever_gets_the_descriptor_next(ends: Ends) -> None:
    ends.channel.send(b"in the next turn", True)
    ends.channel.send(b"x" * 100_000)
    await ends.channel.aclose()
    (reading, feed), others = os.pipe(), [os.pipe() for _ in range(3)]
    await settle()
    for fd, _ in [(reading, feed), *others]:
        os.set_blocking(fd, False)
        with pytest.raises(BlockingIOError):
            os.read(fd, 100)
    for fd in (reading, feed, *(fd for pair in others for fd in pair)):
        os.close(fd)


async def test_a_receiver_may_close_while_it_is_delivered_to(ends: Ends) -> None:
    class Closes(Heard):
        def receive(self, batch: list[Any]) -> None:
            super().receive(batch)
            ends.channel.send(b"bye")
            ends.channel.close()

    heard = Closes()
    ends.channel._receiver = heard
    os.write(ends.feed, b"one\n")
    await heard.until(1)
    assert ends.read_all() == b"bye\n"
    assert heard.ends == []


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_receiver_that_fails_does_not_silence_the_channel(ends: Ends) -> None:
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))

    class Fails(Heard):
        def receive(self, batch: list[Any]) -> None:
            super().receive(batch)
            ends.channel.send(b"during")
            raise ZeroDivisionError

    heard = Fails()
    ends.channel._receiver = heard
    os.write(ends.feed, b"one\n")
    await heard.until(1)
    ends.channel.send(b"after")
    assert ends.read_all() == b"during\nafter\n"
    assert [type(fault["exception"]) for fault in faults] == [ZeroDivisionError]


# ---- flags that belong to everybody who holds the open file


@pytest.mark.parametrize("blocking", [True, False])
async def test_whether_a_descriptor_blocks_is_put_back(blocking: bool) -> None:
    ends = Ends()
    await ends.channel.aclose()
    ends.close_far()
    (reading, feed), (drain, writing) = os.pipe(), os.pipe()
    os.set_blocking(writing, blocking)
    held = os.dup(writing)
    channel = PipeChannel(current_loop(), reading, writing, LIMIT)
    assert os.get_blocking(held) is False
    await channel.aclose()
    assert os.get_blocking(held) is blocking
    for fd in (feed, drain, held):
        os.close(fd)


@contextmanager
def as_stderr(fd: int) -> Iterator[None]:
    kept = os.dup(2)
    os.dup2(fd, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


async def test_an_open_file_that_is_stderrs_too_is_left_blocking() -> None:
    (reading, feed), (drain, writing) = os.pipe(), os.pipe()
    with as_stderr(writing):
        assert not is_switchable(writing)
        channel = open_pipes(current_loop(), reading, os.dup(writing), LIMIT)
        assert isinstance(channel, ThreadedPipeChannel)
        assert os.get_blocking(2)
        channel.send(b"hello")
        with anyio.fail_after(PATIENCE):
            await channel.drain(1)
        await channel.aclose()
    assert os.read(drain, 100) == b"hello\n"
    for fd in (feed, drain, writing):
        os.close(fd)


async def test_a_terminal_is_left_blocking() -> None:
    ours, theirs = os.openpty()
    reading, feed = os.pipe()
    channel = open_pipes(current_loop(), reading, os.dup(theirs), LIMIT)
    assert isinstance(channel, ThreadedPipeChannel)
    assert os.get_blocking(theirs)
    await channel.aclose()
    for fd in (ours, theirs, feed):
        os.close(fd)


def test_what_can_be_watched_and_what_can_be_switched(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    one, other = socket.socketpair()
    pipe = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    file = os.open(tmp_path / "file", os.O_CREAT | os.O_RDWR)
    cases = {theirs: (True, False), one.fileno(): (True, True), pipe[0]: (True, True), null: (False, False)}
    found = {fd: (is_watchable(fd), is_switchable(fd)) for fd in [*cases, file]}
    assert found == {**cases, file: (False, False)}
    for fd in (ours, theirs, *pipe, null, file):
        os.close(fd)
    one.close()
    other.close()
