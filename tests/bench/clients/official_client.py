"""The official SDK's client under measurement: its own CPU time per call against the bare server.

It runs in that SDK's environment. Its one argument is the JSON task that `contestants.py` makes.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any

from mcp import Client, StdioServerParameters  # type: ignore[import-not-found]  # of its environment


async def main(task: dict[str, Any]) -> None:
    server = task["server"]  # a URL, or a command
    target = server if isinstance(server, str) else StdioServerParameters(command=server[0], args=server[1:])
    mode = "2026-07-28" if task["revision"] == "2026-07-28" else "legacy"
    async with Client(target, mode=mode) as client:
        spent = 0.0
        for warm in (True, False):
            pairs = [(random.randrange(10**6), random.randrange(10**6)) for _ in range(200 if warm else task["calls"])]
            begin = time.process_time()
            for a, b in pairs:
                result = await client.call_tool(task["tool"], {"a": a, "b": b})
                assert result.structured_content == {"result": a + b}
            spent = time.process_time() - begin
        print(json.dumps({"cpu": spent / task["calls"]}))


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
