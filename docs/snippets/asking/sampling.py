import anyio

from mcport import Client, Context, Server
from mcport.spec.types import CreateMessageRequestParams, TextContent

server = Server("diary")


# shown:
@server.tool
async def summarise(text: str, ctx: Context) -> str:
    """Summarise a text with the client's model."""
    reply = await ctx.sample(
        [text, {"role": "assistant", "content": "I have read it."}, "Summarise it in one line."],
        max_tokens=100,
        system_prompt="Be brief.",
        model_preferences=["claude", "gpt"],
    )
    assert isinstance(reply.content, TextContent)
    return f"{reply.content.text} ({reply.model})"


# :shown


async def ask_model(request: CreateMessageRequestParams) -> str:
    assert request.system_prompt == "Be brief."
    assert [message.role for message in request.messages] == ["user", "assistant", "user"]
    return "Rain, then sun."


async def main() -> None:
    async with Client(server, sample=ask_model) as client:
        result = await client.call_tool("summarise", {"text": "It rained; later the sun came out."})
        assert result.text() == "Rain, then sun. (unknown)"


anyio.run(main)
