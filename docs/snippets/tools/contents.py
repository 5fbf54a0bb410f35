import anyio

from mcport import Client, Server
from mcport.content import Image, embed, link
from mcport.spec.types import EmbeddedResource, ResourceLink

server = Server("studio")
PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(8)


# shown:
@server.tool
async def draw() -> Image:
    """Draw a picture."""
    return Image(data=PIXEL)  # or Image("cat.png")


@server.tool
async def report() -> list[str | Image | ResourceLink | EmbeddedResource]:
    """Report with everything that belongs to it."""
    return [
        "The week in short:",
        Image(data=PIXEL),
        link("studio://weeks/7", "Week 7", mime_type="text/markdown"),
        embed("studio://weeks/7/totals.json", '{"pictures": 2}'),
    ]


# :shown


async def main() -> None:
    async with Client(server) as client:
        for name in ("draw", "report"):
            result = await client.call_tool(name)
            print(name, [block.type for block in result.content])


anyio.run(main)
