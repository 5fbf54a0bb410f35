"""Our server under measurement: an async tool, the same as `def`, an echo, and some more tools for the list.

Its first argument is the JSON object that `traffic.Names` describes: names are random, so nothing can know them. With a
second one, where and on which loop, it serves over HTTP.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from mcport import Server


def numbered(name: str) -> Callable[[int, int], Awaitable[int]]:
    """One more tool, as a person would write it, under a random name."""

    async def tool(a: int, b: int) -> int:
        return a - b

    tool.__name__ = name
    tool.__doc__ = f"Do {name}."
    return tool


def main() -> None:
    names = json.loads(sys.argv[1])
    server = Server("bench")

    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        return a + b

    def add_def(a: int, b: int) -> int:
        """Add two numbers in a worker thread."""
        return a + b

    async def echo(text: str) -> str:
        """Say it again."""
        return text

    add.__name__, add_def.__name__, echo.__name__ = names["add"], names["add_def"], names["echo"]
    server.tool(add)
    server.tool(add_def)
    server.tool(echo)
    for name in names["extra"]:
        server.tool(numbered(name))
    if len(sys.argv) > 2:
        serve_http(server, json.loads(sys.argv[2]))
    else:
        server.run()


def serve_http(server: Server, settings: dict[str, Any]) -> None:
    """Serve over HTTP, with one tool more, which tells of changes."""

    @server.tool
    async def tell() -> None:
        server.notify_tools_changed()

    options = {"port": settings["port"], "answers": "stream" if settings["streams"] else "json"}
    if settings["loop"] == "asyncio":
        asyncio.run(server.serve_http(**options))
    else:
        server.run("http", **options)


if __name__ == "__main__":
    main()
