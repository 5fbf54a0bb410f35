"""How long a call may take, what is heard of it meanwhile, and how it is withdrawn."""

import logging
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from mcport import Cancelled, Client, RemoteError, Server, Timeout
from mcport.client.timing import ENDLESS, SILENT_SECONDS, TOTAL_SECONDS, UNSET, Patience
from tests.client.counterpart import ALL, error, progress, text, usual
from tests.client.playing import Wire, client_of, of

REVISION = "2025-11-25"
LATER = [revision for revision in ALL if revision >= "2025-03-26"]
SLOW: dict[str, list[Any]] = {**usual(REVISION), "tools/call": []}
LONGER = 60.0


# ---- time


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("cancel.request-id-present")
@pytest.mark.requirement("cancel.only-own-in-flight")
@pytest.mark.requirement("timeout.cancels", revisions=LATER)
async def test_a_silent_call_times_out_and_is_withdrawn(revision: str) -> None:
    wire = Wire({**usual(revision), "tools/call hang": []})
    async with client_of(wire, revision) as client:
        with pytest.raises(Timeout) as caught:
            await client.call_tool("hang", timeout=0.02)
        [cancelled] = await wire.wrote("notifications/cancelled")
        [call] = of(wire.messages, "tools/call")
        await client.call_tool("other")
    assert str(caught.value) == "tools/call hang on server 'Wire': no answer within 0.02 s"
    assert (caught.value.server, caught.value.phase) == ("Wire", "tools/call")
    assert cancelled["params"]["requestId"] == call["id"]
    assert "id" not in cancelled


@pytest.mark.parametrize("revision", LATER)
@pytest.mark.requirement("timeout.per-request-config")
async def test_the_clients_own_time_holds_where_a_call_names_none(revision: str) -> None:
    async with client_of(Wire({**usual(revision), "tools/call": []}), revision, timeout=0.02) as client:
        with pytest.raises(Timeout, match=r"no answer within 0\.02 s"):
            await client.call_tool("any")
        with pytest.raises(Timeout, match=r"no answer within 0\.01 s"):
            await client.request("tools/call", {"name": "any"}, timeout=0.01)


async def test_no_limit_is_said_with_none() -> None:
    wire = Wire(SLOW)
    async with client_of(wire, REVISION, timeout=0.01, total_timeout=0.01) as client:
        handle = client.start_tool("any", timeout=None)
        with pytest.raises(Timeout):
            await client.call_tool("other")
        assert not handle.done
        calls = {call["params"]["name"]: call["id"] for call in await wire.wrote("tools/call", 2)}
        wire.push({**text("late"), "id": calls["any"]})
        assert (await handle).content[0].text == "late"  # type: ignore[union-attr]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("timeout.all-requests")
async def test_every_request_has_a_time_where_nobody_says_one(revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire({**usual(revision), "tools/call": [], "tools/list": []})
    async with client_of(wire, revision) as client:
        # What the client is made with stands, divided, so that nobody waits for it.
        assert (client._patience.silent, client._patience.total) == (SILENT_SECONDS, TOTAL_SECONDS)
        monkeypatch.setattr(client, "_patience", Patience(SILENT_SECONDS / 3000, TOTAL_SECONDS / 3000))
        for request in (client.call_tool("any"), client.list_tools()):
            with pytest.raises(Timeout):
                await request


@pytest.mark.parametrize("revision", LATER)
@pytest.mark.requirement("timeout.maximum")
async def test_progress_does_not_lengthen_the_time_in_all(revision: str) -> None:
    heard: list[float] = []
    wire = Wire({**usual(revision), "tools/call": [progress(1), progress(2), progress(3)]})
    async with client_of(wire, revision, timeout=LONGER, total_timeout=0.03) as client:
        with pytest.raises(Timeout, match=r"not done within 0\.03 s"):
            await client.call_tool("any", progress=lambda value, *_: heard.append(value))
    assert heard == [1, 2, 3]


async def test_a_call_has_a_time_in_all_whatever_it_may_be_silent_for() -> None:
    async with client_of(Wire(SLOW), REVISION, timeout=LONGER, total_timeout=0.03) as client:
        with pytest.raises(Timeout, match=r"tools/call any on server 'Wire': not done within 0\.03 s"):
            await client.call_tool("any")


async def test_what_a_call_asks_for_is_granted_in_full() -> None:
    patience = Patience(10, 100)
    assert patience.with_call(5) == Patience(5, 100)
    assert patience.with_call(500) == Patience(500, 500)
    assert patience.with_call(None) is ENDLESS
    assert Patience(10, None).with_call(5) == Patience(5, None)
    assert repr(UNSET) == "UNSET"


@pytest.mark.parametrize("wrong", [0, -1, float("nan")])
async def test_a_time_that_cannot_be_waited_is_refused(wrong: float) -> None:
    for option in ("timeout", "total_timeout", "connect_timeout", "probe_timeout"):
        with pytest.raises(ValueError, match=f"^{option} is a positive number of seconds, or None for no limit"):
            Client(Server("x"), **{option: wrong})  # type: ignore[arg-type]
    async with Client(Server("x"), revision=REVISION) as client:
        with pytest.raises(ValueError, match=r"^timeout is a positive number"):
            await client.ping(timeout=wrong)


async def test_a_server_that_reads_nothing_makes_callers_wait_and_then_time_out() -> None:
    """Writes respect back-pressure: what is not read is not piled up without a bound."""
    from mcport.core.limits import CLIENT_LIMITS

    class Clogged(Wire):
        async def send(self, message: bytes) -> None:
            await super().send(message)
            if b"tools/call" in message:
                await anyio.sleep_forever()

    wire = Clogged(SLOW)
    limits = CLIENT_LIMITS.but(outbox_bytes=1000)
    async with client_of(wire, REVISION, limits=limits) as client:
        handle = client.start_tool("any", {"x": "y" * 2000})
        await wire.wrote("tools/call")
        with pytest.raises(Timeout, match=r"ping on server 'Clogged': the server did not read what it was sent within"):
            await client.ping(timeout=0.02)
        assert of(wire.messages, "ping") == []
        assert not handle.done


# ---- progress


@pytest.mark.parametrize("revision", ALL)
async def test_reports_are_handed_over_in_order_and_all_before_the_result(revision: str) -> None:
    reports = [progress(1, 3), progress(2, 3), progress(3, 3), text("done")]
    seen: list[Any] = []

    async def slowly(value: float, total: float | None, message: str | None) -> None:
        await checkpoint()
        seen.append(("begins", value))
        await checkpoint()
        seen.append(("ends", value))

    def at_once(value: float, total: float | None, message: str | None) -> None:
        seen.append((value, total, message))

    async with client_of(Wire({**usual(revision), "tools/call": reports}), revision) as client:
        await client.call_tool("any", progress=at_once)
        assert seen == [(1, 3, None), (2, 3, None), (3, 3, None)]
        seen.clear()
        await client.call_tool("any", progress=slowly)
        assert seen == [(word, value) for value in (1, 2, 3) for word in ("begins", "ends")]


async def test_a_callback_of_the_client_hears_of_every_call_that_names_none() -> None:
    heard: list[str] = []
    table = {**usual(REVISION), "tools/call": [progress(1), text("done")]}
    wire = Wire(table)
    async with client_of(wire, REVISION, progress=lambda *report: heard.append("client")) as client:
        await client.call_tool("any")
        await client.call_tool("any", progress=lambda *report: heard.append("call"))
        await client.list_tools()
    assert heard == ["client", "call"]
    assert "_meta" not in of(wire.messages, "tools/list")[0]["params"]


async def test_a_callback_that_fails_is_logged_and_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def failing(*report: object) -> None:
        raise RuntimeError("mine")

    def failing_at_once(*report: object) -> None:
        raise RuntimeError("mine")

    table = {**usual(REVISION), "tools/call": [progress(1), progress(2), text("done")]}
    async with client_of(Wire(table), REVISION) as client:
        for callback in (failing, failing_at_once):
            assert (await client.call_tool("any", progress=callback)).content
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "the progress callback failed"
    ] * 4


async def test_no_callback_goes_on_after_its_call_was_withdrawn() -> None:
    began, ended = anyio.Event(), []

    async def slowly(*report: object) -> None:
        began.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(report)

    wire = Wire({**SLOW, "tools/call": [progress(1), progress(2)]})
    async with client_of(wire, REVISION) as client:
        handle = client.start_tool("any", progress=slowly)
        await began.wait()
        handle.cancel()
        with pytest.raises(Cancelled):
            await handle
        await checkpoint()
        await checkpoint()
        assert ended == [(1, None, None)]


# ---- handles


@pytest.mark.parametrize("revision", ALL)
async def test_p23_a_handle_is_awaited_as_often_as_one_likes(revision: str) -> None:
    async with client_of(Wire(usual(revision)), revision) as client:
        handle = client.start_tool("any")
        first = await handle
        assert first is await handle
        assert handle.done
        handle.cancel()
        assert first is await handle
        raw = client.start("tools/call", {"name": "any"})
        assert (await raw)["content"] == [{"type": "text", "text": "done"}]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("cancel.stdio.notification", revisions=["2026-07-28"])
async def test_p23_a_cancelled_handle_withdraws_its_call_alone(revision: str) -> None:
    wire = Wire({**usual(revision), "tools/call": []})
    async with client_of(wire, revision) as client:
        kept, dropped = client.start_tool("kept"), client.start_tool("dropped")
        calls = {call["params"]["name"]: call["id"] for call in await wire.wrote("tools/call", 2)}
        assert repr(dropped) == "<CallHandle tools/call dropped on server 'Wire', running>"
        dropped.cancel()
        with pytest.raises(Cancelled) as caught:
            await dropped
        [cancelled] = await wire.wrote("notifications/cancelled")
        assert cancelled["params"]["requestId"] == calls["dropped"]
        wire.push({**text("done"), "id": calls["kept"]})
        await kept
    assert str(caught.value) == "tools/call dropped on server 'Wire' was cancelled"
    assert (caught.value.server, caught.value.cause) == ("Wire", "cancelled by this client")


async def test_a_handle_raises_what_its_call_raised() -> None:
    async with client_of(Wire({**SLOW, "tools/call": [error(-32602, "no")]}), REVISION) as client:
        handle = client.start_tool("any")
        for _ in range(2):
            with pytest.raises(RemoteError, match="no"):
                await handle


async def test_whoever_stops_waiting_for_a_handle_does_not_cancel_its_call() -> None:
    wire = Wire(SLOW)
    async with client_of(wire, REVISION) as client:
        handle = client.start_tool("any")
        [call] = await wire.wrote("tools/call")
        with anyio.move_on_after(0.01):
            await handle
        assert not handle.done
        wire.push({**text("done"), "id": call["id"]})
        assert (await handle).content


async def test_a_caller_that_is_cancelled_withdraws_its_call() -> None:
    wire = Wire(SLOW)
    async with client_of(wire, REVISION) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "any")
            [call] = await wire.wrote("tools/call")
            tasks.cancel_scope.cancel()
        [cancelled] = await wire.wrote("notifications/cancelled")
        assert cancelled["params"]["requestId"] == call["id"]
