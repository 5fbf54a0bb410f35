"""One handler asks in both eras: what goes over the wire, what comes back typed, and what becomes of failures."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import anyio
import pytest
from pydantic import BaseModel

from mcport import Context, Elicit, InputRequired, ListRoots, MissingCapability, RemoteError, Sample, Server
from mcport.errors import InvalidAnswer, Timeout
from mcport.spec.revisions import REVISIONS
from tests.server.answering import EVERYTHING, ROOTS, SAID, Refused, Seen, accept, called, said, served
from tests.server.wire import ALL, NEW, OLD, Json, serving

pytestmark = pytest.mark.anyio

ELICITING = [name for name in ALL if REVISIONS[name].elicits]
MODED = [name for name in ALL if REVISIONS[name].elicits_url]
FORMLESS = [name for name in ALL if not REVISIONS[name].elicits]


class Booking(BaseModel):
    city: str
    nights: int = 1


@dataclasses.dataclass
class Guest:
    name: str


server = Server("asks")
steps: list[str] = []


@server.tool
async def book(ctx: Context) -> str:
    booking = await ctx.elicit("Where to?", Booking)
    if not booking.accepted:
        return booking.action
    steps.append("side effect") if not ctx.replaying else None
    guest = await ctx.elicit("Who?", Guest)
    assert booking.data is not None
    assert guest.data is not None
    return f"{guest.data.name}: {booking.data.city}, {booking.data.nights}"


@server.tool
def book_blocking(ctx: Context) -> str:
    nights = anyio.from_thread.run(ctx.elicit, "How many nights?", int)
    return f"{nights.data}"


@server.tool
async def think(ctx: Context) -> str:
    message = await ctx.sample("What is the capital of France?", system_prompt="Be brief.", max_tokens=9)
    return f"{message.content.text} by {message.model}"  # type: ignore[union-attr]


@server.tool
async def think_with_tools(ctx: Context) -> str:
    return (await ctx.sample("?", tools=[{"name": "look", "inputSchema": {"type": "object"}}])).model


@server.tool
async def visit(ctx: Context) -> str:
    return (await ctx.elicit_url("Connect", "https://example.com/connect")).action


@server.tool
async def look(ctx: Context) -> str:
    return ", ".join(root.uri for root in await ctx.list_roots())


@server.tool
async def everything(ctx: Context) -> str:
    answers = await ctx.ask_all(
        name=Elicit("Name?", str), thought=Sample("Think."), roots=ListRoots(), sure=Elicit("Sure?")
    )
    return f"{answers['name'].data} {answers['thought'].model} {len(answers['roots'])} {answers['sure'].action}"


@server.tool
async def careful(ctx: Context, what: Literal["sample", "list_roots"] = "sample") -> str:
    try:
        await (ctx.sample("Think.") if what == "sample" else ctx.list_roots())
    except MissingCapability as error:
        return f"could not: {error}"
    except RemoteError as error:
        return f"refused: {error.code} {error}"
    return "done"


@server.prompt
async def greeting(ctx: Context) -> str:
    return f"Greet {(await ctx.elicit('Whom?', str)).data}."


@server.resource("memo://today")
async def memo(ctx: Context) -> str:
    return f"Dear {(await ctx.elicit('Whom?', str)).data}"


@pytest.mark.parametrize("revision", ELICITING)
@pytest.mark.requirement("elicitation.may-request")
@pytest.mark.requirement("elicitation.message-required", "elicitation.form-params", revisions=MODED)
async def test_p20_a_tool_asks_twice_and_gets_typed_answers(revision: str) -> None:
    user = Seen(accept(city="Lyon"), accept(name="Ada"))
    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "book", user) == "Ada: Lyon, 1"
    first = user.asked[0]
    assert first["method"] == "elicitation/create"
    assert first["params"]["message"] == "Where to?"
    assert first["params"]["requestedSchema"]["properties"]["city"] == {"type": "string"}
    assert first["params"].get("mode") in ("form", None)


@pytest.mark.parametrize("revision", ELICITING)
@pytest.mark.parametrize("action", ["decline", "cancel"])
@pytest.mark.requirement("elicitation.handles-all-outcomes", revisions=NEW)
async def test_declining_and_cancelling_are_answers(revision: str, action: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "book", Seen({"action": action})) == action


@pytest.mark.parametrize("revision", ELICITING)
async def test_p20_a_plain_function_asks_from_its_thread(revision: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "book_blocking", Seen(accept(value=3))) == "3"


@pytest.mark.parametrize("revision", ALL)
async def test_p20_a_tool_samples_and_looks_at_roots_in_every_revision(revision: str) -> None:
    user = Seen(SAID, ROOTS)
    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "think", user) == "Paris by m"
        assert await said(wire, "look", user) == "file:///home/ada"
    assert user.asked[0]["params"]["maxTokens"] == 9
    assert user.asked[0]["params"]["systemPrompt"] == "Be brief."


@pytest.mark.parametrize("revision", ELICITING)
async def test_questions_asked_together_are_answered_together(revision: str) -> None:
    def answer(question: Json) -> Json:
        if question["method"] == "sampling/createMessage":
            return SAID
        return ROOTS if question["method"] == "roots/list" else accept(value="Ada")

    async with serving(server, revision, EVERYTHING) as wire:
        assert await said(wire, "everything", answer) == "Ada m 1 accept"


@pytest.mark.parametrize("revision", ELICITING)
async def test_prompts_and_resources_ask_as_tools_do(revision: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        got = await served(wire, "prompts/get", {"name": "greeting"}, Seen(accept(value="Ada")))
        assert got["result"]["messages"][0]["content"]["text"] == "Greet Ada."
        read = await served(wire, "resources/read", {"uri": "memo://today"}, Seen(accept(value="Bob")))
        assert read["result"]["contents"][0]["text"] == "Dear Bob"


# ---- capabilities


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("roots.server-checks-capability")
@pytest.mark.requirement("lifecycle.negotiated-capabilities", revisions=["2025-06-18", "2025-11-25"])
async def test_asking_for_what_was_not_declared_can_be_caught_and_is_not_sent(revision: str) -> None:
    cases: list[tuple[str, Json, str]] = [
        ("sample", {"roots": {}}, "'sampling'"),
        ("list_roots", {"sampling": {}}, "'roots'"),
    ]
    for what, lacking, named in cases:
        async with serving(server, revision, lacking) as wire:
            assert named in await said(wire, "careful", Seen(), what=what)
            await wire.silent()
    async with serving(server, revision, {"roots": {}}) as wire:
        assert await said(wire, "careful", Seen(ROOTS), what="list_roots") == "done"


@pytest.mark.parametrize("revision", NEW)
async def test_uncaught_it_is_the_error_that_names_the_capability(revision: str) -> None:
    async with serving(server, revision, {"sampling": {}}) as wire:
        error = await wire.error("tools/call", {"name": "look", "arguments": {}})
        assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": {"roots": {}}})


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize(
    ("tool", "lacking", "named"),
    [
        ("book", {"sampling": {}, "roots": {}}, {"elicitation": {"form": {}}}),
        ("book", {"elicitation": {"url": {}}}, {"elicitation": {"form": {}}}),
        ("visit", {"elicitation": {}}, {"elicitation": {"url": {}}}),
        ("think", {"elicitation": {}, "roots": {}}, {"sampling": {}}),
        ("think_with_tools", {"sampling": {"context": {}}}, {"sampling": {"tools": {}}}),
        ("look", {"elicitation": {}, "sampling": {}}, {"roots": {}}),
    ],
)
@pytest.mark.requirement("mrtr.only-declared-capabilities", "meta.capabilities.no-undeclared-use")
async def test_nothing_is_asked_that_this_very_request_does_not_declare(
    revision: str, tool: str, lacking: Json, named: Json
) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        assert (await wire.call(tool))["resultType"] == "input_required"
        wire.capabilities = lacking
        error = await wire.error("tools/call", {"name": tool, "arguments": {}})
        assert (error["code"], error["data"]) == (-32021, {"requiredCapabilities": named})
        await wire.silent()


@pytest.mark.parametrize("revision", OLD)
async def test_uncaught_it_is_a_failed_tool_in_the_handshake_era(revision: str) -> None:
    async with serving(server, revision) as wire:
        result = await wire.call("look")
        assert result["isError"]
        assert "'roots'" in result["content"][0]["text"]


@pytest.mark.parametrize("revision", FORMLESS)
async def test_revisions_without_elicitation_never_elicit_whatever_the_client_declares(revision: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        refused = await wire.call("book")
        assert refused["isError"]
        assert refused["content"][0]["text"] == (
            "elicitation/create needs a client with the capability 'elicitation.form', "
            f"which protocol version {revision} does not have"
        )
        assert (await wire.error("prompts/get", {"name": "greeting"}))["code"] == -32600


WORDLESS = [name for name in ELICITING if not REVISIONS[name].elicits_defaults]


@dataclasses.dataclass
class Basket:
    fruit: list[Literal["apple", "pear"]]


LACK = "elicitation/create cannot be asked: field 'fruit': protocol version {} has no choice of several"


@pytest.mark.parametrize("revision", WORDLESS)
async def test_a_form_that_the_revision_has_no_words_for_is_a_failed_call_that_says_what_it_lacks(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    choosy = Server("choosy")

    @choosy.tool
    async def choose(ctx: Context) -> str:
        return f"{(await ctx.elicit('Which?', Basket)).action}"

    @choosy.tool
    async def by_hand() -> InputRequired:
        return InputRequired({"fruit": Elicit("Which?", Basket)})

    @choosy.prompt
    async def greeting(ctx: Context) -> str:
        return f"{(await ctx.elicit('Which?', Basket)).action}"

    async with serving(choosy, revision, EVERYTHING) as wire:
        for tool in ("choose", "by_hand"):
            failed = await wire.call(tool)
            assert (failed["isError"], failed["content"][0]["text"]) == (True, LACK.format(revision))
        error = await wire.error("prompts/get", {"name": "greeting"})
        assert (error["code"], error["message"]) == (-32603, LACK.format(revision))
    assert f"tools/call: {LACK.format(revision)}" in caplog.messages


# ---- failures in the handshake era


@pytest.mark.parametrize("revision", OLD)
async def test_a_client_that_refuses_is_an_exception_that_says_so(revision: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        assert "refused: -1" in await said(wire, "careful", Seen(Refused(-1, "User rejected sampling request")))


OLD_ELICITING = [name for name in ELICITING if name in OLD]


@pytest.mark.parametrize("revision", OLD_ELICITING)
async def test_a_client_that_fails_to_elicit_is_no_user_who_says_no(revision: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        result = await called(wire, "book", Seen(Refused(-32603, "no screen")))
    assert result["isError"] is True
    assert "elicitation/create with error -32603: no screen" in result["content"][0]["text"]


@pytest.mark.parametrize("revision", OLD_ELICITING)
@pytest.mark.requirement("elicitation.server-validates")
async def test_an_answer_that_does_not_fit_is_asked_again_and_then_given_up(revision: str) -> None:
    caught: list[Exception] = []
    impatient = Server("x")

    @impatient.tool
    async def ask(ctx: Context) -> str:
        try:
            return str((await ctx.elicit("How many?", int)).data)
        except InvalidAnswer as error:
            caught.append(error)
            return "gave up"

    async with serving(impatient, revision, EVERYTHING) as wire:
        user = Seen(accept(value="many"), {"action": "accept"}, accept(value=2))
        assert await said(wire, "ask", user) == "2"
        user = Seen(accept(value="many"), {"action": "maybe"}, accept())
        assert await said(wire, "ask", user) == "gave up"
    assert "'value' is missing" in str(caught[0])


@pytest.mark.parametrize("revision", OLD_ELICITING)
async def test_a_silent_client_is_given_up_and_told_so(revision: str) -> None:
    hasty = Server("x", ask_timeout=0.02)
    caught: list[Exception] = []

    @hasty.tool
    async def ask(ctx: Context) -> str:
        try:
            return str((await ctx.elicit("How many?", int)).data)
        except Timeout as error:
            caught.append(error)
            return "gave up"

    async with serving(hasty, revision, EVERYTHING) as wire:
        id = wire.request("tools/call", {"name": "ask"})
        question = await wire.read()
        assert question["method"] == "elicitation/create"
        told = await wire.read()
        assert told["method"] == "notifications/cancelled"
        assert told["params"]["requestId"] == question["id"]
        assert (await wire.read())["id"] == id
    assert "elicitation/create" in str(caught[0])


@pytest.mark.parametrize("revision", OLD_ELICITING)
async def test_nothing_is_asked_before_the_client_said_that_it_is_ready(revision: str) -> None:
    from tests.server.wire import unopened

    async with unopened(server, revision) as wire:
        info = {"name": "early", "version": "1"}
        opening = {"protocolVersion": revision, "capabilities": EVERYTHING, "clientInfo": info}
        await wire.ask("initialize", opening)
        error = await wire.error("tools/call", {"name": "book", "arguments": {}})
        assert error["code"] == -32600
        wire.notify("notifications/initialized")
        assert await said(wire, "book", Seen({"action": "decline"})) == "decline"


@pytest.mark.parametrize("revision", OLD_ELICITING)
async def test_a_call_that_is_cancelled_withdraws_its_question(revision: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        id = wire.request("tools/call", {"name": "book"})
        question = await wire.read()
        wire.notify("notifications/cancelled", {"requestId": id})
        told = await wire.read()
        assert (told["method"], told["params"]["requestId"]) == ("notifications/cancelled", question["id"])
        await wire.silent()


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("mrtr.only-way-to-ask", "mrtr.request-kinds", "mrtr.result-type")
async def test_questions_travel_in_results_only(revision: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        result = await wire.call("everything")
        assert result["resultType"] == "input_required"
        assert set(result["inputRequests"]) == {"name", "thought", "roots", "sure"}
        for question in result["inputRequests"].values():
            assert question["method"] in ("elicitation/create", "sampling/createMessage", "roots/list")
            assert not question.keys() & {"jsonrpc", "id"}
        await wire.silent()


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("patterns.server-no-requests", "stdio.server-no-requests", "mrtr.only-way-to-ask")
@pytest.mark.requirement("mrtr.supported-methods")
async def test_whatever_handlers_ask_no_request_leaves_the_server(revision: str) -> None:
    asking: list[tuple[str, Json]] = [
        *[("tools/call", {"name": tool}) for tool in ("book", "visit", "think", "think_with_tools", "look")],
        ("prompts/get", {"name": "greeting"}),
        ("resources/read", {"uri": "memo://today"}),
    ]
    async with serving(server, revision, EVERYTHING) as wire:
        for method, params in asking:
            assert (await wire.ask(method, params))["result"]["resultType"] == "input_required"
        await wire.silent()


@pytest.mark.parametrize("revision", ALL)
async def test_what_a_call_returns_after_a_question_is_its_result(revision: str) -> None:
    async with serving(server, revision, EVERYTHING) as wire:
        result: Any = await called(wire, "think", Seen(SAID))
        assert result["content"][0]["text"] == "Paris by m"
