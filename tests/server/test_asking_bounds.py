"""What asking keeps to: time, numbers, the client that was asked, and the roots that it named."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport import Context, Depends, InputRequired, Server, within_roots
from mcport.errors import InternalError
from mcport.server.asking import asker
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import Root
from tests.server.answering import ELICITS, EVERYTHING, SAID, Refused, Seen, accept, called, said, served
from tests.server.wire import ALL, NEW, OLD, Json, serving

ELICITING = [name for name in ALL if REVISIONS[name].elicits]
OLD_ELICITING = [name for name in ELICITING if name in OLD]
MODED = [name for name in ALL if REVISIONS[name].elicits_url]
TOOLED_OLD = [name for name in OLD if REVISIONS[name].samples_with_tools]


@pytest.mark.anyio
@pytest.mark.parametrize("revision", OLD_ELICITING)
async def test_the_time_of_a_tool_stands_still_while_a_person_thinks(revision: str) -> None:
    server = Server("x")

    @server.tool(timeout=0.1)
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit("?", str)).data)

    async with serving(server, revision, EVERYTHING) as wire:
        id = wire.request("tools/call", {"name": "ask"})
        question = await wire.read()
        await anyio.sleep(0.15)
        wire.send({"jsonrpc": "2.0", "id": question["id"], "result": accept(value="at last")})
        answer = await wire.read()
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (id, "at last")


@pytest.mark.anyio
@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("sampling.tool-loop-limit", revisions=TOOLED_OLD)
async def test_a_loop_that_asks_forever_is_stopped(revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asker, "MOST", 7)
    server, count = Server("x"), 0

    @server.tool
    async def think(ctx: Context) -> str:
        while True:
            await ctx.sample("And then?")

    def answer(question: Json) -> Json:
        nonlocal count
        count += 1
        return SAID

    async with serving(server, revision, EVERYTHING) as wire:
        message = await served(wire, "tools/call", {"name": "think"}, answer)
        assert "more than 7 questions" in message["error"]["message"]
    assert count == 7


@pytest.mark.anyio
@pytest.mark.parametrize("revision", OLD)
async def test_why_a_question_has_no_answer_is_told_if_the_tool_lets_it_pass(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("x")

    @server.tool
    async def think(ctx: Context) -> str:
        return (await ctx.sample("?")).model

    async with serving(server, revision, EVERYTHING) as wire:
        result = await called(wire, "think", Seen(Refused(-1, "User rejected sampling request")))
        assert result["isError"]
        told = "the client answered sampling/createMessage with error -1: User rejected sampling request"
        assert result["content"][0]["text"] == told
    assert "Traceback" not in caplog.text


@pytest.mark.anyio
@pytest.mark.parametrize("revision", OLD_ELICITING)
@pytest.mark.requirement("elicitation.bound-to-client-and-user", revisions=[r for r in OLD_ELICITING if r in MODED])
async def test_nobody_but_the_client_that_was_asked_can_answer(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        return str((await ctx.elicit("?", str)).data)

    async with serving(server, revision, EVERYTHING) as ada, serving(server, revision, EVERYTHING) as eve:
        ada.request("tools/call", {"name": "ask"})
        question = await ada.read()
        eve.send({"jsonrpc": "2.0", "id": question["id"], "result": accept(value="from eve")})
        await eve.silent()
        ada.send({"jsonrpc": "2.0", "id": question["id"], "result": accept(value="from ada")})
        assert (await ada.read())["result"]["content"][0]["text"] == "from ada"


@pytest.mark.anyio
@pytest.mark.parametrize("revision", MODED)
@pytest.mark.requirement("elicitation.mode-omitted-form")
async def test_a_form_given_without_mode_goes_out_without_it(revision: str) -> None:
    server = Server("x")
    form: Json = {"message": "Name?", "requestedSchema": {"type": "object", "properties": {"n": {"type": "string"}}}}

    @server.tool
    async def ask(ctx: Context) -> str | InputRequired:
        if "k" not in ctx.input_responses:
            return InputRequired({"k": {"method": "elicitation/create", "params": form}})
        return str(ctx.input_responses["k"]["content"]["n"])

    user = Seen(accept(n="Ada"))
    async with serving(server, revision, ELICITS) as wire:
        assert await said(wire, "ask", user) == "Ada"
    asked = {key: value for key, value in user.asked[0]["params"].items() if key != "_meta"}
    assert asked == form


@pytest.mark.anyio
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("sampling.deprecated", "roots.deprecated", revisions=NEW)
async def test_deprecated_questions_are_warned_of_once(
    revision: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(asker, "_WARNED", set())
    server = Server("x")

    @server.tool
    async def ask(ctx: Context) -> str:
        return f"{(await ctx.sample('?')).model} {len(await ctx.list_roots())}"

    async with serving(server, revision, EVERYTHING) as wire:
        for _ in range(2):
            await said(
                wire,
                "ask",
                lambda question: SAID if "params" in question and "messages" in question["params"] else {"roots": []},
            )
    warned = [record.getMessage().split()[0] for record in caplog.records if "deprecated" in record.getMessage()]
    assert sorted(warned) == (["roots/list", "sampling/createMessage"] if revision in NEW else [])


@pytest.mark.parametrize(
    "value", [{"ask_timeout": 0}, {"ask_timeout": 20, "ask_total": 10}, {"ask_total": float("inf")}]
)
def test_times_that_are_none_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="ask_timeout"):
        Server("x", **value)


def test_a_need_that_no_client_can_declare_is_refused_when_the_tool_is_registered() -> None:
    with pytest.raises(ValueError, match="'telepathy'"):
        Server("x").tool(needs=["telepathy"])(lambda: None)


@pytest.mark.requirement("roots.server-boundaries")
def test_paths_are_held_against_the_roots_with_all_links_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "work dir", tmp_path / "work dir secret"
    inside.mkdir()
    outside.mkdir()
    (inside / "file").write_text("x")
    os.symlink(outside, inside / "link")
    roots = [Root(uri="https://example.com/"), Root(uri="file://far/share"), Root(uri=inside.as_uri())]
    for good in (inside, inside / "file", inside / "new" / "file", (inside / "file").as_uri(), f"{inside}/x/../file"):
        assert within_roots(good, roots), good
    for bad in (outside, tmp_path, inside / "link" / "x", f"{inside}/../other", "", "x\0y", "file://far/share/x"):
        assert not within_roots(bad, roots), bad
    assert not within_roots(inside, [])
    assert within_roots("/etc", [Root(uri="file:///")])


@pytest.mark.anyio
@pytest.mark.parametrize("revision", ELICITING)
async def test_a_resource_that_asks_is_read_from_inside_a_tool(revision: str) -> None:
    server = Server("x")

    @server.resource("memo://x")
    async def memo(ctx: Context) -> str:
        return f"memo of {(await ctx.elicit('Whose?', str)).data}"

    @server.resource("hand://x")
    async def by_hand(ctx: Context) -> str | InputRequired:
        return InputRequired(state="never")

    @server.tool
    async def read(ctx: Context) -> str:
        (found,) = await ctx.read_resource("memo://x")
        sure = await ctx.elicit("Sure?", str)
        with pytest.raises(InternalError, match="InputRequired"):
            await ctx.read_resource("hand://x")
        return f"{found.text} {sure.data}"  # type: ignore[union-attr]

    @server.tool
    def read_blocking(ctx: Context) -> str:
        try:
            (found,) = ctx.blocking.read_resource("memo://x")
            return f"{found.text} {ctx.blocking.elicit('Sure?', str).data}"  # type: ignore[union-attr]
        except Exception as error:
            return f"caught {error}"

    async with serving(server, revision, EVERYTHING) as wire:
        for tool in ("read", "read_blocking"):
            assert await said(wire, tool, Seen(accept(value="Ada"), accept(value="yes"))) == "memo of Ada yes"


@pytest.mark.anyio
@pytest.mark.parametrize("revision", ELICITING)
async def test_dependencies_ask_as_handlers_do_and_clean_up_each_round(revision: str) -> None:
    server, seen = Server("x"), []

    async def user(ctx: Context) -> AsyncIterator[str]:
        name = (await ctx.elicit("Name?", str)).data
        seen.append("begin")
        try:
            yield str(name)
        finally:
            seen.append("end")

    @server.tool
    async def greet(ctx: Context, name: str = Depends(user)) -> str:
        return f"{name} {(await ctx.elicit('Sure?', str)).data}"

    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "greet", Seen(accept(value="Ada"), accept(value="yes"))) == "Ada yes"
    assert seen == ["begin", "end"] * (2 if revision in NEW else 1)


@pytest.mark.anyio
@pytest.mark.parametrize("revision", NEW)
async def test_a_request_that_is_cancelled_while_it_cleans_up_is_not_answered(revision: str) -> None:
    server, cleaning = Server("x"), anyio.Event()

    @server.tool
    async def ask(ctx: Context) -> str:
        try:
            return str((await ctx.elicit("?", str)).data)
        finally:
            cleaning.set()
            await anyio.sleep(60)

    async with serving(server, revision, EVERYTHING) as wire:
        id = wire.request("tools/call", {"name": "ask"})
        await cleaning.wait()
        wire.notify("notifications/cancelled", {"requestId": id})
        await wire.silent()
