from pathlib import Path

from mcport import Client, ClientCredentials, Granted, SigningKey


def auth(pem: Path) -> Granted:
    """Log in with a key whose public half the authorization server knows."""
    key = SigningKey(pem.read_text(), "ES256", id="2026-11")
    return Granted(
        ClientCredentials("https://login.example.com", "nightly-report", key=key),
        scopes=["reports:write"],
    )


async def main() -> None:
    async with Client("https://mcp.example.com/mcp", auth=auth(Path("/run/secrets/report.pem"))) as client:
        print(await client.call_tool("report"))
