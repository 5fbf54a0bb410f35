import asyncio

from mcport import BearerAuth, Client, Context, Principal, RemoteError, Server, StaticTokens

people = StaticTokens(
    {
        "token-of-ada": Principal("ada", scopes=["notes:read", "notes:admin"]),
        "token-of-bob": Principal("bob", scopes=["notes:read"]),
    }
)
auth = BearerAuth(
    "http://127.0.0.1:8000/mcp",
    issuer="http://127.0.0.1:9000",
    verifier=people,
    contains={"notes:admin": ["notes:write"]},
)
server = Server("notes", auth=auth)


@server.tool(scopes="notes:write")
async def write(text: str, ctx: Context) -> str:
    """Write a note."""
    return f"{text!r}, written by {ctx.principal}"


@server.tool(visible=lambda ctx: ctx.principal is not None and ctx.principal.may("notes:admin"))
async def wipe() -> str:
    """Throw all notes away."""
    return "gone"


async def use(url: str) -> None:
    for token in ("token-of-ada", "token-of-bob"):
        async with Client(url, headers={"authorization": f"Bearer {token}"}) as client:
            print([tool.name for tool in (await client.list_tools()).tools])
            try:
                print((await client.call_tool("write", {"text": "Hello"})).text())
            except RemoteError as refused:
                print(refused.message)


async def main() -> None:
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(server.serve_http(port=0, listening=listening.set_result))
    await use(await listening)
    serving.cancel()


if __name__ == "__main__":
    asyncio.run(main())
