"""What a client declares, and how it treats the questions of a server that come as requests (handshake era)."""

import threading
from typing import Any

import anyio
import pytest

from mcport import Client, Sampling, Timeout
from mcport.core.limits import CLIENT_LIMITS
from mcport.spec.types import ElicitRequestFormParams
from tests.client.counterpart import HANDSHAKE, notification, request, text, usual
from tests.client.playing import Wire, client_of
from tests.client.questions import (
    ELICITS,
    LATEST,
    SAMPLE,
    STATELESS,
    URLS,
    ada,
    answer_of,
    answer_to,
    asked,
    declared,
    form,
    paris,
    yes,
)

# ---- what is declared


@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_a_client_without_callbacks_declares_nothing(revision: str) -> None:
    assert await declared(revision) == {}


@pytest.mark.requirement("elicitation.capability-declared", revisions=ELICITS)
@pytest.mark.requirement("elicitation.at-least-one-mode", revisions=URLS)
@pytest.mark.requirement("elicitation.empty-capability-is-form", revisions=URLS)
@pytest.mark.requirement("sampling.capability-declared", revisions=[*HANDSHAKE, STATELESS])
@pytest.mark.requirement("roots.capability-declared", revisions=HANDSHAKE)
async def test_what_a_client_declares_follows_from_its_callbacks() -> None:
    assert await declared(LATEST, elicit=ada) == {"elicitation": {"form": {}}}
    assert await declared(LATEST, elicit_url=yes) == {"elicitation": {"url": {}}}
    assert await declared(LATEST, elicit=ada, elicit_url=yes) == {"elicitation": {"form": {}, "url": {}}}
    assert await declared("2025-06-18", elicit=ada, elicit_url=yes) == {"elicitation": {}}
    assert await declared("2025-06-18", elicit_url=yes) == {}
    assert await declared("2025-03-26", elicit=ada) == {}
    assert await declared(STATELESS, elicit=ada) == {"elicitation": {"form": {}}}
    assert await declared(STATELESS, sample=paris, roots=[]) == {"sampling": {}, "roots": {}}
    for revision in HANDSHAKE:
        assert await declared(revision, sample=paris) == {"sampling": {}}
        assert await declared(revision, roots=[]) == {"roots": {"listChanged": True}}
        assert await declared(revision, roots=list) == {"roots": {}}


@pytest.mark.requirement("sampling.tools-capability", revisions=URLS)
async def test_sampling_with_tools_and_context_is_declared_only_by_who_can_do_it() -> None:
    both = Sampling(paris, tools=True, context=True)
    assert await declared(LATEST, sample=Sampling(paris, tools=True)) == {"sampling": {"tools": {}}}
    assert await declared(LATEST, sample=both) == {"sampling": {"tools": {}, "context": {}}}
    assert await declared("2025-06-18", sample=both) == {"sampling": {}}
    assert await declared(STATELESS, sample=both) == {"sampling": {"tools": {}, "context": {}}}


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


@pytest.mark.requirement("elicitation.decline-any-time", revisions=[LATEST])
async def test_callbacks_run_side_by_side_and_none_blocks_reading() -> None:
    """Plain ones too: `input()` keeps nobody waiting."""
    wire, go, here = Wire(usual(LATEST)), threading.Event(), threading.get_ident()
    threads: list[int] = []

    def blocks(question: ElicitRequestFormParams) -> str:
        threads.append(threading.get_ident())
        assert go.wait(5)
        return "decline"

    async with client_of(wire, LATEST, elicit=blocks, sample=paris) as client:
        wire.push(request("elicitation/create", "slow", form()), request("elicitation/create", "slow too", form()))
        assert (await asked(wire, "sampling/createMessage", SAMPLE, "quick"))["result"]["model"] == "unknown"
        assert (await client.call_tool("any")).content
        assert answer_to(wire.messages, "slow") is None
        go.set()
        await wire.until(lambda messages: answer_to(messages, "slow") and answer_to(messages, "slow too"))
    assert answer_to(wire.messages, "slow")["result"] == {"action": "decline"}
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


@pytest.mark.requirement("sampling.rate-limit", revisions=HANDSHAKE)
@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_more_questions_than_anybody_can_answer_are_refused_before_the_callback(revision: str) -> None:
    await refused_in_the_end(revision, "sampling/createMessage", SAMPLE, "ok")


@pytest.mark.requirement("elicitation.rate-limit")
@pytest.mark.parametrize("revision", [each for each in ELICITS if each in HANDSHAKE])
async def test_more_forms_than_anybody_can_fill_in_are_refused_before_the_callback(revision: str) -> None:
    await refused_in_the_end(revision, "elicitation/create", form(), "cancel")


async def refused_in_the_end(revision: str, method: str, params: Any, said: str) -> None:
    """Ask more often than is allowed in a minute."""
    wire, seen, limits = Wire(usual(revision)), list[object](), CLIENT_LIMITS.but(questions_per_minute=2)

    async def callback(question: object) -> str:
        seen.append(question)
        return said

    callbacks: dict[str, Any] = {"sample": callback, "elicit": callback}
    async with client_of(wire, revision, limits=limits, **callbacks):
        answers = [await asked(wire, method, params, number) for number in range(3)]
    assert ["result" in answer for answer in answers] == [True, True, False]
    assert answers[2]["error"] == {"code": -32603, "message": "too many questions; try again later"}
    assert len(seen) == 2


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


def test_what_is_no_callback_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="elicit is a function, got 'x'"):
        Client("server.py", elicit="x")  # type: ignore[arg-type]
