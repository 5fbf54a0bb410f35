from mcport import Context, Depends, Server

server = Server("shop")


class Prices:
    async def of(self, what: str) -> float:
        raise ConnectionError("there is no database here")


def prices() -> Prices:
    return Prices()


@server.tool
async def buy(what: str, ctx: Context, prices: Prices = Depends(prices)) -> str:
    """Buy something."""
    price = await prices.of(what)
    await ctx.report_progress(1, 2, f"it costs {price}")
    sure = await ctx.elicit(f"Buy {what} for {price}?", bool)
    return f"bought {what}" if sure.data else "not bought"


if __name__ == "__main__":
    server.run()
