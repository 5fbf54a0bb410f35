import re

import anyio

from mcport import Client, Server, ToolError

server = Server("warehouse")
STOCK = {"apples": 3}


@server.tool
async def take(what: str, count: int) -> int:
    """Take something out; returns what is left."""
    if what not in STOCK:
        raise ToolError(f"There are no {what}. There are: {', '.join(STOCK)}")
    return STOCK[what] // count


async def main() -> None:
    async with Client(server) as client:
        for arguments in {"what": "pears", "count": 1}, {"what": "apples", "count": 0}:
            result = await client.call_tool("take", arguments)
            print(result.is_error, re.sub("error [0-9a-f]+", "error 5f0c1e9a", result.text()))


anyio.run(main)
