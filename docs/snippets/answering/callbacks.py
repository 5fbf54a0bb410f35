import anyio

from mcport import Client, Context, ProposedCall, Server
from mcport.spec.types import CreateMessageRequestParams, ElicitRequestFormParams, ElicitRequestURLParams

server = Server("travel")


@server.tool
async def book(city: str, ctx: Context) -> str:
    """Book a journey."""
    nights = await ctx.elicit(f"How many nights in {city}?", int)
    paid = await ctx.elicit_url("Please pay.", "https://pay.example/17")
    poem = await ctx.sample(f"Write a line about {city}.", max_tokens=50)
    roots = await ctx.list_roots()
    return f"{nights.data} nights, paid: {paid.accepted}, {poem.content}, saved in {roots[0].uri}"


async def fill_in(form: ElicitRequestFormParams) -> dict[str, object]:
    print("form:", form.message, form.requested_schema.to_wire()["properties"])
    return {"value": 3}


def open_page(page: ElicitRequestURLParams) -> bool:
    print("page:", page.url)
    return True


async def ask_model(request: CreateMessageRequestParams) -> str:
    print("model:", request.messages[0].content, request.max_tokens)
    return "Roofs of Lyon"


def approve(call: ProposedCall) -> bool:
    print("approve:", call.name, call.arguments)
    return call.name != "shred"


async def main() -> None:
    client = Client(
        server,
        elicit=fill_in,
        elicit_url=open_page,
        sample=ask_model,
        roots=["/home/ada/journeys"],
        approve=approve,
        log=lambda message: print(message.level, message.data),
    )
    async with client:
        print((await client.call_tool("book", {"city": "Lyon"})).text())
        client.set_roots(["/home/ada/journeys", "/home/ada/photos"])


anyio.run(main)
