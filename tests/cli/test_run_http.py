"""`mcport run FILE --http`: what it says, what it refuses, and how it serves a file anew."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import IO

import httpx
import pytest

from mcport.cli.watching import Watch
from mcport.transports.http.server.binding import listen
from tests.cli.commands import MCPORT, Here, environment
from tests.http.bridge import USUAL, stateless

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and handed down sockets of POSIX")

HEADERS = {name: value for name, value in USUAL.items() if name != "host"}
OPENING = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "desk.py"
    path.write_text("from mcport import Server\nserver = Server('Desk')\n")
    return path


@contextmanager
def running(*arguments: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`mcport run ... --http` once it has said where it serves, and the URL."""
    command = [*MCPORT, "run", *map(str, arguments), "--http", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment()) as process:
        try:
            assert process.stderr is not None
            yield process, told(process.stderr).rpartition(" ")[2]
        finally:
            process.terminate()


def told(stream: IO[str]) -> str:
    """The next line, but for the one that recommends what may not be installed."""
    line = stream.readline().strip()
    return told(stream) if "mcport[fast]" in line else line


def initialize(url: str) -> dict[str, str]:
    """Open a session and return the headers of its requests."""
    answer = httpx.post(url, json=OPENING, headers=HEADERS)
    assert answer.json()["result"]["serverInfo"]["name"] == "Desk"
    return {**HEADERS, "mcp-session-id": answer.headers["mcp-session-id"]}


def test_it_says_where_it_serves_and_one_ctrl_c_ends_it_without_a_word(file: Path) -> None:
    with running(file) as (process, url):
        initialize(url)
        process.send_signal(signal.SIGINT)
        _, rest = process.communicate(timeout=10)
    assert (process.returncode, rest) == (0, "")


BLOCKING = """
import signal, sys, time
from mcport import Server
server = Server("Desk")

@server.tool
async def block() -> None:
    def say(word: str) -> None:
        print(word, file=sys.stderr, flush=True)
    before = signal.getsignal(signal.SIGINT)
    say("blocks")
    for _ in range(1000):
        if signal.getsignal(signal.SIGINT) is not before:
            break
        time.sleep(0.01)
    say("was asked to end")
    time.sleep(30)
"""


@pytest.mark.parametrize("words", [[], ["--reload"]], ids=["run", "reload"])
def test_a_second_ctrl_c_ends_it_also_where_a_tool_blocks_the_loop(file: Path, words: list[str]) -> None:
    file.write_text(BLOCKING)
    made = stateless("tools/call", name="block", arguments={})
    with running(file, *words) as (process, url), closing(HTTPConnection(httpx.URL(url).netloc.decode())) as client:
        assert process.stderr is not None
        client.request("POST", "/mcp", made["body"], {**HEADERS, **made["headers"]})
        assert told(process.stderr) == "blocks"
        process.send_signal(signal.SIGINT)
        assert told(process.stderr) == "was asked to end"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)  # until nobody has its stderr any more: nor has a child


def test_options_may_stand_on_both_sides_of_the_file(file: Path) -> None:
    with running("--path", "/tools", file) as (_, url):
        assert url.endswith("/tools")
        initialize(url)


def test_a_reloaded_file_is_served_anew_and_old_sessions_are_told(file: Path) -> None:
    with running(file, "--reload") as (process, url):
        session = initialize(url)
        file.write_text(file.read_text() + "@server.tool\nasync def added() -> None: 'New.'\n")
        assert process.stderr is not None
        assert told(process.stderr) == "mcport: desk.py changed; serving it anew"
        listing = {"jsonrpc": "2.0", "id": 2, "method": "tools/list"}
        assert httpx.post(url, json=listing, headers=session, timeout=20).status_code == 404
        names = httpx.post(url, json=listing, headers=initialize(url)).json()["result"]["tools"]
        assert [each["name"] for each in names] == ["added"]
        assert told(process.stderr) == f"mcport: Desk is served at {url}"
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)
    assert process.returncode == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_file_that_is_broken_for_a_moment_is_waited_for(file: Path) -> None:
    with running(file, "--reload") as (process, url):
        good = file.read_text()
        assert process.stderr is not None
        file.write_text(good + "(")
        assert told(process.stderr).endswith("serving it anew")
        assert "SyntaxError" in told(process.stderr)
        file.write_text(good)
        assert told(process.stderr).endswith("serving it anew")
        initialize(url)


def test_a_port_in_use_is_one_line_and_nothing_is_announced(here: Here, file: Path) -> None:
    with listen("127.0.0.1", 0)[0] as taken:
        port = taken.getsockname()[1]
        done = here("run", file, "--http", "--port", str(port))
    [line] = [line for line in done.stderr.splitlines() if "mcport[fast]" not in line]
    assert line.startswith(f"mcport: port {port} of 127.0.0.1 is in use; port ")
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--host", "0.0.0.0"], "say under which names"),
        (["--host", "0.0.0.0", "--allow-host", "a b"], "allowed_hosts has names"),
        (["--path", "tools"], "--path begins with a slash"),
        (["--port", "1", "much"], "too many words: 'much'"),
    ],
)
def test_what_cannot_be_served_is_one_line(here: Here, file: Path, words: list[str], line: str) -> None:
    done = here("run", file, "--http", *words)
    assert done.returncode == 2
    assert line in done.stderr.splitlines()[-1]


def test_what_makes_it_faster_is_recommended_where_it_is_missing(
    here: Here, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None)
    first = here("run", file, "--http", "--port", "99999").stderr.splitlines()[0]
    assert first == "mcport: faster with uvloop and httptools: pip install 'mcport[fast]'"


def test_a_watch_sees_files_that_change_come_and_go_and_no_others(tmp_path: Path) -> None:
    inner, hidden, environment = tmp_path / "inner", tmp_path / ".hidden", tmp_path / "env"
    for folder in (inner, hidden, environment):
        folder.mkdir()
    (environment / "pyvenv.cfg").touch()
    watch = Watch(tmp_path)
    for folder in (hidden, environment):
        (folder / "a.py").write_text("1")
    (tmp_path / "data.txt").write_text("1")
    assert watch.changed() is None
    (inner / "a.py").write_text("1")
    assert watch.changed() == inner / "a.py"
    assert watch.changed() is None
    (inner / "a.py").unlink()
    assert watch.changed() == inner / "a.py"
