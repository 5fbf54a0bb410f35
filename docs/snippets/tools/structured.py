from dataclasses import dataclass

import anyio

from mcport import Client, Server

server = Server("weather")


@dataclass
class Forecast:
    city: str
    celsius: float


@server.tool
async def forecast(city: str) -> Forecast:
    """Forecast the weather of a city."""
    return Forecast(city, 11.5)


@server.tool
async def stations() -> list[str]:
    """List the cities that have a station."""
    return ["Lyon", "Oslo"]


@server.tool
async def describe(city: str) -> str:
    """Describe the weather of a city in words."""
    return f"Mild in {city}."


async def main() -> None:
    for revision in ("2026-07-28", "2025-11-25", "2024-11-05"):
        async with Client(server, revision=revision) as client:
            print(revision)
            await client.list_tools()
            for name, arguments in ("forecast", {"city": "Lyon"}), ("stations", {}), ("describe", {"city": "Lyon"}):
                result = await client.call_tool(name, arguments)
                print(f"  {name}: {result.structured_content!r}, data {result.data!r}, text {result.text()!r}")


anyio.run(main)
