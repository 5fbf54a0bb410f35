"""When what handlers depend on ends: clean-up after a call, and at the end of the server's life."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from mcport import Depends, Server, ToolError
from tests.server.depending import (
    Diary,
    watched,
    watched_in_thread,
)
from tests.server.wire import NEW, serving

REVISION = NEW[0]


@pytest.fixture
def diary() -> Diary:
    return Diary()


BOTH = pytest.mark.parametrize("watch", [watched, watched_in_thread])


@BOTH
async def test_clean_up_comes_after_the_handler_in_reverse_order(watch: Callable[..., Any], diary: Diary) -> None:
    server = Server("order")

    @server.tool
    async def use(a: str = Depends(watch(diary, "a")), b: str = Depends(watch(diary, "b"))) -> str:
        diary("handler")
        return a + b

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "ab"
    assert diary.taken() == ["a begins", "b begins", "handler", "b ends", "a ends"]


@BOTH
@pytest.mark.parametrize("in_thread", [False, True])
async def test_clean_up_sees_the_error_of_the_handler_which_the_model_still_reads(
    watch: Callable[..., Any], in_thread: bool, diary: Diary
) -> None:
    server = Server("errors")

    if in_thread:

        @server.tool(name="use")
        def use(a: str = Depends(watch(diary, "a"))) -> str:
            raise ToolError("no such thing")

    else:

        @server.tool(name="use")
        async def use_async(a: str = Depends(watch(diary, "a"))) -> str:
            raise ToolError("no such thing")

    async with serving(server, REVISION) as wire:
        result = await wire.call("use")
    assert result["isError"]
    assert result["content"][0]["text"] == "no such thing"
    assert diary.taken() == ["a begins", "a sees ToolError", "a ends"]


async def test_clean_up_that_swallows_an_error_does_not_swallow_it_for_the_model(diary: Diary) -> None:
    server = Server("swallow")

    async def swallow() -> AsyncIterator[None]:
        try:
            yield
        except ToolError:
            diary("swallowed")

    @server.tool
    async def use(a: None = Depends(swallow)) -> str:
        raise ToolError("no")

    async with serving(server, REVISION) as wire:
        assert (await wire.call("use"))["isError"]
    assert diary.taken() == ["swallowed"]


async def test_clean_up_may_put_a_better_error_in_place_of_the_handlers() -> None:
    server = Server("better")

    async def better() -> AsyncIterator[None]:
        try:
            yield
        except KeyError as error:
            raise ToolError(f"no entry {error}") from error

    @server.tool
    async def use(a: None = Depends(better)) -> str:
        entries: dict[str, str] = {}
        return entries["x"]

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "no entry 'x'"


def held(diary: Diary, ended: anyio.Event) -> Callable[..., Any]:
    """A dependency whose clean-up waits, and so would be cancelled with the call if nothing shielded it."""

    async def hold() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await anyio.lowlevel.checkpoint()
            diary("cleaned up")
            ended.set()

    return hold


@BOTH
@pytest.mark.parametrize("in_thread", [False, True])
async def test_a_cancelled_call_is_cleaned_up_all_the_same(
    watch: Callable[..., Any], in_thread: bool, diary: Diary
) -> None:
    server, began, ended, go = Server("cancelled"), anyio.Event(), anyio.Event(), threading.Event()
    watched_one, held_one = watch(diary, "a"), held(diary, ended)

    if in_thread:

        @server.tool(name="use")
        def use(h: None = Depends(held_one), a: str = Depends(watched_one)) -> None:
            anyio.from_thread.run_sync(began.set)
            go.wait(5)

    else:

        @server.tool(name="use")
        async def use_async(h: None = Depends(held_one), a: str = Depends(watched_one)) -> None:
            began.set()
            await anyio.sleep_forever()

    async with serving(server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "use"})
        await began.wait()
        wire.notify("notifications/cancelled", {"requestId": id})
        with anyio.fail_after(5):
            await ended.wait()
        await wire.silent()
        go.set()
    seen = diary.taken()
    assert seen[-2:] == ["a ends", "cleaned up"]


async def test_a_call_that_is_cancelled_while_a_function_makes_a_dependency_never_reaches_its_handler(
    diary: Diary,
) -> None:
    server, began, ended, go = Server("early"), threading.Semaphore(0), anyio.Event(), threading.Event()

    def slow() -> str:
        began.release()
        assert go.wait(5)
        return "late"

    @server.tool
    async def use(h: None = Depends(held(diary, ended)), a: str = Depends(slow)) -> None:
        diary("handler")

    async with serving(server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "use"})
        assert await anyio.to_thread.run_sync(began.acquire, True, 5)
        wire.notify("notifications/cancelled", {"requestId": id})
        with anyio.fail_after(5):
            await ended.wait()
        await wire.silent()
        go.set()
    assert diary.taken() == ["cleaned up"]


async def test_clean_up_that_does_not_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mcport.server.dependencies.resolving.CLEANUP", 0.01)
    server = Server("endless")

    async def endless() -> AsyncIterator[None]:
        yield
        await anyio.sleep_forever()

    @server.tool
    async def use(a: None = Depends(endless)) -> str:
        return "done"

    async with serving(server, REVISION) as wire:
        assert await wire.text("use") == "done"
    assert "cleaning up took longer than 0.01 s: endless" in caplog.text


async def test_an_error_of_clean_up_fails_the_call_whose_result_it_may_have_spoilt() -> None:
    server = Server("commit")

    async def transaction() -> AsyncIterator[None]:
        yield
        raise ToolError("could not commit")

    @server.tool
    async def use(a: None = Depends(transaction)) -> str:
        return "done"

    async with serving(server, REVISION) as wire:
        result = await wire.call("use")
    assert (result["isError"], result["content"][0]["text"]) == (True, "could not commit")


@pytest.mark.parametrize("watch", [watched, watched_in_thread])
async def test_what_is_made_for_the_process_is_made_once_and_cleaned_up_when_the_servers_life_ends(
    watch: Callable[..., Any], diary: Diary
) -> None:
    server = Server("process")
    first = watch(diary, "first")

    async def second(a: str = Depends(first, scope="process")) -> AsyncIterator[str]:
        diary("second begins")
        yield a + " second"
        diary("second ends")

    @server.tool
    async def use(a: str = Depends(second, scope="process"), b: str = Depends(first, scope="process")) -> str:
        return f"{a}, {b}"

    for _ in range(2):
        async with serving(server, REVISION) as wire:
            assert diary.taken() == []
            for _ in range(3):
                wire.request("tools/call", {"name": "use"})
            for _ in range(3):
                answer = await wire.read()
                assert answer["result"]["content"][0]["text"] == "first second, first"
            assert diary.taken() == ["first begins", "second begins"]
        assert diary.taken() == ["second ends", "first ends"]


async def test_making_a_value_for_the_process_is_tried_again_after_it_failed() -> None:
    server, tries = Server("again"), iter([False, True])

    async def fickle() -> str:
        if not next(tries):
            raise ToolError("not yet")
        return "there"

    @server.tool
    async def use(a: str = Depends(fickle, scope="process")) -> str:
        return a

    async with serving(server, REVISION) as wire:
        assert [await wire.text("use") for _ in range(3)] == ["not yet", "there", "there"]


async def test_a_cancelled_call_takes_nothing_away_from_others_that_wait_for_the_same_value(diary: Diary) -> None:
    server, go = Server("shared"), anyio.Event()

    async def slow() -> str:
        diary("made")
        await go.wait()
        return "there"

    @server.tool
    async def use(a: str = Depends(slow, scope="process")) -> str:
        return a

    async with serving(server, REVISION) as wire:
        id = wire.request("tools/call", {"name": "use"})
        other = wire.request("tools/call", {"name": "use"})
        await wire.silent()
        wire.notify("notifications/cancelled", {"requestId": id})
        await wire.silent()
        go.set()
        answer = await wire.read()
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (other, "there")
    assert diary.taken() == ["made"]
