"""Progress and cancellation of a served server, on the wire, in every revision."""

from __future__ import annotations

import logging
import threading

import anyio
import anyio.from_thread
import pytest

from mcport import Context, Server
from tests.server.wire import ALL, NEW, Json, Wire, serving

TOKENS: list[Json] = ["t", "", 0, 12]
STRAY_IDS: list[Json] = [1, "2", 2.5, None, [], {}, True, "nobody"]


class Steps:
    """A server whose tools stop where a test wants them to."""

    def __init__(self) -> None:
        self.server = Server("steps")
        self.began = anyio.Event()
        self.go = anyio.Event()
        self.ended = anyio.Event()
        self.context: Context | None = None
        self.server.tool(self.report)
        self.server.tool(self.hold)
        self.server.tool(self.stubborn)
        self.server.tool(self.threaded)

    async def report(self, values: list[float], ctx: Context, total: float | None = None) -> str:
        self.context = ctx
        for value in values:
            await ctx.report_progress(value, total, "on the way")
        return "done"

    async def hold(self, ctx: Context) -> str:
        self.context = ctx
        self.began.set()
        try:
            await self.go.wait()
        finally:
            self.ended.set()
        return "done"

    async def stubborn(self, ctx: Context) -> str:
        """Will not stop, and goes on to talk."""
        self.began.set()
        with anyio.CancelScope(shield=True):
            await self.go.wait()
            await ctx.report_progress(1)
        self.ended.set()
        return "done"

    def threaded(self, ctx: Context) -> str:
        for step in (1, 2):
            anyio.from_thread.run(ctx.report_progress, step, 2)
        return threading.current_thread().name


def told(wire: Wire) -> list[bytes]:
    return [line for line in wire.raw if b'"method"' in line]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("token", TOKENS)
@pytest.mark.requirement("progress.increases", "progress.only-active-tokens")
async def test_progress_names_the_token_and_always_increases(revision: str, token: Json) -> None:
    async with serving(Steps().server, revision) as wire:
        params = {"name": "report", "arguments": {"values": [1, 1, 0.5, 2, -1, 2.5, 2.5], "total": 3}}
        wire.request("tools/call", params, progressToken=token)
        reports = [await wire.read() for _ in range(3)]
        assert [report["params"]["progress"] for report in reports] == [1, 2, 2.5]
        for report in reports:
            assert report["method"] == "notifications/progress"
            assert (report["params"]["progressToken"], type(report["params"]["progressToken"])) == (token, type(token))
            assert report["params"]["total"] == 3
            assert ("message" in report["params"]) == (revision > "2024-11-05")
        assert (await wire.read())["result"]["content"][0]["text"] == "done"


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("progress.increases")
async def test_progress_increases_without_a_total_too(revision: str) -> None:
    async with serving(Steps().server, revision) as wire:
        wire.request("tools/call", {"name": "report", "arguments": {"values": [5, 4, 6]}}, progressToken="t")
        reports = [await wire.read() for _ in range(2)]
        assert [report["params"] for report in reports if "total" in report["params"]] == []
        assert [report["params"]["progress"] for report in reports] == [5, 6]
        assert "result" in await wire.read()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("progress.only-active-tokens")
async def test_without_a_token_no_progress_is_sent(revision: str) -> None:
    async with serving(Steps().server, revision) as wire:
        await wire.call("report", {"values": [1, 2]})
        assert not told(wire)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("progress.stops-after-completion", "progress.only-active-tokens")
async def test_no_progress_is_sent_once_the_request_is_answered(revision: str) -> None:
    steps = Steps()
    async with serving(steps.server, revision) as wire:
        await wire.ask("tools/call", {"name": "report", "arguments": {"values": []}}, progressToken="t")
        assert steps.context is not None
        await steps.context.report_progress(1)
        await wire.silent()
        assert not told(wire)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("token", [None, True, 1.5, [], {}])
@pytest.mark.requirement("progress.token-type")
async def test_a_token_of_another_type_is_refused(revision: str, token: Json) -> None:
    async with serving(Steps().server, revision) as wire:
        params = {"name": "report", "arguments": {"values": [1]}}
        assert (await wire.error("tools/call", params, progressToken=token))["code"] == -32602
        assert not told(wire)


@pytest.mark.parametrize("revision", ALL)
async def test_plain_functions_report_progress_from_their_thread(revision: str) -> None:
    async with serving(Steps().server, revision) as wire:
        wire.request("tools/call", {"name": "threaded"}, progressToken="t")
        assert [(await wire.read())["params"]["progress"] for _ in range(2)] == [1, 2]
        assert (await wire.read())["result"]["content"][0]["text"] != threading.current_thread().name


@pytest.mark.parametrize("value", ["nan", "inf"])
async def test_progress_that_is_no_number_is_an_error_in_the_handler_and_never_sent(value: str) -> None:
    server = Server("numbers")

    @server.tool
    async def report(ctx: Context) -> str:
        with pytest.raises(ValueError, match="finite"):
            await ctx.report_progress(float(value))
        with pytest.raises(ValueError, match="finite"):
            await ctx.report_progress(1, float(value))
        await ctx.report_progress(1)
        return "done"

    async with serving(server, NEW[0]) as wire:
        wire.request("tools/call", {"name": "report"}, progressToken="t")
        assert (await wire.read())["params"] == {"progressToken": "t", "progress": 1}
        assert (await wire.read())["result"]["content"][0]["text"] == "done"


# ---- cancellation


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("cancel.races")
@pytest.mark.requirement("cancel.no-response")
@pytest.mark.requirement("cancel.server-stops-work")
@pytest.mark.requirement("cancel.log-reason")
@pytest.mark.requirement("cancel.no-further-messages", revisions=NEW)
@pytest.mark.parametrize("id", ["x", 7])
async def test_a_cancelled_call_is_stopped_and_never_answered(
    revision: str, id: Json, caplog: pytest.LogCaptureFixture
) -> None:
    steps = Steps()
    caplog.set_level(logging.DEBUG, "mcport")
    async with serving(steps.server, revision) as wire:
        wire.request("tools/call", {"name": "hold"}, id=id, progressToken="t")
        await steps.began.wait()
        wire.notify("notifications/cancelled", {"requestId": id, "reason": "no longer needed"})
        await steps.ended.wait()
        assert steps.context is not None
        assert (steps.context.cancelled, steps.context.cancel_reason) == (True, "no longer needed")
        assert f"tools/call (request {id!r}) is withdrawn: no longer needed" in caplog.text
        await steps.context.report_progress(1)
        await wire.silent()
        assert not told(wire)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("cancel.no-further-messages", revisions=NEW)
async def test_a_handler_that_will_not_stop_is_silenced(revision: str) -> None:
    steps = Steps()
    async with serving(steps.server, revision) as wire:
        id = wire.request("tools/call", {"name": "stubborn"}, progressToken="t")
        await steps.began.wait()
        wire.notify("notifications/cancelled", {"requestId": id})
        await wire.silent()
        steps.go.set()
        await steps.ended.wait()
        await wire.silent()
        assert not told(wire)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("cancel.races", "cancel.only-own-in-flight", "cancel.request-id-present")
@pytest.mark.requirement("cancel.ignore-invalid", "cancel.receiver-may-ignore")
async def test_cancellations_that_fit_nothing_in_flight_do_no_harm(revision: str) -> None:
    steps = Steps()
    async with serving(steps.server, revision) as wire:
        done = await wire.ask("tools/call", {"name": "report", "arguments": {"values": []}}, id=1)
        assert "result" in done
        wire.request("tools/call", {"name": "hold"}, id=2)
        await steps.began.wait()
        strays: list[Json] = [{"requestId": id} for id in STRAY_IDS]
        for params in [*strays, {}, {"reason": "x"}, {"requestId": 99, "reason": 5}]:
            wire.notify("notifications/cancelled", params)
        await wire.silent()
        steps.go.set()
        answer = await wire.read()
        assert (answer["id"], answer["result"]["content"][0]["text"]) == (2, "done")


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("cancel.races")
async def test_a_cancellation_that_crosses_the_answer_changes_nothing(revision: str) -> None:
    steps = Steps()
    async with serving(steps.server, revision) as wire:
        for _ in range(5):
            id: Json = wire.request("tools/call", {"name": "report", "arguments": {"values": []}})
            wire.notify("notifications/cancelled", {"requestId": id})
            wire.notify("notifications/cancelled", {"requestId": id})
        ids = [answer["id"] for answer in await wire.rest()]
        assert len(ids) == len(set(ids)) <= 5
        assert (await wire.call("report", {"values": []}))["content"][0]["text"] == "done"


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("cancel.server-only-for-listen", revisions=NEW)
async def test_a_server_cancels_nothing_itself(revision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcport.server.connection.GRACE", 0.01)
    steps = Steps()
    async with serving(steps.server, revision) as wire:
        wire.request("tools/call", {"name": "hold"})
        await steps.began.wait()
        wire.hang_up()
        await steps.ended.wait()
        assert not told(wire)


async def test_an_id_is_free_again_after_its_request_was_cancelled() -> None:
    steps = Steps()
    async with serving(steps.server, NEW[0]) as wire:
        wire.request("tools/call", {"name": "hold"}, id=1)
        await steps.began.wait()
        wire.notify("notifications/cancelled", {"requestId": 1})
        answer = await wire.ask("tools/call", {"name": "report", "arguments": {"values": []}}, id=1)
        assert answer["result"]["content"][0]["text"] == "done"
