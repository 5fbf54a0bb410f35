import anyio

from mcport import Client, Server

server = Server("notes")
NOTES = {"today": "Water the plants.", "tomorrow": "Rest."}


@server.resource("note://today", mime_type="text/plain")
async def today() -> str:
    """What is to be done today."""
    return NOTES["today"]


@server.resource("note://by-day/{day}")
async def note(day: str) -> str | None:
    """What is to be done on a day."""
    return NOTES.get(day)


async def main() -> None:
    async with Client(server) as client:
        print([resource.uri async for resource in client.each_resource()])
        print([template.uri_template async for template in client.each_resource_template()])
        for uri in ("note://today", "note://by-day/tomorrow"):
            print((await client.read_resource(uri)).contents)


anyio.run(main)
