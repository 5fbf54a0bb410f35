from mcport import AuthFailed, Client


async def main() -> None:
    try:
        async with Client("https://mcp.example.com/mcp", auth="oauth") as client:
            print(await client.list_tools())
    except AuthFailed as error:
        print(error)
