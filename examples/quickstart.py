"""A small weather desk: the example that `mcport demo` drives.

Run it as it is, from any MCP client: `python quickstart.py`, or `mcport run quickstart.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import anyio

from mcport import Context, ResourceNotFound, Server, ToolError

server = Server(
    "quickstart",
    "1.0.0",
    title="Weather desk",
    instructions="Ask forecast for the weather of a city; survey visits all stations and takes a moment.",
)

STATIONS = {"lyon": [11.5, 13.0, 12.2], "oslo": [-1.0, 0.5, -0.2], "quito": [15.1, 15.3, 14.8]}


@dataclass
class Forecast:
    """What the desk expects."""

    city: str
    day: str
    celsius: float


@server.tool
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool
async def forecast(city: str, day: Literal["today", "tomorrow"] = "today") -> Forecast:
    """Forecast the weather of a city.

    Args:
        city: the city, by its name
        day: which day
    """
    readings = STATIONS.get(city.lower())
    if readings is None:
        raise ToolError(f"There is no station in {city}. Stations: {', '.join(STATIONS)}")
    return Forecast(city, day, round(sum(readings) / len(readings), 1))


@server.tool
async def survey(ctx: Context, pause: Annotated[float, "seconds to spend at each station"] = 0.05) -> str:
    """Visit every station and report on the way."""
    for number, station in enumerate(STATIONS, start=1):
        await anyio.sleep(pause)
        await ctx.report_progress(number, len(STATIONS), f"visited {station}")
    return f"{len(STATIONS)} stations visited"


@server.tool
def fahrenheit(celsius: float) -> float:
    """Convert degrees. A plain function: it runs in a worker thread."""
    return celsius * 9 / 5 + 32


@server.resource("desk://about", mime_type="text/plain")
def about() -> str:
    """What this desk is."""
    return "A weather desk with three stations."


@server.resource("station://{name}/readings")
def readings(name: str) -> list[float]:
    """The last readings of a station, in degrees Celsius."""
    if name not in STATIONS:
        uri = f"station://{name}/readings"
        raise ResourceNotFound(f"There is no station {name}", data={"uri": uri})
    return STATIONS[name]


@server.prompt
def compare(first: str, second: str) -> str:
    """Ask a model to compare the weather of two cities."""
    return f"Compare the weather in {first} with that in {second}, in two sentences."


if __name__ == "__main__":
    server.run()
