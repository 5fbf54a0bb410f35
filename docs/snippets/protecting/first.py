from mcport import BearerAuth, Context, Server

server = Server(
    "notes",
    auth=BearerAuth(
        "https://mcp.example.com/mcp",
        issuer="https://login.example.com",
        scopes=["notes:read"],
    ),
)


@server.tool
async def mine(ctx: Context) -> str:
    """Read my notes."""
    assert ctx.principal is not None
    return f"Notes of {ctx.principal.subject}"


@server.tool(scopes=["notes:write"])
async def write(text: str) -> str:
    """Write a note."""
    return "written"


if __name__ == "__main__":
    server.run("http", host="0.0.0.0", allowed_hosts=["mcp.example.com"])
