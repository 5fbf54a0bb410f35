"""The official SDK's server under measurement: the same tools as `mcport_server.py`, in an environment of its own.

Its first argument is the JSON object that `traffic.Names` describes: names are random, so nothing can know them. With a
second one, settings of uvicorn, it serves over HTTP, with one piece of JSON for an answer unless `streams` is set.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from mcp.server import MCPServer  # type: ignore[import-not-found]  # of the environment it runs in


def numbered(name: str) -> Callable[[int, int], Awaitable[int]]:
    """One more tool, as a person would write it, under a random name."""

    async def tool(a: int, b: int) -> int:
        return a - b

    tool.__name__ = name
    tool.__doc__ = f"Do {name}."
    return tool


def main() -> None:
    names = json.loads(sys.argv[1])
    server = MCPServer("bench")

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
    server.tool()(add)
    server.tool()(add_def)
    server.tool()(echo)
    for name in names["extra"]:
        server.tool()(numbered(name))
    if len(sys.argv) > 2:
        serve_http(server, json.loads(sys.argv[2]))
    else:
        server.run()


def serve_http(server: MCPServer, settings: dict[str, Any]) -> None:
    """Serve over HTTP."""
    import uvicorn

    app = server.streamable_http_app(json_response=not settings.pop("streams"), host="localhost")
    uvicorn.run(app, log_level="warning", access_log=False, **settings)


if __name__ == "__main__":
    main()
