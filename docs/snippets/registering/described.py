import anyio

from mcport import Client, Server
from mcport.spec.types import Icon, ToolAnnotations

server = Server("desk", "2.1.0", title="The desk", instructions="Ask `clean` before you leave.")


@server.tool(
    title="Clean up",
    annotations=ToolAnnotations(destructive_hint=True, idempotent_hint=True),
    icons=[Icon(src="https://example.com/broom.png", mime_type="image/png")],
    meta={"com.example/cost": 3},
)
async def clean() -> None:
    """Put everything away."""


async def main() -> None:
    async with Client(server) as client:
        print(client.server_info, client.instructions)
        [tool] = (await client.list_tools()).tools
        print(tool.title, tool.annotations, tool.meta)


anyio.run(main)
