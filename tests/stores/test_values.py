"""The store in memory: values for a while, and names that can be used up once."""

import pytest

from mcport.stores.values import MemoryStore

pytestmark = pytest.mark.anyio


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


async def test_a_value_is_kept_for_its_time() -> None:
    clock = Clock()
    store = MemoryStore(now=clock)
    await store.put("a", b"1", 10)
    await store.put("a", b"2", 10)
    assert await store.get("a") == b"2"
    assert await store.get("b") is None
    clock.time += 10
    assert await store.get("a") is None


async def test_the_oldest_values_go_when_there_are_too_many_bytes() -> None:
    store = MemoryStore(10)
    for name in "abc":
        await store.put(name, b"12345", 60)
    assert [await store.get(name) for name in "abc"] == [None, b"12345", b"12345"]
    await store.put("d", b"x" * 11, 60)
    assert [await store.get(name) for name in "abcd"] == [None] * 4


async def test_values_whose_time_is_up_make_room() -> None:
    clock = Clock()
    store = MemoryStore(10, now=clock)
    await store.put("a", b"12345", 1)
    clock.time += 2
    await store.put("b", b"12345", 1)
    await store.put("c", b"12345", 1)
    assert await store.get("b") == b"12345"


async def test_a_name_is_used_up_once() -> None:
    clock = Clock()
    store = MemoryStore(now=clock)
    assert [await store.use("a", 10), await store.use("a", 10), await store.use("b", 10)] == [True, False, True]
    clock.time += 11
    assert await store.use("a", 10)


async def test_no_used_name_is_forgotten_to_make_room() -> None:
    store = MemoryStore(names=2)
    assert await store.use("a", 10)
    assert await store.use("b", 10)
    with pytest.raises(RuntimeError, match="2 names"):
        await store.use("c", 10)
    assert not await store.use("a", 10)
