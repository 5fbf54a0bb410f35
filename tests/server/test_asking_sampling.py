"""Asking the client's model and its roots: what each revision has, and the rules that hold before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from mcport import Context, InputRequired, ListRoots, Sample, Server
from mcport.core.asking.form_values import Unfit
from mcport.errors import InvalidAnswer
from mcport.spec.model import Unsendable
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import CreateMessageResult, ModelPreferences, SamplingMessage, TextContent, Tool
from tests.server.answering import EVERYTHING, ROOTS, SAID, Seen, retry, said, served
from tests.server.wire import ALL, NEW, OLD, Json, serving

TOOLED = [name for name in ALL if REVISIONS[name].samples_with_tools]
PLAIN = [name for name in ALL if name not in TOOLED]

WEATHER: Json = {"name": "weather", "inputSchema": {"type": "object", "properties": {"city": {"type": "string"}}}}
WISH: Json = {"type": "tool_use", "id": "u1", "name": "weather", "input": {"city": "Paris"}}
NO_IMAGE: Json = {"type": "image", "data": "no base64", "mimeType": "image/png"}
OUTCOME: Json = {"type": "tool_result", "toolUseId": "u1", "content": [{"type": "text", "text": "18"}]}


def wire(revision: str, *args: Any, capabilities: Json = EVERYTHING["sampling"], **options: Any) -> Json:
    return Sample(*args, **options).wire(REVISIONS[revision], {"sampling": capabilities})


@pytest.mark.anyio
@pytest.mark.parametrize("revision", ALL)
async def test_all_that_a_revision_knows_of_sampling_goes_out_as_it_says(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def think(ctx: Context) -> str:
        found = await ctx.sample(
            [
                "Hello",
                {"role": "assistant", "content": "Hi"},
                SamplingMessage(role="user", content=TextContent(text="?")),
            ],
            max_tokens=100,
            system_prompt="Be brief.",
            temperature=0.5,
            stop_sequences=["END"],
            model_preferences=ModelPreferences(cost_priority=0, speed_priority=0.5, intelligence_priority=1),
            include_context="thisServer",
            metadata={"seed": 1},
        )
        return found.model

    user = Seen(SAID)
    async with serving(server, revision, EVERYTHING) as far:
        assert await said(far, "think", user) == "m"
    asked = {key: value for key, value in user.asked[0]["params"].items() if key != "_meta"}
    assert asked == {
        "messages": [
            {"role": "user", "content": {"type": "text", "text": "Hello"}},
            {"role": "assistant", "content": {"type": "text", "text": "Hi"}},
            {"role": "user", "content": {"type": "text", "text": "?"}},
        ],
        "maxTokens": 100,
        "systemPrompt": "Be brief.",
        "temperature": 0.5,
        "stopSequences": ["END"],
        "modelPreferences": {"costPriority": 0, "speedPriority": 0.5, "intelligencePriority": 1},
        "includeContext": "thisServer",
        "metadata": {"seed": 1},
    }


@pytest.mark.anyio
@pytest.mark.parametrize("revision", TOOLED)
async def test_a_loop_with_tools_goes_to_its_end(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def think(ctx: Context) -> str:
        said: list[Any] = ["Weather in Paris?"]
        while True:
            found = await ctx.sample(said, tools=[Tool.from_wire(WEATHER)], tool_choice="auto")
            if found.stop_reason != "toolUse":
                return str(found.content.text)  # type: ignore[union-attr]
            said += [found, {"role": "user", "content": [OUTCOME]}]

    user = Seen({**SAID, "content": [WISH], "stopReason": "toolUse"}, {**SAID, "stopReason": "endTurn"})
    async with serving(server, revision, EVERYTHING) as far:
        assert await said(far, "think", user) == "Paris"
    second = user.asked[1]["params"]
    assert (second["tools"], second["toolChoice"]) == ([WEATHER], {"mode": "auto"})
    assert second["messages"][1:] == [
        {"role": "assistant", "content": [WISH]},
        {"role": "user", "content": [OUTCOME]},
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("options", [{"tools": [WEATHER]}, {"tool_choice": "none"}])
@pytest.mark.requirement("sampling.no-tools-undeclared", revisions=TOOLED)
async def test_tools_need_a_client_that_declared_them(revision: str, options: Any) -> None:
    server = Server("x")

    @server.tool
    async def think(ctx: Context) -> str:
        return (await ctx.sample("?", **options)).model

    async with serving(server, revision, {"sampling": {}}) as far:
        message = await far.ask("tools/call", {"name": "think", "arguments": {}})
        if revision in NEW:
            assert message["error"]["data"] == {"requiredCapabilities": {"sampling": {"tools": {}}}}
        else:
            assert message["result"]["isError"]
        await far.silent()


@pytest.mark.requirement("sampling.include-context-needs-capability", revisions=TOOLED)
def test_context_is_asked_for_only_where_it_was_declared() -> None:
    for revision in TOOLED:
        assert "includeContext" not in wire(revision, "?", include_context="thisServer", capabilities={})
        assert wire(revision, "?", include_context="allServers")["includeContext"] == "allServers"
    for revision in PLAIN:
        assert wire(revision, "?", include_context="thisServer", capabilities={})["includeContext"] == "thisServer"


def user(*blocks: Json) -> Json:
    return {"role": "user", "content": list(blocks)}


def model(*blocks: Json) -> Json:
    return {"role": "assistant", "content": list(blocks)}


TEXT: Json = {"type": "text", "text": "and"}


@pytest.mark.parametrize(
    "messages",
    [
        ["?", model(WISH), user(TEXT, OUTCOME)],
        ["?", model(WISH), user(OUTCOME, OUTCOME)],
        ["?", model(WISH), user(TEXT)],
        ["?", model(WISH), user({**OUTCOME, "toolUseId": "u2"})],
        ["?", model(WISH), model(TEXT), user(OUTCOME)],
        ["?", model(WISH)],
        ["?", model(WISH, WISH), user(OUTCOME, OUTCOME)],
        ["?", model(WISH), model(OUTCOME)],
        ["?", user(WISH), user(OUTCOME)],
        ["?", user(OUTCOME)],
    ],
)
@pytest.mark.requirement("sampling.tool-results-alone", "sampling.tool-use-balanced", revisions=TOOLED)
def test_results_of_tools_answer_every_wish_and_stand_alone(messages: Any) -> None:
    with pytest.raises(ValueError, match="tool"):
        Sample(messages)


def test_a_conversation_with_tools_in_order_is_fine() -> None:
    other, result = {**WISH, "id": "u2"}, {**OUTCOME, "toolUseId": "u2"}
    Sample(["?", model(TEXT, WISH, other), user(result, OUTCOME), model(TEXT)])


@pytest.mark.parametrize(
    "options",
    [
        {"model_preferences": {"costPriority": 1.1}},
        {"model_preferences": {"speedPriority": -0.1}},
        {"model_preferences": {"intelligencePriority": 2}},
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{"role": "user"}]},
        {"messages": [{"content": "x"}]},
        {"messages": [{"role": "user", "content": {"type": "video"}}]},
        {"messages": [{"role": "user", "content": NO_IMAGE}]},
        {"messages": [{"role": "user", "content": [TEXT, NO_IMAGE]}]},
        {"include_context": "everything"},
        {"max_tokens": "many"},
    ],
)
@pytest.mark.requirement("sampling.priorities-range", "sampling.validate-content")
@pytest.mark.requirement("sampling.message-shape", revisions=NEW)
def test_what_the_protocol_does_not_allow_is_refused_before_it_is_sent(options: Any) -> None:
    with pytest.raises(ValueError, match=r"sampling: \S"):
        Sample(**{"messages": "?", **options})


SAYS = [{"role": "user", "content": {"type": "text", "text": "?"}}]


@pytest.mark.anyio
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    "params",
    [
        {"messages": [{"role": "user", "content": NO_IMAGE}], "maxTokens": 9},
        {"messages": [{"role": "system", "content": TEXT}], "maxTokens": 9},
        {"messages": SAYS, "maxTokens": 9, "modelPreferences": {"costPriority": 1.1}},
        {"messages": SAYS},
        {"messages": [*SAYS, model(WISH)], "maxTokens": 9, "tools": [WEATHER]},
    ],
)
@pytest.mark.requirement("sampling.validate-content", "sampling.priorities-range", "content.base64-data")
@pytest.mark.requirement("sampling.tool-use-balanced", revisions=TOOLED)
async def test_what_the_protocol_does_not_allow_is_not_asked_by_hand_either(revision: str, params: Json) -> None:
    server = Server("x")

    @server.tool
    async def think() -> InputRequired:
        return InputRequired({"k": {"method": "sampling/createMessage", "params": params}})

    async with serving(server, revision, EVERYTHING) as far:
        assert (await far.error("tools/call", {"name": "think"}))["code"] == -32603
        await far.silent()


def test_names_of_models_alone_are_hints() -> None:
    for names in ("sonnet", ["sonnet"]):
        assert wire(NEW[0], "?", model_preferences=names)["modelPreferences"] == {"hints": [{"name": "sonnet"}]}


@pytest.mark.parametrize("revision", PLAIN)
def test_older_revisions_have_one_piece_of_content_a_message(revision: str) -> None:
    assert wire(revision, [user(TEXT)])["messages"] == [{"role": "user", "content": TEXT}]
    with pytest.raises(Unsendable, match=revision):
        wire(revision, [user(TEXT, TEXT)])
    with pytest.raises(Unsendable, match="tool_use"):
        wire(revision, ["?", model(WISH), user(OUTCOME)])
    sound = {"type": "audio", "data": "AA==", "mimeType": "audio/wav"}
    if REVISIONS[revision].has_audio:
        assert wire(revision, [user(sound)])["messages"][0]["content"] == sound
    else:
        with pytest.raises(Unsendable, match="audio"):
            wire(revision, [user(sound)])


@pytest.mark.parametrize(
    "answer", [{}, {**SAID, "role": "system"}, {**SAID, "content": {"type": "video"}}, {"model": "m"}]
)
@pytest.mark.requirement("sampling.validate-content")
def test_what_is_no_message_of_a_model_does_not_reach_the_handler(answer: Json) -> None:
    with pytest.raises(Unfit):
        Sample("?").read(answer)


@pytest.mark.requirement("sampling.stop-reason-open", revisions=NEW)
def test_any_stop_reason_is_read() -> None:
    found = Sample("?").read({**SAID, "stopReason": "vendor-reason"})
    assert isinstance(found, CreateMessageResult)
    assert found.stop_reason == "vendor-reason"


# ---- roots


@pytest.mark.anyio
@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("roots.file-uri")
async def test_roots_that_are_no_files_are_refused(revision: str) -> None:
    server, caught = Server("x"), []

    @server.tool
    async def look(ctx: Context) -> str:
        try:
            return str(await ctx.list_roots())
        except InvalidAnswer as error:
            caught.append(str(error))
            return "refused"

    bad = {"roots": [{"uri": "https://example.com/"}]}
    async with serving(server, revision, EVERYTHING) as far:
        assert await said(far, "look", Seen(bad, bad, bad)) == "refused"
        assert "file:///home/ada" in await said(far, "look", Seen(ROOTS))
    assert "file://" in caught[0]


@pytest.mark.anyio
@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("roots.file-uri")
async def test_such_roots_are_asked_for_again_where_questions_travel_in_results(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def look(ctx: Context) -> str:
        return str(len(await ctx.list_roots(key="r")))

    async with serving(server, revision, EVERYTHING) as far:
        params: Json = {"name": "look", "arguments": {}}
        first = (await far.ask("tools/call", params))["result"]
        assert first["inputRequests"] == {"r": {"method": "roots/list"}}
        second = (await far.ask("tools/call", retry(params, first, {"r": {"roots": [{"uri": "/home"}]}})))["result"]
        assert second["inputRequests"] == {"r": {"method": "roots/list"}}
        done = await far.ask("tools/call", retry(params, second, {"r": ROOTS}))
        assert done["result"]["content"][0]["text"] == "1"


def test_what_is_no_list_of_roots_is_unfit() -> None:
    bads: list[Json] = [{}, {"roots": None}, {"roots": [{}]}, {"roots": [{"uri": 3}]}]
    for bad in bads:
        with pytest.raises(Unfit):
            ListRoots().read(bad)


@pytest.mark.anyio
@pytest.mark.parametrize("revision", OLD)
async def test_progress_of_the_client_keeps_a_question_alive(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def think(ctx: Context) -> str:
        return (await ctx.sample("?")).model

    def answer(question: Json) -> Json:
        assert "progressToken" in question["params"]["_meta"]
        return SAID

    async with serving(server, revision, EVERYTHING) as far:
        assert "result" in await served(far, "tools/call", {"name": "think"}, answer)
