"""The quickstart example does what its texts promise, in every revision."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from mcport import Server
from tests.server.wire import ALL, serving

EXAMPLE = Path(__file__).parents[2] / "examples" / "quickstart.py"


def quickstart() -> Server:
    """Load the example as `mcport run` does, without running it."""
    spec = importlib.util.spec_from_file_location("quickstart_under_test", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    server = module.server
    assert isinstance(server, Server)
    return server


@pytest.mark.parametrize("revision", ALL)
async def test_its_tools_are_listed_with_plain_schemas(revision: str) -> None:
    async with serving(quickstart(), revision) as wire:
        tools = {tool["name"]: tool for tool in (await wire.ask("tools/list"))["result"]["tools"]}
    assert list(tools) == ["add", "forecast", "survey", "fahrenheit"]
    assert all(tool["description"] for tool in tools.values())
    day = tools["forecast"]["inputSchema"]["properties"]["day"]
    assert day == {"type": "string", "enum": ["today", "tomorrow"], "default": "today", "description": "which day"}
    assert tools["survey"]["inputSchema"]["properties"]["pause"]["description"] == "seconds to spend at each station"
    assert "$ref" not in str(tools)


@pytest.mark.parametrize("revision", ALL)
async def test_its_tools_answer_and_fail_in_one_line(revision: str) -> None:
    async with serving(quickstart(), revision) as wire:
        assert await wire.text("add", {"a": 2, "b": 3}) == "5"
        assert await wire.text("fahrenheit", {"celsius": 100}) == "212.0"
        assert await wire.text("forecast", {"city": "Lyon"}) == '{"city":"Lyon","day":"today","celsius":12.2}'
        failed = await wire.call("forecast", {"city": "Paris"})
        assert failed["isError"] is True
        assert failed["content"][0]["text"] == "There is no station in Paris. Stations: lyon, oslo, quito"


@pytest.mark.parametrize("revision", ALL)
async def test_its_survey_reports_every_station(revision: str) -> None:
    async with serving(quickstart(), revision) as wire:
        wire.request("tools/call", {"name": "survey", "arguments": {"pause": 0}}, progressToken="s")
        reports = [(await wire.read())["params"] for _ in range(3)]
        assert [(report["progress"], report["total"]) for report in reports] == [(1, 3), (2, 3), (3, 3)]
        assert reports[0].get("message") == (None if revision == ALL[0] else "visited lyon")
        assert (await wire.read())["result"]["content"][0]["text"] == "3 stations visited"


@pytest.mark.parametrize("revision", ALL)
async def test_its_resources_and_prompt_are_read(revision: str) -> None:
    async with serving(quickstart(), revision) as wire:
        about = (await wire.ask("resources/read", {"uri": "desk://about"}))["result"]["contents"]
        assert about == [
            {"uri": "desk://about", "mimeType": "text/plain", "text": "A weather desk with three stations."}
        ]
        oslo = (await wire.ask("resources/read", {"uri": "station://oslo/readings"}))["result"]["contents"][0]
        assert (oslo["mimeType"], oslo["text"]) == ("application/json", "[-1.0,0.5,-0.2]")
        prompt = await wire.ask("prompts/get", {"name": "compare", "arguments": {"first": "Lyon", "second": "Oslo"}})
        assert "Lyon" in prompt["result"]["messages"][0]["content"]["text"]


@pytest.mark.parametrize("revision", ALL)
async def test_a_station_that_does_not_exist_is_a_resource_that_does_not_exist(revision: str) -> None:
    async with serving(quickstart(), revision) as wire:
        error = await wire.error("resources/read", {"uri": "station://paris/readings"})
        assert error["code"] == (-32602 if revision == ALL[-1] else -32002)
        assert error["data"] == {"uri": "station://paris/readings"}
