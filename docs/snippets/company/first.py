import os

from mcport import Client, EnterpriseManaged, Granted, IdentityProvider


async def id_token() -> str:
    """Return what your login gave you for whoever uses the program, renewed if it is old."""
    return os.environ["ID_TOKEN"]


def auth(secret: str, secret_there: str) -> Granted:
    provider = IdentityProvider("https://idp.corp.example/token", "editor-at-corp", secret)
    grant = EnterpriseManaged("https://login.example.com", "editor", secret_there, provider, id_token)
    return Granted(grant, profile="ada@corp.example")


async def main() -> None:
    secrets = os.environ["IDP_SECRET"], os.environ["LOGIN_SECRET"]
    async with Client("https://mcp.example.com/mcp", auth=auth(*secrets)) as client:
        print(await client.list_tools())
