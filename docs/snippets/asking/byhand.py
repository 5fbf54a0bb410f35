import anyio

from mcport import Client, Context, Elicit, InputRequired, Server

server = Server("library")


# shown:
@server.tool
async def lend(book: str, ctx: Context) -> str | InputRequired:
    """Lend a book."""
    answer = ctx.input_responses.get("days")
    if answer is None:
        return InputRequired({"days": Elicit(f"For how many days do you want {book}?", int)}, state="asked once")
    if answer["action"] != "accept":
        return "another time"
    return f"{book} for {answer['content']['value']} days ({ctx.request_state})"


# :shown


async def main() -> None:
    for revision in ("2026-07-28", "2025-11-25"):
        async with Client(server, revision=revision, elicit=lambda form: {"value": 14}) as client:
            result = await client.call_tool("lend", {"book": "Emma"})
            assert result.text() == "Emma for 14 days (asked once)"


anyio.run(main)
