"""A host: the servers of an `mcpServers` file, one list of tools, and a model that uses them.

    mcport run example:host servers.json "Please calculator.add a=17 b=25"

The model is a port of one method, `Model.next`. The one that is shipped follows a script, so that this runs without a
network: it calls the first tool whose name stands in the question, with the `name=value` pairs of it as arguments, and
then says what came back. Put a real one in its place.

What servers ask in the middle of a call is answered by the host: forms with their defaults, sampling by the model.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import anyio

from mcport import Client, ConversationError, fill_defaults
from mcport.spec.types import (
    CallToolResult,
    CreateMessageRequestParams,
    LoggingMessageNotificationParams,
    TextContent,
    Tool,
)

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
    """Calls the first tool that the user names, and then says what it answered; without tools it repeats the user."""

    async def next(self, turns: Sequence[Turn], tools: Sequence[Tool]) -> Call | str:
        last = turns[-1]
        if last.role == "tool":
            return f"The tool says: {last.text}"
        for tool in tools:
            if re.search(rf"(?<![\w.]){re.escape(tool.name)}(?![\w.])", last.text):
                return Call(tool.name, dict(_pairs(last.text)))
        if not tools:
            return f"You said: {last.text}"
        return "None of my tools fits: name one of them in the question, as SERVER.TOOL."


def _pairs(text: str) -> list[tuple[str, Any]]:
    """The `name=value` pairs of a text; values are JSON where they can be."""
    return [(name, _value(value)) for name, value in re.findall(r"(\w+)=(\"[^\"]*\"|\S+)", text)]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


# ---- the host


@dataclass
class Offered:
    """A tool of one of the servers; `shown` has the name by which the model calls it."""

    client: Client
    tool: Tool
    shown: Tool


class Host:
    """Keeps a client for each server, and offers the tools of all under one roof.

    A tool is called `SERVER.TOOL`, by the name that the server has in the file: the user gave it, and no other server
    has it. What a server calls itself may be anything, and two may call themselves the same.
    """

    def __init__(self, model: Model) -> None:
        self.model = model
        self.clients: dict[str, Client] = {}
        self.failures: dict[str, str] = {}
        self._offered: dict[str, Offered] = {}
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Host:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    @property
    def tools(self) -> list[Tool]:
        """The tools of all servers, as the model sees them."""
        return [each.shown for each in self._offered.values()]

    async def start(self, servers: Mapping[str, Mapping[str, Any]]) -> None:
        """Start servers side by side. One that does not start stands in `failures`, and the others go on."""
        async with anyio.create_task_group() as tasks:
            for name, entry in servers.items():
                tasks.start_soon(self._start, name, entry)
        for name in filter(self.clients.__contains__, servers):  # in the order of the file, whoever was first
            await self._take_over(name, self.clients[name])

    async def _start(self, name: str, entry: Mapping[str, Any]) -> None:
        try:
            client = Client(entry, elicit=fill_defaults, sample=self._sample, log=partial(_logged, name))
            self.clients[name] = await self._stack.enter_async_context(client)
        except (ConversationError, ValueError, TypeError) as error:  # it did not start, or the entry is none
            self.failures[name] = str(error)

    async def _take_over(self, name: str, client: Client) -> None:
        if "tools" in client.capabilities:
            async for tool in client.each_tool():
                shown = tool.model_copy(update={"name": f"{name}.{tool.name}"})
                self._offered[shown.name] = Offered(client, tool, shown)

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
        """Return what a tool answered, or what went wrong: the model reads it either way, and may try again."""
        offered = self._offered.get(call.tool)
        if offered is None:
            return f"There is no tool {call.tool!r}."
        try:
            return said(await offered.client.call_tool(offered.tool.name, call.arguments))
        except ConversationError as error:
            return str(error)

    async def _sample(self, params: CreateMessageRequestParams) -> str:
        """Let the model of the host answer for a server. It gets no tools, so it answers in words."""
        step = await self.model.next([Turn(each.role, _words(each.content)) for each in params.messages], [])
        return step if isinstance(step, str) else "I cannot say."


def said(result: CallToolResult) -> str:
    """What a tool answered, in words."""
    return ("failed: " if result.is_error else "") + _words(result.content)


def _words(content: Any) -> str:
    """The texts among one piece of content or several, and the kinds of all else."""
    blocks = content if isinstance(content, list) else [content]
    return " ".join(block.text if isinstance(block, TextContent) else f"({block.type})" for block in blocks)


def _logged(server: str, message: LoggingMessageNotificationParams) -> None:
    print(f"{server}: {message.level}: {message.data}", file=sys.stderr)


def servers_in(file: str) -> Mapping[str, Any]:
    """The entries of an `mcpServers` file; ends the program with one line where there are none."""
    try:
        content = json.loads(Path(file).read_text("utf-8"))
    except OSError as error:
        sys.exit(f"{file} cannot be read: {error.strerror}")
    except ValueError as error:
        sys.exit(f"{file} is not JSON: {error}")
    servers = content.get("mcpServers") if isinstance(content, dict) else None
    return servers if isinstance(servers, dict) else sys.exit(f"{file} names no servers: there is no mcpServers in it")


async def main(servers: Mapping[str, Any], questions: Sequence[str]) -> None:
    async with Host(ScriptedModel()) as host:
        await host.start(servers)
        for name, reason in host.failures.items():
            print(f"! {name}: {reason}", file=sys.stderr)
        print(f"{len(host.tools)} tools of {len(host.clients)} servers")
        for question in questions:
            print(f"> {question}\n{await host.ask(question)}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: host.py FILE QUESTION...")
    # It offers what newer servers will not ask for any more, on purpose: older ones do.
    logging.getLogger("mcport.client").setLevel(logging.ERROR)
    anyio.run(main, servers_in(sys.argv[1]), sys.argv[2:])
