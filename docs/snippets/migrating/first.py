import anyio

from mcport import Client, Context, Server
from mcport.content import Image

mcp = Server("album", instructions="Look before you draw.")


@mcp.tool()
async def develop(films: list[str], ctx: Context) -> str:
    """Develop films."""
    for number, film in enumerate(films, start=1):
        await ctx.info(f"developing {film}")
        await ctx.report_progress(number, len(films))
    return f"{len(films)} films developed"


@mcp.tool()
def print_picture() -> Image:
    """Print a picture."""
    return Image(data=b"\x89PNG\r\n\x1a\n")


@mcp.resource("album://{year}")
def album(year: int) -> str:
    """The pictures of a year."""
    return f"pictures of {year}"


@mcp.prompt()
def describe(picture: str) -> str:
    """Ask for a description."""
    return f"Describe {picture}."


async def main() -> None:
    async with Client(mcp) as client:
        print((await client.call_tool("develop", {"films": ["Lyon"]})).text())
        print([block.type for block in (await client.call_tool("print_picture")).content])
        print((await client.read_resource("album://1999")).contents)
        print((await client.get_prompt("describe", {"picture": "a cat"})).messages)


anyio.run(main)
