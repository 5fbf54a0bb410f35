"""The server's log at a client: which messages it asks for, and how the host hears them."""

from typing import Any

import anyio
import pytest

from mcport import Client, NotDeclared
from mcport.spec.types import LoggingMessageNotificationParams
from tests.client.counterpart import ALL, HANDSHAKE, notification, result, text, usual
from tests.client.playing import Wire, client_of, of

STATELESS = "2026-07-28"
LATEST = "2025-11-25"
META = "io.modelcontextprotocol/logLevel"
LEVELS = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]


def entry(level: Any, data: Any, **more: Any) -> dict[str, Any]:
    return notification("notifications/message", {"level": level, "data": data, **more})


def wanted(wire: Wire) -> list[Any]:
    """The levels that the calls of a tool asked for."""
    return [call["params"].get("_meta", {}).get(META) for call in of(wire.messages, "tools/call")]


@pytest.mark.requirement("logging.client-uses", revisions=ALL)
@pytest.mark.requirement("logging.validate-fields", revisions=ALL)
@pytest.mark.parametrize("revision", ALL)
async def test_messages_reach_the_host_in_order_and_broken_ones_do_not(revision: str) -> None:
    seen: list[LoggingMessageNotificationParams] = []
    entries = [
        entry("info", {"a": [1, None]}, logger="db"),
        entry("shout", "no such level"),
        notification("notifications/message", {"level": "info"}),
        entry("error", "two"),
        entry("debug", None),
    ]
    wire = Wire({**usual(revision), "tools/call": [*entries, text("done")]})
    async with client_of(wire, revision, log=seen.append) as client:
        await client.call_tool("any")
    assert [(each.level, each.data, each.logger) for each in seen] == [
        ("info", {"a": [1, None]}, "db"),
        ("error", "two", None),
        ("debug", None, None),
    ]


async def test_a_coroutine_function_hears_one_message_after_the_other_and_keeps_nobody_waiting() -> None:
    seen: list[Any] = []
    go, all_heard = anyio.Event(), anyio.Event()

    async def slowly(message: LoggingMessageNotificationParams) -> None:
        seen.append(message.data)
        await go.wait()
        if message.data == 2:
            raise RuntimeError("the host's own fault")
        if message.data == 3:
            all_heard.set()

    wire = Wire({**usual(LATEST), "tools/call": [*(entry("info", number) for number in (1, 2, 3)), text("done")]})
    async with client_of(wire, LATEST, log=slowly) as client:
        await client.call_tool("any")
        go.set()
        await all_heard.wait()
    assert seen == [1, 2, 3]


@pytest.mark.requirement("logging.set-level", revisions=HANDSHAKE)
@pytest.mark.requirement("logging.levels", revisions=ALL)
@pytest.mark.parametrize("revision", HANDSHAKE)
async def test_the_level_is_set_once_in_the_handshake_era(revision: str) -> None:
    wire = Wire({**usual(revision), "logging/setLevel": [result({})]})
    async with client_of(wire, revision, log=lambda message: None) as client:
        assert of(wire.messages, "logging/setLevel") == []
        for level in LEVELS:
            await client.set_log_level(level)  # type: ignore[arg-type]
        await client.call_tool("any")
        with pytest.raises(ValueError, match="a log level is one of debug, info"):
            await client.set_log_level(None)
    assert [message["params"] for message in of(wire.messages, "logging/setLevel")] == [
        {"level": each} for each in LEVELS
    ]
    assert wanted(wire) == [None]


@pytest.mark.requirement("logging.levels", revisions=[STATELESS])
async def test_each_request_says_the_level_in_the_stateless_era() -> None:
    wire = Wire(usual(STATELESS))
    async with client_of(wire, STATELESS) as client:
        await client.call_tool("any")
        for level in [*LEVELS, None]:
            await client.set_log_level(level)  # type: ignore[arg-type]
            await client.call_tool("any")
    assert wanted(wire) == [None, *LEVELS, None]
    assert of(wire.messages, "logging/setLevel") == []


async def test_who_hears_the_log_asks_for_it_where_silence_is_the_default() -> None:
    wire = Wire(usual(STATELESS))
    async with client_of(wire, STATELESS, log=lambda message: None) as client:
        await client.call_tool("any")
    assert wanted(wire) == ["info"]
    quiet = Wire(usual(STATELESS, {"tools": {}}))
    async with client_of(quiet, STATELESS, log=lambda message: None) as client:
        await client.call_tool("any")
        with pytest.raises(NotDeclared, match="a log level needs the capability 'logging'"):
            await client.set_log_level("info")
    assert wanted(quiet) == [None]


@pytest.mark.parametrize("revision", [STATELESS, LATEST])
async def test_the_level_is_said_again_to_a_server_that_is_reached_again(revision: str) -> None:
    wires: list[Wire] = []

    async def reach() -> Wire:
        wires.append(Wire({**usual(revision), "logging/setLevel": [result({})]}))
        return wires[-1]

    client = Client(reach, revision=revision)
    for number in range(2):
        async with client:
            if number == 0:
                await client.set_log_level("alert")
            await client.call_tool("any")
    set_once = [len(of(wire.messages, "logging/setLevel")) for wire in wires]
    assert (set_once, [wanted(wire) for wire in wires]) == (
        ([0, 0], [["alert"], ["alert"]]) if revision == STATELESS else ([1, 1], [[None], [None]])
    )


@pytest.mark.parametrize("revision", ALL)
async def test_a_level_that_is_none_is_refused_here(revision: str) -> None:
    wire = Wire(usual(revision))
    async with client_of(wire, revision) as client:
        with pytest.raises(ValueError, match="a log level is one of debug, info"):
            await client.set_log_level("shout")  # type: ignore[arg-type]
    assert of(wire.messages, "logging/setLevel") == []


async def test_a_server_without_a_log_cannot_be_asked_for_one() -> None:
    async with client_of(Wire(usual(LATEST, {"tools": {}})), LATEST) as client:
        with pytest.raises(NotDeclared):
            await client.set_log_level("info")
