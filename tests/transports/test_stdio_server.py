"""Servers over stdio as real processes: what reaches the wire, and every way in which they end."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.wire import NEW, OLD
from tests.transports.children import PATIENCE, mcport_program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, terminals and FIFOs of POSIX")

both_loops = pytest.mark.parametrize("loop", ["asyncio", "trio"])
INFO = {"name": "raw", "version": "1"}
HINT = "This is an MCP server"


def request(id: object, method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode() + b"\n"


def call(id: object, name: str, **arguments: Any) -> bytes:
    return request(id, "tools/call", name=name, arguments=arguments)


OPEN = request(0, "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=INFO)


class Reader:
    """Lines from a descriptor, waited for with patience."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._rest = b""
        self.seen: list[str] = []

    def line(self) -> str:
        """The next line; none at the end."""
        while b"\n" not in self._rest:
            piece = self._more()
            if not piece:
                return ""
            self._rest += piece
        line, self._rest = self._rest.split(b"\n", 1)
        self.seen.append(line.decode())
        return self.seen[-1]

    def until(self, text: str) -> None:
        while self.line() != text:
            assert self.seen, f"{text!r} never came"

    def rest(self) -> list[str]:
        """All lines that come before the end."""
        while self.line():
            pass
        return self.seen

    def _more(self) -> bytes:
        ready, _, _ = select.select([self._fd], [], [], PATIENCE)
        assert ready, f"nothing came after {self.seen[-3:]}"
        return os.read(self._fd, 65536)


class Nursery:
    """Forks servers from a process that has everything imported: starting Python is what takes time."""

    def __init__(self) -> None:
        self.orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.orders.settimeout(PATIENCE)
        with theirs:
            command = mcport_program("server.py", str(theirs.fileno()))
            self._popen = subprocess.Popen(command, pass_fds=[theirs.fileno()])

    def close(self) -> None:
        self.orders.close()
        assert self._popen.wait(PATIENCE) == 0

    def start(self, arguments: tuple[str, ...], fds: list[int]) -> int:
        socket.send_fds(self.orders, [json.dumps(arguments).encode()], fds)
        return int(self.orders.recv(100))

    def wait(self, pid: int) -> int:
        self.orders.send(b"%d" % pid)
        return int(self.orders.recv(100))


class Process:
    """A server process; `answers` and `notes` are its stdout and stderr. Pipes are made where none is given."""

    def __init__(self, nursery: Nursery, *arguments: str, stdin: int | None = None, stdout: int | None = None) -> None:
        self._nursery = nursery
        reading, self.stdin = os.pipe() if stdin is None else (os.dup(stdin), -1)
        self.stdout, writing = os.pipe() if stdout is None else (-1, os.dup(stdout))
        self.stderr, noting = os.pipe()
        given = [reading, writing, noting]
        self.pid = nursery.start(arguments, given)
        for fd in given:
            os.close(fd)
        self.code: int | None = None
        self.notes = Reader(self.stderr)
        self.answers = Reader(self.stdout)

    def write(self, *lines: bytes) -> None:
        for line in lines:
            while line:
                line = line[os.write(self.stdin, line) :]

    def answer(self) -> Any:
        line = self.answers.line()
        assert line, "the server has ended"
        return json.loads(line)

    def say_no_more(self) -> None:
        os.close(self.stdin)
        self.stdin = -1

    def read_no_more(self) -> None:
        os.close(self.stdout)
        self.stdout = -1

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Wait for the end and return the exit code, negative for a signal."""
        if self.code is None:
            self.code = self._nursery.wait(self.pid)
        return self.code

    def ended(self) -> tuple[int, list[str]]:
        """Wait for the end; return the exit code and what was noted, the lifespan's frame taken away."""
        code, notes = self.wait(), self.notes.rest()
        assert (notes[0], notes[-1]) == ("lifespan began", "lifespan ended")
        return code, notes[1:-1]

    def clear_away(self) -> None:
        if self.code is None:
            self.signal(signal.SIGKILL)
            self.wait()
        for fd in (self.stdin, self.stdout, self.stderr):
            if fd >= 0:
                os.close(fd)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    made = Nursery()
    yield made
    made.close()


@pytest.fixture
def start(nursery: Nursery) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(*arguments: str, **streams: int) -> Process:
        started.append(Process(nursery, *arguments, **streams))
        return started[-1]

    yield start
    for process in started:
        process.clear_away()


Start = Callable[..., Process]


def text_of(answer: Any) -> str:
    text: str = answer["result"]["content"][0]["text"]
    return text


# ---- the wire


@both_loops
@pytest.mark.requirement("stdio.stdout-only-messages", "stdio.no-embedded-newlines")
def test_p18_p24_whatever_prints_only_messages_reach_stdout(start: Start, loop: str) -> None:
    drain, writing = os.pipe()
    process = start(loop, stdout=writing)
    process.answers = Reader(drain)
    process.write(OPEN, call("noise", "make_noise"), call(2, "add", a=1, b=2))
    by_id = {answer["id"]: answer for answer in (process.answer() for _ in range(3))}
    assert (text_of(by_id["noise"]), text_of(by_id[2])) == ("made", "3")
    process.say_no_more()
    code, notes = process.ended()
    noise = ["from print", "from sys.__stdout__", "from descriptor 1", "from C", "from a child"]
    assert (code, sorted(notes)) == (0, sorted(noise))
    assert os.get_blocking(writing), "the pipe was left non-blocking for whoever else holds it"
    os.close(writing)
    assert process.answers.rest() == process.answers.seen[:3]
    os.close(drain)


@pytest.mark.requirement("transport.utf-8")
def test_nonsense_long_lines_and_a_flood_leave_a_server_alive(start: Start) -> None:
    process = start("asyncio")
    process.write(OPEN, b"nonsense\n", b"\n", b"\xff\xfe\n", b'{"jsonrpc":"2.0"}\n')
    codes = [process.answer().get("error", {}).get("code") for _ in range(4)]
    assert sorted(codes, key=str) == [-32600, -32700, -32700, None]
    process.write(call("long", "add", a=1, b="x" * 5_000_000))
    refused = process.answer()
    assert (refused["id"], "4194304 bytes" in refused["error"]["message"]) == ("long", True)
    flood = 5000
    lines = [call(number, "add", a=number, b=1) for number in range(flood)]
    writer = threading.Thread(target=process.write, args=lines)
    writer.start()
    answers = [process.answer() for _ in range(flood)]
    writer.join()
    assert {answer["id"]: int(text_of(answer)) for answer in answers} == {number: number + 1 for number in range(flood)}
    process.say_no_more()
    assert process.ended() == (0, [])


def test_p7_a_terminal_is_told_what_the_server_waits_for_and_may_talk_to_it(start: Start) -> None:
    ours, theirs = os.openpty()
    process = start("asyncio", stdin=theirs, stdout=theirs)
    os.close(theirs)
    screen = Reader(ours)
    assert HINT in process.notes.line()
    os.write(ours, request("typed", "ping"))
    answer = ""
    while '"result"' not in answer:
        answer = screen.line()
    assert json.loads(answer) == {"jsonrpc": "2.0", "id": "typed", "result": {}}
    process.signal(signal.SIGINT)
    assert process.wait() == 0
    assert process.notes.rest()[1:] == ["lifespan began", "lifespan ended"]
    os.close(ours)


def test_a_file_may_be_what_a_server_reads_and_writes(start: Start, tmp_path: Path) -> None:
    given, taken = tmp_path / "in", tmp_path / "out"
    given.write_bytes(OPEN + call(1, "add", a=2, b=3)[:-1])
    with given.open("rb") as reading, taken.open("wb") as writing:
        process = start("asyncio", stdin=reading.fileno(), stdout=writing.fileno())
        assert process.ended() == (0, [])
    answers = [json.loads(line) for line in taken.read_text().splitlines()]
    assert [answer["id"] for answer in answers] == [0, 1]
    assert text_of(answers[1]) == "5"


# ---- the end


@pytest.mark.requirement("stdio.server-exits-on-eof")
@both_loops
def test_p6_at_the_end_of_input_what_runs_may_finish_and_what_stays_is_stopped(
    start: Start, loop: str, tmp_path: Path
) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    process = start(loop, "hasty")
    process.write(OPEN, call("stays", "stay"))
    process.notes.until("staying")
    process.write(call("waits", "wait_for", path=str(fifo)))
    process.notes.until("waiting")
    process.say_no_more()
    fifo.write_text("done in time\n")
    answers = {answer["id"]: answer for answer in map(json.loads, process.answers.rest())}
    assert process.ended() == (0, ["staying", "waiting", "cleaned up"])
    assert text_of(answers.pop("waits")) == "done in time"
    assert list(answers) == [0]


@pytest.mark.requirement("stdio.server-exits-on-eof")
def test_p6_an_empty_input_ends_a_server_at_once(start: Start) -> None:
    with open(os.devnull) as null:
        process = start("asyncio", stdin=null.fileno())
    assert process.ended() == (0, [])
    assert process.answers.rest() == []


@both_loops
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_p7_a_signal_ends_a_server_as_the_end_of_input_does(start: Start, loop: str, number: signal.Signals) -> None:
    process = start(loop, "hasty")
    process.write(OPEN, call(1, "stay"))
    process.notes.until("staying")
    process.signal(number)
    assert process.ended() == (0, ["staying", "cleaned up"])


def test_a_client_that_reads_no_more_ends_a_server_quietly(start: Start) -> None:
    process = start("asyncio", "hasty")
    process.write(OPEN)
    process.answer()
    process.read_no_more()
    process.write(call(1, "add", a=1, b=2))
    assert process.ended() == (0, [])


def test_inside_a_running_loop_signals_are_the_programs_business(start: Start) -> None:
    process = start("asyncio", "embedded")
    process.write(OPEN)
    assert process.answer()["id"] == 0
    process.signal(signal.SIGTERM)
    assert process.wait() == -signal.SIGTERM
    assert process.notes.rest() == ["lifespan began"]


# ---- changes


@both_loops
@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("resources.subscribe-methods", "tools.list-changed")
def test_p21_one_notify_reaches_the_session_and_the_listening_requests_on_one_stdio(
    start: Start, loop: str, revision: str
) -> None:
    process = start(loop)
    meta = {"io.modelcontextprotocol/protocolVersion": NEW[0], "io.modelcontextprotocol/clientCapabilities": {}}
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["note://1"]}
    process.write(request(0, "initialize", protocolVersion=revision, capabilities={}, clientInfo=INFO))
    assert process.answer()["result"]["capabilities"]["resources"] == {"listChanged": True, "subscribe": True}
    process.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
    process.write(request(1, "resources/subscribe", uri="note://1"))
    assert process.answer() == {"jsonrpc": "2.0", "id": 1, "result": {}}
    for id in (2, "2"):
        process.write(request(id, "subscriptions/listen", notifications=wanted, _meta=meta))
        assert process.answer()["params"]["notifications"] == wanted
    process.write(call(3, "change"))
    said = [process.answer() for _ in range(7)]
    told = [
        (message["method"], *(message.get("params", {}).get("_meta") or {None: None}).values())
        for message in said
        if "method" in message
    ]
    names = ("notifications/resources/updated", "notifications/tools/list_changed")
    assert sorted(told, key=str) == sorted([(name, id) for name in names for id in (None, 2, "2")], key=str)
    process.say_no_more()
    ends = [process.answer() for _ in range(4)]
    assert [end.get("id", end.get("params", {}).get("requestId")) for end in ends] == [2, 2, "2", "2"]
    assert process.ended()[0] == 0
