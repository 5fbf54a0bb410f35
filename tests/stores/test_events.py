"""Logs of events: continued from any cursor, within bounds."""

from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.stores.events import LOG_BYTES, MemoryEvents

pytestmark = pytest.mark.anyio


async def test_what_was_written_after_a_cursor_is_returned_whether_alone_or_together() -> None:
    events = MemoryEvents()
    assert [await events.append("a", [data], 10) for data in (b"x", b"y", b"z")] == [1, 2, 3]
    await events.append("b", [b"other"], 10)
    assert await events.append("a", [b"v", b"w"], 10) == 5
    assert await events.after("a", 0) == [(1, b"x"), (2, b"y"), (3, b"z"), (4, b"v"), (5, b"w")]
    assert await events.after("a", 4) == [(5, b"w")]
    assert await events.after("a", 5) == []
    await events.drop("a")
    await events.drop("a")
    assert await events.after("a", 2) is None


async def test_who_waits_is_told_of_the_next_event_and_of_the_end_of_its_log() -> None:
    events = MemoryEvents()
    await events.append("a", [b"x"], 10)
    found: list[Any] = []

    async def wait(cursor: int) -> None:
        found.append(await events.after("a", cursor, 5))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, 1)
        tasks.start_soon(wait, 1)
        await anyio.wait_all_tasks_blocked()
        await events.append("a", [b"y"], 10)
    assert found == [[(2, b"y")]] * 2
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, 2)
        await anyio.wait_all_tasks_blocked()
        await events.drop("a")
    assert found[2] is None


async def test_waiting_ends_when_the_time_is_up() -> None:
    events = MemoryEvents()
    await events.append("a", [b"x"], 10)
    assert await events.after("a", 1, 0.01) == []


async def test_going_on_after_what_was_forgotten_is_refused_since_it_would_leave_a_gap() -> None:
    events = MemoryEvents(most_events=2)
    for data in (b"x", b"y", b"z"):
        await events.append("a", [data], 10)
    assert await events.after("a", 0) is None
    assert await events.after("a", 1) == [(2, b"y"), (3, b"z")]


async def test_a_log_that_is_not_written_to_is_forgotten_in_time() -> None:
    time = 0.0
    events = MemoryEvents(now=lambda: time)
    await events.append("a", [b"x"], 10)
    time = 9.0
    assert await events.after("a", 0) == [(1, b"x")]
    time = 10.0
    assert await events.after("a", 0) is None


async def test_of_all_logs_the_one_that_was_not_written_to_for_the_longest_time_goes_first() -> None:
    events = MemoryEvents(most_in_all=2 * LOG_BYTES + 10)
    for log in ("a", "b", "a", "c"):
        await events.append(log, [b"123"], 10)
    assert await events.after("b", 0) is None
    assert await events.after("a", 0) == [(1, b"123"), (2, b"123")]


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
def test_memory_is_bounded_whatever_is_written(anyio_backend: str) -> None:
    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40))))
    def law(writes: list[tuple[str, int]]) -> None:
        async def check() -> None:
            events = MemoryEvents(5, 50, 2 * LOG_BYTES + 100)
            for log, size in writes:
                await events.append(log, [b"." * size], 10)
                kept = [len(event) for book in events._logs.values() for event in book.events]
                assert sum(kept) + LOG_BYTES * len(events._logs) == events._size <= 3 * LOG_BYTES + 100 + 40
                assert all(len(book.events) <= 5 for book in events._logs.values())

        anyio.run(check)

    law()


async def test_who_waits_is_told_that_its_log_was_forgotten_for_another_one_or_is_over() -> None:
    now = [0.0]
    events = MemoryEvents(most_in_all=2 * (LOG_BYTES + 1), now=lambda: now[0])
    found: list[Any] = []

    async def wait() -> None:
        found.append(await events.after("a", last, 60))

    async def crowd_out() -> None:
        for log in "bc":
            await events.append(log, [b"x"], 10)

    async def outlive() -> None:
        now[0] += 11
        await events.append("d", [b"x"], 10)

    for forget in (crowd_out, outlive):
        last = await events.append("a", [b"x"], 10)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(wait)
                await anyio.wait_all_tasks_blocked()
                await forget()
    assert found == [None, None]


async def test_bounds_may_be_reached_and_not_passed() -> None:
    events = MemoryEvents(most_bytes=2, most_in_all=2 * (LOG_BYTES + 2))
    for log in "ab":
        for data in (b"x", b"y"):
            await events.append(log, [data], 10)
    assert await events.after("a", 0) == [(1, b"x"), (2, b"y")]
    await events.append("b", [b"z"], 10)
    assert (await events.after("b", 0), await events.after("b", 1)) == (None, [(2, b"y"), (3, b"z")])
    await events.append("b", [b"long"], 10)
    assert await events.after("b", 3) == [(4, b"long")]


async def test_a_log_that_begins_again_gives_no_cursor_twice_and_going_on_with_the_former_one_is_refused() -> None:
    now = [0.0]
    events = MemoryEvents(now=lambda: now[0])
    former = [await events.append("a", [data], 10) for data in (b"x", b"y", b"z")]
    now[0] = 10.0
    await events.append("b", [b"other"], 10)
    again = await events.append("a", [b"new"], 10)
    assert again > former[-1]
    assert await events.after("a", former[0]) is None
    assert await events.after("a", again - 1) == [(again, b"new")]
