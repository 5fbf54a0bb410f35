from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio

from mcport import Client, Context, Server


@dataclass
class State:
    calls: int = 0


@asynccontextmanager
async def lifespan(server: Server) -> AsyncIterator[State]:
    print("starting")
    yield State()
    print("stopped")


server = Server("counter", lifespan=lifespan)


@server.tool
async def count(ctx: Context[State]) -> int:
    """Count the calls."""
    ctx.lifespan.calls += 1
    return ctx.lifespan.calls


async def main() -> None:
    async with Client(server) as client:
        for _ in range(2):
            print((await client.call_tool("count")).data)


anyio.run(main)
