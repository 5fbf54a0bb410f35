"""Messages that a server has a model write, when it asks by requests (handshake era)."""

from typing import Any

import pytest

from mcport import InvalidAnswer, QuestionFailed, Rejected, Sampling
from mcport.spec.types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    ImageContent,
    TextContent,
    ToolUseContent,
)
from tests.client.counterpart import HANDSHAKE
from tests.client.questions import LATEST, SAMPLE, STATELESS, URLS, WORDS, answer_of, paris

# ---- sampling


@pytest.mark.requirement("sampling.hints-map", revisions=[*HANDSHAKE, STATELESS])
@pytest.mark.requirement("sampling.approval-controls", revisions=[*HANDSHAKE, STATELESS])
@pytest.mark.parametrize("revision", [*HANDSHAKE, STATELESS])
async def test_a_model_is_asked_and_what_it_says_is_sent(revision: str) -> None:
    seen: list[CreateMessageRequestParams] = []
    whole = CreateMessageResult(role="assistant", content=TextContent(text="Paris"), model="m-1", stop_reason="endTurn")

    def callback(question: CreateMessageRequestParams) -> CreateMessageResult:
        seen.append(question)
        return whole

    params = {**SAMPLE, "modelPreferences": {"hints": [{"name": "claude"}]}}
    answer = await answer_of(revision, "sampling/createMessage", params, sample=callback)
    assert answer["result"] == {
        "role": "assistant",
        "content": {"type": "text", "text": "Paris"},
        "model": "m-1",
        "stopReason": "endTurn",
    }
    assert seen[0].max_tokens == 100
    assert seen[0].model_preferences is not None
    assert seen[0].model_preferences.hints is not None
    assert seen[0].model_preferences.hints[0].name == "claude"
    short = await answer_of(revision, "sampling/createMessage", params, sample=Sampling(paris, model="m-2"))
    assert short["result"]["content"] == {"type": "text", "text": "Paris"}
    assert short["result"]["model"] == "m-2"


@pytest.mark.requirement("sampling.validate-content", revisions=[*HANDSHAKE, STATELESS])
@pytest.mark.parametrize("revision", [*HANDSHAKE, STATELESS])
@pytest.mark.parametrize(
    "message", [{"role": "nobody", "content": WORDS["content"]}, {"role": "user", "content": {"type": "text"}}]
)
async def test_a_message_of_nobody_or_without_its_words_reaches_no_model(revision: str, message: Any) -> None:
    async def never(question: CreateMessageRequestParams) -> str:
        raise AssertionError(question)

    fault = await refused(revision, {**SAMPLE, "messages": [message]}, never)
    assert fault.startswith("sampling/createMessage: messages.0.")


async def refused(revision: str, params: dict[str, Any], sample: Any) -> str:
    """Return why the client refuses this: to the server, or where questions come in results to its own caller."""
    if revision == STATELESS:
        with pytest.raises(InvalidAnswer) as caught:
            await answer_of(revision, "sampling/createMessage", params, sample=sample)
        return caught.value.cause.partition("its question q: ")[2]
    error = (await answer_of(revision, "sampling/createMessage", params, sample=sample))["error"]
    assert error["code"] == -32602
    return str(error["message"])


@pytest.mark.requirement("sampling.max-tokens", revisions=[STATELESS])
@pytest.mark.parametrize("revision", [*HANDSHAKE, STATELESS])
async def test_a_model_is_told_how_much_it_may_say_at_most(revision: str) -> None:
    seen: list[int] = []

    def callback(question: CreateMessageRequestParams) -> str:
        seen.append(question.max_tokens)
        return "Paris"

    for most in (1, 2**31):
        answer = await answer_of(revision, "sampling/createMessage", {**SAMPLE, "maxTokens": most}, sample=callback)
        assert answer["result"]["content"]["text"] == "Paris"
    assert seen == [1, 2**31]


USE = {"role": "assistant", "content": {"type": "tool_use", "id": "u1", "name": "add", "input": {}}}
GOT = {"role": "user", "content": [{"type": "tool_result", "toolUseId": "u1", "content": []}]}
MIXED = {"role": "user", "content": [*GOT["content"], WORDS["content"]]}


@pytest.mark.requirement("sampling.client-errors", revisions=[LATEST])
@pytest.mark.parametrize(
    ("messages", "fault"),
    [
        ([WORDS, USE], "messages: no result for the use of a tool, 'u1'"),
        ([WORDS, USE, WORDS], "messages.2: no result for the use of a tool, 'u1'"),
        ([WORDS, USE, MIXED], "messages.2: results of tools stand alone in a message of the user"),
        ([WORDS, GOT], "messages.1: no use 'u1'"),
    ],
)
async def test_results_of_tools_that_do_not_belong_are_refused(messages: Any, fault: str) -> None:
    tools = Sampling(paris, tools=True)
    answer = await answer_of(LATEST, "sampling/createMessage", {**SAMPLE, "messages": messages}, sample=tools)
    assert answer["error"] == {"code": -32602, "message": f"sampling/createMessage: {fault}"}


async def test_a_model_that_may_use_tools_uses_them_and_reads_what_came_of_it() -> None:
    use = ToolUseContent(id="u1", name="add", input={"a": 1})

    async def model(question: CreateMessageRequestParams) -> CreateMessageResult | str:
        if len(question.messages) == 3:
            return "3"
        assert question.tools is not None
        return CreateMessageResult(role="assistant", content=[use], model="m", stop_reason="toolUse")

    tools = {"tools": [{"name": "add", "inputSchema": {"type": "object"}}]}
    sample = Sampling(model, tools=True)
    first = await answer_of(LATEST, "sampling/createMessage", {**SAMPLE, **tools}, sample=sample)
    assert first["result"]["content"] == [{"type": "tool_use", "id": "u1", "name": "add", "input": {"a": 1}}]
    messages = {"messages": [WORDS, USE, GOT]}
    then = await answer_of(LATEST, "sampling/createMessage", {**SAMPLE, **tools, **messages}, sample=sample)
    assert then["result"]["content"]["text"] == "3"


@pytest.mark.requirement("content.base64-data")
@pytest.mark.parametrize("revision", [*HANDSHAKE, STATELESS])
async def test_an_image_that_is_none_is_not_sent(revision: str, caplog: pytest.LogCaptureFixture) -> None:
    async def model(question: CreateMessageRequestParams) -> CreateMessageResult:
        return CreateMessageResult(role="assistant", content=said.pop(), model="m")

    said = [ImageContent(data="no base64", mime_type="image/png"), ImageContent(data="aQ==", mime_type="image/png")]
    answer = await answer_of(revision, "sampling/createMessage", SAMPLE, sample=model)
    assert answer["result"]["content"] == {"type": "image", "data": "aQ==", "mimeType": "image/png"}
    if revision == STATELESS:
        with pytest.raises(QuestionFailed):
            await answer_of(revision, "sampling/createMessage", SAMPLE, sample=model)
    else:
        answer = await answer_of(revision, "sampling/createMessage", SAMPLE, sample=model)
        assert answer["error"] == {"code": -32603, "message": "the client could not answer"}
    assert "content[0]: data is not base64" in caplog.text


WITH_TOOLS = {**SAMPLE, "tools": [{"name": "add", "inputSchema": {"type": "object"}}]}


@pytest.mark.requirement("sampling.tools-capability", revisions=URLS)
@pytest.mark.parametrize("revision", URLS)
async def test_tools_that_were_not_declared_are_refused(revision: str) -> None:
    assert "this client did not declare sampling.tools" in await refused(revision, WITH_TOOLS, paris)
    answer = await answer_of(revision, "sampling/createMessage", WITH_TOOLS, sample=Sampling(paris, tools=True))
    assert answer["result"]["content"]["text"] == "Paris"


async def test_tools_are_not_known_in_older_revisions() -> None:
    answer = await answer_of("2025-06-18", "sampling/createMessage", WITH_TOOLS, sample=paris)
    assert answer["result"]["content"]["text"] == "Paris"


@pytest.mark.requirement("sampling.client-errors", "sampling.approval-controls")
@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_a_user_who_rejects_sampling_is_told_with_the_code_of_the_specification(revision: str) -> None:
    def callback(question: CreateMessageRequestParams) -> str:
        raise Rejected

    answer = await answer_of(revision, "sampling/createMessage", SAMPLE, sample=callback)
    assert answer["error"] == {"code": -1, "message": "the user said no"}


async def test_what_a_revision_cannot_say_is_not_said(caplog: pytest.LogCaptureFixture) -> None:
    use = ToolUseContent(id="u1", name="add", input={})

    async def model(question: CreateMessageRequestParams) -> CreateMessageResult:
        return CreateMessageResult(role="assistant", content=use, model="m")

    answer = await answer_of("2025-06-18", "sampling/createMessage", SAMPLE, sample=model)
    assert answer["error"]["code"] == -32603
    assert "the answer cannot be said in protocol version 2025-06-18: it has no tools in sampling" in caplog.text


@pytest.mark.requirement("sampling.include-context-optional")
@pytest.mark.requirement("sampling.system-prompt-optional")
@pytest.mark.requirement("sampling.other-params-optional", "sampling.messages-not-retained", revisions=[STATELESS])
@pytest.mark.parametrize("revision", [*HANDSHAKE, STATELESS])
async def test_a_callback_is_given_each_request_by_itself_and_need_not_heed_its_wishes(revision: str) -> None:
    seen: list[CreateMessageRequestParams] = []

    async def callback(question: CreateMessageRequestParams) -> str:
        seen.append(question)
        return "whatever"

    wishes = {"systemPrompt": "Be brief", "includeContext": "none", "temperature": 0.1, "stopSequences": ["."]}
    for params in ({**SAMPLE, **wishes, "metadata": {"a": 1}}, SAMPLE):
        answer = await answer_of(revision, "sampling/createMessage", params, sample=callback)
        assert answer["result"].keys() == {"role", "content", "model", "stopReason"}
    assert (seen[0].system_prompt, seen[0].include_context, seen[0].temperature) == ("Be brief", "none", 0.1)
    assert [(len(each.messages), each.max_tokens) for each in seen] == [(1, 100), (1, 100)]
    assert seen[1].system_prompt is None
