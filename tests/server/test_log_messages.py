"""Log messages for the client: which of them are sent, when, and what is the handler's own fault."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import anyio
import anyio.from_thread
import pytest

from mcport import Context, Server
from mcport.core.dialects.contract import LOG_LEVELS
from mcport.core.limits import SERVER_LIMITS
from tests.server.wire import ALL, NEW, OLD, Json, Wire, opened, serving, unopened

LOG_LEVEL = "io.modelcontextprotocol/logLevel"
MESSAGE = "notifications/message"


class Talker:
    """A server whose tool says at every level what it is told to say."""

    def __init__(self, **options: Any) -> None:
        self.server = Server("talker", **options)
        self.context: Context | None = None
        self.server.tool(self.every_level)
        self.server.tool(self.say)
        self.server.tool(self.threaded)

    async def every_level(self, ctx: Context) -> str:
        self.context = ctx
        for level in LOG_LEVELS:
            await ctx.log(level, {"at": level}, logger="talker")
        return "done"

    async def say(self, level: str, data: Json, ctx: Context) -> str:
        await ctx.log(level, data)
        return "done"

    def threaded(self, ctx: Context) -> str:
        anyio.from_thread.run(ctx.warning, "from a thread")
        return "done"


def asking(wire: Wire, level: str) -> dict[str, str]:
    """What a request says in `_meta` to hear messages of this level."""
    return {LOG_LEVEL: level} if wire.revision in NEW else {}


async def messages(wire: Wire, tool: str, arguments: Json = None, **meta: Json) -> list[Json]:
    """Call a tool and return the parameters of the log messages that come before its result."""
    wire.request("tools/call", {"name": tool, "arguments": arguments or {}}, **meta)
    found = []
    while "result" not in (message := await wire.read()):
        assert message["method"] == MESSAGE
        found.append(message["params"])
    return found


async def set_level(wire: Wire, level: Json) -> Json:
    return await wire.ask("logging/setLevel", {"level": level})


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("level", LOG_LEVELS)
@pytest.mark.requirement("logging.levels")
@pytest.mark.requirement("logging.at-or-above-level", revisions=NEW)
@pytest.mark.requirement("logging.set-level", revisions=OLD)
async def test_messages_at_and_above_the_level_are_sent_and_lower_ones_are_not(revision: str, level: str) -> None:
    async with serving(Talker().server, revision) as wire:
        if revision in OLD:
            assert (await set_level(wire, level))["result"] == {}
        found = await messages(wire, "every_level", **asking(wire, level))
        louder = LOG_LEVELS[LOG_LEVELS.index(level) :]
        assert found == [{"level": each, "logger": "talker", "data": {"at": each}} for each in louder]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("logging.capability-declared")
async def test_the_capability_is_declared_and_nothing_is_said_where_logging_is_switched_off(revision: str) -> None:
    for level, declared in (("info", True), (None, False)):
        async with unopened(Talker(log_level=level).server, revision) as wire:
            told = (await wire.ask("server/discover"))["result"] if revision in NEW else await opened(wire)
            assert (told["capabilities"].get("logging") == {}) == declared
            assert bool(await messages(wire, "every_level", **asking(wire, "debug"))) == declared
            if revision in OLD:
                assert ("result" in await set_level(wire, "debug")) == declared


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("logging.only-with-level")
async def test_a_request_that_asks_for_no_messages_gets_none(revision: str) -> None:
    async with serving(Talker(log_level="debug").server, revision) as wire:
        assert await messages(wire, "every_level", **{LOG_LEVEL: "debug"})
        assert await messages(wire, "every_level") == []


@pytest.mark.parametrize("revision", OLD)
async def test_a_session_begins_with_the_level_of_the_server(revision: str) -> None:
    async with serving(Talker(log_level="critical").server, revision) as wire:
        assert [each["level"] for each in await messages(wire, "every_level")] == ["critical", "alert", "emergency"]
    async with serving(Talker().server, revision) as wire, serving(Talker().server, revision) as other:
        await set_level(other, "emergency")
        assert (await messages(wire, "every_level"))[0]["level"] == "info"


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.parametrize("level", ["trace", "INFO", "", None, 3, ["info"]])
@pytest.mark.requirement("logging.invalid-level", "logging.levels")
async def test_a_level_that_does_not_exist_cannot_be_set(revision: str, level: Json) -> None:
    async with serving(Talker().server, revision) as wire:
        error = (await set_level(wire, level))["error"]
        assert error["code"] == -32602
        assert "debug, info, notice, warning, error, critical, alert, emergency" in error["message"]
        assert (await messages(wire, "every_level"))[0]["level"] == "info"


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("logging.invalid-level")
async def test_a_request_that_asks_for_a_level_that_does_not_exist_is_refused(revision: str) -> None:
    async with serving(Talker().server, revision) as wire:
        error = await wire.error("tools/call", {"name": "every_level"}, **{LOG_LEVEL: "loud"})
        assert error["code"] == -32602


@pytest.mark.parametrize("revision", NEW)
async def test_setting_a_level_is_no_part_of_the_stateless_era(revision: str) -> None:
    async with serving(Talker().server, revision) as wire:
        assert (await set_level(wire, "debug"))["error"]["code"] == -32601


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("logging.own-stream-only", revisions=NEW)
async def test_nothing_is_said_once_the_request_is_answered(revision: str) -> None:
    talker = Talker()
    async with serving(talker.server, revision) as wire:
        await messages(wire, "every_level", **asking(wire, "debug"))
        assert talker.context is not None
        await talker.context.error("too late")
        await wire.silent()


DATA: list[Json] = [None, True, 0, -1.5, "", "text", [], [1, "a", None], {}, {"a": {"b": [1]}}]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("logging.validate-fields")
async def test_any_json_value_can_be_said(revision: str) -> None:
    async with serving(Talker().server, revision) as wire:
        for data in DATA:
            found = await messages(wire, "say", {"level": "alert", "data": data}, **asking(wire, "info"))
            assert found == [{"level": "alert", "data": data}]


BAD: list[tuple[Callable[[], Any], str]] = [
    (object, "the value is an object of type object"),
    (lambda: {"a": [1, object()]}, "a[1]"),
    (lambda: [float("nan")], "[0] is nan"),
    (lambda: "\ud800", "lone surrogate"),
]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("make", "part"), BAD)
@pytest.mark.requirement("logging.validate-fields")
async def test_data_that_is_no_json_is_the_handlers_fault_and_never_sent(
    revision: str, make: Callable[[], Any], part: str
) -> None:
    server, faults = Server("bad"), list[str]()

    @server.tool
    async def say(ctx: Context) -> str:
        with pytest.raises(ValueError, match="the data of a log message cannot be sent") as caught:
            await ctx.error(make())
        faults.append(str(caught.value))
        return "done"

    async with serving(server, revision) as wire:
        assert await messages(wire, "say", **asking(wire, "debug")) == []
    assert part in faults[0]
    assert "\n" not in faults[0]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("logging.levels", "logging.validate-fields")
async def test_a_level_or_logger_that_cannot_be_is_the_handlers_fault(revision: str) -> None:
    server = Server("bad")

    @server.tool
    async def say(ctx: Context) -> str:
        with pytest.raises(ValueError, match="log level 'loud' is not one of debug, info, notice"):
            await ctx.log("loud", "x")
        with pytest.raises(ValueError, match="the logger of a log message is a name"):
            await ctx.info("x", logger=5)  # type: ignore[arg-type]
        return "done"

    async with serving(server, revision) as wire:
        assert await messages(wire, "say", **asking(wire, "debug")) == []


@pytest.mark.parametrize("revision", ALL)
async def test_each_name_says_its_level_also_from_a_thread(revision: str) -> None:
    talker = Talker()

    @talker.server.tool
    async def names(ctx: Context) -> str:
        for name in ("debug", "info", "warning", "error"):
            await getattr(ctx, name)("x", logger="n")
        return "done"

    async with serving(talker.server, revision) as wire:
        if revision in OLD:
            await set_level(wire, "debug")
        found = await messages(wire, "names", **asking(wire, "debug"))
        assert [each["level"] for each in found] == ["debug", "info", "warning", "error"]
        found = await messages(wire, "threaded", **asking(wire, "debug"))
        assert found == [{"level": "warning", "data": "from a thread"}]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("logging.rate-limit")
async def test_a_flood_of_messages_is_cut_off_and_what_was_cut_is_counted(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("flood", limits=SERVER_LIMITS.but(logs_per_second=3))

    @server.tool
    async def flood(ctx: Context) -> str:
        for number in range(100):
            await ctx.error(number)
        conversation: Any = ctx._exchange.conversation
        conversation.logs._until = float("-inf")  # a second later
        await ctx.error("after")
        return "done"

    async with serving(server, revision) as wire:
        found = await messages(wire, "flood", **asking(wire, "debug"))
        assert [each["data"] for each in found] == [0, 1, 2, "after"]
    assert "97 log messages were not sent to the client (Limits.logs_per_second)" in caplog.text


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("logging.deprecated", revisions=NEW)
async def test_the_author_is_told_once_that_the_stateless_era_is_giving_this_up(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(Talker().server, revision) as wire:
        for _ in range(2):
            await messages(wire, "every_level", **asking(wire, "debug"))
    told = [record for record in caplog.records if "deprecated" in record.getMessage()]
    assert [record.levelno for record in told] == ([logging.WARNING] if revision in NEW else [])


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("logging.no-secrets")
async def test_nothing_is_logged_to_the_client_that_no_handler_said(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("quiet", log_level="debug")

    @server.tool
    async def fail(secret: str) -> str:
        raise RuntimeError(secret)

    async with serving(server, revision) as wire:
        assert await messages(wire, "fail", {"secret": "hunter2"}, **asking(wire, "debug")) == []
        assert not [line for line in wire.raw if b"hunter2" in line]


def test_a_server_cannot_begin_with_a_level_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="log_level 'loud' is not one of debug, info"):
        Server("bad", log_level="loud")


@pytest.mark.parametrize("revision", ALL)
async def test_who_says_something_waits_while_the_client_reads_too_slowly(revision: str) -> None:
    server, steps = Server("slow"), list[str]()

    @server.tool
    async def say(ctx: Context) -> str:
        async def drained() -> None:
            steps.append("waited")

        outlet: Any = ctx._exchange.outlet
        outlet.drained = drained
        await ctx.error("heard")
        steps.append("said")
        await ctx.debug("not heard")
        return "done"

    async with serving(server, revision) as wire:
        assert len(await messages(wire, "say", **asking(wire, "error"))) == 1
    assert steps == ["waited", "said"]


@pytest.mark.parametrize("revision", OLD)
async def test_a_level_set_while_a_call_runs_holds_for_that_call(revision: str) -> None:
    server, go = Server("turns"), anyio.Event()

    @server.tool
    async def wait(ctx: Context) -> str:
        await go.wait()
        await ctx.debug("heard")
        return "done"

    async with serving(server, revision) as wire:
        wire.request("tools/call", {"name": "wait"})
        await set_level(wire, "debug")
        go.set()
        assert (await wire.read())["params"] == {"level": "debug", "data": "heard"}
        assert "result" in await wire.read()
