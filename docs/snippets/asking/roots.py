import anyio

from mcport import Client, Context, Server, within_roots

server = Server("reader")


# shown:
@server.tool
async def is_mine(path: str, ctx: Context) -> bool:
    """Tell whether a file may be touched."""
    return within_roots(path, await ctx.list_roots())


# :shown


async def main() -> None:
    async with Client(server, roots=["/home/ada/project"]) as client:
        for path, is_mine in ("/home/ada/project/notes.txt", True), ("/home/ada/project/../.ssh/id", False):
            assert (await client.call_tool("is_mine", {"path": path})).data is is_mine


anyio.run(main)
