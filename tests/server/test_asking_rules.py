"""The first five of the twelve rules of asking back, as they show to a client of the stateless era and to authors."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from functools import partial
from typing import Any

import anyio
import anyio.abc
import pytest

from mcport import Context, Elicit, Server
from mcport.stores import seal
from tests.server.answering import ELICITS, Seen, accept, asked, retry, said
from tests.server.wire import NEW, Json, Wire, serving

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("revision", NEW)]

KEY = bytes(range(32))


INVALID = {"code": -32602, "message": "requestState is not valid for this request"}
"""All that a client is told of a state that is not accepted."""


class Clock:
    """Seconds since the epoch, as a test wants them."""

    now = 1_800_000_000.0


def yes(value: Json = "yes") -> Json:
    return accept(value=value)


async def again(wire: Wire, tool: str, result: Json, answers: Json, **arguments: Json) -> Json:
    """Retry a call and return its result or its error."""
    message = await wire.ask("tools/call", retry({"name": tool, "arguments": arguments}, result, answers))
    return message.get("result", message.get("error"))


def only_key(result: Json) -> str:
    (key,) = result["inputRequests"]
    return str(key)


# ---- 1, the key


async def test_rule_1_a_question_is_known_by_what_it_asks_and_not_by_when(revision: str) -> None:
    server, turns = Server("x"), iter([("a", "b"), ("b", "a"), ("a", "b")])

    @server.tool
    async def swap(ctx: Context) -> str:
        found = {text: (await ctx.elicit(text, str)).data for text in next(turns)}
        return f"{found['a']} {found['b']}"

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "swap")
        second = await again(wire, "swap", first, {only_key(first): yes("for a")})
        assert second["inputRequests"][only_key(second)]["params"]["message"] == "b"
        done = await again(wire, "swap", second, {only_key(second): yes("for b")})
        assert done["content"][0]["text"] == "for a for b"


async def test_rule_1_the_same_question_twice_is_two_questions(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def twice(ctx: Context) -> str:
        return f"{(await ctx.elicit('?', str)).data} {(await ctx.elicit('?', str)).data}"

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "twice", Seen(yes("one"), yes("two"))) == "one two"


@pytest.mark.requirement("mrtr.keys-unique")
async def test_rule_1_a_given_key_is_the_key_on_the_wire_and_serves_one_question(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def named(ctx: Context) -> str:
        await ctx.elicit("?", str, key="name")
        with pytest.raises(ValueError, match="'name'"):
            await ctx.elicit("another?", str, key="name")
        return "fine"

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "named")
        assert only_key(first) == "name"
        assert (await again(wire, "named", first, {"name": yes()}))["content"][0]["text"] == "fine"


# ---- 2, the seal


def bound() -> Server:
    server = Server("bound", seal_key=KEY)

    async def ask(ctx: Context, city: str = "Lyon") -> str:
        return f"{city} {(await ctx.elicit('?', str, key='k')).data}"

    server.add_tool(ask, name="ask")
    server.add_tool(ask, name="other")
    return server


def spellings(token: str) -> list[str]:
    """Other words for the same bytes, for a decoder that is not strict."""
    whole = token + "=" * (-len(token) % 4)
    last = [token[:-1] + sign for sign in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"]
    same = [each for each in last if each != token and urlsafe_b64decode(each + "==") == urlsafe_b64decode(whole)]
    assert same, "a token of a length that leaves no bits over shows nothing"
    return [*same, token + "=", token + "==", f" {token}", f"{token}\n", f"{token[:9]}!{token[9:]}"]


@pytest.mark.requirement("mrtr.state-integrity", "mrtr.state-verification-fails", "mrtr.state-untrusted")
async def test_rule_2_a_state_that_was_touched_is_refused_with_one_constant_error(revision: str) -> None:
    async with serving(bound(), revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        state = first["requestState"]
        errors = []
        for bad in [
            state + "-TAMPERED",
            state[:-1],
            "",
            "é",
            7,
            None,
            state[:40] + ("B" if state[40] == "A" else "A") + state[41:],
            "A" * 300_000,
            *spellings(state),
        ]:
            errors.append(await again(wire, "ask", {**first, "requestState": bad}, {"k": yes()}))
        assert {(error["code"], error["message"]) for error in errors} == {
            (-32602, "requestState is not valid for this request")
        }
        assert (await again(wire, "ask", first, {"k": yes()}))["content"][0]["text"] == "Lyon yes"


@pytest.mark.requirement("mrtr.state-bound-to-request")
async def test_rule_2_a_state_serves_its_own_request_only(revision: str) -> None:
    async with serving(bound(), revision, ELICITS) as wire:
        first = await asked(wire, "ask", city="Rome")
        assert (await again(wire, "other", first, {"k": yes()}, city="Rome"))["code"] == -32602
        assert (await again(wire, "ask", first, {"k": yes()}, city="Oslo"))["code"] == -32602
        assert (await again(wire, "ask", first, {"k": yes()}, city="Rome"))["content"][0]["text"] == "Rome yes"


@pytest.mark.requirement("mrtr.state-principal", "elicitation.bound-to-client-and-user")
async def test_rule_2_a_state_serves_who_got_it_only(revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from mcport.session import session
    from mcport.session.exchange import Exchange

    principals = iter(["ada", "eve", "ada"])

    class Claimed(Exchange):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.principal = next(principals)

    monkeypatch.setattr(session, "Exchange", Claimed)
    async with serving(bound(), revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        assert (await again(wire, "ask", first, {"k": yes()}))["code"] == -32602
        assert "content" in await again(wire, "ask", first, {"k": yes()})


async def test_rule_2_another_server_with_the_same_key_refuses_it(revision: str) -> None:
    other = Server("another", seal_key=KEY)

    @other.tool
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit("?", str, key="k")).data)

    async with serving(bound(), revision, ELICITS) as wire, serving(other, revision, ELICITS) as far:
        first = await asked(wire, "ask")
        assert (await again(far, "ask", first, {"k": yes()}))["code"] == -32602


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time by which states are sealed and opened."""
    clock = Clock()
    monkeypatch.setattr(seal, "Seal", partial(seal.Seal, now=lambda: clock.now))
    return clock


@pytest.mark.requirement("mrtr.state-expiry")
async def test_rule_2_a_state_expires(clock: Clock, revision: str) -> None:
    server = Server("x", ask_total=600)

    @server.tool
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit("?", str, key="k")).data)

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        clock.now += 599.9
        assert "content" in await again(wire, "ask", first, {"k": yes()})
        clock.now += 0.1
        assert await again(wire, "ask", first, {"k": yes()}) == INVALID


@pytest.mark.requirement("mrtr.state-expiry", "mrtr.state-bound-to-request", "mrtr.state-verification-fails")
async def test_rule_2_nobody_learns_why_a_state_is_refused(clock: Clock, revision: str) -> None:
    async with serving(bound(), revision, ELICITS) as wire:
        first = await asked(wire, "ask", city="Rome")
        touched = {**first, "requestState": first["requestState"][:-2]}
        errors = [
            await again(wire, "ask", touched, {"k": yes()}, city="Rome"),
            await again(wire, "other", first, {"k": yes()}, city="Rome"),
            await again(wire, "ask", first, {"k": yes()}, city="Oslo"),
            await again(wire, "ask", first, {"k": yes()}),
        ]
        assert "content" in await again(wire, "ask", first, {"k": yes()}, city="Rome")
        clock.now += 10**6
        errors.append(await again(wire, "ask", first, {"k": yes()}, city="Rome"))
        assert errors == [INVALID] * 5


async def test_rule_2_answers_without_a_state_count_for_nothing(revision: str) -> None:
    async with serving(bound(), revision, ELICITS) as wire:
        answers = {"inputResponses": {"k": yes()}}
        message = await wire.ask("tools/call", {"name": "ask", "arguments": {}, **answers})
        assert message["result"]["resultType"] == "input_required"


@pytest.mark.requirement("mrtr.ignore-extra-responses")
async def test_rule_2_answers_to_what_was_not_asked_are_ignored(revision: str) -> None:
    async with serving(bound(), revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        done = await again(wire, "ask", first, {"k": yes(), "x": {"action": "decline"}})
        assert done["content"][0]["text"] == "Lyon yes"


@pytest.mark.requirement("mrtr.bad-responses-error")
@pytest.mark.parametrize("answers", [None, [], "k", {"k": None}, {"k": [yes()]}])
async def test_rule_2_answers_that_are_no_objects_are_an_error(revision: str, answers: Json) -> None:
    async with serving(bound(), revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        assert (await again(wire, "ask", first, answers))["code"] == -32602


# ---- 3, what counts as an answer


@pytest.mark.requirement("mrtr.ask-again", "mrtr.repeat", "mrtr.server-validates-responses")
@pytest.mark.requirement("elicitation.server-validates", "elicitation.handles-all-outcomes")
async def test_rule_3_a_missing_or_misfitting_answer_is_asked_again(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit("?", int, key="k")).data)

    async with serving(server, revision, ELICITS) as wire:
        result = await asked(wire, "ask")
        for bad in [{}, {"k": {}}, {"k": {"action": "maybe"}}, {"k": {"action": "accept"}}, {"k": yes("7")}]:
            result = await again(wire, "ask", result, bad)
            assert result["inputRequests"].keys() == {"k"}, bad
        assert (await again(wire, "ask", result, {"k": yes(7)}))["content"][0]["text"] == "7"


async def test_rule_3_a_question_whose_text_changed_is_asked_anew(revision: str) -> None:
    server, texts = Server("x"), iter(["old?", "new?", "new?"])

    @server.tool
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit(next(texts), str, key="k")).data)

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        second = await again(wire, "ask", first, {"k": yes("to the old one")})
        assert second["inputRequests"]["k"]["params"]["message"] == "new?"
        done = await again(wire, "ask", second, {"k": yes("to the new one")})
        assert done["content"][0]["text"] == "to the new one"


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_rule_3_decline_and_cancel_are_kept_as_answers(revision: str, action: str) -> None:
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        return f"{(await ctx.elicit('one', str)).action} {(await ctx.elicit('two', str)).action}"

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", Seen({"action": action}, yes())) == f"{action} accept"


# ---- 4, the stop


async def test_rule_4_except_exception_does_not_see_the_stop(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        try:
            return str((await ctx.elicit("?", str)).data)
        except Exception:
            return "caught"

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", Seen(yes())) == "yes"


@pytest.mark.parametrize("way", ["return", "raise"])
async def test_rule_4_a_swallowed_stop_is_logged_and_what_follows_is_discarded(
    revision: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    server, stops = Server("x"), []

    @server.tool
    async def ask(ctx: Context) -> str:
        try:
            return str((await ctx.elicit("?", str)).data)
        except BaseException as stop:
            stops.append(type(stop))
        for call in (ctx.report_progress(1), ctx.elicit("other?"), ctx.once("k", dict), ctx.info("x"), ctx.ask_all()):
            try:
                await call
            except BaseException as stop:
                stops.append(type(stop))
        if way == "raise":
            raise ValueError("never mind")
        return "swallowed"

    async with serving(server, revision, ELICITS) as wire:
        result = await asked(wire, "ask")
        assert [each["params"]["message"] for each in result["inputRequests"].values()] == ["?"]
        assert await said(wire, "ask", Seen(yes())) == "yes"
    assert len(stops) == 12
    assert not any(issubclass(stop, Exception) for stop in stops)
    assert "discarded" in caplog.text
    assert "failed" not in caplog.text


async def test_rule_4_the_stop_crosses_the_thread_of_a_plain_function(revision: str) -> None:
    server = Server("x")

    @server.tool
    def ask(ctx: Context) -> str:
        try:
            return str(anyio.from_thread.run(ctx.elicit, "?", str).data)
        except Exception:
            return "caught"

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", Seen(yes())) == "yes"


# ---- 5, several at once


async def test_rule_5_what_is_asked_together_is_one_round(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        found = await ctx.ask_all(name=Elicit("Name?", str), age=Elicit("Age?", int))
        return f"{found['name'].data} {found['age'].data}"

    async with serving(server, revision, ELICITS) as wire:
        first = await asked(wire, "ask")
        assert first["inputRequests"].keys() == {"name", "age"}
        second = await again(wire, "ask", first, {"name": yes("Ada")})
        assert second["inputRequests"].keys() == {"age"}
        assert (await again(wire, "ask", second, {"age": yes(36)}))["content"][0]["text"] == "Ada 36"


async def test_rule_5_a_task_group_with_changing_delays_is_correct(revision: str) -> None:
    server, runs = Server("x"), 0

    @server.tool
    async def ask(ctx: Context) -> str:
        nonlocal runs
        runs += 1
        found: dict[str, Any] = {}

        async def one(text: str, turns: int) -> None:
            for _ in range(turns):
                await anyio.lowlevel.checkpoint()
            found[text] = (await ctx.elicit(text, str)).data

        async with anyio.create_task_group() as tasks:
            for number, text in enumerate("abc"):
                tasks.start_soon(one, text, (number * runs) % 3 * 5)
        return "".join(found[text] for text in "abc")

    def answer(question: Json) -> Json:
        return yes(question["params"]["message"].upper())

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", answer) == "ABC"


async def test_rule_5_gather_with_changing_delays_is_correct(revision: str, anyio_backend_name: str) -> None:
    if anyio_backend_name != "asyncio":
        pytest.skip("gather is asyncio's own")
    server, runs = Server("x"), 0

    @server.tool
    async def ask(ctx: Context) -> str:
        nonlocal runs
        runs += 1

        async def one(text: str, turns: int) -> str:
            for _ in range(turns):
                await asyncio.sleep(0)
            return str((await ctx.elicit(text, str)).data)

        return "".join(await asyncio.gather(*(one(text, (n + runs) % 3 * 4) for n, text in enumerate("abc"))))

    def answer(question: Json) -> Json:
        return yes(question["params"]["message"].upper())

    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", answer) == "ABC"
        assert 2 <= runs <= 4
