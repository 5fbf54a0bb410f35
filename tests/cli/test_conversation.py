"""`mcport list`, `call`, `read`, `prompt`, `complete`: plain lines for people, JSON for programs, codes for both."""

import base64
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mcport import Context, ResourceNotFound, Server, ToolError
from mcport.cli import conversation
from tests.cli.commands import MCPORT, Done, Here, Meant, environment, run
from tests.client import notifying
from tests.client.counterpart import ALL, error, notification, result, text, usual
from tests.client.playing import Wire, child_command, child_pid, is_running

EVIL = "\x1b[2J\x1b]0;gone\x07\u202etxt"


@pytest.fixture
def desk(meant: Meant) -> Server:
    server = Server("Desk", "2.1", instructions="Ask nicely.")

    @server.tool
    async def add(a: int, b: int = 0) -> int:
        """Add two numbers.

        And more.
        """
        return a + b

    @server.tool
    async def fail() -> str:
        """Fail."""
        raise ToolError(f"The drawer\nis stuck {EVIL}")

    @server.tool
    async def shout() -> str:
        """Say what no terminal should hear."""
        return f"line\tone\nline two {EVIL}"

    @server.tool
    async def walk(ctx: Context) -> str:
        """Report on the way."""
        await ctx.report_progress(1, 2, f"half {EVIL}")
        return "there"

    @server.resource("desk://about", mime_type="text/plain")
    def about() -> str:
        """What it is."""
        return "A desk."

    @server.resource("desk://logo", mime_type="image/png")
    def logo() -> bytes:
        """A picture."""
        return b"\x89PNG\xff"

    @server.resource("drawer://{name}")
    def drawer(name: str) -> str:
        """What is in it."""
        if name != "top":
            raise ResourceNotFound(f"no drawer {name}")
        return "pens"

    @server.prompt
    def greet(name: str, mood: str = "calm") -> str:
        """Greet somebody."""
        return f"Say hello to {name}, {mood}"

    meant(server)
    return server


pytestmark = pytest.mark.usefixtures("desk")


def outcome(done: Done) -> tuple[int, str, str]:
    return done.returncode, done.stdout, done.stderr


# ---- for people


def test_list_shows_all_that_is_offered_aligned(here: Here) -> None:
    assert outcome(here("list", "desk")) == (
        0,
        "Desk 2.1, protocol 2026-07-28\n"
        "\n"
        "tools\n"
        "  add(a, [b])  Add two numbers.\n"
        "  fail()       Fail.\n"
        "  shout()      Say what no terminal should hear.\n"
        "  walk()       Report on the way.\n"
        "\n"
        "resources\n"
        "  desk://about  What it is.\n"
        "  desk://logo   A picture.\n"
        "\n"
        "templates\n"
        "  drawer://{name}  What is in it.\n"
        "\n"
        "prompts\n"
        "  greet(name, [mood])  Greet somebody.\n",
        "",
    )


def test_list_shows_what_is_asked_for(here: Here) -> None:
    assert (
        here("list", "desk", "prompts").stdout.split("\n\n")[1] == "prompts\n  greet(name, [mood])  Greet somebody.\n"
    )


@pytest.mark.parametrize("revision", ALL)
def test_call_shows_what_the_tool_said(here: Here, revision: str) -> None:
    assert outcome(here("call", "desk", "add", "a=1", "--revision", revision, "b=2")) == (0, "3\n", "")
    assert outcome(here("call", "desk", "add", '{"a": 20}', "--revision", revision)) == (0, "20\n", "")


def test_read_shows_text_and_describes_bytes(here: Here) -> None:
    assert outcome(here("read", "desk", "desk://about")) == (0, "A desk.\n", "")
    assert outcome(here("read", "desk", "desk://logo")) == (0, "[desk://logo: image/png, 5 bytes]\n", "")


def test_read_saves_exactly_what_it_read(here: Here, tmp_path: Path) -> None:
    assert outcome(here("read", "desk", "desk://logo", "--output", tmp_path / "logo.png")) == (0, "", "")
    assert (tmp_path / "logo.png").read_bytes() == b"\x89PNG\xff"


def test_prompt_shows_who_says_what(here: Here) -> None:
    done = here("prompt", "desk", "greet", "name=Ada", "mood=loud")
    assert outcome(done) == (0, "user:\nSay hello to Ada, loud\n", "")


def test_progress_is_told_on_stderr(here: Here) -> None:
    done = here("call", "desk", "walk")
    assert (done.returncode, done.stdout) == (0, "there\n")
    assert done.stderr.strip().startswith("[############............] half")


def test_p24_nothing_that_a_server_writes_reaches_the_terminal_as_a_command(here: Here, meant: Meant) -> None:
    lines = [*map(outcome, (here("call", "desk", "shout"), here("call", "desk", "fail"), here("call", "desk", "walk")))]
    tool = {"name": f"x{EVIL}", "description": f"y{EVIL}", "inputSchema": {"type": "object", "properties": {EVIL: {}}}}
    table = {**usual("2026-07-28"), "tools/list": [result({"resultType": "complete", "tools": [tool]})]}
    table["resources/read"] = [error(-32000, f"first\nsecond {EVIL}")]
    for command in (["list", "desk", "tools"], ["read", "desk", f"a:{EVIL}"]):
        meant(Wire(table))
        lines.append(outcome(here(*command)))
    shown = "".join(stdout + stderr for _, stdout, stderr in lines)
    assert not {*shown} & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert "line\tone\nline two \\x1b[2J" in shown
    assert [code for code, *_ in lines] == [0, 1, 0, 0, 4]
    assert lines[-1][2].count("\n") == 1


def test_a_very_long_answer_is_cut_and_says_so(here: Here, meant: Meant) -> None:
    meant(Wire({**usual("2026-07-28"), "tools/call": [text("x" * 100_007)]}))
    done = here("call", "desk", "any")
    assert done.stdout.endswith("xxx\n[7 more characters; --json shows all]\n")
    assert len(done.stdout) < 100_100


def test_every_kind_of_content_is_shown_or_described(here: Here, meant: Meant) -> None:
    data = base64.b64encode(b"12345").decode()
    content = [
        {"type": "text", "text": "words"},
        {"type": "image", "data": data, "mimeType": "image/png"},
        {"type": "audio", "data": "?", "mimeType": "audio/wav"},
        {"type": "resource_link", "uri": "a:b", "name": "link"},
        {"type": "resource", "resource": {"uri": "c:d", "text": "inside"}},
        {"type": "resource", "resource": {"uri": "e:f", "blob": data}},
    ]
    table = {**usual("2026-07-28"), "tools/call": [result({"resultType": "complete", "content": content})]}
    structured = {"resultType": "complete", "content": [], "structuredContent": {"a": [1]}}
    table["tools/call data"] = [result(structured)]
    meant(Wire(table))
    assert here("call", "desk", "any").stdout.splitlines() == [
        "words",
        "[image/png, 5 bytes]",
        "[audio/wav, broken base64]",
        "[resource a:b (link)]",
        "inside",
        "[e:f: bytes, 5 bytes]",
    ]
    meant(Wire(table))
    assert json.loads(here("call", "desk", "data").stdout) == {"a": [1]}


# ---- for programs


def test_json_is_one_document_as_on_the_wire(here: Here) -> None:
    listed = json.loads(here("list", "desk", "--json").stdout)
    assert (listed["server"]["name"], listed["protocolVersion"], listed["instructions"]) == (
        "Desk",
        "2026-07-28",
        "Ask nicely.",
    )
    assert listed["tools"][0]["inputSchema"]["required"] == ["a"]
    assert listed["templates"][0]["uriTemplate"] == "drawer://{name}"
    assert {kind: len(listed[kind]) for kind in conversation.KINDS} == {
        "tools": 4,
        "resources": 2,
        "templates": 1,
        "prompts": 1,
    }
    called = json.loads(here("call", "desk", "add", "a=1", "--json").stdout)
    assert called["content"] == [{"type": "text", "text": "1"}]
    assert json.loads(here("read", "desk", "desk://about", "--json").stdout)["contents"][0]["text"] == "A desk."
    assert json.loads(here("prompt", "desk", "greet", "name=A", "--json").stdout)["messages"][0]["role"] == "user"


def test_a_tool_that_failed_is_json_too_and_the_code_says_it(here: Here) -> None:
    done = here("call", "desk", "fail", "--json")
    assert (done.returncode, json.loads(done.stdout)["isError"], done.stderr) == (1, True, "")


def test_complete_shows_a_value_a_line(here: Here, meant: Meant) -> None:
    found = {"resultType": "complete", "completion": {"values": ["Lyon", f"L{EVIL}"]}}
    wire = Wire({**usual("2026-07-28"), "completion/complete": [result(found)]})
    meant(wire)
    assert (
        here("complete", "desk", "greet", "city=L", "country=fr").stdout
        == "Lyon\nL\\x1b[2J\\x1b]0;gone\\x07\\u202etxt\n"
    )
    [asked] = [message["params"] for message in wire.messages if message["method"] == "completion/complete"]
    assert (asked["ref"], asked["argument"], asked["context"]) == (
        {"type": "ref/prompt", "name": "greet"},
        {"name": "city", "value": "L"},
        {"arguments": {"country": "fr"}},
    )
    wire = Wire({**usual("2026-07-28"), "completion/complete": [result(found)]})
    meant(wire)
    assert json.loads(here("complete", "desk", "a://{b}", "b=", "--json").stdout)["completion"]["values"][0] == "Lyon"
    assert wire.messages[-1]["params"]["ref"] == {"type": "ref/resource", "uri": "a://{b}"}


CHANGING = notifying.table(
    "2026-07-28",
    "note://a",
    listen=[
        notifying.acknowledging(["note://a"]),
        notifying.stamped(notifying.TOOLS, "$id"),
        notifying.stamped(notifying.UPDATED, "$id", uri="note://a"),
        notifying.stamped(notifying.PROMPTS, "$id"),
    ],
)


def test_listen_shows_a_line_for_each_change_until_there_were_enough(here: Here, meant: Meant) -> None:
    meant(Wire(CHANGING))
    done = here("listen", "desk", "tools", "prompts", "--count", "3", "note://a")
    assert outcome(done) == (
        0,
        "tools changed\nresource updated: note://a\nprompts changed\n",
        "listening to tools, prompts, note://a\n",
    )


def test_listen_writes_json_lines_for_programs(here: Here, meant: Meant) -> None:
    meant(Wire(CHANGING))
    done = here("listen", "desk", "tools", "note://a", "--count", "2", "--json")
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"changed": "tools"},
        {"changed": "resource", "uri": "note://a"},
    ]


def test_listen_without_a_name_hears_of_every_list_that_the_server_tells_of(here: Here, meant: Meant) -> None:
    wire = Wire(notifying.table("2026-07-28", declared={"tools": {"listChanged": True}, "prompts": {}}))
    wire.counterpart.table["subscriptions/listen"] += [notifying.ending("$id")]
    meant(wire)
    assert outcome(here("listen", "desk")) == (0, "", "listening to tools\n")
    meant(Wire(usual("2026-07-28")))
    assert here("listen", "desk").returncode == 2
    meant(Wire(usual("2026-07-28")))
    assert here("listen", "desk", "tools").returncode == 4


def test_a_server_without_templates_is_listed_all_the_same(here: Here, meant: Meant) -> None:
    """Its list of templates is a method that it does not know."""
    meant(
        Wire(
            {
                **usual("2025-11-25"),
                "resources/list": [result({"resources": []})],
                "prompts/list": [result({"prompts": []})],
            }
        )
    )
    assert here("list", "desk", "--revision", "2025-11-25").returncode == 0
    meant(Wire(usual("2025-11-25")))
    assert here("list", "desk", "templates", "--revision", "2025-11-25").returncode == 4


# ---- one plain line, and the code


@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (["call", "desk", "ad"], 4, "mcport: Unknown tool 'ad' on server 'Desk'. Did you mean 'add'?"),
        (["call", "desk", "add", "a=x"], 1, "add: argument 'a' must be an integer, got 'x'"),
        (["call", "desk", "add"], 1, "add: argument 'a' is missing"),
        (["call", "desk", "add", "a=1", "c=3"], 1, "add: unknown argument 'c' (it takes a, b)"),
        (["call", "desk", "add", "seven"], 2, "mcport: arguments are NAME=VALUE, NAME:=JSON or one JSON object; got"),
        (["call", "desk", "add", "a:=1e999"], 2, "mcport: tools/call: the parameters cannot be JSON: a number is"),
        (["call", "desk", "add", "a=\udcff"], 2, "mcport: tools/call: the parameters cannot be JSON: "),
        (["call", "desk"], 2, "mcport: name a tool behind the server"),
        (["read", "desk", "a:b", "c:d"], 2, "mcport: too many words: 'c:d'"),
        (["read", "desk", "drawer://low"], 4, "mcport: no drawer low"),
        (["complete", "desk", "greet"], 2, "mcport: say what to complete: ARGUMENT=BEGINNING; further NAME=VALUE are"),
        (["list", "desk", "tolls"], 2, "mcport: there is no list of 'tolls'; there are tools, resources, templates"),
        (["list", "desk", "--revision", "2020-01-01"], 2, "mcport: revision: unknown protocol revision '2020-01-01'"),
        (["list", "desk", "--timeout", "-1"], 2, "mcport: --timeout is a positive number of seconds, got -1"),
        (["list", "desk", "--env", "A=1"], 2, "mcport: env: only for a server that the client starts"),
        (["list", "desk", "--env", "A"], 2, "mcport: --env takes NAME=VALUE, got 'A'"),
        (["read", "desk", "desk://about", "--output", "/no/such/place"], 2, "mcport: /no/such/place cannot be written"),
        (["list", "--", "no-such-command-anywhere"], 3, "mcport: Cannot start server 'no-such-command-anywhere': not"),
        (["list", "weather"], 2, "mcport: 'weather' is not a Python script; give a command as a list"),
    ],
)  # fmt: skip
def test_p24_a_mistake_is_one_line_on_stderr_and_a_code(here: Here, arguments: list[str], code: int, line: str) -> None:
    done = here(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    [said] = done.stderr.splitlines()
    assert said.startswith(line)


def test_p24_a_server_that_dies_at_its_start_is_one_line(here: Here, tmp_path: Path) -> None:
    done = here("list", tmp_path / "nope.py")
    assert done.returncode == 3
    [line] = done.stderr.splitlines()
    assert line.startswith(
        f"mcport: Server 'python {tmp_path}/nope.py' exited with code 2 before it answered. Last stderr: "
    )


def test_a_server_that_dies_or_is_silent_later_ends_with_five(here: Here, meant: Meant) -> None:
    table = {**usual("2026-07-28"), "tools/call die": [{"exit": 1}], "tools/call hang": []}
    meant(Wire(table))
    assert here("call", "desk", "die").returncode == 5
    meant(Wire(table))
    done = here("call", "desk", "hang", "--timeout", "0.05")
    assert (done.returncode, done.stderr.count("\n")) == (5, 1)
    meant(Wire({"server/discover": [], "initialize": []}))
    assert here("list", "desk", "--timeout", "0.05").returncode == 3


@pytest.mark.parametrize("arguments", [["call", "desk", "--nope"], ["list", "--timeout", "soon", "desk"]])
def test_an_option_that_does_not_exist_ends_with_the_usage(here: Here, arguments: list[str]) -> None:
    done = here(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: mcport")


def test_trace_shows_every_message_on_stderr(here: Here, tmp_path: Path) -> None:
    done = here("call", "any", "a=1", "--trace", "--", *child_command(tmp_path / "log", usual("2026-07-28")))
    assert done.stdout == "done\n"
    assert [line[:2] for line in done.stderr.splitlines()] == ["->", "<-"] * 3
    assert '"method":"tools/list"' in done.stderr


@pytest.mark.parametrize("revision", ["2026-07-28", "2025-11-25"])
def test_the_servers_log_is_shown_on_stderr_from_the_level_on_that_is_asked_for(
    here: Here, meant: Meant, revision: str
) -> None:
    message = {"level": "error", "logger": "disk", "data": f"full {EVIL}"}
    table = {**usual(revision), "tools/call": [notification("notifications/message", message), text("done")]}
    table["logging/setLevel"] = [result({})]
    wire = Wire(table)
    meant(wire)
    done = here("call", "desk", "any", "--log", "error", "--revision", revision)
    assert outcome(done) == (0, "done\n", "[error disk] full \\x1b[2J\\x1b]0;gone\\x07\\u202etxt\n")
    assert '"error"' in json.dumps([each.get("params") for each in wire.messages])
    assert here("list", "desk", "--log", "loud").returncode == 2


def test_examples_lists_what_can_be_run(here: Here) -> None:
    done = here("examples")
    assert done.returncode == 0
    shown = [line.split()[0] for line in done.stdout.split("\n\n")[0].splitlines()]
    assert shown == ["everything", "host", "notes", "quickstart"]
    assert "quickstart     A small weather desk" in done.stdout


# ---- real processes


def test_a_command_behind_the_dashes_is_started_and_ended(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = run("call", "--json", "any", "--", *child_command(log, usual("2026-07-28")))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["content"] == [{"type": "text", "text": "done"}]
    assert not is_running(child_pid(log))


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_p7_one_interrupt_ends_a_call_without_a_traceback(tmp_path: Path) -> None:
    log, waiting = tmp_path / "log", tmp_path / "waiting"
    os.mkfifo(waiting)
    table = {**usual("2026-07-28"), "tools/call": [{"stderr": "asked\n"}]}
    process = subprocess.Popen(
        [*MCPORT, "call", "--trace", "any", "--", *child_command(log, table)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    assert process.stderr is not None
    assert any("!! asked" in line for line in process.stderr)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (130, "")
    assert "Traceback" not in stderr
    assert not is_running(child_pid(log))
