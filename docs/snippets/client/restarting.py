import anyio

from mcport import Client, ConnectionLost


async def main() -> None:
    async with Client("calculator.py", restart=True) as client:
        try:
            await client.call_tool("crash")
        except ConnectionLost as error:
            print(error)
        print((await client.call_tool("add", {"a": 2, "b": 40})).data)


anyio.run(main)
