from mcport import Client, WorkloadIdentity

TOKEN = "/var/run/secrets/tokens/mcp"  # Kubernetes writes it anew before it expires
auth = WorkloadIdentity("https://login.example.com", TOKEN)


async def main() -> None:
    async with Client("https://mcp.example.com/mcp", auth=auth) as client:
        print(await client.call_tool("report"))
