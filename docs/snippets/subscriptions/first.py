import anyio

from mcport import Client, Server

server = Server("notes")
notes: list[str] = []


@server.resource("note://all")
async def everything() -> list[str]:
    """All notes."""
    return notes


@server.tool
async def write(note: str) -> None:
    """Write a note."""
    notes.append(note)
    server.notify_resource_updated("note://all")


async def main() -> None:
    async with Client(server) as client, client.listen(uris=["note://all"]) as changes:
        await client.call_tool("write", {"note": "Water the plants."})
        async for change in changes:
            print(change)
            break


anyio.run(main)
