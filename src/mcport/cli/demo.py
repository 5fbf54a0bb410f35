"""`mcport demo`: start the bundled example as a real process and show a conversation with it.

With `--wire` every line is a message as it passed. Below: the client, `screen`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable
from typing import TypeVar

import anyio

from mcport.client.client import Client
from mcport.core.jsonrpc import JsonObject
from mcport.errors import RemoteError
from mcport.spec.revisions import REVISIONS

from .loading import example_path
from .screen import Screen
from .usage import UsageError

T = TypeVar("T")


def demo(revision: str | None, wire: bool) -> None:
    """Show the conversation. Raises `UsageError` for a revision that does not exist."""
    if revision is not None and revision not in REVISIONS:
        raise UsageError(f"unknown protocol revision {revision!r}; known: {', '.join(REVISIONS)}")
    anyio.run(_Demo(Screen(sys.stdout), wire).show, revision)


class _Demo:
    def __init__(self, screen: Screen, wire: bool) -> None:
        self._screen = screen
        self._wire = wire

    async def show(self, revision: str | None) -> None:
        screen, file = self._screen, example_path("quickstart")
        screen.title(f"python {file.name}")
        trace = screen.message if self._wire else None
        client = Client([sys.executable, str(file)], revision=revision, trace=trace)
        began = time.perf_counter()
        async with client:
            took = time.perf_counter() - began
            info = client.server_info
            screen.line("open", f"{info.get('name')} {info.get('version')}, protocol {client.revision}", took)
            screen.line("says", client.instructions or "")
            await self._tools(client)
            await self._calls(client)
            await self._reads(client)
            await self._mistakes(client)
        screen.line("close", "the server has ended")

    async def _timed(self, call: Awaitable[T]) -> tuple[T, float]:
        began = time.perf_counter()
        return await call, time.perf_counter() - began

    async def _tools(self, client: Client) -> None:
        tools, took = await self._timed(client.list_tools())
        self._screen.line("tools/list", f"{len(tools.tools)} tools", took)
        for tool in tools.tools:
            arguments = ", ".join(tool.input_schema.get("properties", {}))
            summary = (tool.description or "").partition("\n")[0]
            self._screen.detail(f"{tool.name}({arguments})", summary)

    async def _calls(self, client: Client) -> None:
        result, took = await self._timed(client.call_tool("add", {"a": 17, "b": 25}))
        self._screen.line("tools/call", f"add(17, 25) = {_text(result)}", took)
        result, took = await self._timed(client.call_tool("forecast", {"city": "Lyon", "day": "tomorrow"}))
        self._screen.line("tools/call", f"forecast(Lyon) = {_text(result)}", took)
        bar = _unseen if self._wire else self._screen.bar
        result, took = await self._timed(client.call_tool("survey", {}, progress=bar))
        self._screen.line("tools/call", f"survey() = {_text(result)}", took)

    async def _reads(self, client: Client) -> None:
        uri = "station://oslo/readings"
        found, took = await self._timed(client.read_resource(uri))
        self._screen.line("resources/read", f"{uri} = {getattr(found.contents[0], 'text', '')}", took)
        prompt, took = await self._timed(client.get_prompt("compare", {"first": "Lyon", "second": "Oslo"}))
        self._screen.line("prompts/get", f"compare: {getattr(prompt.messages[0].content, 'text', '')}", took)

    async def _mistakes(self, client: Client) -> None:
        await self._mistake(client, "add", {"a": "seventeen", "b": 25})
        await self._mistake(client, "forcast", {"city": "Lyon"})

    async def _mistake(self, client: Client, tool: str, arguments: JsonObject) -> None:
        """Call wrongly, and show the one line that comes: as a result for the model, or as an error."""
        began = time.perf_counter()
        try:
            line = _text(await client.call_tool(tool, arguments))
        except RemoteError as error:
            line = str(error)
        self._screen.error("tools/call", line, time.perf_counter() - began)


def _unseen(progress: float, total: float | None, message: str | None) -> None:
    """Progress is asked for all the same: its messages are on the wire."""


def _text(result: object) -> str:
    content = getattr(result, "content", [])
    return " ".join(getattr(block, "text", "") for block in content)
