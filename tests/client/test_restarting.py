"""A server that died is started again by the next call, if its client was told so; nothing is ever repeated (P3)."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport import Client, ConnectFailed, ConnectionLost, Server, Timeout
from mcport.client.restarting import Pace
from tests.client.counterpart import ALL, result, text, usual
from tests.client.playing import Wire, child_command, child_pid, is_running, of

REVISION = "2025-11-25"
MORTAL: list[Any] = [{"stderr": "the disk is full\n"}, {"exit": 3}]


class Clock:
    """A clock that a test moves, and the waits that were asked of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds
        await anyio.lowlevel.checkpoint()

    def pace(self) -> Pace:
        return Pace(time=self.time, sleep=self.sleep)


class Wires:
    """Opens wires to counterparts, one after the other; the last table plays for good."""

    def __init__(self, *tables: dict[str, list[Any]] | Exception) -> None:
        self.tables = list(tables)
        self.opened: list[Wire] = []

    async def __call__(self) -> Wire:
        table = self.tables.pop(0) if len(self.tables) > 1 else self.tables[0]
        if isinstance(table, Exception):
            raise table
        self.opened.append(Wire(table))
        return self.opened[-1]


def patient(wires: Wires, clock: Clock, restart: int | bool = True, **options: Any) -> Client:
    """A client whose waits are the clock's."""
    client = Client(wires, revision=REVISION, restart=restart, **options)
    assert client._restarting is not None
    client._restarting._pace = clock.pace()
    return client


def usually(**more: list[Any]) -> dict[str, list[Any]]:
    return {**usual(REVISION), "tools/call die": [{"exit": 1}], "tools/call hang": [], **more}


async def die(client: Client) -> None:
    with pytest.raises(ConnectionLost):
        await client.call_tool("die")


# ---- a real process


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("stdio.restart-after-crash", revisions=["2026-07-28"])
async def test_p3_a_server_that_was_killed_is_started_again_by_the_next_call(tmp_path: Path, revision: str) -> None:
    log = tmp_path / "log"
    table = {**usual(revision), "tools/call hang": []}
    async with Client(child_command(log, table), revision=revision, restart=True) as client:
        handle = client.start_tool("hang")
        await client.call_tool("quick")
        first = child_pid(log)
        os.kill(first, signal.SIGKILL)
        with pytest.raises(ConnectionLost):
            await handle
        states = [client.connected]
        result = await client.call_tool("quick")
        assert result.content[0].text == "done"  # type: ignore[union-attr]
        assert [*states, client.connected] == [False, True]
        second = child_pid(log)
        assert second != first
        assert b'"hang"' not in log.read_bytes()  # the new process was not asked what the old one died of
    assert not is_running(second)


async def test_p5_a_server_that_does_not_stay_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    table = {**usual(REVISION), "tools/call": MORTAL}
    async with Client(child_command(tmp_path / "log", table), revision=REVISION, restart=1) as client:
        for _ in range(2):
            with pytest.raises(ConnectionLost, match="exited with code 3"):
                await client.call_tool("any")
        for _ in range(2):
            with pytest.raises(ConnectFailed) as caught:
                await client.call_tool("any")
        assert str(caught.value).endswith(
            "was started again once and did not stay: it exited with code 3. Last stderr: the disk is full"
            " (connect() tries anew)"
        )
        assert (caught.value.phase, caught.value.exit_code) == ("restarting", 3)
        assert caught.value.stderr_tail == "the disk is full\n"
        await client.connect()
        assert await client.request("ping") == {}


# ---- how often, and how quickly


async def test_without_restart_the_next_call_fails() -> None:
    async with Client(Wires(usually()), revision=REVISION) as client:
        await die(client)
        with pytest.raises(ConnectionLost):
            await client.call_tool("any")


async def test_the_first_start_is_at_once_and_the_waits_double() -> None:
    clock = Clock()
    async with patient(Wires(usually()), clock, restart=4) as client:
        for _ in range(5):
            await die(client)
        assert clock.waits == [0.5, 1.0, 2.0]
        with pytest.raises(ConnectFailed, match="started again 4 times and did not stay"):
            await client.call_tool("any")


async def test_the_longest_wait_is_bounded() -> None:
    assert [Pace().before(start) for start in (0, 1, 2, 6, 7, 50)] == [0.0, 0.5, 1.0, 16.0, 30.0, 30.0]


async def test_a_server_that_lived_long_starts_counting_anew() -> None:
    clock = Clock()
    async with patient(Wires(usually()), clock, restart=1) as client:
        for _ in range(3):
            await die(client)
            assert await client.request("ping") == {}
            clock.now += 60
        await die(client)
        await die(client)
        with pytest.raises(ConnectFailed):
            await client.request("ping")


async def test_a_start_that_fails_is_tried_again_within_the_same_call() -> None:
    clock, wires = Clock(), Wires(usually(), OSError("not yet"), OSError("not yet"), usually())
    async with patient(wires, clock) as client:
        await die(client)
        assert await client.request("ping") == {}
    assert clock.waits == [0.5, 1.0]


async def test_only_a_whole_number_of_starts_and_a_server_that_can_be_started_will_do() -> None:
    with pytest.raises(TypeError, match="restart: only for a server that the client starts, which 'here' is not"):
        Client(Server("here"), restart=True)
    with pytest.raises(TypeError, match="which 'Wire' is not"):
        Client(Wire({}), restart=2)
    with pytest.raises(ValueError, match="how many times"):
        Client(["true"], restart=-1)
    Client(Server("here"), restart=False)


# ---- who waits


async def test_many_calls_wait_for_one_start() -> None:
    wires = Wires(usually(), usually(**{"tools/call": [text("again")]}))
    async with patient(wires, Clock()) as client:
        await die(client)
        handles = [client.start_tool("any") for _ in range(20)]
        assert {(await handle).content[0].text for handle in handles} == {"again"}  # type: ignore[union-attr]
    assert len(wires.opened) == 2


async def test_who_is_cancelled_while_waiting_does_not_end_the_start_for_others() -> None:
    wires = Wires(usually(), usually(initialize=[]), usually())
    async with patient(wires, Clock(), connect_timeout=None) as client:
        await die(client)
        first, second = client.start_tool("any"), client.start_tool("any")
        while len(wires.opened) < 2:
            await anyio.lowlevel.checkpoint()
        await wires.opened[1].wrote("initialize")
        first.cancel()
        wires.opened[1].push(None)
        await second


async def test_a_call_waits_no_longer_than_it_may_be_silent() -> None:
    wires = Wires(usually(), usually(initialize=[]))
    async with patient(wires, Clock()) as client:
        await die(client)
        with pytest.raises(Timeout, match=r"'Wires': the server had died and was not back within 0\.01 s"):
            await client.call_tool("any", timeout=0.01)


async def test_closing_ends_a_start_and_fails_those_who_wait() -> None:
    wires = Wires(usually(), usually(initialize=[]))
    client = patient(wires, Clock())
    await client.connect()
    await die(client)
    handle = client.start_tool("any")
    while len(wires.opened) < 2:
        await anyio.lowlevel.checkpoint()
    await wires.opened[1].wrote("initialize")
    with pytest.raises(RuntimeError, match=r"connect\(\) was called before"):
        await client.connect()
    await client.aclose()
    with pytest.raises(ConnectionLost, match="this client was closed"):
        await handle
    assert wires.opened[1].closed
    with pytest.raises(ConnectionLost, match="this client was closed"):
        await client.call_tool("any")


# ---- what has to be said again


async def test_what_the_old_server_was_told_is_said_again_before_anybody_goes_on() -> None:
    wires = Wires(usually())
    async with patient(wires, Clock()) as client:

        async def renew() -> None:
            await client.set_logging_level("error")

        async def fail() -> None:
            raise OSError("no matter")

        client._on_reopened += [fail, renew]
        await die(client)
        await client.call_tool("any")
    methods = [message["method"] for message in wires.opened[1].messages]
    assert methods == ["initialize", "notifications/initialized", "logging/setLevel", "tools/call"]


async def test_the_log_level_is_said_again_by_the_start_itself_and_the_call_goes_on() -> None:
    table = {**usual(REVISION), "logging/setLevel": [result({})]}
    dies_once_opened = {**table, "initialize": [*table["initialize"], {"exit": 1}]}
    wires = Wires({**table, "tools/call": [{"exit": 1}]}, dies_once_opened, table)
    async with patient(wires, Clock()) as client:
        await client.set_log_level("error")
        with pytest.raises(ConnectionLost):
            await client.call_tool("any")
        assert (await client.call_tool("any")).text() == "done"
    _, _, last = wires.opened
    order = [each["method"] for each in last.messages if "id" in each]
    assert order == ["initialize", "logging/setLevel", "tools/call"]
    assert of(last.messages, "logging/setLevel")[0]["params"] == {"level": "error"}


async def test_who_is_not_started_again_any_more_is_told_why_the_last_start_failed() -> None:
    wires = Wires({**usual(REVISION), "tools/call": [{"exit": 1}]}, OSError("no such program"))
    async with patient(wires, Clock(), restart=2) as client:
        with pytest.raises(ConnectionLost):
            await client.call_tool("any")
        for _ in range(2):
            with pytest.raises(ConnectFailed, match=r"was started again 2 times and did not stay: .*no such program"):
                await client.call_tool("any")
