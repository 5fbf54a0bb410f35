"""Our client under measurement: its own CPU time per call against the bare server, printed as one JSON line.

Its one argument is the JSON task that `contestants.py` makes.
"""

import asyncio
import json
import random
import sys
import time
from typing import Any

import httpx

from mcport import Client


async def main(task: dict[str, Any]) -> None:
    options: dict[str, Any] = {"http_client": httpx.AsyncClient()} if task["httpx"] else {}
    async with Client(task["server"], revision=task["revision"], **options) as client:
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
