"""Records of sessions: as long as they are used, and no more of them than there may be."""

import pytest

from mcport.stores.sessions import MemorySessions

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


async def test_a_record_is_kept_replaced_and_forgotten() -> None:
    sessions = MemorySessions()
    assert await sessions.create("a", b"1", 10)
    assert await sessions.get("a") == b"1"
    assert await sessions.put("a", b"2", b"1")
    assert await sessions.get("a") == b"2"
    assert not await sessions.put("a", b"3", b"1")
    assert await sessions.get("a") == b"2"
    await sessions.drop("a")
    await sessions.drop("a")
    assert not await sessions.put("a", b"3", b"2")
    assert await sessions.get("a") is None


async def test_p12_a_session_that_is_not_used_is_over_and_one_that_is_used_goes_on() -> None:
    clock = Clock()
    sessions = MemorySessions(now=clock)
    await sessions.create("used", b"", 10)
    await sessions.create("unused", b"", 10)
    for clock.time in (6.0, 12.0, 18.0):
        assert await sessions.get("used") == b""
    assert await sessions.get("unused") is None
    clock.time = 28.0
    assert await sessions.get("used") is None


async def test_p12_there_are_at_most_so_many_sessions_and_room_again_when_some_are_over() -> None:
    clock = Clock()
    sessions = MemorySessions(2, now=clock)
    assert await sessions.create("a", b"", 10)
    assert await sessions.create("b", b"", 10)
    assert not await sessions.create("c", b"", 10)
    clock.time = 5.0
    await sessions.get("a")
    clock.time = 10.0
    assert await sessions.create("c", b"", 10)
    assert not await sessions.create("d", b"", 10)
    assert await sessions.get("a") == b""
    assert await sessions.get("b") is None


async def test_p12_where_there_are_too_many_sessions_the_longest_unused_makes_room_and_those_in_use_stay() -> None:
    clock = Clock()
    sessions = MemorySessions(2, now=clock)
    await sessions.create("left", b"", 3600)
    await sessions.create("used", b"", 3600)
    clock.time = 119.0
    assert not await sessions.create("new", b"", 3600)
    await sessions.get("used")
    clock.time = 120.0
    assert await sessions.create("new", b"", 3600)
    assert (await sessions.get("left"), await sessions.get("used")) == (None, b"")
    assert not await sessions.create("newer", b"", 3600)
