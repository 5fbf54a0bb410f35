import anyio

from mcport import Cancelled, Client, Context, Server, Timeout

server = Server("slow")


@server.tool
async def work(ctx: Context, steps: int) -> str:
    """Work in steps; 0 never ends."""
    for step in range(steps):
        await ctx.report_progress(step + 1, steps)
    if not steps:
        await anyio.sleep_forever()
    return "done"


def show(progress: float, total: float | None, message: str | None) -> None:
    print(progress, "of", total)


async def main() -> None:
    async with Client(server) as client:
        print((await client.call_tool("work", {"steps": 2}, progress=show)).text())
        try:
            await client.call_tool("work", {"steps": 0}, timeout=0.05)
        except Timeout as error:
            print(error)

        call = client.start_tool("work", {"steps": 0})
        call.cancel()
        try:
            await call
        except Cancelled as error:
            print(error)

        with anyio.move_on_after(0.05) as scope:
            await client.call_tool("work", {"steps": 0})
        print("withdrawn:", scope.cancelled_caught)


anyio.run(main)
