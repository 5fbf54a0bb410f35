"""One long conversation of our client with a counterpart, held once for each revision, channel and event loop.

Everything that goes wrong in real life happens in it. What the client wrote is kept byte by byte, as the counterpart
read it, and so is what the client made of the answers; the tests beside this file each judge one rule of it.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import anyio

from mcport import Cancelled, Client, RemoteError, Timeout
from tests.client.counterpart import error, notification, progress, request, result, text, usual
from tests.client.playing import Wire, child_command, child_lines, of

CHANNELS = ["memory", "stdio"]
LOOPS = ["asyncio", "trio"]

PINGS = ["p-1", 0, 7, "0", 2**40]
ODD = [
    "a banner that is no JSON",
    '{"jsonrpc":"1.0","id":900,"method":"ping"}',
    '{"jsonrpc":"2.0","id":null,"method":"ping"}',
    '{"jsonrpc":"2.0","id":true,"method":"ping"}',
    '{"jsonrpc":"2.0","id":1.5,"method":"ping"}',
    '{"jsonrpc":"2.0","id":[1],"method":"ping"}',
    '{"jsonrpc":"2.0","id":901,"method":7}',
    '{"jsonrpc":"2.0","method":"notifications/message","params":[1]}',
    '{"jsonrpc":"2.0","id":12345,"result":{}}',
    '{"jsonrpc":"2.0","id":12346,"result":{},"error":{"code":1,"message":"both"}}',
    '{"jsonrpc":"2.0","id":12347}',
    '{"jsonrpc":"2.0","id":902,"method":"ping","params":"\udcff"}',
]
BATCH: list[dict[str, Any]] = [
    {"jsonrpc": "2.0", "id": "b-1", "method": "ping"},
    {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}},
    {"jsonrpc": "2.0", "id": "b-3", "method": "ping"},
]
WRONG_BATCH: list[dict[str, Any]] = [
    {"jsonrpc": "2.0", "id": "b-4", "method": "ping"},
    {"jsonrpc": "2.0", "id": "b-2", "method": "initialize", "params": {}},
    {"jsonrpc": "2.0", "method": "initialize"},
]


@dataclass
class Transcript:
    """What the client wrote, line by line with its end, and what it told its user, by name."""

    lines: list[bytes] = field(default_factory=list)
    told: dict[str, Any] = field(default_factory=dict)

    @property
    def messages(self) -> list[Any]:
        """The lines as JSON."""
        return [json.loads(line) for line in self.lines]

    @property
    def requests(self) -> list[Any]:
        """The messages that ask."""
        return [message for message in self.messages if "method" in message and "id" in message]

    @property
    def notifications(self) -> list[Any]:
        """The messages that tell."""
        return [message for message in self.messages if "method" in message and "id" not in message]

    @property
    def answers(self) -> list[Any]:
        """The messages that answer."""
        return [message for message in self.messages if "method" not in message]

    def call(self, tool: str) -> Any:
        """The one call of a tool."""
        [found] = [each for each in of(self.requests, "tools/call") if each["params"]["name"] == tool]
        return found


@cache
def transcript(revision: str, channel: str, loop: str) -> Transcript:
    """The conversation, held when it is first asked for."""
    record: Transcript = anyio.run(_hold, revision, channel, backend=loop)
    return record


def _table(revision: str) -> dict[str, list[Any]]:
    pings = [request("ping", id) for id in PINGS]
    asked = [request("roots/list", "r"), request("sampling/createMessage", "s", {}), request("com.example/x", "x")]
    asked.append(request("ping", "bad-token", {"_meta": {"progressToken": {}}}))
    told = [notification("com.example/unknown"), notification("notifications/tools/list_changed"), notification("ping")]
    batch = json.dumps([*BATCH, {**text("in a batch"), "id": "$call"}]).replace('"$call"', "$id")
    return {
        **usual(revision),
        "tools/call watched": [progress(1, 2), progress(2, 2), text("watched"), progress(3, 2)],
        "tools/call first": [],
        "tools/call second": [progress(1), progress(5, token=987654), progress(5, token="$id"), text("second")],
        "tools/call third": [text("third")],
        "tools/call dropped": [],
        "tools/call late": [],
        "tools/call asking": [*pings, *asked, *told, text("asked")],
        "tools/call odd": [*ODD, text("odd")],
        "tools/call failing": [error(-32005, "Not today", {"until": "friday"})],
        "tools/call twice": [text("once"), text("twice")],
        "tools/call batch": [json.dumps(WRONG_BATCH), batch] if revision == "2025-03-26" else [text("alone")],
        "notifications/cancelled": [result({"content": []}, id="$requestId"), progress(9, token="$requestId")],
    }


async def _hold(revision: str, channel: str) -> Transcript:
    with tempfile.TemporaryDirectory() as folder, anyio.fail_after(20):
        log, table = Path(folder, "log"), _table(revision)
        wire = Wire(table) if channel == "memory" else None
        record = Transcript()
        async with Client(wire or child_command(log, table), revision=revision) as client:
            await _converse(client, record.told)
        record.lines = [line + b"\n" for line in wire.counterpart.lines] if wire else child_lines(log)
        return record


async def _converse(client: Client, told: dict[str, Any]) -> None:
    reports: list[float] = []
    told["revision"], told["reports"] = client.revision, reports
    if client.revision != "2026-07-28":
        await client.ping()
    await client.list_tools()
    await _call(client, told, "watched", progress=lambda value, *_: reports.append(value))
    first = client.start_tool("first", progress=lambda *_: None)
    await _call(client, told, "second", progress=lambda *_: None)
    await _call(client, told, "third")
    first.cancel()
    await _outcome(told, "first", first)
    dropped = client.start_tool("dropped")
    await _call(client, told, "third again")
    dropped.cancel()
    await _outcome(told, "dropped", dropped)
    await _call(client, told, "late", timeout=0.02)
    for tool in ("asking", "odd", "failing", "twice", "batch"):
        await _call(client, told, tool)
    client.notify("com.example/done", {"text": "two\nlines \u2028 \u00e9 \U0001f600"})
    await _call(client, told, "last \u00e9\n\u2028", {"text": "\u00e9\n\r\u0085"})
    await client.list_tools()


async def _call(client: Client, told: dict[str, Any], tool: str, *arguments: Any, **options: Any) -> None:
    await _outcome(told, tool, client.call_tool(tool, *arguments, **options))


async def _outcome(told: dict[str, Any], tool: str, call: Any) -> None:
    try:
        found = await call
    except (Cancelled, RemoteError, Timeout) as fault:
        told[tool] = fault
    else:
        told[tool] = found.content[0].text
