from dataclasses import dataclass

import anyio

from mcport import Client, Server
from mcport.content import File
from mcport.spec.types import TextResourceContents

server = Server("archive")


# shown:
@dataclass
class Page:
    number: int
    words: list[str]


@server.resource("archive://page/{number}")
async def page(number: int) -> Page:
    """A page: any value becomes JSON."""
    return Page(number, ["to", "be"])


@server.resource("archive://cover", mime_type="image/png")
async def cover() -> bytes:
    """The cover: bytes travel as base64."""
    return b"\x89PNG"


@server.resource("archive://source")
def source() -> File:
    """A file: its kind follows from its name."""
    return File(__file__)


@server.resource("archive://both")
async def both() -> list[TextResourceContents]:
    """Several contents, each with its own URI."""
    return [
        TextResourceContents(uri="archive://both/1", text="one"),
        TextResourceContents(uri="archive://both/2", text="two"),
    ]


# :shown


async def main() -> None:
    async with Client(server) as client:
        for uri in ("archive://page/7", "archive://cover", "archive://source", "archive://both"):
            for each in (await client.read_resource(uri)).contents:
                print(each.uri, each.mime_type, type(each).__name__)


anyio.run(main)
