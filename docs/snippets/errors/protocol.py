import anyio

from mcport import Client, RemoteError, Server
from mcport.errors import InvalidParams

server = Server("vault")


@server.prompt
async def riddle(level: int) -> str:
    """Ask a riddle."""
    if level > 3:
        raise InvalidParams("riddle: there are three levels", data={"levels": 3})
    return f"A riddle of level {level}."


async def main() -> None:
    async with Client(server) as client:
        try:
            await client.get_prompt("riddle", {"level": "9"})
        except RemoteError as error:
            print(error.code, error.message, error.data)
            print(error.server, "|", error.phase, "|", error.cause)


anyio.run(main)
