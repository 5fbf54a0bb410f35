"""A client is opened and closed from any task, in any order, and leaves nothing behind (P1, P6)."""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from mcport import Client, ConnectFailed, ConnectionLost, ConversationError, Server
from mcport.transports import process
from tests.client.counterpart import ALL, usual
from tests.client.playing import Wire, child_command, child_pid, client_of, is_running
from tests.transports.children import Leash, program

REVISION = "2025-11-25"
SILENT: dict[str, list[Any]] = {"initialize": []}


def adder() -> Server:
    server = Server("adder")

    @server.tool
    async def add(a: int, b: int) -> int:
        """Add."""
        return a + b

    @server.tool
    async def wait() -> None:
        """Wait for ever."""
        await anyio.sleep_forever()

    return server


def stuck(log: Path) -> tuple[Client, anyio.Event]:
    """A client of a process that never answers, and the event that it was asked."""
    asked = anyio.Event()
    table = {**usual(REVISION), "initialize": [{"stderr": "asked\n"}]}
    return Client(child_command(log, table), revision=REVISION, stderr=lambda line: asked.set()), asked


async def works(client: Client) -> bool:
    return (await client.request("ping")) == {}


def running_tasks() -> set[Any]:
    """The tasks of asyncio, or how many trio has."""
    if "trio" in sys.modules:
        import trio

        if trio.lowlevel.in_trio_run():
            return {*range(trio.lowlevel.current_statistics().tasks_living)}
    return asyncio.all_tasks()


# ---- whoever, whenever


async def test_p1_two_clients_may_be_closed_first_in_first_out() -> None:
    first, second = Client(adder(), revision=REVISION), Client(adder(), revision=REVISION)
    await first.connect()
    await second.connect()
    await first.aclose()
    assert await works(second)
    await second.aclose()


async def test_p1_two_children_may_be_closed_first_in_first_out(tmp_path: Path) -> None:
    clients = [Client(child_command(tmp_path / name, usual(REVISION)), revision=REVISION) for name in "ab"]
    for client in clients:
        await client.connect()
    await clients[0].aclose()
    assert await works(clients[1])
    await clients[1].aclose()
    assert [is_running(child_pid(tmp_path / name)) for name in "ab"] == [False, False]


async def test_p1_a_client_may_be_closed_in_another_task_than_it_was_opened_in(tmp_path: Path) -> None:
    client = Client(child_command(tmp_path / "log", usual(REVISION)), revision=REVISION)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.connect)
    assert await works(client)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.aclose)
    assert not client.connected
    assert not is_running(child_pid(tmp_path / "log"))


async def test_p1_a_scope_of_the_caller_that_is_cancelled_does_not_reach_into_the_client() -> None:
    client = Client(adder(), revision=REVISION)
    with anyio.CancelScope() as scope:
        await client.connect()
        scope.cancel()
    assert await works(client)
    with anyio.CancelScope() as scope:
        scope.cancel()
        await client.aclose()
    assert not client.connected


async def test_closing_from_many_tasks_returns_when_the_end_is_there(tmp_path: Path) -> None:
    client = Client(child_command(tmp_path / "log", usual(REVISION)), revision=REVISION)
    await client.connect()
    pid = child_pid(tmp_path / "log")
    left: list[bool] = []

    async def close() -> None:
        await client.aclose()
        left.append(is_running(pid))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(close)
    assert left == [False, False, False]


async def test_a_client_that_was_never_opened_can_be_closed() -> None:
    await Client(adder()).aclose()


async def test_a_client_connects_once_at_a_time() -> None:
    wire = Wire({**usual(REVISION), **SILENT})
    client = client_of(wire, REVISION)
    async with anyio.create_task_group() as tasks:

        async def fail_to_connect() -> None:
            with pytest.raises(ConnectFailed):
                await client.connect()

        tasks.start_soon(fail_to_connect)
        await wire.wrote("initialize")
        with pytest.raises(RuntimeError, match="connecting"):
            await client.connect()
        await client.aclose()
    async with Client(adder()) as client:
        with pytest.raises(RuntimeError, match="connect\\(\\) was called before"):
            await client.connect()


# ---- closing in the middle of something


async def test_closing_fails_the_pending_calls_and_tells_the_server() -> None:
    wire = Wire({**usual(REVISION), "tools/call": []})
    client = client_of(wire, REVISION)
    await client.connect()
    handles = [client.start_tool("hang"), client.start_tool("hang")]
    await wire.wrote("tools/call", 2)
    await client.aclose()
    for handle in handles:
        with pytest.raises(ConnectionLost, match="tools/call hang on server 'Wire': connection lost, closed here"):
            await handle
    ids = [message["id"] for message in await wire.wrote("tools/call", 2)]
    assert [message["params"]["requestId"] for message in await wire.wrote("notifications/cancelled", 2)] == ids


async def test_closing_while_another_task_connects_ends_the_attempt(tmp_path: Path) -> None:
    client, asked = stuck(tmp_path / "log")
    async with anyio.create_task_group() as tasks:

        async def connect() -> None:
            with pytest.raises(ConnectFailed, match="the client was closed meanwhile"):
                await client.connect()

        tasks.start_soon(connect)
        await asked.wait()
        await client.aclose()
        assert not is_running(child_pid(tmp_path / "log"))


async def test_a_cancelled_connect_leaves_no_process_behind(tmp_path: Path) -> None:
    client, asked = stuck(tmp_path / "log")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.connect)
        await asked.wait()
        tasks.cancel_scope.cancel()
    assert not is_running(child_pid(tmp_path / "log"))
    assert not client.connected


async def test_an_exception_in_the_body_comes_out_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="mine"):
        async with Client(child_command(tmp_path / "log", usual(REVISION)), revision=REVISION):
            raise KeyError("mine")
    assert not is_running(child_pid(tmp_path / "log"))


# ---- what is left


@pytest.mark.skipif(sys.platform == "win32", reason="FIFOs and process groups are POSIX")
async def test_p6_closing_ends_what_the_server_started_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "ChildLimits", partial(process.ChildLimits, close_seconds=0.02))
    leash = Leash(tmp_path / "leash")
    client = Client(program("leaves_grandchild.py", leash.path, "stays"))
    async with anyio.create_task_group() as tasks:

        async def connect() -> None:
            with pytest.raises(ConnectFailed):
                await client.connect()

        tasks.start_soon(connect)
        await leash.line()
        await client.aclose()
        await leash.gone()
    leash.close()


@pytest.mark.parametrize("revision", ALL)
async def test_no_task_is_left_when_a_client_is_closed(tmp_path: Path, revision: str) -> None:
    before = running_tasks()
    for target in (adder(), child_command(tmp_path / "log", usual(revision)), Wire(usual(revision))):
        async with Client(target, revision=revision, timeout=5) as client:
            handle = client.start_tool("wait")
            await checkpoint()
        with pytest.raises(ConversationError):
            await handle
    await settled(lambda: running_tasks() <= before)


# ---- again


@pytest.mark.parametrize("revision", ALL)
async def test_a_closed_client_connects_again(tmp_path: Path, revision: str) -> None:
    for target in (adder(), child_command(tmp_path / "log", usual(revision))):
        client = Client(target, revision=revision)
        for _ in range(2):
            async with client:
                assert client.revision == revision
                await client.list_tools()
            with pytest.raises(ConnectionLost, match=r"connection lost, this client was closed$"):
                await client.list_tools()


async def test_a_client_that_found_out_once_does_not_probe_again() -> None:
    wires = [Wire(usual("2025-06-18")), Wire(usual("2025-06-18"))]
    left = iter(wires)

    async def dial() -> Wire:
        return next(left)

    client = Client(dial)
    for _ in wires:
        async with client:
            assert client.revision == "2025-06-18"
    assert [wire.messages[0]["method"] for wire in wires] == ["server/discover", "initialize"]


async def test_before_it_is_connected_a_client_says_how_to() -> None:
    client = Client(adder())
    assert repr(client) == "<Client of 'adder', not connected>"
    for call in (client.list_tools, lambda: client.request("ping")):
        with pytest.raises(ConnectFailed, match=r"the client of 'adder' is not connected: use 'async with' or connect"):
            await call()
    with pytest.raises(ConnectFailed):
        client.start_tool("add")
    with pytest.raises(ConnectFailed):
        client.notify("notifications/roots/list_changed")
    with pytest.raises(ConnectFailed):
        _ = client.revision


async def settled(condition: Callable[[], bool]) -> None:
    """Wait, a few turns of the loop at most, for tasks that are about to end."""
    for _ in range(20):
        if condition():
            return
        await checkpoint()
    assert condition()
