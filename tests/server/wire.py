"""A served server, seen from the other end of the wire: JSON goes in as bytes, bytes come out and are judged.

`serving(server, revision)` serves over a memory channel and opens the conversation as a client of that revision does.
Every message that leaves is read strictly and must be accepted by the exact models of the revision; nothing else is
assumed about mcport, and no client of it is in the way.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import anyio
import jiter

from mcport import Server
from mcport.core.framing import Line
from mcport.session.loop import Loop, current_loop
from mcport.spec.methods import METHODS
from mcport.spec.revisions import HANDSHAKE, REVISIONS, STATELESS
from mcport.transports.memory import MemoryChannel

Json: TypeAlias = Any

ALL = sorted(REVISIONS)
OLD = sorted(revision.name for revision in HANDSHAKE)
NEW = sorted(revision.name for revision in STATELESS)

VERSION = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SERVER_INFO = "io.modelcontextprotocol/serverInfo"

SECONDS = 5.0
"""How long a test waits for a message before it fails."""


def judge(message: Json, revision: str, method: str | None) -> None:
    """Let the exact models of a revision judge a message that a server sent; `method` is what it answers."""
    module = importlib.import_module(f"mcport.spec.wire.r{revision.replace('-', '_')}")
    if "method" in message and "id" in message:
        _accept(module.ServerRequest, message)
        _accept(module.JSONRPCRequest, message)
        return
    if "method" in message:
        if message["method"] in METHODS:  # else it is an extension's, of which nothing else is known
            _accept(module.ServerNotification, message)
        _accept(module.JSONRPCNotification, message)
        return
    if "id" not in message and not hasattr(module, "JSONRPCErrorResponse"):
        # The older schemas know no error without id, yet nobody can repeat the id of what could not be read.
        message = {**message, "id": 0}
    _accept(module.JSONRPCMessage, message)
    if "result" in message and method is not None:
        known, kind = METHODS.get(method), message["result"].get("resultType", "complete")
        if known is None or kind not in ("complete", "input_required"):
            _accept(module.Result, message["result"])  # an extension's: nothing else is known of it
            return
        name = known.result
        assert name is not None
        if message["result"].get("resultType") == "input_required":
            name = "InputRequiredResult"
        _accept(module.EmptyResult if name == "Result" else getattr(module, name), message["result"])


def _accept(model: Any, value: Json) -> None:
    found = model.model_validate_json(json.dumps(value), strict=True)
    assert json.loads(found.to_json()) == value


class Wire:
    """The client's end of a conversation with a server."""

    def __init__(self, channel: MemoryChannel, revision: str) -> None:
        self.revision = revision
        self.capabilities: Json = {}
        self.raw: list[bytes] = []
        self.changes: list[str] = []
        self.ended: str | None = None
        self._channel = channel
        self._count = 0
        self._methods: dict[Json, str] = {}
        self._read = 0
        self._news = anyio.Event()

    # ---- what the server sends (the channel's receiver)

    def receive(self, batch: list[Line]) -> None:
        self.raw += [line for line in batch if isinstance(line, bytes)]
        self._tell()

    def end(self, reason: str) -> None:
        self.ended = reason
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()

    # ---- what the test says

    def send(self, *messages: Json) -> None:
        """Send messages as they are: bytes, or JSON."""
        for message in messages:
            self._channel.send(message if isinstance(message, bytes) else json.dumps(message).encode())

    def params(self, params: Json = None, **meta: Json) -> Json:
        """Return params as a client of this revision sends them, with more members of `_meta`."""
        stamp = {VERSION: self.revision, CAPABILITIES: self.capabilities} if self.revision in NEW else {}
        return {**(params or {}), "_meta": {**stamp, **meta}} if stamp or meta else dict(params or {})

    def request(self, method: str, params: Json = None, id: Json = None, **meta: Json) -> Json:
        """Send a request and return its id."""
        if id is None:
            self._count += 1
            id = f"r{self._count}"
        self._methods[json.dumps(id)] = method
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": self.params(params, **meta)})
        return id

    def notify(self, method: str, params: Json = None) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params or {}})

    async def read(self) -> Json:
        """Return the next message of the server, judged."""
        with anyio.fail_after(SECONDS):
            while self._read == len(self.raw):
                assert self.ended is None, f"the server ended: {self.ended}"
                await self._news.wait()
        line = self.raw[self._read]
        self._read += 1
        assert b"\n" not in line
        message = jiter.from_json(line, allow_inf_nan=False, catch_duplicate_keys=True)
        assert message["jsonrpc"] == "2.0"
        judge(message, self.revision, self._methods.get(json.dumps(message.get("id"))))
        return message

    async def ask(self, method: str, params: Json = None, id: Json = None, **meta: Json) -> Json:
        """Send a request and return the next message, which must be its answer.

        News of changed lists, which may come any time, are put aside into `changes`.
        """
        id = self.request(method, params, id, **meta)
        message = await self.read()
        while message.get("method", "").endswith("/list_changed"):
            self.changes.append(message["method"])
            message = await self.read()
        assert message.get("id") == id, message
        return message

    async def call(self, tool: str, arguments: Json = None, **meta: Json) -> Json:
        """Call a tool and return its result."""
        answer = await self.ask("tools/call", {"name": tool, "arguments": arguments or {}}, **meta)
        return answer["result"]

    async def text(self, tool: str, arguments: Json = None) -> str:
        """Call a tool and return the text of its one block."""
        result = await self.call(tool, arguments)
        (block,) = result["content"]
        return str(block["text"])

    async def error(self, method: str, params: Json = None, **meta: Json) -> Json:
        """Send a request and return the error object that answers it."""
        answer = await self.ask(method, params, **meta)
        assert "result" not in answer, answer
        return answer["error"]

    async def rest(self) -> list[Json]:
        """Ask something that every server answers, and return what came before that answer."""
        id = self.request("server/discover" if self.revision in NEW else "ping")
        before: list[Json] = []
        while (message := await self.read()).get("id") != id:
            before.append(message)
        assert "result" in message
        return before

    async def silent(self) -> None:
        """See that the server sends nothing, and is still alive."""
        assert await self.rest() == []

    def hang_up(self) -> None:
        """Say that no more will come."""
        self._channel._other._end()


class _Ear:
    """Gives a wire the name that channels call at the end."""

    def __init__(self, wire: Wire) -> None:
        self.receive = wire.receive
        self.ended = wire.end


@asynccontextmanager
async def unopened(server: Server, revision: str) -> AsyncIterator[Wire]:
    """Serve a server; nothing has been said yet."""
    loop = current_loop()
    limit = server.limits.message_bytes
    near, far = MemoryChannel.pair(loop, (64 * limit, limit))
    wire = Wire(near, revision)
    near.open(_Ear(wire))
    with anyio.fail_after(2 * SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_serve, server, far, loop)
            yield wire
            await near.aclose()


async def _serve(server: Server, channel: MemoryChannel, loop: Loop) -> None:
    await server.host.serve(channel, loop)


@asynccontextmanager
async def serving(server: Server, revision: str, capabilities: Json = None) -> AsyncIterator[Wire]:
    """Serve a server, the conversation opened as a client of `revision` with these capabilities does."""
    async with unopened(server, revision) as wire:
        wire.capabilities = capabilities or {}
        if revision in OLD:
            await opened(wire)
        yield wire


async def opened(wire: Wire, version: str | None = None) -> Json:
    """Open a conversation of the handshake era and return the result of `initialize`."""
    info = {"name": "tester", "version": "1"}
    params = {"protocolVersion": version or wire.revision, "capabilities": wire.capabilities, "clientInfo": info}
    result = (await wire.ask("initialize", params))["result"]
    wire.notify("notifications/initialized")
    return result
