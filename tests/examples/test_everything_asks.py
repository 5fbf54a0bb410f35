"""The everything example asks as a conformance suite expects it, in every revision that has asking.

`ANSWERS` are what such a suite answers: fields and values that it chose, and not this example.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from mcport import Server
from mcport.spec.revisions import REVISIONS
from tests.examples.loading import loaded
from tests.server.answering import EVERYTHING, ROOTS, SAID, Refused, Seen, accept, asked, called, retry, said, served
from tests.server.wire import ALL, NEW, OLD, Json, serving

ELICITING = [revision for revision in ALL if REVISIONS[revision].elicits]
ELICITING_OLD = [revision for revision in OLD if REVISIONS[revision].elicits]
FULL = [revision for revision in ALL if REVISIONS[revision].elicits_defaults]
LESS = [revision for revision in ELICITING if revision not in FULL]
NONE = [revision for revision in ALL if revision not in ELICITING]

ANSWERS: dict[str, Json] = {
    "test_sampling": SAID,
    "test_elicitation": accept(username="testuser", email="test@example.com"),
    "test_elicitation_sep1034_defaults": accept(name="Jane", age=25, score=88.0, status="inactive", verified=False),
    "test_elicitation_sep1330_enums": accept(
        untitledSingle="option1",
        titledSingle="value1",
        legacyEnum="opt1",
        untitledMulti=["option1", "option2"],
        titledMulti=["value1", "value2"],
    ),
}
ARGUMENTS: dict[str, Json] = {"test_sampling": {"prompt": "Hi."}, "test_elicitation": {"message": "Who are you?"}}


@cache
def everything() -> Server:
    server = loaded("everything").server
    assert isinstance(server, Server)
    return server


async def posed(revision: str, tool: str) -> tuple[Json, Json]:
    """Call a tool and answer its one question; return the question's parameters and the result."""
    seen = Seen(ANSWERS[tool])
    async with serving(everything(), revision, EVERYTHING) as wire:
        result = await called(wire, tool, seen, **ARGUMENTS.get(tool, {}))
    return seen.asked[0]["params"], result


# ---- one question each, by request or by result


@pytest.mark.parametrize("revision", ALL)
async def test_a_prompt_goes_to_the_clients_model_and_its_words_come_back(revision: str) -> None:
    params, result = await posed(revision, "test_sampling")
    assert params["maxTokens"] == 100
    assert params["messages"] == [{"role": "user", "content": {"type": "text", "text": "Hi."}}]
    assert result["content"][0]["text"] == "The model said: Paris"


@pytest.mark.parametrize("revision", ELICITING)
async def test_the_user_is_asked_for_a_name_and_an_address(revision: str) -> None:
    params, result = await posed(revision, "test_elicitation")
    assert params["message"] == "Who are you?"
    assert params["requestedSchema"]["required"] == ["username", "email"]
    assert result["content"][0]["text"] == "The user is testuser <test@example.com>."


@pytest.mark.parametrize("revision", ELICITING)
@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_a_user_may_refuse(revision: str, action: str) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        answer = Seen({"action": action})
        assert await said(wire, "test_elicitation", answer, message="Who?") == f"The user chose to {action}."


@pytest.mark.parametrize("revision", ELICITING)
async def test_every_field_has_a_default_where_the_revision_knows_some(revision: str) -> None:
    params, result = await posed(revision, "test_elicitation_sep1034_defaults")
    fields = params["requestedSchema"]["properties"]
    known = {"name": "John Doe", "age": 30, "score": 95.5, "status": "active", "verified": True}
    expected = known if revision in FULL else {"verified": True}
    assert {name: field["default"] for name, field in fields.items() if "default" in field} == expected
    assert [field["type"] for field in fields.values()] == ["string", "integer", "number", "string", "boolean"]
    assert "status='inactive'" in result["content"][0]["text"]


@pytest.mark.parametrize("revision", FULL)
async def test_every_kind_of_choice_is_in_the_form_and_no_two_are_mixed(revision: str) -> None:
    params, result = await posed(revision, "test_elicitation_sep1330_enums")
    fields = params["requestedSchema"]["properties"]
    assert [{*field} - {"type", "description"} for field in fields.values()] == [
        {"enum"},
        {"oneOf"},
        {"enum", "enumNames"},
        {"items"},
        {"items"},
    ]
    assert len(fields["legacyEnum"]["enum"]) == len(fields["legacyEnum"]["enumNames"])
    assert {*fields["titledMulti"]["items"]} == {"anyOf"}
    assert {*fields["untitledMulti"]["items"]} == {"type", "enum"}
    for choices in (fields["titledSingle"]["oneOf"], fields["titledMulti"]["items"]["anyOf"]):
        assert all({*choice} == {"const", "title"} for choice in choices)
    assert "accept" in result["content"][0]["text"]


@pytest.mark.parametrize("revision", LESS)
async def test_where_there_is_no_choice_of_several_the_result_says_so(revision: str) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        failed = await wire.call("test_elicitation_sep1330_enums")
    assert failed["isError"] is True
    assert failed["content"][0]["text"].endswith(f"protocol version {revision} has no choice of several")


@pytest.mark.parametrize("revision", NONE)
async def test_where_nobody_can_be_asked_the_result_says_so(revision: str) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        failed = await wire.call("test_elicitation", {"message": "Who?"})
    assert failed["isError"] is True
    assert failed["content"][0]["text"].endswith(f"which protocol version {revision} does not have")


@pytest.mark.parametrize("revision", ALL)
async def test_the_clients_roots_are_asked_for(revision: str) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        assert "file:///home/ada" in await said(wire, "test_list_roots", Seen(ROOTS))


@pytest.mark.parametrize("revision", ELICITING)
async def test_a_question_after_progress_leaves_as_the_revision_wants_it(revision: str) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        answer = Seen(accept(value=True))
        assert await said(wire, "test_streaming_elicitation", answer) == "The user chose to accept."
        requests = [line for line in wire.raw if b'"elicitation/create"' in line and b'"inputRequests"' not in line]
    assert len(requests) == (1 if revision in OLD else 0)


# ---- capabilities


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_needs_a_model_is_refused_to_clients_without_one(revision: str) -> None:
    params = {"name": "test_missing_capability", "arguments": {}}
    async with serving(everything(), revision, {"elicitation": {}}) as wire:
        answer = await wire.ask("tools/call", params)
    async with serving(everything(), revision, {"sampling": {}}) as wire:
        assert await wire.text("test_missing_capability") == "Your client declared sampling."
    if revision in NEW:
        error = answer["error"]
        assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": {"sampling": {}}})
    else:
        assert answer["result"]["isError"] is True


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize(
    ("capabilities", "methods"),
    [
        ({"sampling": {}}, ["sampling/createMessage"]),
        ({"roots": {}}, ["roots/list"]),
        ({"elicitation": {}}, ["elicitation/create"]),
    ],
)
async def test_a_client_is_asked_only_for_what_it_declared(revision: str, capabilities: Json, methods: Any) -> None:
    async with serving(everything(), revision, capabilities) as wire:
        requests = (await asked(wire, "test_input_required_result_capabilities"))["inputRequests"]
    assert [request["method"] for request in requests.values()] == methods


# ---- questions as input requests (stateless era)


NAME = "test_input_required_result_elicitation"
KINDS = ["elicitation/create", "sampling/createMessage", "roots/list"]

ONE_QUESTION: list[tuple[str, str, str, Json, str]] = [
    (NAME, "user_name", KINDS[0], accept(name="Alice"), "Hello, Alice!"),
    ("test_input_required_result_sampling", "capital_question", KINDS[1], SAID, "The model said: Paris"),
    ("test_input_required_result_list_roots", "client_roots", KINDS[2], ROOTS, "1 roots: file:///home/ada"),
    ("test_input_required_result_request_state", "confirm", KINDS[0], accept(ok=True), "state-ok"),
    ("test_input_required_result_tampered_state", "confirm", KINDS[0], accept(ok=True), "genuine"),
]


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize(
    ("tool", "key", "method", "answer", "text"), ONE_QUESTION, ids=[row[0] for row in ONE_QUESTION]
)
async def test_a_question_has_its_key_and_its_answer_completes_the_call(
    revision: str, tool: str, key: str, method: str, answer: Json, text: str
) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        first = await asked(wire, tool)
        assert {name: request["method"] for name, request in first["inputRequests"].items()} == {key: method}
        assert type(first["requestState"]) is str
        params = {"name": tool, "arguments": {}}
        done = (await wire.ask("tools/call", retry(params, first, {key: answer})))["result"]
    assert done["resultType"] == "complete"
    assert text in done["content"][0]["text"]


@pytest.mark.parametrize("revision", ELICITING_OLD)
async def test_the_same_tools_ask_by_request_in_the_handshake_era(revision: str) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        for tool, _, _, answer, text in ONE_QUESTION:
            assert text in await said(wire, tool, Seen(answer))
        rounds = Seen(accept(name="Alice"), accept(color="blue"))
        assert await said(wire, "test_input_required_result_multi_round", rounds) == "Alice likes blue."


@pytest.mark.parametrize("revision", NEW)
async def test_three_questions_of_three_kinds_come_together(revision: str) -> None:
    tool = "test_input_required_result_multiple_inputs"
    answers = dict(zip(KINDS, (accept(name="Alice"), SAID, ROOTS), strict=True))
    async with serving(everything(), revision, EVERYTHING) as wire:
        first = await asked(wire, tool)
        requests = first["inputRequests"]
        assert {request["method"] for request in requests.values()} == {*KINDS}
        assert first["requestState"]
        given = {key: answers[request["method"]] for key, request in requests.items()}
        done = await wire.ask("tools/call", retry({"name": tool, "arguments": {}}, first, given))
        assert done["result"]["resultType"] == "complete"
        missing = {"user_name": given["user_name"]}
        again = (await wire.ask("tools/call", retry({"name": tool, "arguments": {}}, first, missing)))["result"]
    assert {*again["inputRequests"]} == {*requests} - {"user_name"}


@pytest.mark.parametrize("revision", NEW)
async def test_two_rounds_have_two_states(revision: str) -> None:
    params: Json = {"name": "test_input_required_result_multi_round", "arguments": {}}
    async with serving(everything(), revision, EVERYTHING) as wire:
        first = await asked(wire, params["name"])
        second = (await wire.ask("tools/call", retry(params, first, {"step1": accept(name="Alice")})))["result"]
        third = (await wire.ask("tools/call", retry(params, second, {"step2": accept(color="blue")})))["result"]
    assert ([*first["inputRequests"]], [*second["inputRequests"]]) == (["step1"], ["step2"])
    assert first["requestState"] != second["requestState"]
    assert (third["resultType"], third["content"][0]["text"]) == ("complete", "Alice likes blue.")


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"wrong_key": accept(name="Alice")},
        {"user_name": {}},
        {"user_name": accept(name=12345)},
        {"user_name": accept(data="wrong")},
    ],
)
async def test_answers_that_are_none_are_asked_for_again(revision: str, answers: Json) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        first = await asked(wire, NAME)
        for params in (retry({"name": NAME}, first, answers), {"name": NAME, "inputResponses": answers}):
            again = (await wire.ask("tools/call", params))["result"]
            assert (again["resultType"], [*again["inputRequests"]]) == ("input_required", ["user_name"])


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize("responses", [None, 5, [], "", {"user_name": 12345}, {"user_name": None}])
async def test_answers_that_are_no_objects_are_an_error(revision: str, responses: Json) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        first = await asked(wire, NAME)
        for params in ({"name": NAME}, {"name": NAME, "requestState": first["requestState"]}):
            error = await wire.error("tools/call", {**params, "inputResponses": responses})
            assert error["code"] == -32602


@pytest.mark.parametrize("revision", NEW)
async def test_answers_that_nobody_asked_for_are_ignored(revision: str) -> None:
    more = {"unknown_extra_key": accept(foo="bar"), "another_unexpected": accept(baz=123)}
    async with serving(everything(), revision, EVERYTHING) as wire:
        first = await asked(wire, NAME)
        params = retry({"name": NAME, "arguments": {}}, first, {**more, "user_name": accept(name="Alice")})
        done = (await wire.ask("tools/call", params))["result"]
    assert done["content"][0]["text"] == "Hello, Alice!"


@pytest.mark.parametrize("revision", NEW)
async def test_an_answer_without_its_state_is_asked_for_again(revision: str) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        params = {"name": NAME, "arguments": {}, "inputResponses": {"user_name": accept(name="Alice")}}
        assert (await wire.ask("tools/call", params))["result"]["resultType"] == "input_required"


@pytest.mark.parametrize("revision", NEW)
async def test_a_state_that_was_changed_is_an_error_and_nothing_else(revision: str) -> None:
    tool = "test_input_required_result_tampered_state"
    async with serving(everything(), revision, EVERYTHING) as wire:
        first = await asked(wire, tool)
        state = first["requestState"]
        other = (await asked(wire, NAME))["requestState"]
        for wrong in (f"{state}-TAMPERED", state[:-1], "", "x", other, None, 5):
            params = {"name": tool, "inputResponses": {"confirm": accept(ok=True)}, "requestState": wrong}
            assert (await wire.error("tools/call", params))["code"] == -32602


@pytest.mark.parametrize("revision", ELICITING)
async def test_a_prompt_asks_before_it_is_made(revision: str) -> None:
    seen = Seen(accept(context="it rains"))
    async with serving(everything(), revision, EVERYTHING) as wire:
        done = await served(wire, "prompts/get", {"name": "test_input_required_result_prompt"}, seen)
        assert [question["method"] for question in seen.asked] == ["elicitation/create"]
        if revision in NEW:
            first = (await wire.ask("prompts/get", {"name": "test_input_required_result_prompt"}))["result"]
            assert [*first["inputRequests"]] == ["user_context"]
    assert "it rains" in done["result"]["messages"][0]["content"]["text"]


@pytest.mark.parametrize("revision", NEW)
async def test_lists_never_ask(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        for method in ("tools/list", "prompts/list", "resources/list"):
            assert (await wire.ask(method))["result"]["resultType"] == "complete"


@pytest.mark.parametrize("revision", ELICITING_OLD)
async def test_a_client_that_refuses_a_question_fails_the_call_in_words(revision: str) -> None:
    async with serving(everything(), revision, EVERYTHING) as wire:
        failed = await called(wire, "test_sampling", Seen(Refused(-1, "the user said no")), prompt="Hi.")
    assert failed["isError"] is True
    assert "the user said no" in failed["content"][0]["text"]
