"""The official SDK's client, in both eras and in each of its ways to open, drives our quickstart example."""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.peers import places

HERE = places.ROOT / "tests" / "peers"
QUICKSTART = places.ROOT / "examples" / "quickstart.py"

# mode of the client -> the revision it has to end up with
MODES = {"legacy": "2025-11-25", "auto": "2026-07-28", "2026-07-28": "2026-07-28"}

SCRIPT: list[list[object]] = [
    ["tools", "list_tools"],
    ["add", "call_tool", "add", {"a": 20, "b": 22}],
    ["forecast", "call_tool", "forecast", {"city": "Lyon"}],
    ["no station", "call_tool", "forecast", {"city": "Paris"}],
    ["survey", "call_tool", "survey", {"pause": 0.01}, {"also": {"progress": True}}],
    ["too long", "call_tool", "survey", {"pause": 60}, {"also": {"read_timeout_seconds": 0.2}}],
    ["worker thread", "call_tool", "fahrenheit", {"celsius": 100}],
    ["wrong type", "call_tool", "add", {"a": "x", "b": 1}],
    ["unknown tool", "call_tool", "ad", {}],
    ["resources", "list_resources"],
    ["templates", "list_resource_templates"],
    ["about", "read_resource", "desk://about"],
    ["readings", "read_resource", "station://oslo/readings"],
    ["no resource", "read_resource", "desk://nothing"],
    ["prompts", "list_prompts"],
    ["prompt", "get_prompt", "compare", {"first": "Lyon", "second": "Oslo"}],
    ["unknown prompt", "get_prompt", "nope", {}],
    ["ping", "send_ping"],
]


class Seen:
    """What the official client printed: for each step its progress and its outcome."""

    def __init__(self, mode: str, output: str) -> None:
        self.mode = mode
        self.revision = MODES[mode]
        self._lines: list[dict[str, Any]] = [json.loads(line) for line in output.splitlines()]

    def opening(self) -> dict[str, Any]:
        return self._lines[0]

    def result(self, step: str) -> dict[str, Any]:
        last = self._last(step)
        assert "result" in last, last
        result: dict[str, Any] = last["result"]
        return result

    def error(self, step: str) -> dict[str, Any]:
        last = self._last(step)
        assert "error" in last, last
        error: dict[str, Any] = last["error"]
        return error

    def progress(self, step: str) -> list[list[object]]:
        return [line["progress"] for line in self.of(step) if "progress" in line]

    def of(self, step: str) -> list[dict[str, Any]]:
        """Everything that was printed under one name."""
        return [line for line in self._lines if line["step"] == step]

    def closed(self) -> bool:
        return bool(self._lines[-1] == {"step": "closed"})

    def _last(self, step: str) -> dict[str, Any]:
        return self.of(step)[-1]


@pytest.fixture(scope="module", params=sorted(MODES))
def seen(request: pytest.FixtureRequest, official_python: str) -> Seen:
    server = [sys.executable, str(QUICKSTART)]
    task = {"server": server, "env": dict(places.peer_env()), "mode": request.param, "script": SCRIPT}
    command = [official_python, "-W", "ignore", str(HERE / "official_client.py"), json.dumps(task)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=places.ROOT)
    assert done.returncode == 0, done.stderr[-4000:]
    return Seen(request.param, done.stdout)


def text_of(result: dict[str, Any]) -> str:
    text = result["content"][0]["text"]
    assert isinstance(text, str)
    return text


def test_it_opens_in_the_revision_of_its_mode(seen: Seen) -> None:
    assert seen.opening()["version"] == seen.revision


def test_it_learns_who_the_server_is_where_it_asks(seen: Seen) -> None:
    opening = seen.opening()
    if seen.mode in MODES.values():  # this mode sends no opening at all
        assert opening["server"] is None
        return
    assert (opening["server"]["name"], opening["server"]["version"]) == ("quickstart", "1.0.0")
    assert opening["instructions"].startswith("Ask forecast")
    assert {"tools", "resources", "prompts"} <= set(opening["capabilities"])


def test_it_lists_all_tools_with_their_schemas(seen: Seen) -> None:
    tools = {tool["name"]: tool for tool in seen.result("tools")["tools"]}
    assert {"add", "forecast", "survey", "fahrenheit"} <= set(tools)
    assert tools["add"]["inputSchema"]["required"] == ["a", "b"]
    assert tools["add"]["inputSchema"]["properties"]["a"]["type"] == "integer"


def test_its_calls_return_text(seen: Seen) -> None:
    assert text_of(seen.result("add")) == "42"
    assert json.loads(text_of(seen.result("forecast"))) == {"city": "Lyon", "day": "today", "celsius": 12.2}
    assert text_of(seen.result("worker thread")) == "212.0"


def test_a_tool_error_reaches_it_as_written(seen: Seen) -> None:
    result = seen.result("no station")
    assert result["isError"] is True
    assert text_of(result) == "There is no station in Paris. Stations: lyon, oslo, quito"


def test_it_sees_each_step_of_progress_before_the_result(seen: Seen) -> None:
    assert seen.progress("survey") == [
        [1.0, 3.0, "visited lyon"],
        [2.0, 3.0, "visited oslo"],
        [3.0, 3.0, "visited quito"],
    ]
    assert text_of(seen.result("survey")) == "3 stations visited"


def test_after_a_call_that_it_gave_up_the_next_one_is_answered(seen: Seen) -> None:
    assert "timed out" in seen.error("too long")["message"]
    assert text_of(seen.result("worker thread")) == "212.0"


def test_a_wrong_argument_is_one_plain_line_for_the_model(seen: Seen) -> None:
    result = seen.result("wrong type")
    assert result["isError"] is True
    assert text_of(result) == "add: argument 'a' must be an integer, got 'x'"


def test_an_unknown_tool_is_invalid_params_with_a_suggestion(seen: Seen) -> None:
    error = seen.error("unknown tool")
    assert error["code"] == -32602
    assert "Did you mean 'add'?" in error["message"]


def test_it_reads_resources_and_templates(seen: Seen) -> None:
    assert [resource["uri"] for resource in seen.result("resources")["resources"]] == ["desk://about"]
    templates = [template["uriTemplate"] for template in seen.result("templates")["resourceTemplates"]]
    assert templates == ["station://{name}/readings"]
    about = seen.result("about")["contents"][0]
    assert about["text"] == "A weather desk with three stations."
    assert about["mimeType"] == "text/plain"
    assert json.loads(seen.result("readings")["contents"][0]["text"]) == [-1.0, 0.5, -0.2]


def test_a_missing_resource_has_the_code_of_the_revision(seen: Seen) -> None:
    assert seen.error("no resource")["code"] == (-32602 if seen.revision == "2026-07-28" else -32002)


def test_it_gets_a_prompt(seen: Seen) -> None:
    prompts = {prompt["name"]: prompt for prompt in seen.result("prompts")["prompts"]}
    assert [argument["name"] for argument in prompts["compare"]["arguments"]] == ["first", "second"]
    message = seen.result("prompt")["messages"][0]
    assert message["role"] == "user"
    assert message["content"]["text"] == "Compare the weather in Lyon with that in Oslo, in two sentences."


def test_an_unknown_prompt_is_invalid_params(seen: Seen) -> None:
    assert seen.error("unknown prompt")["code"] == -32602


def test_ping_exists_in_the_handshake_era_only(seen: Seen) -> None:
    if seen.revision == "2026-07-28":
        assert seen.error("ping")["code"] == -32601
    else:
        assert seen.result("ping") == {}


def test_it_closes_without_an_error(seen: Seen) -> None:
    assert seen.closed()
