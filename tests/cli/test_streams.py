"""The command in a shell: streams that are closed, full or narrow, readers that go, and Ctrl-C at each point."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import MCPORT, environment
from tests.client.counterpart import STATELESS, error, notification, text, usual
from tests.client.playing import child_command, child_pid, is_running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="shells and signals are POSIX")

[REVISION] = STATELESS
DONE = text("done")


def answering(log: Path, answer: Any) -> list[str]:
    """The command of a counterpart that answers each call of a tool so."""
    return child_command(log, {**usual(REVISION), "tools/call": [answer]})


def shell(log: Path, redirection: str, answer: Any = DONE) -> subprocess.CompletedProcess[str]:
    """Call a tool of a counterpart in a shell that redirects the streams."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {redirection}', "sh", *MCPORT, "call", "any", "--", *answering(log, answer)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
    )


@pytest.mark.parametrize(
    ("redirection", "said"), [("<&-", ("done\n", "")), (">&-", ("", "")), ("2>&-", ("done\n", ""))]
)
def test_a_stream_that_is_closed_is_nobody(tmp_path: Path, redirection: str, said: tuple[str, str]) -> None:
    done = shell(tmp_path / "log", redirection)
    assert (done.returncode, done.stdout, done.stderr) == (0, *said)


def test_a_complaint_that_nobody_can_read_leaves_the_code(tmp_path: Path) -> None:
    assert shell(tmp_path / "log", "2>&-", error(-32000, "no")).returncode == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_p24_a_full_disk_is_one_line(tmp_path: Path) -> None:
    done = shell(tmp_path / "log", ">/dev/full")
    assert (done.returncode, done.stderr) == (1, "mcport: the output cannot be written: No space left on device\n")


def test_a_reader_that_goes_ends_the_command_in_silence(tmp_path: Path) -> None:
    done = shell(tmp_path / "log", "| head -n 1", text("\n".join(map(str, range(20_000)))))
    assert (done.stdout, done.stderr) == ("0\n", "")
    assert not is_running(child_pid(tmp_path / "log"))


def test_a_terminal_that_knows_few_characters_gets_escapes(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *MCPORT,
            "call",
            "any",
            "--",
            *child_command(tmp_path / "log", {**usual(REVISION), "tools/call": [text("é天")]}),
        ],
        capture_output=True,
        timeout=30,
        env=environment(LC_ALL="C", PYTHONIOENCODING="ascii"),
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"\\xe9\\u5929\n", b"")


# ---- Ctrl-C

ACKNOWLEDGED = notification(
    "notifications/subscriptions/acknowledged",
    {
        "notifications": {"toolsListChanged": True},
        "_meta": {"io.modelcontextprotocol/subscriptionId": "$id"},
    },
)

STUBBORN = """
import json, os, signal, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for message in map(json.loads, sys.stdin):
    if "id" in message:
        about = {"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}
        print(json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": about}), flush=True)
print("told to end:", os.getpid(), file=sys.stderr, flush=True)
while True:
    try:
        signal.pause()
    except KeyboardInterrupt:
        pass
"""


def interrupted(marker: str, *arguments: str) -> tuple[int, str]:
    """Run the command, press Ctrl-C when it has shown the marker; return its code and what it showed."""
    process = subprocess.Popen(
        [*MCPORT, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        start_new_session=True,
    )
    assert process.stderr is not None
    shown = ""
    while marker not in shown:
        line = process.stderr.readline()
        assert line, shown
        shown += line
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the server gets it as well
    _, rest = process.communicate(timeout=20)
    return process.returncode, shown + rest


@pytest.mark.parametrize(
    ("command", "marker", "method", "answers"),
    [
        ("list", "!! asked", "server/discover", [{"stderr": "asked\n"}]),
        ("listen", "listening to tools", "subscriptions/listen", [ACKNOWLEDGED]),
    ],
)
def test_p7_one_interrupt_ends_the_command_at_each_point_and_the_server_with_it(
    tmp_path: Path, command: str, marker: str, method: str, answers: list[Any]
) -> None:
    table = {**usual(REVISION, {"tools": {"listChanged": True}}), method: answers}
    code, shown = interrupted(marker, command, "--trace", "--", *child_command(tmp_path / "log", table))
    assert (code, "Traceback" in shown) == (130, False)
    assert not is_running(child_pid(tmp_path / "log"))


def test_p7_one_interrupt_ends_a_command_that_waits_for_its_server_to_end(tmp_path: Path) -> None:
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN)
    code, shown = interrupted("!! told to end", "list", "--trace", "--revision", "2025-11-25", str(script))
    assert (code, "Traceback" in shown) == (130, False)
    [pid] = [int(line.rpartition(":")[2]) for line in shown.splitlines() if "!! told to end" in line]
    assert not is_running(pid)
