from mcport import Client, FileTokens, OAuth


def show(page: str) -> None:
    print("show this page in a window of your own:", page)


def came_back() -> str:
    return input("the URL that the window ended at: ")


auth = OAuth(
    client_name="My editor",
    client_metadata_url="https://editor.example.com/mcp-client.json",
    open_url=show,
    redirect_uri="com.example.editor:/callback",
    receive=came_back,
    store=FileTokens("tokens.json"),
    profile="work",
)


async def main() -> None:
    async with Client("https://mcp.example.com/mcp", auth=auth) as client:
        print(await client.list_tools())
