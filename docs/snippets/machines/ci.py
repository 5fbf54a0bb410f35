import os

import httpx

from mcport import Client, WorkloadIdentity

ISSUER = "https://login.example.com"


async def statement() -> str:
    """Ask GitHub Actions who this job is (`permissions: id-token: write`)."""
    bearer = {"authorization": f"Bearer {os.environ['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    async with httpx.AsyncClient(headers=bearer) as http:
        answer = await http.get(os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"], params={"audience": ISSUER})
        return str(answer.raise_for_status().json()["value"])


async def main() -> None:
    async with Client("https://mcp.example.com/mcp", auth=WorkloadIdentity(ISSUER, statement)) as client:
        print(await client.call_tool("report"))
