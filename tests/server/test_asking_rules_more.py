"""The rules of asking back from the sixth on, as they show to a client of the stateless era and to authors."""

from __future__ import annotations

import gc
import logging
import weakref
from inspect import iscoroutine
from typing import Any

import anyio
import pytest

from mcport import Context, Depends, Elicit, InputRequired, Limits, Middleware, Server
from mcport.stores.values import MemoryStore
from tests.server.answering import ELICITS, Seen, accept, asked, called, retry, said
from tests.server.wire import NEW, Json, Wire, serving

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("revision", NEW)]

KEY = bytes(range(32))


def yes(value: Json = "yes") -> Json:
    return accept(value=value)


async def again(wire: Wire, tool: str, result: Json, answers: Json, **arguments: Json) -> Json:
    """Retry a call and return its result or its error."""
    message = await wire.ask("tools/call", retry({"name": tool, "arguments": arguments}, result, answers))
    return message.get("result", message.get("error"))


def only_key(result: Json) -> str:
    (key,) = result["inputRequests"]
    return str(key)


# ---- 6, clean-up


@pytest.mark.requirement("mrtr.no-assumed-retry")
async def test_rule_6_nothing_is_left_of_calls_whose_client_never_returns(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit("?", str)).data)

    async def kept(calls: int) -> int:
        """Make calls; return how much there is of mcport, or still running. What else a loop keeps is its own affair:
        trio up to a thousand deadlines that are over, two of each of these calls."""
        for _ in range(calls):
            await asked(wire, "ask")
        gc.collect()
        all = gc.get_objects()
        return sum(str(type(each).__module__).startswith("mcport") or iscoroutine(each) for each in all)

    async with serving(server, revision, ELICITS) as wire:
        before = await kept(20)
        assert await kept(100) - before < 20


@pytest.mark.requirement("mrtr.no-assumed-retry")
async def test_rule_6_clean_up_runs_each_round_and_no_handler_is_kept(revision: str) -> None:
    server, left, kept = Server("x"), [], []

    class Held:
        pass

    @server.tool
    async def ask(ctx: Context) -> str:
        held = Held()
        kept.append(weakref.ref(held))
        try:
            return str((await ctx.elicit("?", str)).data)
        finally:
            await anyio.lowlevel.checkpoint()
            left.append(True)

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        assert left == [True]
        gc.collect()
        assert kept[0]() is None
        assert "content" in await again(wire, "ask", first, {only_key(first): yes()})
        assert left == [True, True]


async def test_rule_6_clean_up_is_bounded(
    revision: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mcport.server.asking.cleaning_up.CLEANUP", 0.01)
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        try:
            return str((await ctx.elicit("?", str)).data)
        finally:
            await anyio.sleep(60)

    async with serving(server, revision, ELICITS) as wire:
        assert (await asked(wire, "ask"))["inputRequests"]
    assert "clean-up" in caplog.text


# ---- 7, effects


async def test_rule_7_once_is_done_in_one_round_and_its_value_is_typed(revision: str) -> None:
    server, effects = Server("x"), []

    async def reserve() -> list[tuple[int, str]]:
        effects.append("reserved")
        return [(1, "a")]

    @server.tool
    async def ask(ctx: Context) -> str:
        effects.append("run")
        seats = await ctx.once("seats", reserve)
        plain = await ctx.once("plain", lambda: {"n": 1})
        name = (await ctx.elicit("?", str)).data
        await ctx.elicit("again?", str)
        return f"{seats} {plain} {name}"

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", Seen(yes(), yes())) == "[(1, 'a')] {'n': 1} yes"
    assert effects == ["run", "reserved", "run", "run"]


async def test_rule_7_an_old_state_does_it_again_unless_it_is_one_time(revision: str) -> None:
    server, effects = Server("x"), []

    @server.tool
    async def ask(ctx: Context, one_time: bool) -> str:
        await ctx.elicit("Sure?", key="sure")
        await ctx.once("pay", lambda: effects.append("paid"), one_time=one_time)
        return "paid"

    async with serving(server, revision, ELICITS) as wire:
        for one_time in (False, True):
            effects.clear()
            first = await asked(wire, "ask", one_time=one_time)
            answers = {"sure": {"action": "accept"}}
            assert "content" in await again(wire, "ask", first, answers, one_time=one_time)
            second = await again(wire, "ask", first, answers, one_time=one_time)
            assert len(effects) == (1 if one_time else 2)
            assert (second.get("code") == -32602) is one_time


async def test_rule_7_one_time_with_a_shared_key_needs_a_shared_store(revision: str) -> None:
    server = Server("x", seal_key=KEY)

    @server.tool
    async def ask(ctx: Context) -> str:
        with pytest.raises(RuntimeError, match="ask_store"):
            await ctx.once("pay", dict, one_time=True)
        with pytest.raises(TypeError, match="'bad'"):
            await ctx.once("bad", object)
        await ctx.once("twice", dict)
        with pytest.raises(ValueError, match="'twice'"):
            await ctx.once("twice", dict)
        return "fine"

    async with serving(server, revision, ELICITS) as wire:
        assert await wire.text("ask") == "fine"


# ---- 8, again each round


async def test_rule_8_arguments_dependencies_and_middleware_run_each_round(revision: str) -> None:
    seen: list[Any] = []

    def depended() -> str:
        seen.append("dependency")
        return "d"

    class Watching(Middleware):
        async def on_call_tool(self, request: Any, next: Any) -> Any:
            try:
                result = await next(request)
            except BaseException as error:
                seen.append(error)
                raise
            seen.append(type(result).__name__)
            return result

    server = Server("x", middleware=[Watching()])

    @server.tool
    async def ask(ctx: Context, d: str = Depends(depended)) -> str:
        return d + str((await ctx.elicit("?", str)).data)

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", Seen(yes())) == "dyes"
    assert seen == ["dependency", "InputRequired", "dependency", "CallToolResult"]


async def test_rule_8_what_a_client_needs_is_checked_each_round(revision: str) -> None:
    server, runs = Server("x"), []

    @server.tool(needs=["elicitation.url"], timeout=5)
    async def ask(ctx: Context) -> str:
        runs.append(1)
        return str((await ctx.elicit_url("Sign in", "https://example.com/", key="k")).action)

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        wire.capabilities = {"elicitation": {}}
        error = await again(wire, "ask", first, {"k": {"action": "accept"}})
        assert error["code"] == -32021
        assert error["data"] == {"requiredCapabilities": {"elicitation": {"url": {}}}}
    assert runs == [1]


# ---- 9, silence while replaying


async def test_rule_9_progress_and_logs_are_said_once(revision: str) -> None:
    server, replays = Server("x"), []

    @server.tool
    async def ask(ctx: Context) -> str:
        replays.append(ctx.replaying)
        await ctx.report_progress(1)
        await ctx.info("before")
        await ctx.elicit("?", key="k")
        replays.append(ctx.replaying)
        await ctx.report_progress(1)
        await ctx.report_progress(2)
        await ctx.info("after")
        return "done"

    meta = {"progressToken": "t", "io.modelcontextprotocol/logLevel": "debug"}
    async with serving(server, revision, ELICITS) as wire:
        params = {"name": "ask", "arguments": {}}
        said: list[Any] = []
        wire.request("tools/call", params, **meta)
        while "result" not in (message := await wire.read()):
            said.append(message["params"].get("progress", message["params"].get("data")))
        wire.request("tools/call", retry(params, message["result"], {"k": {"action": "accept"}}), **meta)
        while "result" not in (message := await wire.read()):
            said.append(message["params"].get("progress", message["params"].get("data")))
    assert said == [1, "before", 2, "after"]
    assert replays == [False, True, False]


# ---- 10, size


async def test_rule_10_a_state_that_is_too_large_is_an_error_that_names_the_limit(revision: str) -> None:
    server = Server("x", limits=Limits(state_bytes=2000))

    @server.tool
    async def ask(ctx: Context) -> str:
        await ctx.once("large", lambda: "x" * 3000)
        return str((await ctx.elicit("?", str)).data)

    async with serving(server, revision, ELICITS) as wire:
        error = await wire.error("tools/call", {"name": "ask", "arguments": {}})
        assert error["code"] == -32603
        assert "2000" in error["message"]
        assert "Limits.state_bytes" in error["message"]


async def test_rule_10_a_store_keeps_what_is_too_large_bound_as_ever(revision: str) -> None:
    server = Server("x", limits=Limits(state_bytes=2000), ask_store=MemoryStore(), seal_key=KEY)

    @server.tool
    async def ask(ctx: Context, city: str = "Lyon") -> str:
        large = await ctx.once("large", lambda: "x" * 3000)
        return f"{(await ctx.elicit('?', str, key='k')).data} {len(large)}"

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        assert len(first["requestState"]) < 500
        assert (await again(wire, "ask", first, {"k": yes()}, city="Rome"))["code"] == -32602
        assert (await again(wire, "ask", first, {"k": yes()}))["content"][0]["text"] == "yes 3000"


# ---- 11, secrets


async def test_rule_11_nothing_of_a_state_can_be_read_or_is_logged(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    import base64

    caplog.set_level(logging.DEBUG)
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        await ctx.once("k", lambda: "s3cret-kept")
        await ctx.elicit("one?", str, key="one")
        return str((await ctx.elicit("two?", str, key="two")).action)

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        second = await again(wire, "ask", first, {"one": yes("s3cret-answer")})
        for result in (first, second):
            state = result["requestState"]
            assert b"s3cret" not in base64.urlsafe_b64decode(state + "=" * (-len(state) % 4))
        await again(wire, "ask", second, {"two": {"action": "accept", "content": {"value": ["s3cret-bad"]}}})
    assert "s3cret" not in caplog.text


# ---- 12, drift and rounds


async def test_rule_12_drift_is_logged_with_both_texts(revision: str, caplog: pytest.LogCaptureFixture) -> None:
    server, clock = Server("x"), iter(range(10))

    @server.tool
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit(f"It is {next(clock)} o'clock. Go on?", str)).data)

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        await again(wire, "ask", first, {only_key(first): yes()})
    assert "It is 1 o'clock" in caplog.text
    assert "It is 0 o'clock" in caplog.text
    assert "key=" in caplog.text


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.requirement("sampling.tool-loop-limit")
async def test_rule_12_a_loop_that_asks_forever_is_stopped(revision: str, by_hand: bool) -> None:
    server, rounds = Server("x"), 0

    @server.tool
    async def ask(ctx: Context) -> str | InputRequired:
        if by_hand:
            return InputRequired({"k": Elicit("More?")})
        while (await ctx.elicit("More?")).accepted:
            pass
        return "enough"

    def answer(question: Json) -> Json:
        nonlocal rounds
        rounds += 1
        return {"action": "accept"}

    async with serving(server, revision, ELICITS) as wire:
        params: Json = {"name": "ask", "arguments": {}}
        message = await wire.ask("tools/call", params)
        while "result" in message:
            found = message["result"]
            answers = {key: answer(question) for key, question in found["inputRequests"].items()}
            message = await wire.ask("tools/call", retry(params, found, answers))
        assert message["error"]["code"] == -32603
        assert "10 rounds" in message["error"]["message"]
    assert rounds == 10


async def test_a_tool_that_never_asks_ignores_nothing_that_was_sealed_for_it(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def plain() -> str:
        return "done"

    async with serving(server, revision, ELICITS) as wire:
        assert (await called(wire, "plain", Seen()))["content"][0]["text"] == "done"
        error = await wire.error("tools/call", {"name": "plain", "arguments": {}, "requestState": "made up"})
        assert error["code"] == -32602
