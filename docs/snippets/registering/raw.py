import anyio

from mcport import Client, Server
from mcport.core.jsonrpc import JsonObject

server = Server("gateway")


async def forward(arguments: JsonObject) -> JsonObject:
    return {"sent": arguments}


server.add_raw_tool(
    "forward",
    forward,
    description="Forward a message.",
    input_schema={
        "type": "object",
        "properties": {"to": {"type": "string", "maxLength": 9}, "text": {"type": "string"}},
        "required": ["to"],
    },
    output_schema={"type": "object", "required": ["sent"]},
)


async def main() -> None:
    async with Client(server) as client:
        print((await client.call_tool("forward", {"to": "ada", "text": "hello"})).data)
        print((await client.call_tool("forward", {"text": "hello"})).text())


anyio.run(main)
