"""Asking where it goes wrong: stops that are swallowed, questions that come too late, numbers that are none."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
from collections import Counter
from typing import Any

import anyio
import pytest

from mcport import Context, Elicit, InputRequired, Server
from mcport.errors import InternalError
from tests.server.answering import ELICITS, Seen, accept, asked, retry, said
from tests.server.wire import NEW, Wire, serving

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


@pytest.mark.parametrize("revision", NEW)
async def test_rule_12_tasks_that_ask_in_another_order_each_round_are_no_drift(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server, runs = Server("x"), 0

    @server.tool
    async def ask(ctx: Context) -> str:
        nonlocal runs
        runs += 1
        found: dict[str, str] = {}

        async def one(text: str, turns: int) -> None:
            await ctx.once(text, dict)
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            found[text] = str((await ctx.elicit(text, str)).data)

        async with anyio.create_task_group() as tasks:
            for number, text in enumerate("abc"):
                tasks.start_soon(one, text, (number + 2 * runs) % 3 * 5)
            if runs % 2:
                await anyio.sleep(0.001)
            await ctx.elicit("beside", str)
        return "".join(found[text] for text in "abc")

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", lambda question: accept(value=question["params"]["message"])) == "abc"
    assert runs > 2
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize("revision", NEW)
async def test_rule_12_drift_in_a_plain_function_is_told(revision: str, caplog: pytest.LogCaptureFixture) -> None:
    server, clock = Server("x"), iter(range(10))

    @server.tool
    def ask(ctx: Context) -> str:
        return str(ctx.blocking.elicit(f"It is {next(clock)} o'clock. Go on?", str).data)

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        answers = {key: accept(value="y") for key in first["inputRequests"]}
        await wire.ask("tools/call", retry({"name": "ask", "arguments": {}}, first, answers))
    (line,) = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    assert line.startswith("tools/call of 'ask' asks")
    assert "It is 1 o'clock" in line
    assert "It is 0 o'clock" in line


@pytest.mark.parametrize("revision", NEW)
async def test_rule_4_tasks_of_asyncio_that_are_stopped_are_not_complained_of(
    revision: str, anyio_backend_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("such tasks are asyncio's own")
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        one, two = (asyncio.create_task(ctx.elicit(text, str)) for text in "ab")
        await asyncio.sleep(0)
        return f"{(await one).data}{(await two).data}"

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", lambda question: accept(value=question["params"]["message"])) == "ab"
        gc.collect()
        await wire.silent()
    assert not [each for each in caplog.records if each.levelno >= logging.WARNING]


@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
async def test_an_answer_with_an_infinite_number_anywhere_is_asked_for_again(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        found = await ctx.ask_all(a=Elicit("a?", str), b=Elicit("b?", str))
        sure = await ctx.elicit("Sure?", str)
        return f"{found['a'].data}{found['b'].data}{sure.data}"

    @server.tool
    async def by_hand(ctx: Context) -> str | InputRequired:
        if "a" not in ctx.input_responses:
            return InputRequired({"a": Elicit("a?", str)})
        return str(ctx.input_responses["a"]["content"]["value"])

    class Endless(Wire):
        def send(self, *messages: Any) -> None:
            super().send(*(json.dumps(each).replace('"ENDLESS"', "1e400").encode() for each in messages))

    def answer(question: Any) -> Any:
        count[question["params"]["message"]] += 1
        once = {} if count[question["params"]["message"]] > 1 else {"extra": ["ENDLESS"]}
        return {**accept(value="y"), **once}

    async with serving(server, revision, ELICITS) as wire:
        wire.__class__ = Endless
        for tool, text in (("ask", "yyy"), ("by_hand", "y")):
            count: Counter[str] = Counter()
            assert await said(wire, tool, answer) == text
            assert set(count.values()) == {2}


@pytest.mark.parametrize("revision", NEW)
async def test_an_answer_with_an_infinite_number_that_nobody_has_looked_at_yet_spoils_no_round(revision: str) -> None:
    server, runs = Server("x"), list[int]()

    @server.tool
    async def ask(ctx: Context) -> str:
        runs.append(1)
        if len(runs) > 1:
            await ctx.elicit("Before?", str, key="before")
        return str((await ctx.elicit("After?", str, key="after")).data)

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        params = wire.params(retry({"name": "ask"}, first, {"after": {**accept(value="y"), "extra": "ENDLESS"}}))
        request = {"jsonrpc": "2.0", "id": 9, "method": "tools/call", "params": params}
        wire.send(json.dumps(request).replace('"ENDLESS"', "1e400").encode())
        assert (await wire.read())["result"]["inputRequests"].keys() == {"before"}
