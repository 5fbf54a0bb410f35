from mcport import Client, ClientCredentials, DPoP, Granted

grant = ClientCredentials("https://login.example.com", "nightly-report", client_secret="...")
auth = Granted(grant, dpop=DPoP())


async def main() -> None:
    async with Client("https://mcp.example.com/mcp", auth=auth) as client:
        print(await client.call_tool("report"))
