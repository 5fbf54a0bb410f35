import anyio

from mcport import Client, Context, InputRequired, Server, ToolResult

server = Server("theatre")


@server.tool
async def book(seat: int, ctx: Context) -> str:
    """Book a seat."""
    sure = await ctx.elicit(f"Really seat {seat}?", bool, key="sure")
    return f"booked seat {seat}" if sure.data else "not booked"


async def main() -> None:
    async with Client(server, elicit="by hand") as client:
        pending = await client.call_tool("book", {"seat": 7}, rounds=0)
        assert isinstance(pending, InputRequired)
        print(pending.questions)
        stored = pending.to_json()

    async with Client(server, elicit="by hand") as other:
        pending = InputRequired.from_json(stored)
        result = await other.resume(pending, {key: {"value": True} for key in pending.questions})
        assert isinstance(result, ToolResult)
        print(result.text())


anyio.run(main)
