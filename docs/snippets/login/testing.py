import asyncio

from mcport import BearerAuth, Client, Context, Server
from mcport.testing import at_loopback, serving


def protected(origin: str, issuer: str) -> Server:
    server = Server("notes", auth=BearerAuth(f"{origin}/mcp", issuer=issuer, scopes=["notes:read"]))

    @server.tool
    async def mine(ctx: Context) -> str:
        """Read my notes."""
        assert ctx.principal is not None
        return f"Notes of {ctx.principal.subject}"

    return server


async def main() -> None:
    async with (
        serving(subject="ada") as authority,
        at_loopback(lambda origin: protected(origin, authority.issuer).asgi()) as origin,
    ):
        url = f"{origin}/mcp"
        token = authority.token(url, "notes:read")
        async with Client(url, headers={"authorization": f"Bearer {token}"}) as client:
            print((await client.call_tool("mine", {})).text())


if __name__ == "__main__":
    asyncio.run(main())
