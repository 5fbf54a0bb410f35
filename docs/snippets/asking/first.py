import anyio
from pydantic import BaseModel, Field

from mcport import Client, Context, Server
from mcport.spec.types import ElicitRequestFormParams

server = Server("hotel")


class Stay(BaseModel):
    nights: int = Field(ge=1, le=30)
    breakfast: bool = True


@server.tool
async def book(city: str, ctx: Context) -> str:
    """Book a room."""
    answer = await ctx.elicit(f"Which stay in {city}?", Stay)
    if not answer.accepted:
        return f"not booked: {answer.action}"
    stay = answer.data
    return f"{stay.nights} nights in {city}, breakfast: {stay.breakfast}"


async def fill_in(form: ElicitRequestFormParams) -> dict[str, object]:
    return {"nights": 3, "breakfast": False}


async def main() -> None:
    for revision in ("2026-07-28", "2025-11-25", "2025-06-18"):
        async with Client(server, revision=revision, elicit=fill_in) as client:
            print((await client.call_tool("book", {"city": "Lyon"})).text())
    async with Client(server, elicit=lambda form: "decline") as client:
        print((await client.call_tool("book", {"city": "Lyon"})).text())


anyio.run(main)
