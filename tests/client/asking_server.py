"""A server that asks, for the tests of both sides together: in the same process, or as a script of its own."""

from pydantic import BaseModel

from mcport import Context, Server

server = Server("asking", log_level="debug")
paid: set[str] = set()


class Booking(BaseModel):
    """A trip."""

    city: str
    nights: int = 1


@server.tool
async def book(ctx: Context) -> str:
    """Ask twice, and book once."""
    booking = await ctx.elicit("Where to?", Booking)
    if booking.data is None:
        return booking.action
    sure = await ctx.elicit(f"{booking.data.nights} nights in {booking.data.city}?", bool)
    booked = await ctx.once("booking", lambda: "booked")
    return f"{booked} {booking.data.city}: {sure.data}"


@server.tool
async def think(ctx: Context, topic: str) -> str:
    """Have the model think."""
    message = await ctx.sample(f"Think about {topic}", max_tokens=10)
    return f"{message.content.text} by {message.model}"  # type: ignore[union-attr]


@server.tool
async def where(ctx: Context) -> list[str]:
    """Say where the client works."""
    return [root.uri for root in await ctx.list_roots()]


@server.tool
async def pay(ctx: Context, bill: str) -> str:
    """Send the user to a page until the bill is paid there; the second look finds it so."""

    def is_paid() -> bool:
        seen = bill in paid
        paid.add(bill)
        return seen

    visit = await ctx.elicit_url("Pay the bill", f"https://pay.example.com/{bill}", until=is_paid)
    return visit.action


@server.tool
async def mutter(ctx: Context) -> str:
    """Say things on the way."""
    for level in ("debug", "info", "error"):
        await ctx.log(level, {"said": level}, logger="mutter")
    return "done"


@server.prompt
async def letter(ctx: Context) -> str:
    """Write a letter to whom the user names."""
    name = await ctx.elicit("To whom?", str)
    return f"Dear {name.data}"


@server.resource("diary://today")
async def diary(ctx: Context) -> str:
    """Read the diary, if the user agrees."""
    sure = await ctx.elicit("Read the diary?", bool)
    return "secret" if sure.data else "no"


if __name__ == "__main__":
    server.run()
