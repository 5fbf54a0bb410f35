import anyio

from mcport import Client, Server

server = Server("calculator")


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def test_adding() -> None:
    assert await add(2, 40) == 42  # the decorator changes nothing

    async with Client(server) as client:
        result = await client.call_tool("add", {"a": 2, "b": 40})
        assert result.data == 42


anyio.run(test_adding)
