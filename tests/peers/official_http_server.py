"""The small server on the official SDK, over HTTP: `streamable` or `sse`. Runs in `.peers/mcp`; prints its port."""

# mypy: disable-error-code="untyped-decorator"
# (the SDK is not installed where types are checked)

import sys

import uvicorn
from mcp.server.mcpserver import Context  # type: ignore[import-not-found]  # of the environment it runs in
from official_server import server  # type: ignore[import-not-found]  # beside this file
from pydantic import BaseModel


class Name(BaseModel):
    """Who somebody is."""

    name: str


@server.tool()
async def greet(ctx: Context) -> str:
    """Ask who is there."""
    answer = await ctx.elicit("Who are you?", Name)
    return f"Hello {answer.data.name}" if answer.action == "accept" else "Hello nobody"


class Telling(uvicorn.Server):
    """Says where it listens."""

    async def startup(self, sockets: object = None) -> None:
        await super().startup()
        print(self.servers[0].sockets[0].getsockname()[1], flush=True)


if __name__ == "__main__":
    app = server.sse_app() if sys.argv[1] == "sse" else server.streamable_http_app()
    Telling(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=0)).run()
