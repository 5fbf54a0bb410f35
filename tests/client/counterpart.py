"""A server made by hand for one test: it answers from a table and keeps every line that the client wrote.

It makes no use of mcport, so that it can judge it. It plays in the same process (`Wire`, a transport) or as a child
process (`python counterpart.py LOG TASK`); either way the same table gives the same answers.

The table is method -> what is written for a message of that method, or "tools/call NAME" for the call of one tool; a
string is written as it is, an object as JSON, with `$id`, `$token` and `$requestId` filled in from the message.
`{"exit": CODE}` ends the process and `{"stderr": TEXT}` writes there; in the same process `exit` ends the connection.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import Any

HANDSHAKE = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]
STATELESS = ["2026-07-28"]
ALL = [*STATELESS, *HANDSHAKE]

CAPABILITIES = {
    "tools": {},
    "resources": {"subscribe": True},
    "prompts": {},
    "completions": {},
    "logging": {},
}
INFO = {"name": "counterpart", "version": "7"}
NOT_FOUND = {"jsonrpc": "2.0", "id": "$id", "error": {"code": -32601, "message": "Method not found"}}


def result(members: dict[str, Any], id: Any = "$id") -> dict[str, Any]:
    """A successful answer."""
    return {"jsonrpc": "2.0", "id": id, "result": members}


def error(code: int, message: str, data: object = None, id: Any = "$id") -> dict[str, Any]:
    """An answer that is an error."""
    body = {"code": code, "message": message}
    return {"jsonrpc": "2.0", "id": id, "error": body if data is None else {**body, "data": data}}


def request(method: str, id: Any, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """A request of the server."""
    return {"jsonrpc": "2.0", "id": id, "method": method, **({} if params is None else {"params": params})}


def notification(method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
    """A notification."""
    return {"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})}


def progress(value: float, total: float | None = None, token: Any = "$token") -> dict[str, Any]:
    """A progress notification, for the request that is being answered."""
    params = {"progressToken": token, "progress": value, **({} if total is None else {"total": total})}
    return notification("notifications/progress", params)


def text(words: str) -> dict[str, Any]:
    """The result of a tool that says something."""
    return result({"resultType": "complete", "content": [{"type": "text", "text": words}]})


def usual(revision: str, capabilities: dict[str, Any] | None = None) -> dict[str, list[Any]]:
    """What a well-behaved server of one revision answers."""
    declared = CAPABILITIES if capabilities is None else capabilities
    about = {"capabilities": declared, "instructions": "Ask nicely."}
    table: dict[str, list[Any]] = {
        "tools/call": [text("done")],
        "tools/list": [result({"tools": []})],
    }
    if revision in STATELESS:
        meta = {"io.modelcontextprotocol/serverInfo": INFO}
        found = {"resultType": "complete", "supportedVersions": [revision], **about, "_meta": meta}
        return {**table, "server/discover": [result({**found, "ttlMs": 0, "cacheScope": "private"})]}
    opened = {"protocolVersion": revision, "serverInfo": INFO, **about}
    return {**table, "initialize": [result(opened)], "ping": [result({})]}


class Counterpart:
    """Answers lines from a table. `lines` is all that the client wrote."""

    def __init__(self, table: dict[str, list[Any]]) -> None:
        self.table = table
        self.lines: list[bytes] = []

    def read(self, line: bytes) -> Iterator[bytes | dict[str, Any]]:
        """Take one line and yield what is written for it: bytes, or something to be done."""
        self.lines.append(line)
        message = json.loads(line)
        for member in message if isinstance(message, list) else [message]:
            yield from self._answer(member)

    @property
    def messages(self) -> list[Any]:
        """The lines as JSON."""
        return [json.loads(line) for line in self.lines]

    def _answer(self, message: dict[str, Any]) -> Iterator[bytes | dict[str, Any]]:
        method, params = message.get("method"), message.get("params", {})
        if method is None:
            return
        items = self.table.get(f"{method} {params.get('name')}", self.table.get(method))
        if items is None:
            items = [NOT_FOUND] if "id" in message else []
        words = {
            "$id": message.get("id"),
            "$token": params.get("_meta", {}).get("progressToken"),
            "$requestId": params.get("requestId"),
        }
        for item in items:
            yield _written(item, words)


def _written(item: Any, words: dict[str, Any]) -> bytes | dict[str, Any]:
    if isinstance(item, str):
        for word, value in words.items():
            item = item.replace(word, json.dumps(value))
        return bytes(item, "utf-8", "surrogateescape")
    if isinstance(item, dict) and item.keys() & {"exit", "stderr"}:
        return item
    return json.dumps(_filled(item, words), separators=(",", ":")).encode()


def _filled(value: Any, words: dict[str, Any]) -> Any:
    if isinstance(value, str):
        return words.get(value, value)
    if isinstance(value, list):
        return [_filled(each, words) for each in value]
    if isinstance(value, dict):
        return {key: _filled(each, words) for key, each in value.items()}
    return value


def main(log: str, task: str) -> None:
    """Play on stdin and stdout, and write each line that comes into the log, after one with the process id."""
    counterpart = Counterpart(json.loads(task))
    with open(log, "wb", buffering=0) as file:
        file.write(b"%d\n" % os.getpid())
        for line in sys.stdin.buffer:
            file.write(line)
            for item in counterpart.read(line.rstrip(b"\n")):
                _play(item)
        file.write(b"eof\n")


def _play(item: bytes | dict[str, Any]) -> None:
    if isinstance(item, bytes):
        sys.stdout.buffer.write(item + b"\n")
        sys.stdout.buffer.flush()
    elif "stderr" in item:
        sys.stderr.write(item["stderr"])
        sys.stderr.flush()
    else:
        os._exit(item["exit"])


if __name__ == "__main__":
    main(*sys.argv[1:])
