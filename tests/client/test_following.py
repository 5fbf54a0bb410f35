"""Following a server of our own: one story, in every revision, in this process and over stdio."""

import sys
from pathlib import Path

import pytest

from mcport import Client, ResourceUpdated, Server, ToolsChanged
from mcport.spec.types import ReadResourceResult, TextResourceContents
from tests.client.board import NOTE, board
from tests.client.counterpart import ALL

ROOT = Path(__file__).parents[2]


def reached(how: str) -> Server | list[str]:
    return board() if how == "memory" else [sys.executable, "-m", "tests.client.board"]


@pytest.mark.requirement("cache.notification-invalidates", "cache.ttl-with-list-changed", revisions=["2026-07-28"])
@pytest.mark.parametrize("how", ["memory", "stdio"])
@pytest.mark.parametrize("revision", ALL)
async def test_p21_whoever_follows_a_server_never_reads_what_is_no_longer_true(revision: str, how: str) -> None:
    async with (
        Client(reached(how), revision=revision, cwd=ROOT if how == "stdio" else None) as client,
        client.listen(tools=True, uris=[NOTE]) as changes,
    ):
        assert not changes.missing
        assert [tool.name async for tool in client.each_tool()] == ["write", "learn"]
        assert _text(await client.read_resource(NOTE)) == "first"

        await client.call_tool("write", {"text": "second"})
        assert await anext(changes) == ResourceUpdated(NOTE)
        assert _text(await client.read_resource(NOTE)) == "second"

        await client.call_tool("learn", {"name": "sing"})
        assert await anext(changes) == ToolsChanged()
        assert [tool.name async for tool in client.each_tool()] == ["write", "learn", "sing"]


@pytest.mark.parametrize("revision", ALL)
async def test_many_listeners_side_by_side_each_hear_everything_once(revision: str) -> None:
    async with Client(board(), revision=revision) as client:
        listeners = [await client.listen(tools=True, uris=[NOTE]).__aenter__() for _ in range(20)]
        await client.call_tool("write", {"text": "new"})
        await client.call_tool("learn", {"name": "sing"})
        for changes in listeners:
            assert {await anext(changes), await anext(changes)} == {ResourceUpdated(NOTE), ToolsChanged()}
        for changes in listeners:
            await changes.aclose()
            assert [change async for change in changes] == []


def _text(result: ReadResourceResult) -> str:
    [content] = result.contents
    assert isinstance(content, TextResourceContents)
    return content.text
