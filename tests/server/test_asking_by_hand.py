"""Handlers that ask by returning `InputRequired`: the same value in both eras."""

from __future__ import annotations

import logging
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, Field

from mcport import Context, Elicit, ElicitUrl, InputRequired, ListRoots, Sample, Server
from mcport.spec.revisions import REVISIONS
from tests.server.answering import ELICITS, EVERYTHING, ROOTS, SAID, Refused, Seen, accept, asked, retry, said, served
from tests.server.wire import ALL, NEW, OLD, Json, serving

pytestmark = pytest.mark.anyio

EMPTY: Json = {"type": "object", "properties": {}}
ELICITING = [name for name in ALL if REVISIONS[name].elicits]
VISITING = [name for name in ALL if REVISIONS[name].elicits_url]


def a_server() -> Server:
    server = Server("by hand")

    @server.tool
    async def greet(ctx: Context) -> str | InputRequired:
        answer = ctx.input_responses.get("user_name")
        if answer is None:
            return InputRequired({"user_name": Elicit("Name?", str)}, state="round 1")
        if ctx.request_state == "round 1":
            return InputRequired({"user_name": Elicit("Really?", str)}, state=f"was {answer['content']['value']}")
        return f"{ctx.request_state}, is {answer['content']['value']}"

    @server.tool
    async def raw(ctx: Context) -> str | InputRequired:
        if "roots" not in ctx.input_responses:
            return InputRequired({"roots": {"method": "roots/list"}})
        return str(ctx.input_responses["roots"]["roots"][0]["uri"])

    @server.tool
    async def three(ctx: Context) -> str | InputRequired:
        if len(ctx.input_responses) < 3:
            return InputRequired({"form": Elicit("?", str), "thought": Sample("?"), "roots": ListRoots()})
        return ", ".join(sorted(ctx.input_responses))

    @server.tool
    async def mixed(ctx: Context) -> str | InputRequired:
        first = await ctx.elicit("First?", str)
        if not ctx.input_responses:
            return InputRequired({"second": Elicit("Second?", str)})
        return f"{first.data} {ctx.input_responses['second']['content']['value']}"

    @server.prompt
    async def hello(ctx: Context) -> str | InputRequired:
        if "who" not in ctx.input_responses:
            return InputRequired({"who": Elicit("Who?", str)})
        return f"Hello {ctx.input_responses['who']['content']['value']}"

    @server.resource("memo://x")
    async def memo(ctx: Context) -> str | InputRequired:
        if "who" not in ctx.input_responses:
            return InputRequired({"who": Elicit("Who?", str)})
        return f"Hello {ctx.input_responses['who']['content']['value']}"

    return server


def answer(question: Json) -> Json:
    if question["method"] == "sampling/createMessage":
        return SAID
    return ROOTS if question["method"] == "roots/list" else accept(value=question["params"]["message"])


@pytest.mark.parametrize("revision", ELICITING)
async def test_the_handler_runs_again_with_answers_and_its_state(revision: str) -> None:
    async with serving(a_server(), revision, EVERYTHING) as wire:
        assert await said(wire, "greet", answer) == "was Name?, is Really?"


@pytest.mark.parametrize("revision", ALL)
async def test_a_question_may_be_given_as_on_the_wire(revision: str) -> None:
    async with serving(a_server(), revision, EVERYTHING) as wire:
        assert await said(wire, "raw", answer) == "file:///home/ada"


@pytest.mark.parametrize("revision", ELICITING)
async def test_several_questions_are_asked_in_one_round(revision: str) -> None:
    async with serving(a_server(), revision, EVERYTHING) as wire:
        assert await said(wire, "three", answer) == "form, roots, thought"


@pytest.mark.parametrize("revision", ELICITING)
async def test_both_ways_of_asking_go_together_and_no_question_comes_twice(revision: str) -> None:
    user = Seen(accept(value="1st"), accept(value="2nd"))
    async with serving(a_server(), revision, EVERYTHING) as wire:
        assert await said(wire, "mixed", user) == "1st 2nd"
    assert [question["params"]["message"] for question in user.asked] == ["First?", "Second?"]


@pytest.mark.parametrize("revision", ELICITING)
async def test_prompts_and_resources_ask_by_hand_too(revision: str) -> None:
    async with serving(a_server(), revision, EVERYTHING) as wire:
        got = await served(wire, "prompts/get", {"name": "hello"}, Seen(accept(value="Ada")))
        assert got["result"]["messages"][0]["content"]["text"] == "Hello Ada"
        read = await served(wire, "resources/read", {"uri": "memo://x"}, Seen(accept(value="Bob")))
        assert read["result"]["contents"][0]["text"] == "Hello Bob"


@pytest.mark.parametrize("revision", NEW)
async def test_a_state_by_hand_is_sealed_and_a_touched_one_never_reaches_the_handler(revision: str) -> None:
    async with serving(a_server(), revision, ELICITS) as wire:
        first = await asked(wire, "greet")
        assert "round 1" not in first["requestState"]
        params = {"name": "greet", "arguments": {}}
        bad = retry(params, {"requestState": first["requestState"] + "-TAMPERED"}, {"user_name": accept(value="x")})
        assert (await wire.error("tools/call", bad))["code"] == -32602


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("mrtr.server-validates-responses", "mrtr.ask-again")
async def test_an_answer_that_does_not_fit_its_question_is_not_handed_over(revision: str) -> None:
    async with serving(a_server(), revision, ELICITS) as wire:
        result = await asked(wire, "greet")
        for bad in [{"user_name": accept(value=12345)}, {"user_name": {}}, {"wrong": accept(value="x")}, {}]:
            message = await wire.ask("tools/call", retry({"name": "greet", "arguments": {}}, result, bad))
            assert message["result"]["inputRequests"].keys() == {"user_name"}


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("mrtr.may-have-input-requests", "mrtr.one-of-two")
async def test_a_state_alone_asks_to_come_again(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def later(ctx: Context) -> str | InputRequired:
        return "done" if ctx.request_state else InputRequired(state="not yet")

    async with serving(server, revision) as wire:
        result = await asked(wire, "later")
        assert "inputRequests" not in result
        assert result["requestState"]
        assert await said(wire, "later", answer) == "done"


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("mrtr.one-of-two", "mrtr.request-kinds", revisions=NEW)
async def test_what_asks_nothing_or_what_is_no_question_is_the_servers_fault(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("x")
    values: list[Any] = [
        InputRequired(),
        InputRequired({}),
        InputRequired({"k": {"method": "tools/list"}}),
        InputRequired({"k": {"method": "elicitation/create", "params": {"message": "?"}}}),
        InputRequired({"k": {"method": "elicitation/create", "params": {"requestedSchema": EMPTY}}}),
        InputRequired({"k": {"method": "elicitation/create", "params": 5}}),
        InputRequired({"k": {"method": "sampling/createMessage", "params": {"messages": []}}}),
        InputRequired({"k": {}}),
    ]

    @server.tool
    async def wrong() -> Any:
        return values[0]

    async with serving(server, revision, EVERYTHING) as wire:
        while values:
            assert (await wire.error("tools/call", {"name": "wrong", "arguments": {}}))["code"] == -32603
            (line,) = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
            assert "tools/call of 'wrong' returned an InputRequired that cannot be asked: " in line
            assert "Traceback" not in line
            caplog.clear()
            del values[0]


FORM: Json = {"type": "object", "properties": {"n": {"type": "string"}}}
CHOICES: Json = {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}


@pytest.mark.parametrize("revision", ELICITING)
@pytest.mark.parametrize(
    "params",
    [
        {"requestedSchema": FORM},
        {"message": 7, "requestedSchema": FORM},
        {"message": "", "requestedSchema": FORM},
        {"mode": "odd", "message": "?", "requestedSchema": FORM},
        {"mode": "url", "url": "https://example.com/"},
        {"mode": "url", "message": "?"},
    ],
)
@pytest.mark.requirement("elicitation.message-required", "elicitation.form-params", revisions=ELICITING)
@pytest.mark.requirement(
    "elicitation.url-params", revisions=[name for name in ELICITING if REVISIONS[name].elicits_url]
)
async def test_an_elicitation_by_hand_that_breaks_a_rule_is_not_sent(revision: str, params: Json) -> None:
    server = Server("x")

    @server.tool
    async def ask() -> InputRequired:
        return InputRequired({"k": {"method": "elicitation/create", "params": params}})

    async with serving(server, revision, EVERYTHING) as wire:
        assert (await wire.error("tools/call", {"name": "ask"}))["code"] == -32603
        await wire.silent()


@pytest.mark.parametrize("revision", ELICITING)
@pytest.mark.requirement("elicitation.schema-flat-primitives")
@pytest.mark.requirement(
    "elicitation.url-params", revisions=[name for name in ELICITING if REVISIONS[name].elicits_url]
)
async def test_an_elicitation_by_hand_goes_out_in_the_words_of_the_revision(revision: str) -> None:
    server, has = Server("x"), REVISIONS[revision]

    @server.tool
    async def ask(ctx: Context, params: dict[str, Any]) -> str | InputRequired:
        question = {"method": "elicitation/create", "params": params}
        return "k" if "k" in ctx.input_responses else InputRequired({"k": question})

    async with serving(server, revision, EVERYTHING) as wire:
        user = Seen({"action": "decline"}, {"action": "decline"})
        choosing = {"type": "object", "properties": {"some": CHOICES}}
        params = {"message": "?", "requestedSchema": choosing}
        if has.elicits_defaults:
            assert await said(wire, "ask", user, params=params) == "k"
            assert user.asked[0]["params"]["requestedSchema"] == choosing
        else:
            failed = await wire.call("ask", {"params": params})
            assert "has no choice of several" in failed["content"][0]["text"]
        if has.elicits_url:
            page = {"mode": "url", "message": "?", "url": "https://example.com/"}
            assert await said(wire, "ask", user, params=page) == "k"
            asked = user.asked[-1]["params"]
            assert {name: asked[name] for name in page} == page
            assert ("elicitationId" in asked) is has.identifies_url_elicitations


@pytest.mark.parametrize("revision", ALL)
async def test_a_question_by_hand_needs_its_capability_as_well(revision: str) -> None:
    async with serving(a_server(), revision) as wire:
        message = await wire.ask("tools/call", {"name": "raw", "arguments": {}})
        if revision in NEW:
            assert message["error"]["data"] == {"requiredCapabilities": {"roots": {}}}
        else:
            assert message["result"]["isError"]
            assert "'roots'" in message["result"]["content"][0]["text"]


@pytest.mark.parametrize("revision", OLD)
async def test_a_client_that_refuses_a_question_by_hand_fails_the_call(revision: str) -> None:
    async with serving(a_server(), revision, EVERYTHING) as wire:
        message = await served(wire, "tools/call", {"name": "raw"}, Seen(Refused(-32603, "no roots today")))
        assert message["result"]["isError"]
        assert "no roots today" in message["result"]["content"][0]["text"]


@pytest.mark.parametrize("revision", [name for name in OLD if REVISIONS[name].elicits])
async def test_p2_of_several_questions_the_one_that_is_refused_fails_the_call_in_one_line(revision: str) -> None:
    def refuses(question: Json) -> Json:
        return Refused(-32603, "not now") if question["method"] == "elicitation/create" else answer(question)

    async with serving(a_server(), revision, EVERYTHING) as wire:
        result = (await served(wire, "tools/call", {"name": "three"}, refuses))["result"]
        line = "the client answered elicitation/create with error -32603: not now"
        assert (result["isError"], result["content"][0]["text"]) == (True, line)


@pytest.mark.parametrize("revision", [name for name in OLD if REVISIONS[name].elicits])
async def test_a_loop_by_hand_is_stopped_in_the_handshake_era_too(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def forever() -> InputRequired:
        return InputRequired({"k": Elicit("More?")})

    user = Seen(*[{"action": "accept"}] * 20)
    async with serving(server, revision, EVERYTHING) as wire:
        message = await served(wire, "tools/call", {"name": "forever"}, user)
        assert "10 rounds" in message["error"]["message"]
    assert len(user.asked) == 10


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("mrtr.other-methods-never", revisions=NEW)
async def test_other_methods_cannot_ask(revision: str) -> None:
    server = Server("x")

    @server.prompt
    def write(style: str) -> str:
        return style

    @server.complete(prompt="write", argument="style")
    async def styles(value: str, ctx: Context) -> Any:
        if value == "by hand":
            return InputRequired({"which": Elicit("Which?", str)}, state="s")
        return [(await ctx.elicit("Which?", str)).action]

    async with serving(server, revision, EVERYTHING) as wire:
        for value in ("", "by hand"):
            params = {"ref": {"type": "ref/prompt", "name": "write"}, "argument": {"name": "style", "value": value}}
            assert (await wire.error("completion/complete", params))["code"] == -32603
        await wire.silent()


@pytest.mark.parametrize("revision", VISITING)
async def test_a_url_by_hand_is_a_question_like_others(revision: str) -> None:
    server = Server("x")

    @server.tool
    async def sign(ctx: Context) -> str | InputRequired:
        if "url" not in ctx.input_responses:
            return InputRequired({"url": ElicitUrl("Sign here", "https://example.com/sign")})
        return str(ctx.input_responses["url"]["action"])

    user = Seen({"action": "accept"})
    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "sign", user) == "accept"
    assert user.asked[0]["params"]["url"] == "https://example.com/sign"


def not_sunday(day: str) -> str:
    if day == "Sunday":
        raise ValueError("closed")
    return day


class Booking(BaseModel):
    code: str = Field(pattern="^[A-Z]{3}$")
    price: float = Field(gt=0, lt=100, multiple_of=0.5)
    day: Annotated[str, AfterValidator(not_sunday)] = "Monday"


GOOD: Json = {"code": "ABC", "price": 2.5, "day": "Friday"}
BAD: list[Json] = [{"code": "abc"}, {"price": 0}, {"price": 100}, {"price": 2.7}, {"day": "Sunday"}]


@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
@pytest.mark.parametrize("another", [False, True])
@pytest.mark.requirement("mrtr.server-validates-responses", "mrtr.ask-again", revisions=NEW)
async def test_an_answer_by_hand_is_held_against_all_that_its_type_demands(revision: str, another: bool) -> None:
    """`another`: each round is served by another process, which knows only what JSON can say of a type."""
    key = bytes(32)

    def a_server() -> Server:
        server = Server("x", seal_key=key)

        @server.tool
        async def book(ctx: Context) -> str | InputRequired:
            if "trip" not in ctx.input_responses:
                return InputRequired({"trip": Elicit("Which trip?", Booking)})
            return str(ctx.input_responses["trip"]["content"]["code"])

        return server

    server = a_server()
    if revision not in NEW:
        async with serving(server, revision, EVERYTHING) as wire:
            for bad in BAD:
                assert await said(wire, "book", Seen(accept(**{**GOOD, **bad}), accept(**GOOD))) == "ABC"
        return
    async with serving(server, revision, EVERYTHING) as wire:
        result = await asked(wire, "book")
    for bad in [each for each in BAD if not another or "day" not in each]:
        async with serving(a_server() if another else server, revision, EVERYTHING) as wire:
            answers = {"trip": accept(**{**GOOD, **bad})}
            result = (await wire.ask("tools/call", retry({"name": "book", "arguments": {}}, result, answers)))["result"]
            assert result["resultType"] == "input_required", bad
            assert "multipleOf" not in str(result["inputRequests"])
    async with serving(server, revision, EVERYTHING) as wire:
        answers = {"trip": accept(**GOOD)}
        done = await wire.ask("tools/call", retry({"name": "book", "arguments": {}}, result, answers))
        assert done["result"]["content"][0]["text"] == "ABC"


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: InputRequired(state=5), "state is text, not int: write state=json.dumps(...)"),  # type: ignore[arg-type]
        (lambda: InputRequired({5: Elicit("?")}), "the name of a question is text, not 5: write '5'"),  # type: ignore[dict-item]
        (lambda: InputRequired({"a": 5}), "'a' is no question: write Elicit"),  # type: ignore[dict-item]
        (lambda: InputRequired({"a": Elicit}), "'a' is no question: write Elicit"),  # type: ignore[dict-item]
        (lambda: InputRequired([Elicit("?")]), "questions have names: write InputRequired({"),  # type: ignore[arg-type]
    ],
)
@pytest.mark.parametrize("revision", NEW)
async def test_what_is_no_question_is_told_to_its_author_in_one_line_wherever_it_is_made(
    revision: str, make: Any, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("x")

    @server.tool
    @server.prompt
    @server.resource("memo://wrong")
    async def wrong() -> Any:
        return make()

    async with serving(server, revision, EVERYTHING) as wire:
        await wire.ask("tools/call", {"name": "wrong", "arguments": {}})
        await wire.ask("prompts/get", {"name": "wrong"})
        await wire.ask("resources/read", {"uri": "memo://wrong"})
    told = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
    for where, each in zip(["Tool 'wrong'", "Prompt 'wrong'", "Resource 'memo://wrong'"], told, strict=True):
        assert each.startswith(where)
        assert each.splitlines()[-1].startswith(f"TypeError: InputRequired: {line}")
