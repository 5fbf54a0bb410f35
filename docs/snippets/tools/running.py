import anyio

from mcport import Client, Context, Server

server = Server("library")


@server.tool
async def index(ctx: Context) -> str:
    """Index the shelves."""
    for number in range(1, 4):
        await ctx.report_progress(number, 3, f"shelf {number}")
        await ctx.info({"shelf": number, "books": 40})
    return "done"


@server.tool
def check(ctx: Context) -> str:
    """Check the shelves, in a worker thread."""
    ctx.blocking.report_progress(1, 1)
    return f"asked in revision {ctx.revision}"


def show(progress: float, total: float | None, message: str | None) -> None:
    print(f"{progress:g}/{total:g}", message)


async def main() -> None:
    async with Client(server, progress=show, log=lambda said: print(said.level, said.data)) as client:
        await client.set_log_level("info")
        await client.call_tool("index")
        print((await client.call_tool("check")).text())


anyio.run(main)
