"""What a client does with the questions of a server in the handshake era, when they come as requests."""

import logging
import threading
from typing import Any

import anyio
import pytest

from mcport import Asker, Client, Rejected, Sampling, Timeout, fill_defaults
from mcport.spec.types import (
    CreateMessageRequestParams,
    CreateMessageResult,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    ElicitResult,
    TextContent,
    ToolUseContent,
)
from tests.client.counterpart import HANDSHAKE, notification, request, text, usual
from tests.client.playing import Wire, client_of

ELICITS = ["2025-06-18", "2025-11-25"]
URLS = ["2025-11-25"]
LATEST = "2025-11-25"

FORM = {"type": "object", "properties": {"name": {"type": "string", "minLength": 2}}, "required": ["name"]}
WORDS = {"role": "user", "content": {"type": "text", "text": "What is the capital of France?"}}
SAMPLE = {"messages": [WORDS], "maxTokens": 100}
PAGE = {"mode": "url", "message": "Pay", "url": "https://pay.example.com/7?a=1", "elicitationId": "e-1"}


def form(schema: Any = FORM, **more: Any) -> dict[str, Any]:
    return {"message": "Who are you?", "requestedSchema": schema, **more}


def answer_to(messages: list[Any], id: Any) -> Any:
    """What the client answered to a request of the server."""
    found = [each for each in messages if "method" not in each and each.get("id") == id]
    return found[0] if found else None


async def asked(wire: Wire, method: str, params: dict[str, Any] | None = None, id: Any = "q") -> Any:
    """Ask the client something and return its answer."""
    wire.push(request(method, id, params))
    return answer_to(await wire.until(lambda messages: answer_to(messages, id) is not None), id)


async def answer_of(revision: str, method: str, params: dict[str, Any] | None, **callbacks: Any) -> Any:
    """What a client with these callbacks answers to one question."""
    wire = Wire(usual(revision))
    async with client_of(wire, revision, **callbacks):
        return await asked(wire, method, params)


async def declared(revision: str, **callbacks: Any) -> Any:
    wire = Wire(usual(revision))
    async with client_of(wire, revision, **callbacks):
        return wire.messages[0]["params"]["capabilities"]


async def ada(question: ElicitRequestFormParams) -> dict[str, object]:
    return {"name": "Ada"}


async def yes(page: ElicitRequestURLParams) -> bool:
    return True


async def paris(question: CreateMessageRequestParams) -> str:
    return "Paris"


# ---- what is declared


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_a_client_without_callbacks_declares_nothing(revision: str) -> None:
    assert await declared(revision) == {}


@pytest.mark.requirement("elicitation.capability-declared", revisions=ELICITS)
@pytest.mark.requirement("elicitation.at-least-one-mode", revisions=URLS)
@pytest.mark.requirement("elicitation.empty-capability-is-form", revisions=URLS)
@pytest.mark.requirement("sampling.capability-declared", revisions=HANDSHAKE)
@pytest.mark.requirement("roots.capability-declared", revisions=HANDSHAKE)
async def test_what_a_client_declares_follows_from_its_callbacks() -> None:
    assert await declared(LATEST, elicit=ada) == {"elicitation": {"form": {}}}
    assert await declared(LATEST, elicit_url=yes) == {"elicitation": {"url": {}}}
    assert await declared(LATEST, elicit=ada, elicit_url=yes) == {"elicitation": {"form": {}, "url": {}}}
    assert await declared("2025-06-18", elicit=ada, elicit_url=yes) == {"elicitation": {}}
    assert await declared("2025-06-18", elicit_url=yes) == {}
    assert await declared("2025-03-26", elicit=ada) == {}
    for revision in HANDSHAKE:
        assert await declared(revision, sample=paris) == {"sampling": {}}
        assert await declared(revision, roots=[]) == {"roots": {"listChanged": True}}
        assert await declared(revision, roots=lambda: []) == {"roots": {}}


@pytest.mark.requirement("sampling.tools-capability", revisions=URLS)
async def test_sampling_with_tools_and_context_is_declared_only_by_who_can_do_it() -> None:
    both = Sampling(paris, tools=True, context=True)
    assert await declared(LATEST, sample=Sampling(paris, tools=True)) == {"sampling": {"tools": {}}}
    assert await declared(LATEST, sample=both) == {"sampling": {"tools": {}, "context": {}}}
    assert await declared("2025-06-18", sample=both) == {"sampling": {}}


# ---- elicitation by forms


@pytest.mark.parametrize("revision", ELICITS)
async def test_a_form_is_handed_to_the_callback_and_its_content_to_the_server(revision: str) -> None:
    seen: list[ElicitRequestFormParams] = []

    def plain(question: ElicitRequestFormParams) -> ElicitResult:
        seen.append(question)
        return ElicitResult(action="accept", content={"name": "Ada"})

    for callback in (ada, plain):
        answer = await answer_of(revision, "elicitation/create", form(), elicit=callback)
        assert answer["result"] == {"action": "accept", "content": {"name": "Ada"}}
    assert seen[0].message == "Who are you?"
    assert list(seen[0].requested_schema.properties) == ["name"]


@pytest.mark.requirement("elicitation.mode-default-form", revisions=URLS)
@pytest.mark.requirement("elicitation.mode-omitted-form", revisions=URLS)
async def test_an_elicitation_without_a_mode_is_a_form() -> None:
    for params in (form(), form(mode="form")):
        answer = await answer_of(LATEST, "elicitation/create", params, elicit=ada, elicit_url=yes)
        assert answer["result"]["content"] == {"name": "Ada"}


@pytest.mark.requirement("elicitation.ui-decline-cancel", revisions=ELICITS)
@pytest.mark.requirement("elicitation.decline-any-time", revisions=ELICITS)
@pytest.mark.requirement("elicitation.approval-controls", revisions=ELICITS)
@pytest.mark.requirement("elicitation.content-only-on-accept", revisions=URLS)
@pytest.mark.parametrize("revision", ELICITS)
async def test_a_user_may_decline_and_cancel_and_nothing_of_the_form_leaves_then(revision: str) -> None:
    for said, action in [
        ("decline", "decline"),
        ("cancel", "cancel"),
        (ElicitResult(action="decline", content={"name": "half written"}), "decline"),
        (Rejected(), "decline"),
    ]:

        async def callback(question: ElicitRequestFormParams, said: Any = said) -> Any:
            if isinstance(said, Exception):
                raise said
            return said

        answer = await answer_of(revision, "elicitation/create", form(), elicit=callback)
        assert answer["result"] == {"action": action}


@pytest.mark.requirement("elicitation.client-validates", revisions=ELICITS)
@pytest.mark.requirement("elicitation.actions", revisions=ELICITS)
@pytest.mark.parametrize("revision", ELICITS)
@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({}, "field 'name' is missing"),
        ({"name": 7}, "field 'name' must be a text, not 7"),
        ({"name": "A"}, "field 'name' needs at least 2 characters, not 1"),
        ({"name": "Ada", "age": 7}, "unknown field 'age' (the form has name)"),
        (None, "this is no answer: None"),
        ("accept", "this is no answer: 'accept'"),
        (ElicitResult.model_construct(action="perhaps"), "an action is one of accept, decline, cancel"),
    ],
)
async def test_an_answer_that_does_not_fit_stays_here_and_the_host_reads_why(
    revision: str, said: Any, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def callback(question: ElicitRequestFormParams) -> Any:
        return said

    with caplog.at_level(logging.ERROR, "mcport.client"):
        answer = await answer_of(revision, "elicitation/create", form(), elicit=callback)
    assert answer["error"] == {"code": -32603, "message": "the client could not answer"}
    assert "server 'Wire': the elicit callback failed" in caplog.text
    assert fault in caplog.text


@pytest.mark.parametrize(
    ("params", "fault"),
    [
        ({"requestedSchema": FORM}, "message: Field required"),
        ({"message": "Who?"}, "requestedSchema: a form is an object"),
        (form({"type": "object"}), "requestedSchema.properties: an object is needed"),
        (form({"type": "object", "properties": {"a": {"type": "object"}}}), "requestedSchema.properties.a: only texts"),
        (form({"type": "object", "properties": {"a": {"type": "array"}}}), "requestedSchema.properties.a: a list must"),
        (
            form({"type": "object", "properties": {"a": {"type": "string", "enum": [1]}}}),
            "a: a choice is between texts",
        ),
        (form({**FORM, "required": "name"}), "requestedSchema.required: a list of names is needed"),
        (form(mode="voice"), "mode: must be 'form' or 'url'"),
    ],
)
async def test_a_form_that_is_none_is_refused_and_the_field_is_named(params: Any, fault: str) -> None:
    answer = await answer_of(LATEST, "elicitation/create", params, elicit=ada)
    assert answer["error"]["code"] == -32602
    assert answer["error"]["message"].startswith("elicitation/create: ")
    assert fault in answer["error"]["message"]


# ---- elicitation by web pages


@pytest.mark.requirement("elicitation.url-accept-no-content", revisions=URLS)
@pytest.mark.requirement("elicitation.url-shown-in-full", revisions=URLS)
@pytest.mark.requirement("elicitation.url-no-open-without-consent", revisions=URLS)
async def test_a_web_page_is_shown_as_it_is_and_what_the_user_says_is_told_without_content() -> None:
    seen: list[str] = []
    for said, action in [
        (True, "accept"),
        (False, "decline"),
        ("accept", "accept"),
        ("cancel", "cancel"),
        (ElicitResult(action="accept", content={"x": "y"}), "accept"),
    ]:

        def callback(page: ElicitRequestURLParams, said: Any = said) -> Any:
            seen.append(page.url)
            return said

        answer = await answer_of(LATEST, "elicitation/create", PAGE, elicit_url=callback)
        assert answer["result"] == {"action": action}
    assert set(seen) == {PAGE["url"]}


@pytest.mark.requirement("elicitation.undeclared-mode-error", revisions=URLS)
async def test_a_mode_that_was_not_declared_is_refused() -> None:
    for params, callbacks in [(PAGE, {"elicit": ada}), (form(), {"elicit_url": yes})]:
        answer = await answer_of(LATEST, "elicitation/create", params, **callbacks)
        assert answer["error"]["code"] == -32602
        assert "this client did not declare the mode" in answer["error"]["message"]


@pytest.mark.requirement("elicitation.url-handled-carefully", revisions=URLS)
@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "file:///etc/passwd", "https://", "https://a b.example/", "ssh://x", "https://h:x/"]
)
async def test_what_is_no_web_page_reaches_no_callback(url: str) -> None:
    def never(page: ElicitRequestURLParams) -> bool:
        raise AssertionError(page)

    answer = await answer_of(LATEST, "elicitation/create", {**PAGE, "url": url}, elicit_url=never)
    assert answer["error"]["code"] == -32602
    assert answer["error"]["message"].startswith("elicitation/create: url: ")


@pytest.mark.requirement("elicitation.url-warn-suspicious", revisions=URLS)
@pytest.mark.requirement("elicitation.ui-names-server", revisions=ELICITS)
async def test_a_callback_may_ask_who_asks_and_what_to_warn_of() -> None:
    askers: list[Asker] = []

    def page(page: ElicitRequestURLParams, asker: Asker) -> bool:
        askers.append(asker)
        return True

    async def fill(question: ElicitRequestFormParams, asker: Asker) -> str:
        askers.append(asker)
        return "decline"

    for url in ("https://xn--pypal-4ve.com/", "http://pay.example.com/", "https://bank.com@evil.example/", PAGE["url"]):
        await answer_of(LATEST, "elicitation/create", {**PAGE, "url": url}, elicit_url=page)
    for revision in ELICITS:
        await answer_of(revision, "elicitation/create", form(), elicit=fill)
    assert [asker.warnings for asker in askers[:4]] == [
        ("the host 'xn--pypal-4ve.com' has letters that may look like others",),
        ("the connection is not encrypted",),
        ("it has a user name before the host, which is 'evil.example'",),
        (),
    ]
    assert {asker.server for asker in askers} == {"Wire"}
    assert {asker.server_info["name"] for asker in askers} == {"counterpart"}


# ---- sampling


@pytest.mark.requirement("sampling.validate-content", revisions=HANDSHAKE)
@pytest.mark.requirement("sampling.hints-map", revisions=HANDSHAKE)
@pytest.mark.requirement("sampling.approval-controls", revisions=HANDSHAKE)
@pytest.mark.parametrize("revision", HANDSHAKE)
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
    for message in ({"role": "nobody", "content": WORDS["content"]}, {"role": "user", "content": {"type": "text"}}):
        broken = await answer_of(revision, "sampling/createMessage", {**SAMPLE, "messages": [message]}, sample=paris)
        assert broken["error"]["code"] == -32602
        assert broken["error"]["message"].startswith("sampling/createMessage: messages.0.")


USE = {"role": "assistant", "content": {"type": "tool_use", "id": "u1", "name": "add", "input": {}}}
GOT = {"role": "user", "content": [{"type": "tool_result", "toolUseId": "u1", "content": []}]}
MIXED = {"role": "user", "content": [*GOT["content"], WORDS["content"]]}  # type: ignore[misc]


@pytest.mark.requirement("sampling.client-errors")
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


@pytest.mark.requirement("sampling.tools-capability", revisions=URLS)
async def test_tools_that_were_not_declared_are_refused_and_in_older_revisions_not_known() -> None:
    tools = {**SAMPLE, "tools": [{"name": "add", "inputSchema": {"type": "object"}}]}
    answer = await answer_of(LATEST, "sampling/createMessage", tools, sample=paris)
    assert answer["error"]["code"] == -32602
    assert "this client did not declare sampling.tools" in answer["error"]["message"]
    older = await answer_of("2025-06-18", "sampling/createMessage", tools, sample=paris)
    assert older["result"]["content"]["text"] == "Paris"


@pytest.mark.requirement("sampling.client-errors")
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


# ---- what nobody answers


@pytest.mark.requirement("roots.client-errors", revisions=HANDSHAKE)
@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_a_question_without_a_callback_is_no_method(revision: str) -> None:
    for method, params in [("roots/list", None), ("sampling/createMessage", SAMPLE), ("elicitation/create", form())]:
        answer = await answer_of(revision, method, params)
        assert answer["error"] == {"code": -32601, "message": f"Method not found: {method}"}


async def test_a_question_that_a_revision_does_not_have_is_no_method_whatever_callbacks_there_are() -> None:
    answer = await answer_of("2025-03-26", "elicitation/create", form(), elicit=ada)
    assert answer["error"]["code"] == -32601


async def test_nothing_is_answered_before_the_conversation_is_initialized() -> None:
    wire = Wire({**usual(LATEST), "initialize": []})
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client_of(wire, LATEST, elicit=ada).connect)
        await wire.wrote("initialize")
        answer = await asked(wire, "elicitation/create", form())
        tasks.cancel_scope.cancel()
    assert answer["error"] == {
        "code": -32600,
        "message": "elicitation/create: the conversation is not initialized yet",
    }


# ---- side by side


async def test_callbacks_run_side_by_side_and_none_blocks_reading() -> None:
    """Plain ones too: `input()` keeps nobody waiting."""
    wire, go, here = Wire(usual(LATEST)), threading.Event(), threading.get_ident()
    threads: list[int] = []

    def blocks(question: ElicitRequestFormParams) -> str:
        threads.append(threading.get_ident())
        assert go.wait(5)
        return "cancel"

    async with client_of(wire, LATEST, elicit=blocks, sample=paris) as client:
        wire.push(request("elicitation/create", "slow", form()), request("elicitation/create", "slow too", form()))
        assert (await asked(wire, "sampling/createMessage", SAMPLE, "quick"))["result"]["model"] == "unknown"
        assert (await client.call_tool("any")).content
        assert answer_to(wire.messages, "slow") is None
        go.set()
        await wire.until(lambda messages: answer_to(messages, "slow") and answer_to(messages, "slow too"))
    assert here not in threads
    assert len(set(threads)) == 2


async def test_a_failing_callback_fails_only_its_own_question(caplog: pytest.LogCaptureFixture) -> None:
    wire = Wire(usual(LATEST))

    def fails(question: ElicitRequestFormParams) -> str:
        raise RuntimeError("a secret of the host")

    async with client_of(wire, LATEST, elicit=fails, sample=paris) as client:
        answer = await asked(wire, "elicitation/create", form(), 1)
        assert answer["error"] == {"code": -32603, "message": "the client could not answer"}
        assert "result" in await asked(wire, "sampling/createMessage", SAMPLE, 2)
        assert (await client.call_tool("any")).content
    assert "a secret of the host" in caplog.text


async def test_a_question_that_the_server_withdraws_stops_its_callback() -> None:
    wire, stopped = Wire(usual(LATEST)), anyio.Event()

    async def waits(question: ElicitRequestFormParams) -> str:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()
        raise AssertionError

    started = anyio.Event()
    async with client_of(wire, LATEST, elicit=waits) as client:
        wire.push(request("elicitation/create", "q", form()))
        await started.wait()
        wire.push(notification("notifications/cancelled", {"requestId": "q"}))
        await stopped.wait()
        await client.call_tool("any")
        assert answer_to(wire.messages, "q") is None


async def test_a_question_of_a_server_that_has_gone_is_asked_no_longer() -> None:
    wire, started, stopped = Wire(usual(LATEST)), anyio.Event(), anyio.Event()

    async def waits(question: ElicitRequestFormParams) -> str:
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()
        raise AssertionError

    async with client_of(wire, LATEST, elicit=waits):
        wire.push(request("elicitation/create", "q", form()))
        await started.wait()
        wire.push(None)
        await stopped.wait()


# ---- time


async def test_the_silence_of_calls_stands_still_while_a_question_is_open() -> None:
    table = {**usual(LATEST), "tools/call ask": [request("elicitation/create", "q", form())], "tools/call hang": []}
    wire = Wire(table)

    async def thinks(question: ElicitRequestFormParams) -> dict[str, object]:
        with anyio.move_on_after(0.3):
            await anyio.sleep_forever()
        return {"name": "Ada"}

    async with client_of(wire, LATEST, elicit=thinks, timeout=0.1) as client:
        handle = client.start_tool("ask")
        await wire.until(lambda messages: answer_to(messages, "q"))
        assert not handle.done
        [call] = await wire.wrote("tools/call")
        wire.push({**text("done"), "id": call["id"]})
        assert (await handle).content
        with pytest.raises(Timeout, match=r"no answer within 0\.1 s"):
            await client.call_tool("hang")


async def test_the_time_in_all_goes_on_while_a_question_is_open() -> None:
    wire = Wire({**usual(LATEST), "tools/call ask": [request("elicitation/create", "q", form())]})

    async def thinks(question: ElicitRequestFormParams) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    async with client_of(wire, LATEST, elicit=thinks, timeout=0.02, total_timeout=0.06) as client:
        with pytest.raises(Timeout, match=r"not done within 0\.06 s"):
            await client.call_tool("ask")


# ---- defaults


@pytest.mark.requirement("elicitation.prefill-defaults", revisions=URLS)
@pytest.mark.requirement("elicitation.schema-enum-forms", revisions=URLS)
async def test_the_shipped_callback_fills_in_the_defaults_of_every_kind_of_field() -> None:
    options = [{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]
    fields: dict[str, Any] = {
        "text": {"type": "string", "default": "a"},
        "number": {"type": "number", "default": 1.5},
        "integer": {"type": "integer", "default": 3},
        "yes": {"type": "boolean", "default": False},
        "one": {"type": "string", "enum": ["r", "g"], "default": "g"},
        "titled": {"type": "string", "oneOf": options, "default": "r"},
        "named": {"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"], "default": "r"},
        "some": {"type": "array", "items": {"type": "string", "enum": ["r", "g"]}, "default": ["g"]},
        "several": {"type": "array", "items": {"anyOf": options}, "default": ["r", "g"]},
        "empty": {"type": "string"},
    }
    schema = {"type": "object", "properties": fields, "required": [name for name in fields if name != "empty"]}
    answer = await answer_of(LATEST, "elicitation/create", form(schema), elicit=fill_defaults)
    defaults = {name: field["default"] for name, field in fields.items() if "default" in field}
    assert answer["result"] == {"action": "accept", "content": defaults}
    for name, wrong in [("titled", "Red"), ("named", "Red"), ("some", ["b"]), ("several", ["Red"]), ("one", "b")]:

        async def callback(question: Any, content: Any = {**defaults, name: wrong}) -> Any:  # noqa: B008
            return content

        assert "error" in await answer_of(LATEST, "elicitation/create", form(schema), elicit=callback)


async def test_the_shipped_callback_declines_what_has_no_default_or_a_bad_one() -> None:
    for schema in (FORM, {"type": "object", "properties": {"n": {"type": "integer", "minimum": 5, "default": 1}}}):
        answer = await answer_of(LATEST, "elicitation/create", form(schema), elicit=fill_defaults)
        assert answer["result"] == {"action": "decline"}


def test_what_is_no_callback_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="elicit is a function, got 'x'"):
        Client("server.py", elicit="x")  # type: ignore[arg-type]
