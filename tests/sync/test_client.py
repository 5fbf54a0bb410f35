"""A client without `await` (P23): every call of the asynchronous one, from any thread, interruptible."""

import gc
import inspect
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, assert_type

import anyio
import pytest

from mcport import (
    Cancelled,
    Change,
    ConnectFailed,
    ConnectionLost,
    Context,
    InputRequired,
    ResourceUpdated,
    Server,
    Timeout,
    ToolResult,
    sync,
)
from mcport.client.client import Client as AsyncClient
from mcport.spec.types import CallToolResult, ElicitRequestFormParams, ListToolsResult, Tool
from mcport.sync.portal import Portal, PortalClosed
from tests.client import notifying
from tests.client.counterpart import ALL, STATELESS, notification, request, usual
from tests.client.playing import Wire, child_command, child_pid, is_running
from tests.transports.children import PATIENCE, SOURCES

REVISION = "2025-11-25"


class Desk:
    """A server in this process, and what happened in it."""

    def __init__(self) -> None:
        self.server = Server("desk")
        self.waiting = threading.Event()
        self.ended = threading.Event()
        self.on_wait: Callable[[], None] = self.waiting.set
        self.server.tool(self.add)
        self.server.tool(self.wait)
        self.server.tool(self.count)
        self.server.resource("note://{name}")(self.note)
        self.server.prompt(self.greet)

    async def add(self, a: int, b: int) -> int:
        """Add."""
        return a + b

    async def wait(self) -> None:
        """Wait for ever."""
        try:
            self.on_wait()
            await anyio.sleep_forever()
        finally:
            self.ended.set()

    async def count(self, ctx: Context) -> str:
        """Count to three."""
        for number in range(3):
            await ctx.report_progress(number, 3)
        return "counted"

    async def note(self, name: str) -> str:
        """A note."""
        return f"about {name}"

    async def greet(self, name: str) -> str:
        """Greet."""
        return f"Hello {name}"


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
def client(desk: Desk) -> Iterator[sync.Client]:
    with sync.Client(desk.server) as client:
        yield client


def said(result: CallToolResult) -> str:
    [block] = result.content
    return block.text  # type: ignore[union-attr]


def loop_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mcport client")]


# ---- the calls


@pytest.mark.parametrize("revision", ALL)
def test_p23_a_script_calls_without_await(desk: Desk, revision: str) -> None:
    with sync.Client(desk.server, revision=revision) as client:
        assert client.connected
        assert (client.revision, client.server_info.get("name", "desk")) == (revision, "desk")
        assert said(client.call_tool("add", {"a": 1, "b": 2})) == "3"
        assert client.read_resource("note://tea").contents[0].text == "about tea"  # type: ignore[union-attr]
        assert client.get_prompt("greet", {"name": "Ada"}).messages[0].content.text == "Hello Ada"  # type: ignore[union-attr]
        assert [tool.name for tool in client.each_tool()] == [tool.name for tool in client.list_tools().tools]
    assert [client.connected] == [False]
    assert loop_threads() == []


def test_p23_a_server_in_a_process_of_its_own_is_called_and_ended(tmp_path: Path) -> None:
    with sync.Client(child_command(tmp_path / "log", usual(REVISION)), revision=REVISION) as client:
        assert said(client.call_tool("any")) == "done"
        pid = child_pid(tmp_path / "log")
    assert not is_running(pid)


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_p23_every_call_of_the_asynchronous_client_has_a_blocking_twin() -> None:
    assert public(AsyncClient) - {"aclose"} == public(sync.Client) - {"close"}
    for name in public(sync.Client) - {"close"}:
        ours, theirs = getattr(sync.Client, name), getattr(AsyncClient, name)
        if callable(ours):
            assert inspect.signature(ours).parameters.keys() == inspect.signature(theirs).parameters.keys(), name
            assert not inspect.iscoroutinefunction(ours), name
        assert ours.__doc__, name
    assert inspect.signature(sync.Client) == inspect.signature(AsyncClient)


def test_p23_type_checkers_know_the_calls() -> None:
    def never_called(client: sync.Client) -> None:
        assert_type(client.call_tool("add", {"a": 1}), ToolResult[Any])
        assert_type(client.call_tool("add", rounds=0), ToolResult[Any] | InputRequired)
        assert_type(client.list_tools(), ListToolsResult)
        assert_type(client.each_tool(), sync.Stream[Tool])
        assert_type(client.start_tool("add").result(), ToolResult[Any])
        client.call_tool(1)  # type: ignore[call-overload]
        sync.Client("server.py", no_such_option=1)  # type: ignore[call-arg]

    assert callable(never_called)


def test_p17_importing_it_loads_nothing_that_costs() -> None:
    script = (
        "from mcport import sync\nfound = [name for name in ('asyncio', 'anyio', 'pydantic', 'httpx')"
        " if name in sys.modules]\nprint(found, sync.Client.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(SOURCES)!r})\n{script}"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert (done.stdout.strip(), done.stderr) == ("[] Client", "")


@pytest.mark.parametrize("revision", ALL)
def test_p23_a_loop_hears_what_changes_at_the_server(revision: str) -> None:
    table = notifying.table(revision, "note://a")
    told = notification(notifying.UPDATED, {"uri": "note://a"})
    table["resources/subscribe"].append(told)
    if revision in STATELESS:
        table["subscriptions/listen"].append(notifying.stamped(notifying.UPDATED, "$id", uri="note://a"))
    with sync.Client(Wire(table), revision=revision) as client:
        with client.listen(uris=["note://a"]) as changes:
            assert_type(changes, sync.Changes)
            assert (changes.honoured.uris, bool(changes.missing)) == (("note://a",), False)
            assert next(changes) == ResourceUpdated("note://a")
        assert [*changes] == []
        for change in client.listen(uris=["note://a"]):
            assert change == ResourceUpdated("note://a")
            break


def test_listening_ends_for_a_waiting_thread_when_it_is_closed() -> None:
    with sync.Client(Wire(notifying.table("2026-07-28"))) as client, client.listen(tools=True) as changes:
        heard: list[Change] = []
        thread = threading.Thread(target=lambda: heard.extend(changes))
        thread.start()
        changes.close()
        thread.join(PATIENCE)
        assert not thread.is_alive()
        assert heard == []


# ---- threads and loops


async def test_p23_it_works_inside_a_running_loop(desk: Desk) -> None:
    """As in a notebook: the cell blocks, whatever loop runs around it."""
    with sync.Client(desk.server) as client:
        assert said(client.call_tool("add", {"a": 1, "b": 2})) == "3"
        await anyio.lowlevel.checkpoint()
        assert [tool.name for tool in client.each_tool()] == ["add", "wait", "count"]


def test_many_threads_may_call_at_once(client: sync.Client) -> None:
    results: list[str] = []

    def work(number: int) -> None:
        results.extend(said(client.call_tool("add", {"a": number, "b": each})) for each in range(20))

    threads = [threading.Thread(target=work, args=(100 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(map(int, results)) == sorted(100 * number + each for number in range(8) for each in range(20))


def test_a_call_has_the_time_it_was_given(client: sync.Client) -> None:
    with pytest.raises(Timeout):
        client.call_tool("wait", timeout=0.01)
    assert said(client.call_tool("add", {"a": 1, "b": 2})) == "3"


def test_nothing_waits_in_the_loops_own_thread() -> None:
    portal = Portal("test")

    async def nothing() -> None: ...

    async def wait_here() -> str:
        with pytest.raises(RuntimeError, match="event loop: nothing here can wait for it") as caught:
            portal.run(nothing)
        return str(caught.value)

    try:
        assert portal.run(wait_here)
    finally:
        portal.close()
    with pytest.raises(PortalClosed):
        portal.run(nothing)


# ---- Ctrl-C


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_p23_an_interrupt_withdraws_the_call_and_leaves_the_client_usable(desk: Desk, client: sync.Client) -> None:
    desk.on_wait = lambda: os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        client.call_tool("wait")
    assert desk.ended.wait(PATIENCE)
    assert said(client.call_tool("add", {"a": 1, "b": 2})) == "3"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_an_interrupted_opening_leaves_no_process_and_no_thread(tmp_path: Path) -> None:
    table = {**usual(REVISION), "initialize": [{"stderr": "asked\n"}]}
    client = sync.Client(
        child_command(tmp_path / "log", table),
        revision=REVISION,
        stderr=lambda line: os.kill(os.getpid(), signal.SIGINT),
    )
    with pytest.raises(KeyboardInterrupt):
        client.connect()
    assert not is_running(child_pid(tmp_path / "log"))
    assert loop_threads() == []


# ---- handles


def test_p23_a_handle_gives_its_result_or_is_cancelled(desk: Desk, client: sync.Client) -> None:
    quick, slow = client.start_tool("add", {"a": 1, "b": 2}), client.start_tool("wait")
    assert said(quick.result()) == said(quick.result()) == "3"
    with pytest.raises(TimeoutError, match=r"CallHandle tools/call wait .* has no result after 0\.01 s"):
        slow.result(timeout=0.01)
    assert (quick.done, slow.done) == (True, False)
    slow.cancel()
    with pytest.raises(Cancelled):
        slow.result()
    assert desk.ended.wait(PATIENCE)
    slow.cancel()
    assert client.start("tools/list").result()["tools"]


# ---- callbacks


def test_callbacks_have_threads_of_their_own_and_may_call_the_client(client: sync.Client) -> None:
    reports: list[tuple[float, str, bool]] = []

    def progress(value: float, total: float | None, message: str | None) -> None:
        sum_ = said(client.call_tool("add", {"a": int(value), "b": 10}))
        reports.append((value, sum_, threading.current_thread() is threading.main_thread()))

    assert said(client.call_tool("count", progress=progress)) == "counted"
    assert reports == [(0, "10", False), (1, "11", False), (2, "12", False)]


def test_a_callback_that_is_a_coroutine_function_runs_in_the_loop(desk: Desk) -> None:
    seen: list[str] = []

    async def progress(value: float, total: float | None, message: str | None) -> None:
        await anyio.lowlevel.checkpoint()
        seen.append(threading.current_thread().name)

    with sync.Client(desk.server, progress=progress) as client:
        client.call_tool("count")
    assert seen == ["mcport client of desk"] * 3


def test_a_question_is_answered_in_a_thread_that_may_block_and_call_the_client() -> None:
    form = {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}}
    table = {**usual(REVISION), "tools/call ask": [request("elicitation/create", "q1", form)]}
    wire, asked = Wire(table), threading.Event()
    heard: list[str] = []

    def elicit(question: ElicitRequestFormParams) -> Literal["decline"]:
        heard.extend([question.message, said(host.call_tool("any")), threading.current_thread().name])
        asked.set()
        return "decline"

    with sync.Client(wire, revision=REVISION, elicit=elicit) as host:
        handle = host.start_tool("ask")
        assert asked.wait(PATIENCE)
        assert said(host.call_tool("any")) == "done"
        host._run(lambda: wire.until(lambda messages: any("result" in message for message in messages)), "the answer")
        handle.cancel()
    assert heard == ["Sure?", "done", "mcport callback"]
    assert {"jsonrpc": "2.0", "id": "q1", "result": {"action": "decline"}} in wire.messages


def test_a_callback_that_fails_fails_nothing_else(client: sync.Client, caplog: pytest.LogCaptureFixture) -> None:
    def progress(value: float, total: float | None, message: str | None) -> None:
        raise SystemExit("no")

    assert said(client.call_tool("count", progress=progress)) == "counted"
    assert "the progress callback failed" in caplog.text


# ---- the end


def test_before_and_after_it_says_so(desk: Desk) -> None:
    client = sync.Client(desk.server)
    assert repr(client) == "<blocking Client of 'desk', not connected>"
    with pytest.raises(ConnectFailed, match=r"the client of 'desk' is not connected: use 'with' or connect\(\)"):
        client.list_tools()
    client.close()
    with client:
        with pytest.raises(RuntimeError, match=r"connect\(\) was called before"):
            client.connect()
        assert client.list_tools().tools
    with pytest.raises(ConnectionLost, match="list_tools on server 'desk': connection lost, this client was closed"):
        client.list_tools()
    with client:
        assert client.list_tools().tools


def test_p3_closing_fails_what_waits_in_other_threads(desk: Desk) -> None:
    client, caught = sync.Client(desk.server), []
    client.connect()

    def wait() -> None:
        try:
            client.call_tool("wait")
        except ConnectionLost as error:
            caught.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    assert desk.waiting.wait(PATIENCE)
    client.close()
    thread.join(PATIENCE)
    assert caught == ["tools/call on server 'desk': connection lost, closed here"]


def test_a_connection_that_fails_leaves_no_thread(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ConnectFailed, match="not found on PATH"):
            sync.Client(["no-such-command-anywhere"]).connect()
    assert loop_threads() == []


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_a_server_that_died_is_told_and_started_again_if_wanted(tmp_path: Path) -> None:
    command = child_command(tmp_path / "log", {**usual(REVISION), "tools/call die": [{"exit": 3}]})
    with sync.Client(command, revision=REVISION, restart=1) as client:
        with pytest.raises(ConnectionLost, match="it exited with code 3"):
            client.call_tool("die")
        assert said(client.call_tool("any")) == "done"


def test_p6_a_client_that_is_forgotten_is_closed(tmp_path: Path) -> None:
    client = sync.Client(child_command(tmp_path / "log", usual(REVISION)), revision=REVISION)
    client.connect()
    pid = child_pid(tmp_path / "log")
    del client
    gc.collect()
    assert not is_running(pid)
    assert loop_threads() == []


FORGETFUL = """
import sys
sys.path.insert(0, {sources!r})
from mcport import sync
client = sync.Client({command!r}, revision="2025-11-25")
client.connect()
client.start_tool("hang")
print(client.list_tools().tools)
"""


def test_p6_a_program_that_ends_closes_its_clients(tmp_path: Path) -> None:
    command = child_command(tmp_path / "log", {**usual(REVISION), "tools/call hang": []})
    script = FORGETFUL.format(sources=str(SOURCES), command=command)
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", script], capture_output=True, text=True, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
    assert (tmp_path / "log").read_bytes().endswith(b"eof\n")  # it was let go in peace
    assert not is_running(child_pid(tmp_path / "log"))
