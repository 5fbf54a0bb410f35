"""What a client does with a result that asks for input: it answers, and sends the call again.

(2026-07-28 basic/patterns/mrtr.)
"""

import logging
import time
from typing import Any

import anyio
import pytest

from mcport import InvalidAnswer, QuestionFailed, Rejected, Sampling, Timeout, TooManyRounds
from mcport.client.answering.answering import Answering
from mcport.core.limits import CLIENT_LIMITS
from mcport.spec.types import ElicitRequestFormParams
from tests.client.counterpart import result, text
from tests.client.playing import client_of, of
from tests.client.questions import ada, paris, saying, yes
from tests.client.scripted import DONE, ELICIT, PAGE, REVISION, ROOTS, SAMPLE, Scripted, asks, params_of


@pytest.mark.requirement("elicitation.capability-declared", revisions=[REVISION])
async def test_the_capabilities_of_each_request_follow_from_the_callbacks() -> None:
    for callbacks, declared in [
        ({}, {}),
        ({"elicit": ada}, {"elicitation": {"form": {}}}),
        ({"elicit": ada, "elicit_url": yes}, {"elicitation": {"form": {}, "url": {}}}),
        ({"sample": Sampling(paris, tools=True)}, {"sampling": {"tools": {}}}),
        ({"roots": []}, {"roots": {}}),
    ]:
        wire = Scripted(DONE)
        async with client_of(wire, REVISION, **callbacks) as client:  # type: ignore[arg-type]
            await client.call_tool("any")
            await client.call_tool("any", meta={"example.com/x": 1})
        assert len(wire.calls) == 2
        for message in wire.messages:
            assert message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] == declared


@pytest.mark.requirement("mrtr.client-fulfils")
@pytest.mark.requirement("mrtr.retry-new-id")
@pytest.mark.requirement("mrtr.retry-same-params")
@pytest.mark.requirement("mrtr.client-echoes-state")
@pytest.mark.requirement("mrtr.state-opaque")
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "any", "arguments": {"a": [1, None]}}),
        ("prompts/get", {"name": "any", "arguments": {"a": "b"}}),
        ("resources/read", {"uri": "x://y"}),
    ],
)
async def test_every_question_is_answered_and_the_call_sent_again_with_its_own_parameters(
    method: str, params: dict[str, Any]
) -> None:
    state = '{"not": "for us"} \u00e9\u2028 =='
    wire = Scripted(asks({"who": ELICIT, "what": SAMPLE, "where": ROOTS}, state), DONE, method=method)
    async with client_of(wire, REVISION, elicit=ada, sample=paris, roots=["file:///work"]) as client:
        await client.request(method, params, meta={"example.com/x": 1})
    first, second = wire.calls
    assert params_of(first) == params
    assert first["params"]["_meta"]["example.com/x"] == 1
    assert params_of(second) == {
        **params,
        "inputResponses": {
            "who": {"action": "accept", "content": {"name": "Ada"}},
            "what": {
                "role": "assistant",
                "content": {"type": "text", "text": "Paris"},
                "model": "unknown",
                "stopReason": "endTurn",
            },
            "where": {"roots": [{"uri": "file:///work"}]},
        },
        "requestState": state,
    }
    assert first["id"] != second["id"]
    assert second["params"]["_meta"] == first["params"]["_meta"]


@pytest.mark.requirement("mrtr.result-type")
@pytest.mark.parametrize("kind", ["complete", None])
async def test_what_a_result_says_it_is_decides_whether_anybody_is_asked(kind: str | None) -> None:
    said = {"content": [{"type": "text", "text": "done"}], "inputRequests": {"a": ELICIT}, "requestState": "state"}
    wire = Scripted(result({**said, **({} if kind is None else {"resultType": kind})}))
    async with client_of(wire, REVISION, elicit=ada) as client:
        assert (await client.call_tool("any")).text() == "done"
    assert len(wire.calls) == 1

    wire = Scripted(result({**said, "resultType": "input_required"}), DONE)
    async with client_of(wire, REVISION, elicit=ada) as client:
        await client.call_tool("any")
    assert len(wire.calls) == 2


@pytest.mark.requirement("mrtr.client-no-invented-state", "mrtr.retry-same-params")
async def test_a_state_lives_for_one_round_and_is_not_carried_into_the_next() -> None:
    wire = Scripted(asks({"a": ELICIT}, "one"), asks({"b": ELICIT}), asks(None, "three"), DONE)
    async with client_of(wire, REVISION, elicit=ada) as client:
        await client.call_tool("any")
    said = [(call.get("requestState"), list(call.get("inputResponses", {}))) for call in map(params_of, wire.calls)]
    assert said == [(None, []), ("one", ["a"]), (None, ["b"]), ("three", [])]
    assert "requestState" not in params_of(wire.calls[2])
    assert "inputResponses" not in params_of(wire.calls[3])


@pytest.mark.requirement("mrtr.not-for-other-requests")
async def test_answers_and_state_go_into_no_other_call() -> None:
    wire, go = Scripted(asks({"a": ELICIT}, "state"), DONE), anyio.Event()

    async def waits(question: ElicitRequestFormParams) -> dict[str, object]:
        asked.set()
        await go.wait()
        return {"name": "Ada"}

    asked = anyio.Event()
    async with client_of(wire, REVISION, elicit=waits) as client:
        handle = client.start_tool("first")
        await asked.wait()
        await client.call_tool("second")
        await client.list_tools()
        go.set()
        await handle
    names = [(call["params"]["name"], "requestState" in call["params"]) for call in wire.calls]
    assert names == [("first", False), ("second", False), ("first", True)]
    assert "requestState" not in str(of(wire.messages, "tools/list"))


@pytest.mark.requirement("mrtr.client-immediate-retry")
@pytest.mark.requirement("base.support-core-stateless")
async def test_a_state_without_questions_is_sent_back_at_once_and_later_ones_after_a_while() -> None:
    wire = Scripted(asks(None, "1"), asks({}, "2"), asks(None, "3"), DONE)
    async with client_of(wire, REVISION) as client:
        with anyio.fail_after(2):
            await client.call_tool("any")
    assert [params_of(call).get("requestState") for call in wire.calls] == [None, "1", "2", "3"]


async def test_questions_of_one_round_are_asked_side_by_side() -> None:
    wire, both = Scripted(asks({"a": ELICIT, "b": ELICIT}), DONE), anyio.Event()
    open_ones: list[object] = []

    async def callback(question: ElicitRequestFormParams) -> dict[str, object]:
        open_ones.append(question)
        if len(open_ones) == 2:
            both.set()
        await both.wait()
        return {"name": "Ada"}

    async with client_of(wire, REVISION, elicit=callback) as client:
        await client.call_tool("any")
    assert list(params_of(wire.calls[1])["inputResponses"]) == ["a", "b"]


@pytest.mark.requirement("sampling.tool-loop-limit", revisions=[REVISION])
@pytest.mark.parametrize("question", [ELICIT, SAMPLE])
@pytest.mark.parametrize("rounds", [1, 3, 10])
async def test_a_server_that_asks_again_and_again_is_gone_along_with_only_so_often(rounds: int, question: Any) -> None:
    wire = Scripted(asks({"a": question}, "state"))
    options: dict[str, Any] = {} if rounds == 10 else {"rounds": rounds}
    async with client_of(wire, REVISION, elicit=ada, sample=paris, **options) as client:
        with pytest.raises(TooManyRounds) as caught:
            await client.call_tool("any")
        assert (await client.list_tools()).tools == []
    assert (
        str(caught.value) == f"tools/call any on server 'Scripted': the server asked for input more than {rounds} times"
    )
    assert (caught.value.server, caught.value.phase) == ("Scripted", "tools/call")
    assert len(wire.calls) == rounds + 1


async def test_a_call_has_rounds_of_its_own_where_it_says_so() -> None:
    wire = Scripted(asks({"a": ELICIT}, "state"))
    async with client_of(wire, REVISION, elicit=ada) as client:
        with pytest.raises(TooManyRounds):
            await client.call_tool("any", rounds=2)
    assert len(wire.calls) == 3
    for wrong in (0, -1, 1.5, None):
        with pytest.raises(ValueError, match="rounds is how often a server may ask"):
            client_of(wire, REVISION, rounds=wrong)


# ---- what cannot be answered


@pytest.mark.requirement("sampling.no-error-replay")
@pytest.mark.requirement("roots.no-error-replay")
@pytest.mark.parametrize(
    ("question", "callbacks", "cause"),
    [
        (SAMPLE, {"sample": saying(7)}, "sampling/createMessage (q) was not answered: a model's answer is a text or a"),
        (ROOTS, {"roots": saying(["http://x"])}, "roots/list (q) was not answered: a root is a path or a file:// URI"),
    ],
)
async def test_a_callback_that_fails_fails_the_call_here_and_the_server_hears_nothing(
    question: Any, callbacks: Any, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    wire = Scripted(asks({"q": question}), DONE)
    async with client_of(wire, REVISION, **callbacks) as client:
        with pytest.raises(QuestionFailed) as caught:
            await client.call_tool("any")
        assert (await client.list_tools()).tools == []
    assert str(caught.value).startswith(f"tools/call any on server 'Scripted': {cause}")
    assert isinstance(caught.value.__cause__, TypeError | ValueError)
    assert len(wire.calls) == 1
    assert "callback failed" in caplog.text


class Quit(BaseException):
    """What nobody catches."""


@pytest.mark.parametrize("fault", [SystemExit("enough"), Quit("enough"), ExceptionGroup("g", [OSError("a")])])
async def test_p2_whatever_breaks_out_of_a_callback_fails_the_call_with_one_exception(fault: BaseException) -> None:
    async def breaks(question: Any) -> str:
        raise fault

    wire = Scripted(asks({"a": SAMPLE, "b": SAMPLE}), DONE)
    async with client_of(wire, REVISION, sample=breaks) as client:
        with pytest.raises(QuestionFailed, match="any on server 'Scripted': sampling/createMessage") as caught:
            await client.call_tool("any")
        assert (await client.list_tools()).tools == []
    assert fault in (caught.value.__cause__, caught.value.__cause__ and caught.value.__cause__.__cause__)


async def test_p2_a_fault_of_this_client_itself_comes_out_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(*arguments: Any) -> Any:
        raise LookupError("a mistake of ours")

    monkeypatch.setattr(Answering, "answer", broken)
    async with client_of(Scripted(asks({"a": ELICIT, "b": ROOTS}), DONE), REVISION, elicit=ada, roots=[]) as client:
        with pytest.raises(LookupError, match="a mistake of ours"):
            await client.call_tool("any")


@pytest.mark.requirement("sampling.approval-controls", revisions=[REVISION])
async def test_a_user_who_rejects_sampling_ends_the_call_with_that_word() -> None:
    async def callback(question: Any) -> str:
        raise Rejected

    wire = Scripted(asks({"q": SAMPLE}), DONE)
    async with client_of(wire, REVISION, sample=callback) as client:
        with pytest.raises(QuestionFailed, match=r"sampling/createMessage \(q\) was not answered: the user said no"):
            await client.call_tool("any")
    assert len(wire.calls) == 1


async def test_an_elicitation_can_be_refused_and_one_whose_callback_fails_is_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(question: Any) -> str:
        raise RuntimeError("a secret of the host")

    async def rejects(question: Any) -> str:
        raise Rejected

    for callback, action in [(saying("decline"), "decline"), (rejects, "decline"), (fails, "cancel")]:
        wire = Scripted(asks({"q": ELICIT, "other": ROOTS}), DONE)
        async with client_of(wire, REVISION, elicit=callback, roots=[]) as client:
            await client.call_tool("any")
        assert params_of(wire.calls[1])["inputResponses"] == {"q": {"action": action}, "other": {"roots": []}}
        assert "secret" not in str(wire.messages)
    assert "a secret of the host" in caplog.text


@pytest.mark.requirement("elicitation.capability-declared", revisions=[REVISION])
@pytest.mark.parametrize(
    ("asking", "cause"),
    [
        (asks({"q": SAMPLE}), "it asks sampling/createMessage (q), which this client cannot answer"),
        (asks({"q": PAGE}), "its question q: elicitation/create: mode: this client did not declare the mode 'url'"),
        (asks({"q": {"method": "tools/list"}}), "it asks tools/list (q), which this client cannot answer"),
        (asks({"q": {"method": "ping"}}), "it asks ping (q), which this client cannot answer"),
        (asks({"q": {"method": 7}}), "inputRequests.q.method: must be a string"),
        (asks({"q": 7}), "inputRequests.q: a request is an object with method and params"),
        (
            asks({"q": {"method": "elicitation/create"}}),
            "its question q: elicitation/create: requestedSchema: a form",
        ),
        (asks({}), "it asks for input, and has neither inputRequests nor requestState"),
        (asks(state=7), "inputRequests must be an object and requestState a string"),  # type: ignore[arg-type]
    ],
)
async def test_a_question_that_may_not_be_asked_fails_the_call_and_nothing_else(asking: Any, cause: str) -> None:
    wire = Scripted(asking, DONE)
    async with client_of(wire, REVISION, elicit=ada) as client:
        with pytest.raises(InvalidAnswer) as caught:
            await client.call_tool("any")
        assert (await client.list_tools()).tools == []
    assert str(caught.value).startswith(f"tools/call any on server 'Scripted': {cause}")
    assert len(wire.calls) == 1


async def test_a_question_that_cannot_be_answered_stops_the_others_of_its_round() -> None:
    stopped = anyio.Event()

    async def waits(question: ElicitRequestFormParams) -> str:
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()
        raise AssertionError

    wire = Scripted(asks({"a": ELICIT, "b": SAMPLE}), DONE)
    async with client_of(wire, REVISION, elicit=waits) as client:
        with pytest.raises(InvalidAnswer):
            await client.call_tool("any")
    assert stopped.is_set()


@pytest.mark.requirement("sampling.rate-limit", revisions=[REVISION])
async def test_more_questions_than_anybody_can_answer_fail_the_call_before_the_callback() -> None:
    wire, seen = Scripted(asks({"q": SAMPLE})), list[object]()

    async def callback(question: object) -> str:
        seen.append(question)
        return "ok"

    limits = CLIENT_LIMITS.but(questions_per_minute=2)
    async with client_of(wire, REVISION, sample=callback, limits=limits) as client:
        with pytest.raises(QuestionFailed, match=r"sampling/createMessage \(q\) was not answered: too many questions"):
            await client.call_tool("any")
    assert len(seen) == 2


@pytest.mark.parametrize("rounds", [None, 0])
async def test_more_questions_at_once_than_a_minute_allows_are_refused_before_any_is_looked_at(
    rounds: int | None,
) -> None:
    wire = Scripted(asks({f"q{number}": ELICIT for number in range(60_000)}))
    begun = time.process_time()
    async with client_of(wire, REVISION, elicit=ada) as client:
        with pytest.raises(InvalidAnswer) as caught:
            await client.call_tool("any", rounds=rounds)
    assert str(caught.value) == (
        "tools/call any on server 'Scripted': it asks 60000 questions at once;"
        " this client answers at most 600 a minute (Limits.questions_per_minute)"
    )
    assert time.process_time() - begun < 5  # asking them all takes far longer


# ---- time and withdrawal


async def test_a_call_is_not_silent_while_its_questions_are_open() -> None:
    wire = Scripted(asks({"a": ELICIT}), DONE)

    async def thinks(question: ElicitRequestFormParams) -> dict[str, object]:
        with anyio.move_on_after(0.3):
            await anyio.sleep_forever()
        return {"name": "Ada"}

    async with client_of(wire, REVISION, elicit=thinks, timeout=0.1) as client:
        assert (await client.call_tool("any")).content


async def test_all_rounds_and_questions_together_have_a_time() -> None:
    wire, stopped = Scripted(asks({"a": ELICIT})), anyio.Event()

    async def thinks(question: ElicitRequestFormParams) -> str:
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()
        raise AssertionError

    async with client_of(wire, REVISION, elicit=thinks, total_timeout=0.05) as client:
        with pytest.raises(Timeout, match=r"tools/call any on server 'Scripted': not done within 0\.05 s"):
            await client.call_tool("any")
    assert stopped.is_set()


async def test_a_round_that_is_silent_times_out_and_is_withdrawn() -> None:
    wire = Scripted(asks({"a": ELICIT}), [])
    async with client_of(wire, REVISION, elicit=ada, timeout=0.05) as client:
        with pytest.raises(Timeout, match=r"no answer within 0\.05 s"):
            await client.call_tool("any")
        [cancelled] = await wire.wrote("notifications/cancelled")
    assert cancelled["params"]["requestId"] == wire.calls[1]["id"]


async def test_a_call_that_is_cancelled_while_it_asks_stops_its_callback() -> None:
    wire, asked, stopped = Scripted(asks({"a": ELICIT})), anyio.Event(), anyio.Event()

    async def thinks(question: ElicitRequestFormParams) -> str:
        asked.set()
        try:
            await anyio.sleep_forever()
        finally:
            stopped.set()
        raise AssertionError

    async with client_of(wire, REVISION, elicit=thinks) as client:
        handle = client.start_tool("any")
        await asked.wait()
        handle.cancel()
        await stopped.wait()
        assert len(wire.calls) == 1
        assert of(wire.messages, "notifications/cancelled") == []


async def test_progress_of_every_round_is_heard() -> None:
    from tests.client.counterpart import progress

    wire = Scripted([progress(1), asks({"a": ELICIT})], [progress(2), DONE])
    seen: list[float] = []
    async with client_of(wire, REVISION, elicit=ada) as client:
        await client.call_tool("any", progress=lambda value, total, message: seen.append(value))
    assert seen == [1, 2]
    tokens = [call["params"]["_meta"]["progressToken"] for call in wire.calls]
    assert tokens == [call["id"] for call in wire.calls]


async def test_a_resource_that_took_answers_is_kept_for_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    from tests.client.counterpart import result

    read = result({"resultType": "complete", "contents": [], "ttlMs": 60_000, "cacheScope": "public"})
    wire = Scripted(asks({"a": ELICIT}), read, method="resources/read")
    async with client_of(wire, REVISION, elicit=ada) as client:
        for _ in range(2):
            await client.read_resource("x://y")
        assert len(wire.calls) == 3
        await client.read_resource("x://y")
        assert len(wire.calls) == 3


async def test_a_stateless_server_that_sends_requests_is_not_answered(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "mcport")
    wire = Scripted([{**ELICIT, "jsonrpc": "2.0", "id": "q"}, text("done")])
    async with client_of(wire, REVISION, elicit=ada) as client:
        await client.call_tool("any")
    assert [message for message in wire.messages if "method" not in message] == []
