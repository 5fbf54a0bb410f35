import json

import anyio

from mcport import Client, Server

server = Server("calculator")


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def show(way: str, message: bytes) -> None:
    said = json.loads(message)
    print(way, said.get("method", "answer"), sorted(said.get("result", {})))


async def main() -> None:
    async with Client(server, revision="2025-06-18", trace=show) as client:
        await client.call_tool("add", {"a": 2, "b": 40})


anyio.run(main)
