"""Questions of a server at the terminal: forms and web pages; without a terminal the answer is no."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest

from mcport import Client, Context, Server
from mcport.cli.questions import Questions
from mcport.cli.terminal import Terminal
from mcport.spec.revisions import REVISIONS
from tests.cli.commands import MCPORT, Here, environment
from tests.client.counterpart import STATELESS, request, result, usual
from tests.client.playing import Wire, child_command

FORM = {
    "message": "Which tea?\x1b[2J",
    "requestedSchema": {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "enum": ["green", "black"], "description": "The kind"},
            "cups": {"type": "integer", "minimum": 1, "default": 2},
            "note": {"type": "string"},
        },
        "required": ["kind"],
    },
}
PAGE = {"mode": "url", "message": "Please pay", "url": "https://pay.example.org/x?y=1#\u0437", "elicitationId": "e1"}


class Script:
    """A person who types what a test says; None is Ctrl-D."""

    def __init__(self, *lines: str | None) -> None:
        self.lines = [*lines]
        self.seen: list[str] = []

    def tell(self, line: str) -> None:
        self.seen.append(line)

    async def ask(self, prompt: str) -> str | None:
        self.seen.append(prompt)
        return self.lines.pop(0)


async def answer(question: dict[str, Any], person: Script | None, notes: list[str] | None = None) -> Any:
    """Have a server ask, in the way of 2025-11-25, and return what it is answered."""
    table = {**usual("2025-11-25"), "tools/call": [request("elicitation/create", "q1", question)]}
    wire = Wire(table)
    questions = Questions(person, (notes if notes is not None else []).append)
    client = Client(wire, revision="2025-11-25", elicit=questions.form, elicit_url=questions.url)
    async with client:
        call = client.start_tool("tea")
        messages = await wire.until(lambda messages: any(message.get("id") == "q1" for message in messages))
        call.cancel()
    [said] = [message["result"] for message in messages if message.get("id") == "q1"]
    return said


async def test_a_form_is_filled_in_field_by_field() -> None:
    person = Script("yellow", "2", "0", "", "")
    assert await answer(FORM, person) == {"action": "accept", "content": {"kind": "black", "cups": 2}}
    assert person.seen == [
        "The server asks: Which tea?\\x1b[2J",
        "(type /decline to say no, /cancel to leave it open)",
        "  The kind",
        "  1) green",
        "  2) black",
        "kind, one of these: ",
        "  'yellow' is none of the choices; type a number from 1 to 2",
        "kind, one of these: ",
        "cups, a whole number [2]: ",
        "  at least 1",
        "cups, a whole number [2]: ",
        "note, text (may be left empty): ",
    ]


@pytest.mark.parametrize(("typed", "action"), [("/decline", "decline"), ("/cancel", "cancel"), (None, "cancel")])
async def test_a_form_may_be_refused_at_any_field(typed: str | None, action: str) -> None:
    assert await answer(FORM, Script("green", typed)) == {"action": action}


async def test_a_form_without_fields_asks_for_a_yes() -> None:
    empty = {"message": "Sure?", "requestedSchema": {"type": "object", "properties": {}}}
    assert await answer(empty, Script("what", "yes")) == {"action": "accept", "content": {}}
    assert await answer(empty, Script("n")) == {"action": "decline"}


@pytest.mark.parametrize(("typed", "action"), [("y", "accept"), ("no", "decline"), (None, "cancel")])
async def test_a_page_is_shown_in_full_and_agreed_to(typed: str | None, action: str) -> None:
    person = Script(typed)
    assert await answer(PAGE, person) == {"action": action}
    assert f"It wants you to open this page yourself:\n  {PAGE['url']}" in person.seen


async def test_what_is_suspicious_of_a_page_is_said() -> None:
    person = Script("no")
    await answer({**PAGE, "url": "http://user@xn--e1afmkfd.example/"}, person)
    assert len([line for line in person.seen if line.startswith("  Beware: ")]) == 3


async def test_without_a_terminal_the_answer_is_no_and_it_is_said() -> None:
    notes: list[str] = []
    assert await answer(FORM, None, notes) == {"action": "decline"}
    assert notes == ["declined, since stdin is no terminal: Which tea?\\x1b[2J"]


@dataclass
class Tea:
    kind: Literal["green", "black"]
    cups: int = 2


@pytest.mark.parametrize("revision", [name for name, revision in REVISIONS.items() if revision.elicits])
async def test_p20_one_tool_that_asks_twice_is_answered_at_the_terminal_in_every_revision(revision: str) -> None:
    server = Server("tea")

    @server.tool
    async def brew(ctx: Context) -> str:
        tea = await ctx.elicit("Which tea?", Tea)
        sure = await ctx.elicit("Sure?", bool)
        return f"{tea.data} {sure.data}"

    person = Script("2", "3", "y")
    questions = Questions(person, lambda note: None)
    async with Client(server, revision=revision, elicit=questions.form) as client:
        result = await client.call_tool("brew")
    assert result.content[0].text == "Tea(kind='black', cups=3) True"  # type: ignore[union-attr]
    assert [line for line in person.seen if line.startswith("The server asks")] == [
        "The server asks: Which tea?",
        "The server asks: Sure?",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are POSIX")
async def test_a_terminal_is_read_line_by_line_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    terminal = Terminal(reading)
    os.write(writing, "first\r\nsecond \u00e9\nhalf".encode())
    os.close(writing)
    assert [await terminal.ask("? ") for _ in range(3)] == ["first", "second \u00e9", None]
    assert capsys.readouterr().err == "? ? ? \n"
    os.close(reading)


ASKING = {
    "resultType": "input_required",
    "inputRequests": {"tea": {"method": "elicitation/create", "params": FORM}},
    "requestState": "s",
}


def test_in_a_pipe_a_question_is_declined(here: Here, tmp_path: Path) -> None:
    [revision] = STATELESS
    table = {**usual(revision), "tools/call": [result(ASKING)]}
    done = here("call", "tea", "--", *child_command(tmp_path / "log", table))
    assert done.returncode != 0
    assert "declined, since stdin is no terminal: Which tea?" in done.stderr
    assert b'"action":"decline"' in (tmp_path / "log").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are POSIX")
def test_p7_at_a_terminal_a_question_is_asked_and_the_answer_sent_and_ctrl_c_ends_it(tmp_path: Path) -> None:
    table = {**usual("2025-11-25"), "tools/call": [request("elicitation/create", "q1", FORM)]}
    ours, theirs = os.openpty()
    command = [*MCPORT, "call", "--trace", "--revision", "2025-11-25", "tea", "--"]
    process = subprocess.Popen(
        [*command, *child_command(tmp_path / "log", table)],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment(),
    )
    os.close(theirs)
    shown = _until(ours, "kind, one of these: ")
    assert "1) green" in shown
    os.write(ours, b"1\n")
    _until(ours, "cups, a whole number [2]: ")
    os.write(ours, b"\n")
    _until(ours, "note, text (may be left empty): ")
    os.write(ours, b"\x04")  # Ctrl-D
    _until(ours, '"action":"cancel"')
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 130
    os.close(ours)
    assert b'"action":"cancel"' in (tmp_path / "log").read_bytes()


def _until(fd: int, words: str) -> str:
    shown = ""
    while words not in shown:
        shown += os.read(fd, 4096).decode()
    return shown
