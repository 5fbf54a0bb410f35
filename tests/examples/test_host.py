"""The host example: the servers of a file, one list of their tools, and a model that works with them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mcport import Context, Server
from tests.cli.commands import run
from tests.examples.loading import EXAMPLES, loaded
from tests.transports.children import SOURCES


def entry(example: str) -> dict[str, Any]:
    """A server as an `mcpServers` file has it."""
    return {"command": sys.executable, "args": [str(EXAMPLES / example)], "env": {"PYTHONPATH": str(SOURCES)}}


def servers(tmp_path: Path, **entries: dict[str, Any]) -> Path:
    file = tmp_path / "servers.json"
    file.write_text(json.dumps({"mcpServers": entries}))
    return file


def test_it_works_with_the_servers_that_start_and_reports_the_others(tmp_path: Path) -> None:
    file = servers(
        tmp_path,
        desk=entry("quickstart.py"),
        dead={"command": "/nowhere/server"},
        everything=entry("everything.py"),
        remote={"url": "http://127.0.0.1:9/mcp"},
    )
    done = run(
        "run",
        "example:host",
        file,
        "Please desk.add a=17 b=25",
        "everything.test_sampling prompt=hello",
        "everything.test_elicitation_sep1034_defaults",
        "everything.test_tool_with_logging",
        "everything.add a=1 b=x",
        "tell me a story",
    )
    assert done.returncode == 0, done.stderr
    first, *said = done.stdout.splitlines()
    assert first.endswith(" tools of 2 servers")
    assert [line for line in said if not line.startswith("> ")] == [
        "The tool says: 42",
        "The tool says: The model said: You said: hello",
        "The tool says: The user chose to accept: "
        "Entry(name='John Doe', age=30, score=95.5, status='active', verified=True)",
        "The tool says: Three messages were logged.",
        "The tool says: failed: add: argument 'b' must be an integer, got 'x'",
        "None of my tools fits: name one of them in the question, as SERVER.TOOL.",
    ]
    complaints = done.stderr.splitlines()
    assert "! dead: Cannot start server '/nowhere/server': no such file" in complaints
    assert "! remote: Cannot reach http://127.0.0.1:9/mcp: connection refused. Is the server running?" in complaints
    assert "everything: info: Tool started" in complaints


def test_it_says_how_it_is_used() -> None:
    done = subprocess.run([sys.executable, EXAMPLES / "host.py"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (1, "usage: host.py FILE QUESTION...\n")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "is not JSON: Expecting property name"),
        ("[]", "names no servers: there is no mcpServers in it"),
        ('{"mcpServers": []}', "names no servers: there is no mcpServers in it"),
    ],
)
def test_a_file_without_servers_is_told_in_one_line(
    host: ModuleType, tmp_path: Path, content: str | None, line: str
) -> None:
    file = tmp_path / "servers.json"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as end:
        host.servers_in(str(file))
    assert str(end.value).startswith(f"{file} {line}")


# ---- with servers in this process


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example, of which the entries may be servers of this process."""
    return loaded("host")


def twin(answer: str) -> Server:
    """A server that calls itself as others do, with a tool that is called as others are."""
    server = Server("twin")

    @server.tool
    async def look() -> str:
        return answer

    return server


@pytest.mark.requirement(
    "tools.aggregation-disambiguates", "tools.aggregation-not-by-server-name", revisions=["2026-07-28"]
)
async def test_equal_tools_of_servers_that_call_themselves_the_same_are_told_apart(host: ModuleType) -> None:
    async with host.Host(host.ScriptedModel()) as own:
        await own.start({"left": twin("from the left"), "right": twin("from the right")})
        assert [tool.name for tool in own.tools] == ["left.look", "right.look"]
        assert await own.ask("right.look") == "The tool says: from the right"
        assert await own.ask("left.look") == "The tool says: from the left"


async def test_a_tool_keeps_its_own_name_whatever_dots_there_are(host: ModuleType) -> None:
    server = twin("dotted")

    @server.tool(name="a.b")
    async def dotted() -> str:
        return "yes"

    async with host.Host(host.ScriptedModel()) as own:
        await own.start({"one.two": server})
        assert await own.ask("one.two.a.b") == "The tool says: yes"


async def test_the_model_gets_what_went_wrong_and_a_bounded_number_of_steps(host: ModuleType) -> None:
    class Stubborn:
        def __init__(self) -> None:
            self.heard: list[str] = []

        async def next(self, turns: Any, tools: Any) -> Any:
            self.heard.append(turns[-1].text)
            return host.Call("left.gone")

    model = Stubborn()
    async with host.Host(model) as own:
        await own.start({"left": twin("x")})
        assert await own.ask("go", most=3) == "I could not find an answer."
    assert model.heard == ["go", "There is no tool 'left.gone'.", "There is no tool 'left.gone'."]


async def test_a_server_that_is_lost_is_an_answer_that_the_model_can_read(host: ModuleType) -> None:
    server = Server("mortal")

    @server.tool
    async def think(ctx: Context) -> str:
        return str((await ctx.sample("hello", max_tokens=5)).content)

    async with host.Host(host.ScriptedModel()) as own:
        await own.start({"left": server})
        await own.clients["left"].aclose()
        assert "mortal" in await own.ask("left.think")
