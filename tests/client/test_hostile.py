"""Callbacks that let out what they should not, and listeners that change their mind, end nothing but themselves."""

from typing import Any

import anyio
import pytest

from mcport import Client
from mcport.core.asking.form_values import is_formatted, is_number
from mcport.spec.types import ElicitRequestFormParams, LoggingMessageNotificationParams
from tests.client.counterpart import error, notification, progress, result, text, usual
from tests.client.playing import Wire, client_of, of
from tests.client.questions import LATEST, STATELESS, answer_of, asked, form

CHANGES = {"tools": {"listChanged": True}, "resources": {"subscribe": True}}


def said(data: object) -> dict[str, Any]:
    """A message of the server's log."""
    return notification("notifications/message", {"level": "info", "data": data})


class Quit(BaseException):
    """What nobody catches."""


@pytest.mark.parametrize("kind", [Quit, SystemExit, GeneratorExit])
@pytest.mark.parametrize("plain", [False, True])
async def test_a_callback_that_tries_to_end_the_program_fails_its_own_question(
    kind: type[BaseException], plain: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def leave_later(question: ElicitRequestFormParams) -> dict[str, Any]:
        raise kind("enough")

    def leave_at_once(question: ElicitRequestFormParams) -> dict[str, Any]:
        raise kind("enough")

    leave = leave_at_once if plain else leave_later
    refused = await answer_of(LATEST, "elicitation/create", form(), elicit=leave)
    assert refused["error"] == {"code": -32603, "message": "the client could not answer"}
    cancelled = await answer_of(STATELESS, "elicitation/create", form(), elicit=leave)
    assert cancelled == {"result": {"action": "cancel"}}
    failures = [record for record in caplog.records if "the elicit callback failed" in record.message]
    logged = [record.exc_info[1] for record in failures if record.exc_info]
    assert [kind.__name__ in repr(error) for error in logged] == [True, True]


@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("kind", [Quit, SystemExit, GeneratorExit])
async def test_a_callback_that_is_told_something_and_tries_to_end_the_program_hears_the_next_word(
    kind: type[BaseException], plain: bool, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[float] = []

    def leave_at_once(value: float, total: float | None, message: str | None) -> None:
        heard.append(value)
        raise kind("enough")

    async def leave_later(value: float, total: float | None, message: str | None) -> None:
        leave_at_once(value, total, message)

    wire = Wire({**usual(LATEST), "tools/call": [progress(1), progress(2), text("done")]})
    async with client_of(wire, LATEST, progress=leave_at_once if plain else leave_later) as client:
        assert (await client.call_tool("any")).text() == "done"
        assert (await client.list_tools()).tools == []
    assert heard == [1, 2]
    assert caplog.text.count("the progress callback failed") == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("told", [False, True])
def test_an_interrupt_in_a_callback_reaches_the_main_program_and_nothing_breaks_before(
    backend: str, told: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """As if Ctrl-C had been typed while the callback ran."""

    async def interrupted(*arguments: object) -> Any:
        raise KeyboardInterrupt

    async def main() -> None:
        wire = Wire({**usual(LATEST), "tools/call": [progress(1)]})
        async with client_of(wire, LATEST, progress=interrupted, elicit=interrupted) as client:
            try:
                await (client.call_tool("any") if told else asked(wire, "elicitation/create", form()))
                await anyio.sleep_forever()
            finally:
                assert client.connected

    with pytest.raises(KeyboardInterrupt):
        anyio.run(main, backend=backend)
    assert "callback failed" in caplog.text


async def test_the_traceback_of_a_callback_that_failed_begins_in_the_hosts_own_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def fails(*arguments: object) -> dict[str, Any]:
        raise RuntimeError("no idea")

    wire = Wire({**usual(LATEST), "tools/call": [progress(1), text("done")]})
    async with client_of(wire, LATEST, progress=fails, elicit=fails) as client:
        await client.call_tool("any")
        await asked(wire, "elicitation/create", form())
    tracebacks = [record.exc_info[2] for record in caplog.records if record.exc_info]
    assert [trace.tb_frame.f_code.co_name for trace in tracebacks if trace] == ["fails", "fails"]


@pytest.mark.parametrize("revision", [LATEST, STATELESS])
async def test_a_listening_that_is_closed_while_it_opens_ends_whoever_iterates(revision: str) -> None:
    wire = Wire(usual(revision, CHANGES))
    wire.counterpart.table |= {"resources/subscribe": [], "subscriptions/listen": []}
    heard: list[object] = []
    async with client_of(wire, revision) as client:
        changes = client.listen(uris=["a:b"])

        async def iterate() -> None:
            heard.extend([change async for change in changes])

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(iterate)
            methods = {"resources/subscribe", "subscriptions/listen"}
            await wire.until(lambda messages: any(each.get("method") in methods for each in messages))
            await changes.aclose()
    assert heard == []


async def test_two_that_iterate_side_by_side_share_one_subscription() -> None:
    wire = Wire(usual(STATELESS, CHANGES))
    meta = {"io.modelcontextprotocol/subscriptionId": "$id"}
    acknowledged = {"notifications": {"toolsListChanged": True}, "_meta": meta}
    wire.counterpart.table["subscriptions/listen"] = [
        notification("notifications/subscriptions/acknowledged", acknowledged)
    ]
    async with client_of(wire, STATELESS) as client:
        changes = client.listen(tools=True)

        async def step() -> None:
            with pytest.raises(StopAsyncIteration):
                await anext(changes)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(step)
            tasks.start_soon(step)
            await wire.until(lambda messages: any(each.get("method") == "subscriptions/listen" for each in messages))
            await anyio.wait_all_tasks_blocked()
            await changes.aclose()
    assert [each.get("method") for each in wire.messages].count("subscriptions/listen") == 1


def test_numbers_of_any_length_and_times_as_the_format_has_them_are_judged() -> None:
    assert is_number(10**400)
    assert not is_number(float("inf"))
    assert is_formatted("date-time", "2026-01-31T10:00:00Z")
    assert not is_formatted("date-time", "2026-01-31 10:00:00Z")


@pytest.mark.parametrize(("count", "judged"), [(1000, True), (1001, False)])
async def test_a_form_has_as_many_fields_and_choices_as_somebody_could_fill_in(count: int, judged: bool) -> None:
    seen: list[object] = []

    async def declines(question: ElicitRequestFormParams) -> str:
        seen.append(question)
        return "decline"

    fields = {f"field{number}": {"type": "boolean"} for number in range(count)}
    texts = [str(number) for number in range(count)]
    choices = [{"type": "string", "enum": texts}, {"type": "string", "oneOf": [{"const": each} for each in texts]}]
    several = {"type": "array", "items": {"type": "string", "enum": texts}}
    forms = [fields, *({"choice": choice} for choice in (*choices, several))]
    for properties in forms:
        schema = {"type": "object", "properties": properties}
        got = await answer_of(LATEST, "elicitation/create", form(schema), elicit=declines)
        assert got.get("result") == ({"action": "decline"} if judged else None)
        assert judged or "at most 1000" in got["error"]["message"]
    assert len(seen) == (len(forms) if judged else 0)


async def test_a_log_callback_that_is_too_slow_gets_the_latest_thousand_messages(
    caplog: pytest.LogCaptureFixture,
) -> None:
    heard: list[object] = []
    go, done = anyio.Event(), anyio.Event()

    async def slow(message: LoggingMessageNotificationParams) -> None:
        heard.append(message.data)
        await go.wait()
        if message.data == 1500:
            done.set()

    wire = Wire(usual(LATEST))
    async with client_of(wire, LATEST, log=slow) as client:
        wire.push(*(said(number) for number in range(1501)))
        await client.ping()
        go.set()
        await done.wait()
    assert heard == [0, *range(501, 1501)]
    assert caplog.text.count("the log callback is too slow: 1000 reports wait") == 1


async def test_what_a_server_logs_while_the_conversation_opens_is_heard_and_the_latest_hundred_kept() -> None:
    heard: list[object] = []
    table = usual(LATEST)
    table["initialize"] = [*(said(number) for number in range(120)), *table["initialize"]]
    async with client_of(Wire(table), LATEST, log=lambda message: heard.append(message.data)) as client:
        await client.ping()
    assert heard == list(range(20, 120))


@pytest.mark.parametrize(("answer", "words"), [([error(-32603, "no level")], "no level"), ([], "no answer within")])
async def test_a_log_level_that_cannot_be_said_again_is_a_warning_and_the_client_is_connected(
    answer: list[Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    table = {**usual(LATEST), "logging/setLevel": [result({})]}
    first, second = Wire(table), Wire({**table, "logging/setLevel": answer})
    wires = [second, first]

    async def opened() -> Wire:
        return wires.pop()

    client = Client(opened, revision=LATEST, timeout=0.02)
    async with client:
        await client.set_log_level("error")
    async with client:
        assert client.connected
        assert (await client.list_tools()).tools == []
    assert "the log level could not be said again: " in caplog.text
    assert words in caplog.text
    assert [each["params"] for each in of(second.messages, "logging/setLevel")] == [{"level": "error"}]
