from dataclasses import dataclass

import anyio

from mcport import Client, OutputInvalid, Server, ToolError, ToolFailed
from mcport.spec.types import TextContent

server = Server("weather")


@dataclass
class Forecast:
    city: str
    celsius: float


@server.tool
async def forecast(city: str) -> Forecast:
    """Forecast the weather."""
    if city == "Atlantis":
        raise ToolError("There is no station in Atlantis.")
    return Forecast(city, 11.5)


async def main() -> None:
    async with Client(server) as client:
        result = await client.call_tool("forecast", {"city": "Lyon"})
        for block in result.content:
            if isinstance(block, TextContent):
                print("content:", block.text)
        print("data:", result.data)

        typed = await client.call_tool("forecast", {"city": "Lyon"}, as_=Forecast)
        print("as_:", typed.data.celsius)

        failed = await client.call_tool("forecast", {"city": "Atlantis"})
        print("is_error:", failed.is_error, failed.text())
        try:
            await client.call_tool("forecast", {"city": "Atlantis"}, as_=Forecast)
        except ToolFailed as error:
            print("ToolFailed:", error)
        try:
            await client.call_tool("forecast", {"city": "Lyon"}, as_=int)
        except OutputInvalid as error:
            print("OutputInvalid:", error)


anyio.run(main)
