import json
from typing import Annotated, Literal

import anyio
from pydantic import BaseModel, Field

from mcport import Client, Server

server = Server("hotel")


# shown:
class Guest(BaseModel):
    name: str
    age: Annotated[int, Field(ge=0)]


@server.tool
async def book(
    guests: list[Guest],
    room: Literal["single", "double"] = "double",
    nights: Annotated[int, Field(ge=1, le=30), "how long they stay"] = 1,
    note: str | None = None,
) -> str:
    """Book a room.

    Args:
        guests: who comes
        room: which kind of room
    """
    return f"{room} for {', '.join(guest.name for guest in guests)}, {nights} nights"


# :shown


async def main() -> None:
    async with Client(server) as client:
        [tool] = (await client.list_tools()).tools
        for name, schema in tool.input_schema["properties"].items():
            print(f"{name}: {json.dumps(schema)}")
        result = await client.call_tool("book", {"guests": [{"name": "Ada", "age": 36}], "nights": 3})
        print(result.text())


anyio.run(main)
