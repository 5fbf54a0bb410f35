import anyio

from mcport import Client, Server

server = Server("editor")


@server.prompt
async def review(text: str, tone: str = "friendly") -> str:
    """Ask for a review of a text.

    Args:
        text: what is to be reviewed
        tone: how to say it
    """
    return f"Review this in a {tone} tone:\n\n{text}"


async def main() -> None:
    async with Client(server) as client:
        [prompt] = (await client.list_prompts()).prompts
        print(prompt.name, prompt.arguments)
        result = await client.get_prompt("review", {"text": "Call me Ishmael."})
        for message in result.messages:
            print(message.role, message.content)


anyio.run(main)
