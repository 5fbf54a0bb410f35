"""Rounds that a host drives by hand, with questions as a value to store; calls that it approves; pages to visit."""

import json
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from mcport import (
    Cancelled,
    ConversationError,
    InputRequired,
    NotApproved,
    NotDeclared,
    ProposedCall,
    QuestionFailed,
    RemoteError,
    TooManyRounds,
    VisitRequired,
)
from mcport.errors import InvalidAnswer
from mcport.spec.types import CallToolResult, ElicitRequestURLParams, ElicitResult, GetPromptResult, ReadResourceResult
from tests.client.counterpart import ALL, error, notification, result, text, usual
from tests.client.playing import Wire, client_of, of
from tests.client.questions import ada, saying
from tests.client.scripted import DONE, ELICIT, PAGE, REVISION, ROOTS, SAMPLE, Scripted, asks, params_of

HANDSHAKE = "2025-11-25"
PAGES = [
    {"mode": "url", "elicitationId": f"e{number}", "url": f"https://pay.example.com/{number}", "message": "Pay"}
    for number in (1, 2)
]
REQUIRED = error(-32042, "Visit these first", {"elicitations": PAGES})


# ---- questions as a value


async def test_without_rounds_the_questions_are_what_is_returned() -> None:
    wire = Scripted(asks({"q": ELICIT}, "state"), DONE)
    async with client_of(wire, REVISION, elicit=ada) as client:
        pending = await client.call_tool("any", {"a": 1}, rounds=0)
        assert isinstance(pending, InputRequired)
        assert (pending.questions, pending.state) == ({"q": ELICIT}, "state")
        assert pending.call == {"method": "tools/call", "params": {"name": "any", "arguments": {"a": 1}}}
        assert len(wire.calls) == 1
        assert isinstance(await client.call_tool("any", rounds=0), CallToolResult)


@pytest.mark.parametrize(
    ("method", "answer", "kind"),
    [
        ("tools/call", {"content": []}, CallToolResult),
        ("prompts/get", {"messages": []}, GetPromptResult),
        ("resources/read", {"contents": []}, ReadResourceResult),
    ],
)
async def test_questions_are_stored_and_answered_by_any_other_client(method: str, answer: Any, kind: type) -> None:
    wire = Scripted(asks({"q": ELICIT, "where": ROOTS}, "state"), method=method)
    async with client_of(wire, REVISION) as client:
        calls = {
            "tools/call": lambda: client.call_tool("any", {"a": 1}, rounds=0, meta={"example.com/x": 1}),
            "prompts/get": lambda: client.get_prompt("any", {"a": "1"}, rounds=0, meta={"example.com/x": 1}),
            "resources/read": lambda: client.read_resource("x://y", rounds=0, meta={"example.com/x": 1}),
        }
        pending = await calls[method]()  # type: ignore[no-untyped-call]
    stored = pending.to_json()
    other = Scripted(result({"resultType": "complete", **answer}), method=method)
    async with client_of(other, REVISION) as client:
        got = await client.resume(InputRequired.from_json(stored), {"q": {"name": "Ada"}, "where": ["file:///work"]})
    assert isinstance(got, kind)
    [call] = other.calls
    assert params_of(call) == {
        **params_of(wire.calls[0]),
        "inputResponses": {
            "q": {"action": "accept", "content": {"name": "Ada"}},
            "where": {"roots": [{"uri": "file:///work"}]},
        },
        "requestState": "state",
    }
    assert call["params"]["_meta"]["example.com/x"] == 1


@pytest.mark.requirement("mrtr.client-no-invented-state")
async def test_what_is_not_answered_by_hand_is_asked_of_the_callbacks_and_later_rounds_too() -> None:
    wire = Scripted(asks({"q": ELICIT}, "2"), asks({"r": ELICIT}), DONE)
    pending = InputRequired({"a": ELICIT, "b": ELICIT}, "1", {"method": "tools/call", "params": {"name": "any"}})
    async with client_of(wire, REVISION, elicit=ada) as client:
        await client.resume(pending, {"b": "decline"})
    said = [(call.get("requestState"), call.get("inputResponses")) for call in map(params_of, wire.calls)]
    ada_said = {"action": "accept", "content": {"name": "Ada"}}
    assert said == [("1", {"a": ada_said, "b": {"action": "decline"}}), ("2", {"q": ada_said}), (None, {"r": ada_said})]


@pytest.mark.requirement("mrtr.client-no-invented-state")
async def test_what_was_asked_without_a_state_is_resumed_without_one() -> None:
    wire = Scripted(asks({"q": ELICIT}), DONE)
    async with client_of(wire, REVISION) as client:
        pending = await client.call_tool("any", rounds=0)
        assert isinstance(pending, InputRequired)
        await client.resume(InputRequired.from_json(pending.to_json()), {"q": "decline"})
    assert params_of(wire.calls[1]) == {"name": "any", "inputResponses": {"q": {"action": "decline"}}}


async def test_each_round_may_be_driven_by_hand() -> None:
    wire = Scripted(asks({"q": ELICIT}, "1"), asks({"q": ELICIT}, "2"), DONE)
    async with client_of(wire, REVISION) as client:
        pending = await client.call_tool("any", rounds=0)
        assert isinstance(pending, InputRequired)
        again = await client.resume(pending, {"q": ElicitResult(action="cancel")}, rounds=0)
        assert isinstance(again, InputRequired)
        assert again.call == {"method": "tools/call", "params": {"name": "any"}}
        assert again.state == "2"
        assert isinstance(await client.resume(again, {"q": {"name": "Ada"}}), CallToolResult)


@pytest.mark.requirement("elicitation.manual-controls", revisions=[REVISION])
async def test_a_call_that_sends_the_user_to_a_page_goes_on_when_the_host_says_so_or_is_given_up() -> None:
    for answer, action in [(True, "accept"), ("cancel", "cancel")]:
        wire = Scripted(asks({"page": PAGE}, "state"), DONE)
        async with client_of(wire, REVISION) as client:
            pending = await client.call_tool("any", rounds=0)
            assert isinstance(pending, InputRequired)
            await client.list_tools()
            assert len(wire.calls) == 1
            assert isinstance(await client.resume(pending, {"page": answer}), CallToolResult)
        assert params_of(wire.calls[1])["inputResponses"] == {"page": {"action": action}}


@pytest.mark.parametrize(
    ("question", "answer", "fault"),
    [
        (ELICIT, {"nome": "Ada"}, "the answer does not fit the form: field 'name' is missing"),
        (SAMPLE, 7, "a model's answer is a text or a CreateMessageResult"),
        (ROOTS, ["https://x/"], "a root is a path or a file:// URI"),
        ({"method": "tools/list"}, {}, "tools/list is no question that can be answered"),
    ],
)
async def test_an_answer_by_hand_that_does_not_fit_is_refused_and_nothing_is_sent(
    question: Any, answer: Any, fault: str
) -> None:
    wire = Scripted(DONE)
    pending = InputRequired({"q": question}, None, {"method": "tools/call", "params": {"name": "any"}})
    async with client_of(wire, REVISION) as client:
        with pytest.raises((ValueError, TypeError), match=fault):
            await client.resume(pending, {"q": answer})
        with pytest.raises(ValueError, match="'other' was not asked; the server asked 'q'"):
            await client.resume(pending, {"other": answer})
        with pytest.raises(ValueError, match="only what a client was given can be resumed"):
            await client.resume(InputRequired({"q": question}), {"q": answer})
    assert wire.calls == []


async def test_a_server_of_the_handshake_era_resumes_nothing() -> None:
    async with client_of(Wire(usual(HANDSHAKE)), HANDSHAKE) as client:
        with pytest.raises(NotDeclared, match="resumes no calls"):
            await client.resume(InputRequired({}, "state", {"method": "tools/call", "params": {"name": "any"}}))


@pytest.mark.parametrize(
    "stored", ["", "[]", "{}", '{"call": {}, "questions": {}}', '{"call": {"method": "x"}, "questions": {"q": 7}}']
)
def test_what_was_not_stored_by_us_is_not_read(stored: str) -> None:
    with pytest.raises(ValueError, match=r"this is no stored InputRequired|EOF"):
        InputRequired.from_json(stored)
    with pytest.raises(ValueError, match="only what a client was given can be stored"):
        InputRequired({}, "state").to_json()


def test_what_was_stored_is_read_again_as_it_was() -> None:
    pending = InputRequired({"q": ELICIT}, "\u00e9\u2028 ", {"method": "prompts/get", "params": {"name": "x"}})
    assert InputRequired.from_json(pending.to_json()) == pending
    assert InputRequired.from_json(pending.to_json().decode()) == pending
    assert json.loads(pending.to_json())["state"] == pending.state


async def test_a_host_that_answers_by_hand_declares_it_and_needs_no_callback() -> None:
    wire = Scripted(asks({"q": ELICIT}, "state"), text("7"))
    async with client_of(wire, REVISION, elicit="by hand", elicit_url="by hand", sample="by hand") as client:
        declared = wire.messages[0]["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"]
        assert declared == {"elicitation": {"form": {}, "url": {}}, "sampling": {}}
        pending = await client.call_tool("any", rounds=0)
        assert isinstance(pending, InputRequired)
        result = await client.resume(pending, {"q": {"name": "Ada"}}, as_=int)
        assert result.data == 7
        assert result.is_error is False
        with pytest.raises(ValueError, match="as_ is for calls of tools, and this is prompts/get"):
            await client.resume(InputRequired({}, "s", {"method": "prompts/get", "params": {"name": "any"}}), as_=int)


@pytest.mark.parametrize(("question", "option"), [(ELICIT, "elicit"), (SAMPLE, "sample")])
async def test_a_question_that_is_answered_by_hand_fails_a_call_that_was_not_made_so(
    question: Any, option: str
) -> None:
    wire = Scripted(asks({"q": question}), DONE)
    async with client_of(wire, REVISION, **{option: "by hand"}) as client:
        with pytest.raises(QuestionFailed, match=r"\(q\) was not answered: it is answered by hand: call with rounds=0"):
            await client.call_tool("any")
    assert len(wire.calls) == 1


async def test_a_server_that_asks_while_a_call_runs_is_not_told_that_it_may_and_the_host_is_told_what_to_do() -> None:
    wire = Wire(usual(HANDSHAKE))
    async with client_of(wire, HANDSHAKE, elicit="by hand", sample="by hand") as client:
        assert wire.messages[0]["params"]["capabilities"] == {}
        with pytest.raises(NotDeclared, match=r"2025-11-25 asks while a call runs.*give elicit= a function"):
            await client.call_tool("any", rounds=0)
        await client.call_tool("any")
    assert len(of(wire.messages, "tools/call")) == 1


# ---- approval


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_call_goes_out_only_if_the_host_approves_it(revision: str) -> None:
    seen: list[ProposedCall] = []

    def approve(call: ProposedCall) -> bool:
        seen.append(call)
        return call.name == "good"

    tool = {"name": "good", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
    listed = result({"resultType": "complete", "tools": [tool], "ttlMs": 0, "cacheScope": "private"})
    wire = Wire({**usual(revision), "tools/list": [listed]})
    async with client_of(wire, revision, approve=approve) as client:
        await client.list_tools()
        await client.call_tool("good", {"a": 1})
        for refused in (
            lambda: client.call_tool("bad", {"b": 2}),
            lambda: client.request("tools/call", {"name": "bad"}),
            lambda: client.start_tool("bad"),
        ):
            with pytest.raises(NotApproved) as caught:
                await refused()
    assert str(caught.value) == "tools/call bad on server 'Wire': the host did not approve it"
    assert (caught.value.server, caught.value.phase) == ("Wire", "tools/call")
    assert [call["params"]["name"] for call in of(wire.messages, "tools/call")] == ["good"]
    assert [(call.name, call.arguments, call.server) for call in seen[:2]] == [
        ("good", {"a": 1}, "Wire"),
        ("bad", {"b": 2}, "Wire"),
    ]
    assert seen[0].tool is not None
    assert seen[0].tool.name == "good"
    assert seen[1].tool is None


async def test_an_approval_that_fails_or_says_nothing_is_none() -> None:
    async def fails(call: ProposedCall) -> bool:
        raise RuntimeError("no idea")

    async def refuses(call: ProposedCall) -> bool:
        raise NotApproved("not on my watch")

    for callback, words in [
        (fails, r"the approve callback failed: RuntimeError\('no idea'\)"),
        (saying(None), "the host did not approve it"),
        (saying("yes"), "the host did not approve it"),
        (refuses, "^not on my watch$"),
    ]:
        wire = Wire(usual(HANDSHAKE))
        async with client_of(wire, HANDSHAKE, approve=callback) as client:
            with pytest.raises(NotApproved, match=words):
                await client.call_tool("any")
            assert (await client.list_tools()).tools == []
        assert of(wire.messages, "tools/call") == []


async def test_a_call_that_is_resumed_is_approved_as_well() -> None:
    wire = Scripted(DONE)
    pending = InputRequired({}, "state", {"method": "tools/call", "params": {"name": "any"}})
    async with client_of(wire, REVISION, approve=saying(False)) as client:
        with pytest.raises(NotApproved):
            await client.resume(pending)
    assert wire.calls == []


# ---- pages to visit before a call is served (2025-11-25)


@pytest.mark.requirement("elicitation.manual-controls", revisions=[HANDSHAKE])
async def test_pages_to_visit_are_an_error_of_their_own_that_lists_them() -> None:
    wire = Scripted(REQUIRED, DONE, revision=HANDSHAKE)
    async with client_of(wire, HANDSHAKE) as client:
        with pytest.raises(VisitRequired) as caught:
            await client.call_tool("any")
        assert (await client.call_tool("any")).content
    assert isinstance(caught.value, RemoteError)
    assert caught.value.code == -32042
    assert caught.value.elicitations == PAGES
    assert (caught.value.server, caught.value.phase, str(caught.value)) == (
        "Scripted",
        "tools/call",
        "Visit these first",
    )


@pytest.mark.parametrize(
    ("members", "fault"),
    [
        ({"url": "javascript:alert(1)"}, "url: only http and https are opened"),
        ({"url": "https://evil.example/\x1b[2J"}, "url: a URL has no spaces or control characters"),
        ({"message": 7}, "message: Input should be a valid string"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"elicit_url": saying(True)}])
@pytest.mark.parametrize("rounds", [None, 0])
async def test_no_page_is_handed_to_a_host_that_no_callback_would_be_shown(
    members: Any, fault: str, options: Any, rounds: int | None
) -> None:
    [good, bad] = PAGES
    pages = [good, {**bad, **members}]
    wire = Scripted(error(-32042, "Visit", {"elicitations": pages}), revision=HANDSHAKE)
    async with client_of(wire, HANDSHAKE, **options) as client:
        with pytest.raises(InvalidAnswer) as caught:
            await client.call_tool("any", rounds=rounds)
    assert str(caught.value) == f"tools/call any on server 'Scripted': its question e2: elicitation/create: {fault}"


@pytest.mark.requirement("elicitation.complete-wait")
@pytest.mark.requirement("elicitation.complete-unknown-ignored")
async def test_once_the_server_says_that_every_page_is_complete_the_call_is_sent_again() -> None:
    wire, seen = Scripted(REQUIRED, DONE, revision=HANDSHAKE), []

    async def visits(page: ElicitRequestURLParams) -> bool:
        seen.append(page.url)
        if len(seen) == 2:
            shown.set()
        return True

    shown = anyio.Event()

    def complete(id: Any) -> Any:
        return notification("notifications/elicitation/complete", {"elicitationId": id})

    async with client_of(wire, HANDSHAKE, elicit_url=visits) as client:
        wire.push(complete("e1"))
        handle = client.start_tool("any")
        await shown.wait()
        wire.push(complete("unknown"), complete("e1"), complete("e1"), complete(7))
        await client.ping()
        assert len(wire.calls) == 1
        wire.push(complete("e2"))
        assert (await handle).content
    assert sorted(seen) == [page["url"] for page in PAGES]
    assert [params_of(call) for call in wire.calls] == [{"name": "any"}] * 2
    assert wire.calls[0]["id"] != wire.calls[1]["id"]


async def test_pages_that_the_user_does_not_open_or_the_server_never_completes_are_the_error() -> None:
    for callback, options in [(saying(False), {}), (saying("cancel"), {}), (saying(True), {"timeout": 0.05})]:
        wire = Scripted(REQUIRED, DONE, revision=HANDSHAKE)
        async with client_of(wire, HANDSHAKE, elicit_url=callback, **options) as client:
            with pytest.raises(VisitRequired):
                await client.call_tool("any")
        assert len(wire.calls) == 1


async def test_a_host_that_says_that_its_user_is_done_does_not_wait_for_the_server() -> None:
    wire = Scripted(REQUIRED, DONE, revision=HANDSHAKE)
    async with client_of(wire, HANDSHAKE, elicit_url=saying("done"), timeout=None) as client:
        assert (await client.call_tool("any")).text() == "done"
    assert len(wire.calls) == 2


async def test_every_call_that_waits_for_the_same_page_goes_on_when_it_is_complete() -> None:
    [page, _] = PAGES
    required = error(-32042, "Visit this first", {"elicitations": [page]})
    wire = Scripted(required, required, required, DONE, revision=HANDSHAKE)

    async def visits(page: ElicitRequestURLParams) -> bool:
        shown.append(page.elicitation_id)
        return True

    shown: list[object] = []
    async with client_of(wire, HANDSHAKE, elicit_url=visits) as client:
        first, gives_up, second = (client.start_tool("any") for _ in range(3))
        while len(shown) < 3:
            await anyio.lowlevel.checkpoint()
        gives_up.cancel()
        with pytest.raises(Cancelled):
            await gives_up
        wire.push(notification("notifications/elicitation/complete", {"elicitationId": page["elicitationId"]}))
        assert [(await call).text() for call in (first, second)] == ["done", "done"]


async def test_pages_that_are_demanded_again_and_again_are_visited_only_so_often() -> None:
    wire = Scripted(REQUIRED, revision=HANDSHAKE)

    async def visits(page: ElicitRequestURLParams) -> bool:
        wire.push(notification("notifications/elicitation/complete", {"elicitationId": page.elicitation_id}))
        return True

    async with client_of(wire, HANDSHAKE, elicit_url=visits, rounds=2) as client:
        with pytest.raises(TooManyRounds):
            await client.call_tool("any")
        with pytest.raises(VisitRequired):
            await client.call_tool("any", rounds=0)
    assert len(wire.calls) == 4


@pytest.mark.parametrize("revision", ["2025-06-18", REVISION])
async def test_the_code_means_nothing_in_other_revisions(revision: str) -> None:
    async with client_of(Wire({**usual(revision), "tools/call": [REQUIRED]}), revision, elicit_url=ada) as client:
        with pytest.raises(RemoteError) as caught:
            await client.call_tool("any")
    assert type(caught.value) is RemoteError


@pytest.mark.parametrize("data", [None, {}, {"elicitations": []}, {"elicitations": [{"mode": "form"}]}, [1]])
async def test_an_error_without_good_pages_is_any_other_error(data: Any) -> None:
    wire = Wire({**usual(HANDSHAKE), "tools/call": [error(-32042, "Visit", data)]})
    async with client_of(wire, HANDSHAKE, elicit_url=ada) as client:
        with pytest.raises(ConversationError) as caught:
            await client.call_tool("any")
    assert type(caught.value) is RemoteError


async def test_what_is_stored_survives_a_restart_of_everything() -> None:
    """Nothing but the stored bytes connects the two halves."""
    first = Scripted(asks({"q": ELICIT}, "state"))
    async with client_of(first, REVISION) as client:
        pending = await client.call_tool("any", rounds=0)
    assert isinstance(pending, InputRequired)
    data = pending.to_json()
    del pending, client
    second = Scripted(text("booked"))
    with anyio.fail_after(5):
        async with client_of(second, REVISION) as other:
            got = await other.resume(InputRequired.from_json(data), {"q": {"name": "Ada"}})
    assert isinstance(got, CallToolResult)
    assert got.content[0].text == "booked"  # type: ignore[union-attr]
