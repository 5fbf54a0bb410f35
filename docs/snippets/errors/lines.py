import re
from typing import Any

import anyio

from mcport import Client, ConnectFailed, ConversationError, NotDeclared, RemoteError, Server

server = Server("Demo")


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool
async def broken() -> int:
    """Promise a number, and return none."""
    number: Any = "four"
    return number  # type: ignore[no-any-return]


@server.resource("demo://{name}")
async def page(name: str) -> str | None:
    """There is no page."""
    return None


async def main() -> None:
    async with Client(server) as client:
        wrong: list[tuple[str, dict[str, object]]] = [
            ("ad", {"a": 1, "b": 2}),
            ("add", {"a": "x", "b": 2}),
            ("add", {"a": 1}),
            ("add", {"a": 1, "b": 2, "c": 3}),
            ("broken", {}),
        ]
        for name, arguments in wrong:
            try:
                text = (await client.call_tool(name, arguments)).text()
                print("isError:", re.sub("error [0-9a-f]+", "error 5f0c1e9a", text))
            except RemoteError as error:
                print(f"{error.code}: {error}")
        try:
            await client.read_resource("demo://one")
        except RemoteError as error:
            print(f"{error.code}: {error}")
        try:
            await client.get_prompt("greet")
        except NotDeclared as error:
            print("NotDeclared:", error)
    for target in "weather.py", ["no-such-command"]:
        try:
            async with Client(target):
                pass
        except ConnectFailed as error:
            print("ConnectFailed:", error)
    try:
        await client.list_tools()
    except ConversationError as error:
        print(f"{type(error).__name__}:", error)


anyio.run(main)
