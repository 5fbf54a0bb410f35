"""The host example keeps the tools of its servers apart, whatever these call themselves."""

import runpy
from pathlib import Path
from typing import Any

import pytest

from mcport import Server

FILE = Path(__file__).resolve().parents[2] / "examples" / "host.py"

pytestmark = pytest.mark.anyio


def greeting(words: str) -> Any:
    """A server of the same name, with a tool of the same name, as every other."""
    server = Server("same")

    @server.tool
    async def greet() -> str:
        return words

    return server


@pytest.mark.requirement("tools.aggregation-disambiguates", "tools.aggregation-not-by-server-name")
async def test_equal_tools_of_servers_of_equal_names_stay_two_tools_named_by_the_hosts_own_words() -> None:
    example = runpy.run_path(str(FILE))
    async with example["Host"](example["ScriptedModel"]()) as host:
        await host.add("left", greeting("hello"))
        await host.add("right", greeting("goodbye"))
        assert [tool.name for tool in host.tools] == ["left.greet", "right.greet"]
        said = [await host._call(example["Call"](f"{name}.greet", {})) for name in ("left", "right")]
    assert said == ["hello", "goodbye"]
