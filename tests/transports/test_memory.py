"""Two channels in one process: order, bytes and nothing but bytes, and an end that is told to the other side."""

from __future__ import annotations

import anyio
import pytest

from mcport.core.framing import Oversized
from mcport.session.loop import current_loop
from mcport.transports.memory import MemoryChannel
from tests.transports.children import PATIENCE
from tests.transports.heard import Heard

settle = anyio.wait_all_tasks_blocked


class Pair:
    """Two ends, both open unless the test says otherwise, and what they heard."""

    def __init__(self, limit: int = 10_000, open: bool = True) -> None:
        self.one, self.other = MemoryChannel.pair(current_loop(), (limit, 2 * limit))
        self.one_heard, self.other_heard = Heard(), Heard()
        if open:
            self.one.open(self.one_heard)
            self.other.open(self.other_heard)


async def test_messages_arrive_unchanged_in_order_and_together() -> None:
    pair = Pair()
    pair.one.send(b"a")
    pair.one.send(b"b", True)
    pair.other.send(b"c")
    assert pair.other_heard.lines == []
    await settle()
    assert pair.other_heard.batches == [[b"a", b"b"]]
    assert pair.one_heard.batches == [[b"c"]]


async def test_what_was_sent_before_the_other_side_opened_waits_for_it() -> None:
    pair = Pair(open=False)
    pair.one.send(b"early")
    await pair.one.aclose()
    await settle()
    pair.other.open(pair.other_heard)
    assert await pair.other_heard.end() == "the other side closed the connection"
    assert pair.other_heard.lines == [b"early"]


async def test_each_end_has_its_own_bound() -> None:
    pair = Pair(limit=10)
    for end in (pair.one, pair.other):
        end.send(b"x" * 15)
    await settle()
    assert pair.other_heard.lines == [b"x" * 15]
    assert pair.one_heard.lines == [Oversized(15, b"x" * 15, b"x" * 15)]


async def test_the_backlog_is_what_the_other_side_has_not_taken() -> None:
    pair = Pair(open=False)
    pair.one.send(b"12345")
    pair.one.send(b"678")
    assert (pair.one.backlog, pair.other.backlog) == (8, 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(pair.one.drain, 1)
        await settle()
        assert pair.one.backlog == 8
        pair.other.open(pair.other_heard)
    assert pair.one.backlog == 0


@pytest.mark.parametrize("closing", ["one", "other"])
async def test_closing_either_side_lets_go_of_those_who_wait(closing: str) -> None:
    pair = Pair(open=False)
    pair.one.send(b"12345")
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pair.one.drain, 1)
            await settle()
            await getattr(pair, closing).aclose()
    assert pair.one.backlog == 0


async def test_closing_tells_the_other_side_once_after_what_was_sent() -> None:
    pair = Pair()
    pair.one.send(b"last")
    await pair.one.aclose()
    await pair.one.aclose()
    assert await pair.other_heard.end() == "the other side closed the connection"
    assert pair.other_heard.lines == [b"last"]
    pair.other.send(b"to nobody")
    pair.one.send(b"too late")
    await settle()
    assert pair.other.backlog == 0
    assert len(pair.other_heard.ends) == 1
    assert (pair.one_heard.lines, pair.one_heard.ends) == ([], [])


async def test_both_sides_may_close_at_once() -> None:
    pair = Pair()
    pair.one.send(b"never taken")
    await pair.one.aclose()
    await pair.other.aclose()
    await settle()
    assert pair.other_heard.lines == pair.one_heard.lines == []
    assert pair.other_heard.ends == pair.one_heard.ends == []


async def test_what_a_receiver_sends_while_it_is_delivered_to_comes_in_a_later_turn() -> None:
    pair = Pair(open=False)

    class Echoes(Heard):
        def receive(self, batch: list[bytes | Oversized]) -> None:
            super().receive(batch)
            pair.other.send(b"echo")

    pair.other.open(Echoes())
    pair.one.open(pair.one_heard)
    pair.one.send(b"hello")
    assert await pair.one_heard.until(1) == [b"echo"]
