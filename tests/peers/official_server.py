"""A small server on the official SDK, for our client to talk to. Runs in `.peers/mcp`, over stdio."""

# mypy: disable-error-code="untyped-decorator"
# (the SDK is not installed where types are checked)

import asyncio
import sys

from mcp.server import MCPServer  # type: ignore[import-not-found]  # of the environment it runs in
from mcp.server.mcpserver import Context  # type: ignore[import-not-found]

server = MCPServer("peer", version="1.2.3", instructions="Ask politely.")


@server.tool()
async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@server.tool()
def shout(text: str) -> str:
    """Say it louder, and leave a trace where none should reach the wire."""
    print("printed by a tool")
    print("told on stderr", file=sys.stderr)
    return text.upper()


@server.tool()
async def count(steps: int, ctx: Context) -> str:
    """Count, and report every step."""
    for step in range(1, steps + 1):
        await ctx.report_progress(step, steps, f"step {step}")
    return f"{steps} steps"


@server.tool()
async def wait() -> str:
    """Never come back."""
    await asyncio.Event().wait()
    return "never"


@server.tool()
async def fail() -> str:
    """Raise."""
    raise ValueError("no luck")


@server.resource("note://today")
def today() -> str:
    """What is noted for today."""
    return "Water the plants."


@server.resource("note://{day}/text")
def note(day: str) -> str:
    """What is noted for a day."""
    return f"Nothing on {day}."


@server.prompt()
def ask(topic: str) -> str:
    """Ask about a topic."""
    return f"Tell me about {topic}."


if __name__ == "__main__":
    server.run()
