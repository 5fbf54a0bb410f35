"""A client without `await` (P23): every call of the asynchronous one, from any thread, interruptible."""

import inspect
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Literal, assert_type

import anyio
import pytest

from mcport import (
    Cancelled,
    Change,
    InputRequired,
    ResourceUpdated,
    Timeout,
    ToolResult,
    sync,
)
from mcport.client.client import Client as AsyncClient
from mcport.spec.types import ElicitRequestFormParams, ListToolsResult, Tool
from mcport.sync.phases import phase_of
from mcport.sync.portal import Portal, PortalClosed
from tests.client import notifying
from tests.client.counterpart import ALL, STATELESS, notification, request, usual
from tests.client.playing import Wire, child_command, child_pid, is_running
from tests.sync.desk import REVISION, Desk, loop_threads, said
from tests.transports.children import PATIENCE, SOURCES

# ---- the calls


def answered(messages: list[Any]) -> bool:
    """Whether the client has answered a question."""
    return any("result" in message for message in messages)


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


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_an_interrupt_before_the_first_step_of_a_call_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    portal, withdrawn, begun = Portal("test"), threading.Event(), []
    begin, cancel = portal._begin, portal._cancel

    def begin_late(*arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        withdrawn.wait(PATIENCE)
        begin(*arguments)

    async def call() -> None:
        begun.append(True)
        await anyio.sleep_forever()

    def cancel_and_tell(running: Any) -> None:
        cancel(running)
        withdrawn.set()

    monkeypatch.setattr(portal, "_begin", begin_late)
    monkeypatch.setattr(portal, "_cancel", cancel_and_tell)
    try:
        with pytest.raises(KeyboardInterrupt):
            portal.run(call)
    finally:
        portal.close()
    assert begun == []


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
        host._run(
            lambda: wire.until(lambda messages: any("result" in message for message in messages)),
            phase_of("the answer"),
        )
        handle.cancel()
    assert heard == ["Sure?", "done", "mcport callback"]
    assert {"jsonrpc": "2.0", "id": "q1", "result": {"action": "decline"}} in wire.messages


def test_a_callback_that_fails_fails_nothing_else(client: sync.Client, caplog: pytest.LogCaptureFixture) -> None:
    def progress(value: float, total: float | None, message: str | None) -> None:
        raise SystemExit("no")

    assert said(client.call_tool("count", progress=progress)) == "counted"
    assert "the progress callback failed" in caplog.text


async def leave(*arguments: object) -> None:
    raise SystemExit("enough")


def test_a_callback_in_the_loop_that_ends_the_program_ends_only_what_it_was_called_for(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    portal = Portal("test")
    try:
        with pytest.raises(SystemExit, match="enough"):
            portal.run(leave)
        portal._post(lambda: sys.exit("at once"))
        portal.run(anyio.lowlevel.checkpoint)
    finally:
        portal.close()
    assert "SystemExit('at once') in a callback" in caplog.text
    with sync.Client(desk.server, progress=leave) as client:
        assert said(client.call_tool("count")) == "counted"
        assert said(client.call_tool("add", {"a": 1, "b": 2})) == "3"


def test_a_callback_in_the_loop_that_closes_its_client_is_told_that_nobody_can_wait_there() -> None:
    form = {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}}
    wire = Wire({**usual(REVISION), "tools/call ask": [request("elicitation/create", "q1", form)]})
    caught: list[str] = []

    async def elicit(question: ElicitRequestFormParams) -> Literal["decline"]:
        with pytest.raises(RuntimeError, match="nothing here can wait for it") as error:
            host.close()
        caught.append(str(error.value))
        return "decline"

    with sync.Client(wire, revision=REVISION, elicit=elicit) as host:
        handle = host.start_tool("ask")
        host._run(
            lambda: wire.until(lambda messages: any("result" in message for message in messages)),
            phase_of("the answer"),
        )
        assert said(host.call_tool("any")) == "done"
        handle.cancel()
    assert len(caught) == 1
    assert loop_threads() == []
