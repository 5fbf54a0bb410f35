import anyio

from mcport import Client, Context, Server

server = Server("mail")
logged_in: list[str] = []


async def is_logged_in() -> bool:
    return "ada" in logged_in


# shown:
@server.tool(needs="elicitation.url")
async def inbox(ctx: Context) -> str:
    """Count the mails."""
    if not await is_logged_in():
        answer = await ctx.elicit_url("Please log in.", "https://mail.example/login/ada", until=is_logged_in)
        if not answer.accepted:
            return "nobody logged in"
    return "3 mails"


# :shown


def visit(page: object) -> bool:
    if len(visits) == 1:
        logged_in.append("ada")  # the second time the user has really done it
    visits.append(page)
    return True


visits: list[object] = []


async def main() -> None:
    async with Client(server, elicit_url=visit) as client:
        assert (await client.call_tool("inbox")).text() == "3 mails"
        assert len(visits) == 2


anyio.run(main)
