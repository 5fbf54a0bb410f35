"""A server in this process that blocking clients talk to, and what tests look at."""

import threading
from collections.abc import Callable

import anyio

from mcport import Context, Server
from mcport.spec.types import CallToolResult

REVISION = "2025-11-25"


class Desk:
    """A server in this process, and what happened in it."""

    def __init__(self) -> None:
        self.server = Server("desk")
        self.waiting = threading.Event()
        self.ended = threading.Event()
        self.on_wait: Callable[[], None] = self.waiting.set
        self.server.tool(self.add)
        self.server.tool(self.wait)
        self.server.tool(self.count)
        self.server.resource("note://{name}")(self.note)
        self.server.prompt(self.greet)

    async def add(self, a: int, b: int) -> int:
        """Add."""
        return a + b

    async def wait(self) -> None:
        """Wait for ever."""
        try:
            self.on_wait()
            await anyio.sleep_forever()
        finally:
            self.ended.set()

    async def count(self, ctx: Context) -> str:
        """Count to three."""
        for number in range(3):
            await ctx.report_progress(number, 3)
        return "counted"

    async def note(self, name: str) -> str:
        """A note."""
        return f"about {name}"

    async def greet(self, name: str) -> str:
        """Greet."""
        return f"Hello {name}"


def said(result: CallToolResult) -> str:
    [block] = result.content
    return block.text  # type: ignore[union-attr]


def loop_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("mcport client")]
