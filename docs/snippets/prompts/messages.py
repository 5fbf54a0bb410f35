from typing import Any

import anyio

from mcport import Client, Server
from mcport.content import Image, embed
from mcport.spec.types import PromptMessage, TextContent

server = Server("editor")


# shown:
@server.prompt
async def critique(title: str) -> list[Any]:
    """Start a conversation about a picture."""
    return [
        "Here is a picture.",
        Image(data=b"\x89PNG\r\n\x1a\n"),
        embed("notes://style", "Be brief."),
        PromptMessage(role="assistant", content=TextContent(text=f"What about {title}?")),
        {"role": "user", "content": "Is it any good?"},
    ]


# :shown


async def main() -> None:
    async with Client(server) as client:
        for message in (await client.get_prompt("critique", {"title": "Dawn"})).messages:
            print(message.role, message.content.type)


anyio.run(main)
