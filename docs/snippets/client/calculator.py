import os

from mcport import Server

server = Server("calculator")


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool
async def crash() -> None:
    """Die."""
    os._exit(3)


if __name__ == "__main__":
    server.run()
