"""`mcport demo`: a whole conversation with the bundled example, as a person sees it."""

import io
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from mcport.cli.screen import Screen
from tests.cli.commands import MCPORT, Here, environment, run, run_at_terminal

REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]

STEPS = [
    "open            quickstart 1.0.0, protocol {revision}",
    "says            Ask forecast",
    "tools/list      4 tools",
    "                add(a, b)  Add two numbers.",
    "tools/call      add(17, 25) = 42",
    'tools/call      forecast(Lyon) = {{"city":"Lyon","day":"tomorrow","celsius":12.2}}',
    "                [########................]",
    "                [########################]",
    "tools/call      survey() = 3 stations visited",
    "resources/read  station://oslo/readings = [-1.0,0.5,-0.2]",
    "prompts/get     compare: Compare the weather in Lyon",
    "tools/call      add: argument 'a' must be an integer, got 'seventeen'",
    "tools/call      Unknown tool 'forcast' on server 'quickstart'. Did you mean 'forecast'?",
    "close           the server has ended",
]


@pytest.mark.parametrize("revision", REVISIONS)
def test_the_demo_shows_the_whole_conversation_in_plain_lines(here: Here, revision: str) -> None:
    done = here("demo", "--revision", revision)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    lines = iter(done.stdout.splitlines())
    for step in STEPS:
        said = step.format(revision=revision)
        assert any(line.startswith(said) for line in lines), f"{said!r} is missing, or out of order"
    assert list(lines) == []
    assert re.search(r"add\(17, 25\) = 42  \(\d+\.\d ms\)$", done.stdout, re.MULTILINE)


def test_without_a_revision_the_demo_finds_out_and_in_a_pipe_it_is_plain() -> None:
    done = run("demo")
    assert done.returncode == 0
    assert "protocol 2026-07-28" in done.stdout
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize("revision", REVISIONS[-2:])
def test_on_the_wire_every_line_with_an_arrow_is_a_message(here: Here, revision: str) -> None:
    done = here("demo", "--wire", "--revision", revision)
    assert (done.returncode, done.stderr) == (0, "")
    wire = [line.split(" ", 1) for line in done.stdout.splitlines() if line.startswith(("-> ", "<- "))]
    messages = [(way, json.loads(text)) for way, text in wire]
    sent = [message["method"] for way, message in messages if way == "->"]
    opening = ["server/discover"] if revision == "2026-07-28" else ["initialize", "notifications/initialized"]
    assert sent[: len(opening)] == opening
    assert {"tools/list", "tools/call", "resources/read", "prompts/get"} <= {*sent}
    asked = {message["id"] for way, message in messages if way == "->" and "id" in message}
    answered = {message["id"] for way, message in messages if way == "<-" and "id" in message}
    assert asked == answered
    assert sum(message.get("method") == "notifications/progress" for _, message in messages) == 3


@pytest.mark.parametrize("arguments", [["--revision", "1999-12-31"], ["--wire", "--revision", ""]])
def test_a_revision_that_does_not_exist_is_told_in_one_line(here: Here, arguments: list[str]) -> None:
    done = here("demo", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.splitlines()
    known = ", ".join(reversed(REVISIONS))
    assert line == f"mcport: unknown protocol revision {arguments[-1]!r}; known: {known}"


def test_whoever_stops_reading_ends_the_demo_without_a_word() -> None:
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [*MCPORT, "demo", "--wire"], stdout=writer, stderr=subprocess.PIPE, text=True, env=environment()
    )
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (1, "")


# ---- at a terminal

posix = pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals and signals are POSIX")


@posix
def test_at_a_terminal_there_is_colour_and_a_bar_that_moves() -> None:
    code, shown = run_at_terminal("demo")
    assert code == 0
    assert "\x1b[34mtools/call     \x1b[0m" in shown
    assert "\x1b[31mtools/call     \x1b[0m" in shown
    assert shown.count("\r\x1b[2K") == 4  # three steps of the bar, and the line that takes its place


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_who_wants_no_colour_at_a_terminal_gets_none(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for coloured in (True, False):
        stream = Terminal()
        Screen(stream).line("open", "x", 1.5)
        assert ("\x1b" in stream.getvalue()) is coloured
        assert "x" in stream.getvalue()
        monkeypatch.setenv(variable, value)


def test_control_characters_of_the_other_side_are_shown_and_never_obeyed() -> None:
    stream = io.StringIO()
    Screen(stream).line("says", "\x1b[2Jgone\r\n\u202efdp.exe")
    assert stream.getvalue() == "says            \\x1b[2Jgone\\r\\n\\u202efdp.exe\n"


def test_a_stream_that_cannot_show_a_character_gets_its_escape() -> None:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding="ascii")
    Screen(stream).line("says", "20 \xb0C")
    assert data.getvalue() == b"says            20 \\xb0C\n"


@posix
def test_one_interrupt_ends_the_demo_and_its_server_without_a_traceback() -> None:
    process = subprocess.Popen(
        [*MCPORT, "demo", "--wire"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    )
    assert process.stdout is not None
    while "survey" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=20)  # waits for the server too, which holds no pipe of ours
    assert (process.returncode, said) == (130, "")
