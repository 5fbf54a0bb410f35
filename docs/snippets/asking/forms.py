import json
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Literal

import anyio
from pydantic import Field

from mcport import Client, Context, Server, fill_defaults
from mcport.spec.types import ElicitRequestFormParams, ElicitResult

server = Server("restaurant")


# shown:
class Size(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Meal:
    name: Annotated[str, Field(min_length=2, title="Your name")] = "Ada"
    people: Annotated[int, Field(ge=1, le=8)] = 2
    size: Size = Size.SMALL
    kitchen: Literal["french", "thai"] = "thai"
    without: list[Literal["nuts", "milk", "fish"]] = field(default_factory=list)
    mail: Annotated[str, Field(json_schema_extra={"format": "email"})] = "ada@example.com"


@server.tool
async def reserve(ctx: Context) -> str:
    """Reserve a table."""
    answer = await ctx.elicit("What would you like?", Meal)
    return repr(answer.data)


# :shown


async def show(form: ElicitRequestFormParams) -> ElicitResult:
    for name, each in form.requested_schema.to_wire()["properties"].items():
        print(name, json.dumps(each))
    return await fill_defaults(form)


async def main() -> None:
    async with Client(server, elicit=show) as client:
        print((await client.call_tool("reserve")).text())


anyio.run(main)
