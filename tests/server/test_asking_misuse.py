"""Asking where it goes wrong: stops that are swallowed, questions that come too late, numbers that are none."""

from __future__ import annotations

import json
from typing import Any

import anyio
import pytest

from mcport import Context, Server
from mcport.errors import InternalError
from tests.server.answering import ELICITS, Seen, accept, said
from tests.server.wire import NEW, serving

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("revision", NEW)
async def test_rule_4_a_loop_that_swallows_the_stop_lets_others_run(revision: str) -> None:
    server, others, seen = Server("x"), anyio.Event(), list[bool]()

    @server.tool
    async def stubborn(ctx: Context) -> str:
        for _ in range(10_000):
            try:
                await ctx.elicit("?", str)
            except BaseException:
                if others.is_set():
                    break
        seen.append(others.is_set())
        return "done"

    @server.tool
    async def other() -> str:
        others.set()
        return "fine"

    async with serving(server, revision, ELICITS) as wire:
        wire.request("tools/call", {"name": "stubborn"})
        wire.request("tools/call", {"name": "other"})
        assert {(await wire.read())["result"]["resultType"] for _ in range(2)} == {"input_required", "complete"}
        assert seen == [True]


@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
async def test_what_outlives_its_request_cannot_ask_in_its_name(revision: str) -> None:
    server, answered, told = Server("x"), anyio.Event(), list[bool]()

    async with anyio.create_task_group() as tasks:

        @server.tool
        async def begin(ctx: Context) -> str:
            async def later() -> None:
                await answered.wait()
                with pytest.raises(InternalError, match="was answered before"):
                    await ctx.elicit("?", str)
                told.append(True)

            tasks.start_soon(later)
            return "begun"

        async with serving(server, revision, ELICITS) as wire:
            assert await wire.text("begin") == "begun"
            answered.set()
            await anyio.wait_all_tasks_blocked()
            assert told
            await wire.silent()


@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
async def test_a_number_that_no_float_can_hold_is_asked_for_again(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def weigh(ctx: Context) -> str:
        return str((await ctx.elicit("?", float)).data)

    async with serving(server, revision, ELICITS) as wire:
        answers = Seen(accept(value=10**400), accept(value=-(10**400)), accept(value=2))
        assert await said(wire, "weigh", answers) == "2.0"


@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
async def test_what_failed_may_be_tried_again_under_its_key(revision: str) -> None:
    server, tries = Server("x"), list[int]()

    def charge() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no route")
        return "charged"

    @server.tool
    async def pay(ctx: Context) -> str:
        try:
            done = await ctx.once("charge", charge)
        except OSError:
            done = await ctx.once("charge", charge)
        await ctx.elicit("Sure?")
        return done

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "pay", Seen(accept())) == "charged"
    assert len(tries) == 2


@pytest.mark.parametrize("revision", NEW)
async def test_arguments_with_a_number_that_is_none_are_the_clients_fault(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def store(value: dict[str, Any], ctx: Context) -> str:
        return str(await ctx.elicit("?"))

    async with serving(server, revision, ELICITS) as wire:
        params = wire.params({"name": "store", "arguments": {"value": {"a": "HERE"}}})
        request = {"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": params}
        wire.send(json.dumps(request).replace('"HERE"', "1e400").encode())
        assert (await wire.read())["error"]["code"] == -32602
