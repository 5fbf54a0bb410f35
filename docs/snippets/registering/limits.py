import anyio

from mcport import Client, Server

server = Server("archive")


@server.tool(timeout=0.1, max_concurrency=2)
async def search(words: str) -> str:
    """Search the archive."""
    await anyio.sleep_forever()
    return words


async def main() -> None:
    async with Client(server) as client:
        result = await client.call_tool("search", {"words": "comets"})
        print(result.is_error, result.text())


anyio.run(main)
