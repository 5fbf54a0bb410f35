import anyio

from mcport import Client, PromptsChanged, ResourcesChanged, ResourceUpdated, Server, ToolsChanged

server = Server("office", offers=["tools", "prompts", "resources"])


def greet() -> str:
    """Greet."""
    return "hello"


async def main() -> None:
    async with Client(server) as client, client.listen(tools=True, prompts=True, resources=True) as changes:
        server.add_tool(greet)
        server.add_prompt(greet)
        server.remove_tool("greet")
        server.notify_tools_changed()
        seen = 0
        async for change in changes:
            match change:
                case ToolsChanged():
                    print("tools:", [tool.name async for tool in client.each_tool()])
                case PromptsChanged():
                    print("prompts:", [prompt.name async for prompt in client.each_prompt()])
                case ResourcesChanged() | ResourceUpdated():
                    print("resources")
            seen += 1
            if seen == 2:
                break


anyio.run(main)
