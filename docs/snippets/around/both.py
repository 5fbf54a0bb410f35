import time
from collections.abc import AsyncIterator

import anyio

from mcport import Client, Context, Depends, InputRequired, Middleware, Next, Server, ToolCall
from mcport.spec.types import CallToolResult


class Database:
    async def names(self) -> list[str]:
        return ["Ada", "Grace"]


async def database() -> AsyncIterator[Database]:
    print("connected")
    yield Database()
    print("disconnected")


def caller(ctx: Context) -> str:
    return ctx.principal or "somebody"


class Timing(Middleware):
    async def on_call_tool(
        self, request: ToolCall, next: Next[ToolCall, CallToolResult | InputRequired]
    ) -> CallToolResult | InputRequired:
        started = time.perf_counter()
        result = await next(request)
        print(f"{request.name} took", "long" if time.perf_counter() - started > 9 else "no time")
        return result


server = Server("people", middleware=[Timing()])


@server.tool
async def people(
    limit: int = 10,
    database: Database = Depends(database, scope="process"),
    caller: str = Depends(caller),
) -> list[str]:
    """List the people."""
    return [f"{name}, for {caller}" for name in (await database.names())[:limit]]


async def main() -> None:
    async with Client(server) as client:
        [tool] = (await client.list_tools()).tools
        print(tool.input_schema)
        print((await client.call_tool("people", {"limit": 1})).data)
        print((await client.call_tool("people")).data)


anyio.run(main)
