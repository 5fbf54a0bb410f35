import anyio

from mcport import Client


async def main() -> None:
    async with Client("calculator.py") as client:
        print(client.server_info["name"], "speaks", client.revision)
        async for tool in client.each_tool():
            print(tool.name, "-", tool.description)
        print((await client.call_tool("add", {"a": 2, "b": 40})).data)


anyio.run(main)
