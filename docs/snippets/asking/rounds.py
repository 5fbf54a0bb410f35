import random

import anyio

from mcport import Client, Context, Server, fill_defaults

server = Server("shop")


def reserve() -> int:
    number = random.randint(1, 10**9)
    print("  reserved")
    return number


@server.tool
async def order(what: str, ctx: Context) -> str:
    """Order something."""
    print("  the handler runs")
    number = await ctx.once("number", reserve)
    gift = await ctx.elicit("Is it a gift?", {"type": "object", "properties": {"gift": {"type": "boolean"}}})
    await ctx.elicit(f"Order {what} as number {number}?", key="sure")
    print("  ordered")
    return "gift" if gift.data else "no gift"


async def main() -> None:
    for revision in ("2025-11-25", "2026-07-28"):
        print(revision)
        async with Client(server, revision=revision, elicit=fill_defaults) as client:
            await client.call_tool("order", {"what": "tea"})


anyio.run(main)
