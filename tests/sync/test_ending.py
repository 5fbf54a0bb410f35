"""A blocking client comes to its end: closed, lost, forgotten, forked, or left open by a program that ends."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from mcport import (
    Client,
    ConnectFailed,
    ConnectionLost,
    ConversationError,
    sync,
)
from tests.client.counterpart import usual
from tests.client.playing import child_command, child_pid, is_running
from tests.sync.desk import REVISION, Desk, loop_threads, said
from tests.transports.children import PATIENCE, SOURCES


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
    with pytest.raises(ConnectionLost, match="tools/list on server 'desk': connection lost, this client was closed"):
        client.list_tools()
    with client:
        assert client.list_tools().tools


VERBS: dict[str, tuple[Any, ...]] = {
    "call_tool": ("add", {"a": 1, "b": 2}),
    "discover": (),
    "get_prompt": ("greet", {"name": "Ada"}),
    "list_prompts": (),
    "list_resources": (),
    "list_resource_templates": (),
    "list_tools": (),
    "ping": (),
    "read_resource": ("note://a",),
    "request": ("tools/list",),
    "subscribe_resource": ("note://a",),
    "unsubscribe_resource": ("note://a",),
}


@pytest.mark.parametrize("verb", VERBS)
async def test_errors_call_a_call_as_the_asynchronous_client_does(desk: Desk, verb: str) -> None:
    blocking, other = sync.Client(desk.server), Client(desk.server)
    said = []
    for _ in ("never opened", "closed"):
        with pytest.raises(ConversationError) as caught:
            await getattr(other, verb)(*VERBS[verb])
        expected = caught.value
        with pytest.raises(type(expected)) as caught:
            getattr(blocking, verb)(*VERBS[verb])
        assert (str(caught.value), caught.value.phase) == (str(expected).replace("async with", "with"), expected.phase)
        said.append(type(expected))
        async with other:
            blocking.connect()
            blocking.close()
    assert said == [ConnectFailed, ConnectionLost]


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
    assert caught == ["tools/call wait on server 'desk': connection lost, closed here"]


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


def test_p6_a_client_that_is_forgotten_in_its_own_loop_is_closed_there(tmp_path: Path) -> None:
    client: Any = sync.Client(child_command(tmp_path / "log", usual(REVISION)), revision=REVISION)
    client.connect()
    pid, portal, client.cycle = child_pid(tmp_path / "log"), client._portal, client
    del client

    async def collect() -> None:
        gc.collect()

    portal.run(collect)
    portal.close()
    assert (tmp_path / "log").read_bytes().endswith(b"eof\n")  # it was let go in peace
    assert not is_running(pid)
    assert loop_threads() == []


FORKED = """
import os, sys
sys.path.insert(0, {sources!r})
from mcport import ConnectionLost, Server, sync
client = sync.Client(Server("desk"), revision="2025-11-25")
client.connect()
child = os.fork()
if not child:
    try:
        client.ping()
    except ConnectionLost as error:
        print(error, flush=True)
    {end}
    sys.exit(7)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), client.connected)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.parametrize("end", ["pass", "client.close()", "del client"])
def test_a_forked_process_is_told_that_the_client_is_not_its_own_and_ends(end: str) -> None:
    script = FORKED.format(sources=str(SOURCES), end=end)
    done = subprocess.run([sys.executable, "-I", "-c", script], capture_output=True, text=True, timeout=PATIENCE)
    line = "ping on server 'desk': connection lost, it belongs to the process that this one was forked from"
    assert (done.returncode, done.stdout.splitlines()) == (0, [line, "7 True"])


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
