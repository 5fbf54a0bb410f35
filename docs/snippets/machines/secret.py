import os

from mcport import Client, ClientCredentials


async def main() -> None:
    secret = os.environ["CLIENT_SECRET"]
    auth = ClientCredentials("https://login.example.com", "nightly-report", client_secret=secret)
    async with Client("https://mcp.example.com/mcp", auth=auth) as client:
        print(await client.call_tool("report"))
