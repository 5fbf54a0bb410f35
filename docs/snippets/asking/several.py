from typing import Literal

import anyio

from mcport import Client, Context, Elicit, ListRoots, Sample, Server

server = Server("camera")


# shown:
@server.tool
async def photograph(ctx: Context) -> str:
    """Take a picture."""
    answers = await ctx.ask_all(
        format=Elicit("Which format?", Literal["png", "jpeg"]),
        title=Sample("Think of a title."),
        folders=ListRoots(),
    )
    return f"{answers['title'].content.text} as {answers['format'].data}, in {answers['folders'][0].uri}"


# :shown


async def main() -> None:
    async with Client(
        server,
        elicit=lambda form: {"value": "png"},
        sample=lambda request: "Dawn",
        roots=["/photos"],
    ) as client:
        assert (await client.call_tool("photograph")).text() == "Dawn as png, in file:///photos"


anyio.run(main)
