"""A host: several servers from an `mcpServers` file, one list of tools, and a model that works with them.

    python host.py servers.json "What is 17 + 25?"

The model is a port of one method, `Model.next`. The one that is shipped follows a script, so that this runs without a
network: it calls the first tool whose name stands in the question, with the `name=value` pairs of it as arguments, and
then says what came back. Put a real one in its place.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import anyio

from mcport import Client, ConversationError, fill_defaults
from mcport.spec.types import CallToolResult, ElicitRequestFormParams, Tool

# ---- the provider port


@dataclass
class Call:
    """The model wants a tool to be called."""

    tool: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass
class Turn:
    """One thing that was said: by the user, by the model, or by a tool."""

    role: str
    text: str


class Model(Protocol):
    """What a host needs of a model: the next step, given what was said and which tools there are."""

    async def next(self, turns: Sequence[Turn], tools: Sequence[Tool]) -> Call | str: ...


class ScriptedModel:
    """Calls the tool that the question names, and then says what it answered."""

    async def next(self, turns: Sequence[Turn], tools: Sequence[Tool]) -> Call | str:
        last = turns[-1]
        if last.role == "tool":
            return f"The tool says: {last.text}"
        for tool in tools:
            name = tool.name.partition(".")[2]
            if re.search(rf"\b{re.escape(name)}\b", last.text):
                return Call(tool.name, dict(_pairs(last.text)))
        return "None of my tools fits."


def _pairs(text: str) -> list[tuple[str, Any]]:
    """The `name=value` pairs of a text; values are JSON where they can be."""
    return [(name, _value(value)) for name, value in re.findall(r"(\w+)=(\"[^\"]*\"|\S+)", text)]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# ---- the host


class Host:
    """Keeps a client for each server, and offers their tools under one roof as `server.tool`."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.clients: dict[str, Client] = {}
        self.tools: list[Tool] = []
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Host:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def add(self, name: str, entry: dict[str, Any]) -> None:
        """Start a server and take over its tools. One that does not start is reported, and the others go on."""
        client = Client(entry, elicit=self._elicit, sample=self._sample, log=lambda message: None)
        try:
            await self._stack.enter_async_context(client)
        except ConversationError as error:
            print(f"! {name}: {error}", file=sys.stderr)
            return
        self.clients[name] = client
        if "tools" in client.capabilities:
            async for tool in client.each_tool():
                self.tools.append(tool.model_copy(update={"name": f"{name}.{tool.name}"}))

    async def ask(self, question: str, most: int = 10) -> str:
        """Let the model work on a question, with at most so many steps."""
        turns = [Turn("user", question)]
        for _ in range(most):
            step = await self.model.next(turns, self.tools)
            if isinstance(step, str):
                return step
            turns.append(Turn("tool", await self._call(step)))
        return "I could not find an answer."

    async def _call(self, call: Call) -> str:
        server, _, tool = call.tool.partition(".")
        try:
            result = await self.clients[server].call_tool(tool, call.arguments)
        except ConversationError as error:
            return str(error)  # the model reads it and may try again
        return said(result)

    async def _elicit(self, question: Any) -> Any:
        """Answer with the defaults of the form; a host with a window would show it."""
        if isinstance(question, ElicitRequestFormParams):
            return await fill_defaults(question)
        return "decline"

    async def _sample(self, params: Any) -> str:
        """Let the model of the host answer for a server."""
        last = params.messages[-1].content
        step = await self.model.next([Turn("user", getattr(last, "text", ""))], [])
        return step if isinstance(step, str) else "no answer"


def said(result: CallToolResult) -> str:
    """The texts of a result."""
    texts = [getattr(block, "text", f"({block.type})") for block in result.content]
    return ("failed: " if result.is_error else "") + " ".join(texts)


async def main(file: str, questions: Sequence[str]) -> None:
    servers = json.loads(Path(file).read_text("utf-8"))["mcpServers"]
    async with Host(ScriptedModel()) as host:
        for name, entry in servers.items():
            await host.add(name, entry)
        print(f"{len(host.tools)} tools of {len(host.clients)} servers")
        for question in questions:
            print(f"> {question}\n{await host.ask(question)}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: host.py FILE QUESTION...")
    anyio.run(main, sys.argv[1], sys.argv[2:])
