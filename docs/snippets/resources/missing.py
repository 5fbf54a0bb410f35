import anyio

from mcport import Client, RemoteError, ResourceNotFound, Server

server = Server("stations")
READINGS = {"lyon": [11.5, 13.0]}


# shown:
@server.resource("station://{name}/readings")
async def readings(name: str) -> list[float]:
    """The last readings of a station."""
    if name not in READINGS:
        raise ResourceNotFound(f"There is no station {name}", data={"uri": f"station://{name}/readings"})
    return READINGS[name]


# :shown


async def main() -> None:
    for revision in ("2026-07-28", "2025-11-25"):
        async with Client(server, revision=revision) as client:
            try:
                await client.read_resource("station://paris/readings")
            except RemoteError as error:
                print(error.code, error, error.resource_not_found)


anyio.run(main)
