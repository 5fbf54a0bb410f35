"""The floor for clients: a bare asyncio loop that writes a call, reads a line, parses it, and looks at the sum.

No protocol is kept beyond the opening. Its one argument is the JSON task that `contestants.py` makes.
"""

import asyncio
import json
import random
import sys
import time
from asyncio.subprocess import PIPE, Process
from typing import Any

import jiter

PREFIX = "io.modelcontextprotocol/"


class Floor:
    """Asks one request at a time over a subprocess' pipes."""

    def __init__(self, process: Process, revision: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        stateless = {f"{PREFIX}protocolVersion": revision, f"{PREFIX}clientCapabilities": {}}
        self._extra = {"_meta": stateless} if revision == "2026-07-28" else {}
        self._id = 0

    async def ask(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": {**params, **self._extra}}
        self._to.write(json.dumps(request, separators=(",", ":")).encode() + b"\n")
        answer: dict[str, Any] = jiter.from_json(await self._from.readline())
        assert answer["id"] == self._id
        result: dict[str, Any] = answer["result"]
        return result


async def main(task: dict[str, Any]) -> None:
    process = await asyncio.create_subprocess_exec(*task["server"], stdin=PIPE, stdout=PIPE)
    floor = Floor(process, task["revision"])
    info = {"name": "bench", "version": "1"}
    await floor.ask("initialize", {"protocolVersion": task["revision"], "capabilities": {}, "clientInfo": info})
    spent = 0.0
    for warm in (True, False):
        pairs = [(random.randrange(10**6), random.randrange(10**6)) for _ in range(200 if warm else task["calls"])]
        begin = time.process_time()
        for a, b in pairs:
            result = await floor.ask("tools/call", {"name": task["tool"], "arguments": {"a": a, "b": b}})
            assert result["structuredContent"]["result"] == a + b
        spent = time.process_time() - begin
    print(json.dumps({"cpu": spent / task["calls"]}))
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
