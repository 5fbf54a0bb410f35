import anyio

from mcport import Client, Server

server = Server("calculator")


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def main() -> None:
    async with Client(server) as client:
        result = await client.call_tool("add", {"a": 2, "b": 40})
        print(result.data)


anyio.run(main)
