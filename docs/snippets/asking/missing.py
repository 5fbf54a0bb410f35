import anyio

from mcport import Client, Context, MissingCapability, RemoteError, Server

server = Server("cleaner")


# shown:
@server.tool(needs=["elicitation", "sampling"])
async def careful() -> str:
    """Never runs for clients that cannot be asked."""
    return "done"


@server.tool
async def relaxed(ctx: Context) -> str:
    """Ask where possible."""
    try:
        answer = await ctx.elicit("Really?")
    except MissingCapability:
        return "did the safe half"
    return "did it all" if answer.accepted else "did nothing"


# :shown


async def main() -> None:
    for revision in ("2026-07-28", "2025-11-25"):
        async with Client(server, revision=revision) as client:
            print((await client.call_tool("relaxed")).text())
            try:
                print("isError:", (await client.call_tool("careful")).text())
            except RemoteError as error:
                print(error.code, error, error.data)


anyio.run(main)
