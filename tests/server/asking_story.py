"""A server that asks, for a story told in every revision: run as a program it speaks over stdio."""

from __future__ import annotations

from pydantic import BaseModel

from mcport import Context, Elicit, ListRoots, MissingCapability, Sample, Server, within_roots


class Trip(BaseModel):
    city: str
    nights: int = 2


server = Server("story")
reserved: list[str] = []


@server.tool
async def plan(ctx: Context, guest: str) -> str:
    """Plan a trip: the user is asked, the model writes a line, and the seats are reserved once."""
    try:
        trip = await ctx.elicit("Where to?", Trip)
    except MissingCapability:
        return "cannot ask"
    if not trip.accepted or trip.data is None:
        return f"no trip: {trip.action}"
    number = await ctx.once("reserve", reserve)
    sure = await ctx.elicit(f"{trip.data.nights} nights in {trip.data.city}?")
    line = await ctx.sample(f"Wish {guest} a good trip.")
    return f"{guest}, {trip.data.city}, {sure.action}, seat {number}: {line.content.text}"  # type: ignore[union-attr]


def reserve() -> int:
    reserved.append("seat")
    return len(reserved)


@server.tool
def tell_home(ctx: Context) -> str:
    """Look at roots and model from a plain function, in one round."""
    import anyio.from_thread

    async def ask() -> dict[str, object]:
        return await ctx.ask_all(roots=ListRoots(), line=Sample("Say hello."))

    found = anyio.from_thread.run(ask)
    roots = found["roots"]
    assert isinstance(roots, list)
    return f"{roots[0].name}: {within_roots('/srv/work/a', roots)} {within_roots('/etc', roots)}"


@server.prompt
async def letter(ctx: Context) -> str:
    """A letter to whom the user names."""
    return f"Write to {(await ctx.elicit('Whom?', str)).data}"


@server.resource("memo://{name}")
async def memo(name: str, ctx: Context) -> str:
    """What the user says about a name."""
    found = await ctx.ask_all(note=Elicit(f"About {name}?", str))
    return f"{name}: {found['note'].data}"


if __name__ == "__main__":
    server.run()
