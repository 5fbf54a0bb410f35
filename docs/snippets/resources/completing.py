from typing import Literal

import anyio

from mcport import Client, Server
from mcport.spec.types import CompletionArgument, CompletionContext, ResourceTemplateReference

server = Server("atlas")
# shown:
CITIES = {"fr": ["Lille", "Lyon"], "no": ["Oslo"]}


@server.resource("atlas://{country}/{city}/{unit}")
async def temperature(country: str, city: str, unit: Literal["celsius", "kelvin"]) -> str:
    """How warm it is in a city."""
    return "mild"


@server.complete(resource="atlas://{country}/{city}/{unit}", argument="city")
async def cities(value: str, context: dict[str, str]) -> list[str]:
    return [city for city in CITIES.get(context.get("country", ""), []) if city.startswith(value)]


@server.complete(resource="atlas://{country}/{city}/{unit}", argument="country")
async def countries() -> list[str]:
    return list(CITIES)


# :shown


async def main() -> None:
    template = ResourceTemplateReference(uri="atlas://{country}/{city}/{unit}")
    async with Client(server) as client:
        settled = CompletionContext(arguments={"country": "fr"})
        for name, typed in ("country", "n"), ("city", "Ly"), ("unit", "k"):
            found = await client.complete(template, CompletionArgument(name=name, value=typed), settled)
            print(name, found.completion.values)


anyio.run(main)
