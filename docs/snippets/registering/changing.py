import anyio

from mcport import Client, Context, Server

server = Server("office")


@server.tool(visible=lambda ctx: ctx.principal == "boss")
async def shred(document: str) -> str:
    """Shred a document: for the boss alone, who exists only where requests are authorized."""
    return f"{document} is gone"


@server.tool
async def install(word: str, ctx: Context) -> str:
    """Teach the server one more tool."""

    async def say() -> str:
        return word

    server.add_tool(say, name=f"say_{word}", description=f"Say {word}.")
    return f"installed say_{word}"


async def main() -> None:
    async with Client(server) as client:
        print([tool.name async for tool in client.each_tool()])
        await client.call_tool("install", {"word": "hello"})
        print([tool.name async for tool in client.each_tool()])
        print((await client.call_tool("say_hello")).text())
        server.remove_tool("say_hello")
        print([tool.name async for tool in client.each_tool()])


anyio.run(main)
