"""The floor: an asyncio loop that parses each line and answers with canned bytes. No protocol is kept here.

It answers what the benchmark asks and nothing else: opening in both eras, `tools/list`, and calls of two tools. It
needs the standard library and jiter. Its one argument is the JSON object that `traffic.Names` describes.
"""

import asyncio
import json
import mmap
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import jiter

LARGE = 65536
ERA = "io.modelcontextprotocol/protocolVersion"


def canned(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


class Floor:
    """Reads a pipe, answers each line, and writes the answers of one read in one write."""

    def __init__(self, names: dict[str, Any], done: asyncio.Event) -> None:
        self._add = (names["add"], names["add_def"])
        self._echo: str = names["echo"]
        self._done = done
        self._bytes = mmap.mmap(-1, 8 << 20)  # one buffer for good: fresh megabytes cost page faults
        self._buffer, self._filled = memoryview(self._bytes), 0
        integer = {"type": "integer"}
        schema = {"type": "object", "properties": {"a": integer, "b": integer}, "required": ["a", "b"]}
        output = {"type": "object", "properties": {"result": integer}, "required": ["result"]}
        tools = [
            {"name": name, "description": f"Do {name}.", "inputSchema": schema, "outputSchema": output}
            for name in [*self._add, self._echo, *names["extra"]]
        ]
        self._tools = canned({"tools": tools})[1:-1]
        able: dict[str, Any] = {"capabilities": {"tools": {}}}
        info = {"serverInfo": {"name": "floor", "version": "1"}}
        self._opened = canned({**able, **info, "protocolVersion": "2025-11-25"})[1:-1]
        self._found = canned({**able, "supportedVersions": ["2026-07-28", "2025-11-25"]})[1:-1]

    def read(self) -> None:
        count = os.readv(0, [self._buffer[self._filled :]])
        if not count:
            self._done.set()
        start, self._filled = self._filled, self._filled + count
        end = self._bytes.rfind(b"\n", start, self._filled) + 1
        if not end:
            return
        data = bytes(self._buffer[:end])
        self._buffer[: self._filled - end] = self._buffer[end : self._filled]
        self._filled -= end
        lines = data.splitlines() if data.count(b"\n") > 1 else (data,)  # one large line is not copied again
        self._write([part for line in lines for part in self._answer(jiter.from_json(line), line)])

    def _answer(self, request: dict[str, Any], line: bytes) -> Sequence[bytes | memoryview]:
        number = request.get("id")
        if number is None:
            return ()
        params = request.get("params", {})
        kind = b'"resultType":"complete",' if ERA in params.get("_meta", ()) else b""
        key = b"%d" % number if type(number) is int else canned(number)
        if request["method"] != "tools/call":
            answer = self._list(request["method"])
        elif params["name"] == self._echo:
            head = b'{"jsonrpc":"2.0","id":%b,"result":{%b"content":[{"type":"text","text":' % (key, kind)
            return (head, *_text(line))
        else:
            total = params["arguments"]["a"] + params["arguments"]["b"]
            answer = b'"content":[{"type":"text","text":"%d"}],"structuredContent":{"result":%d}' % (total, total)
        return (b'{"jsonrpc":"2.0","id":%b,"result":{%b%b}}\n' % (key, kind, answer),)

    def _list(self, method: str) -> bytes:
        if method == "tools/list":
            return b'"ttlMs":0,"cacheScope":"public",' + self._tools
        return self._opened if method == "initialize" else b'"ttlMs":0,"cacheScope":"public",' + self._found

    @staticmethod
    def _write(parts: list[bytes | memoryview]) -> None:
        if sum(map(len, parts)) < LARGE:
            os.write(1, b"".join(parts))
            return
        for part in parts:
            view = memoryview(part)
            while view:
                view = view[os.write(1, view) :]


def _text(line: bytes) -> tuple[memoryview, bytes]:
    """The echoed text as it came, quoted and escaped, without a copy; and what closes the answer."""
    return memoryview(line)[line.index(b'"text":') + 7 : line.rindex(b'"}', len(line) - 400) + 1], b"}]}}\n"


async def main(names: dict[str, Any]) -> None:
    done = asyncio.Event()
    on_readable: Callable[[], None] = Floor(names, done).read
    asyncio.get_running_loop().add_reader(0, on_readable)
    await done.wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
