"""The official SDK's client drives a server over stdio and prints what it saw, one JSON object a line.

Runs in `.peers/mcp`. Its one argument is a JSON object: the `server` as a command list, its `env`, the `mode` of the
client, and the `script`: steps of the form [name, method of the client, arguments...], where a last object may hold
keyword arguments under "also". A step that raises prints its error. Progress is printed as it comes.
"""

import asyncio
import json
import sys
from typing import Any

from mcp import Client, MCPError, StdioServerParameters  # type: ignore[import-not-found]  # of its environment


def say(step: str, **seen: object) -> None:
    print(json.dumps({"step": step, **seen}), flush=True)


def plain(model: Any) -> Any:
    return None if model is None else model.model_dump(mode="json", by_alias=True, exclude_none=True)


async def drive(client: Any, name: str, method: str, arguments: list[Any]) -> None:
    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        say(name, progress=[progress, total, message])

    also = arguments.pop()["also"] if arguments and isinstance(arguments[-1], dict) and "also" in arguments[-1] else {}
    if also.pop("progress", False):
        also["progress_callback"] = on_progress
    try:
        say(name, result=plain(await getattr(client, method)(*arguments, **also)))
    except MCPError as error:
        say(name, error={"code": error.error.code, "message": error.error.message})
    except Exception as error:
        say(name, failure=f"{type(error).__name__}: {error}")


async def main(task: dict[str, Any]) -> None:
    command, *arguments = task["server"]
    parameters = StdioServerParameters(command=command, args=arguments, env=task["env"])
    async with Client(parameters, mode=task["mode"]) as client:
        say(
            "opening",
            version=client.protocol_version,
            server=plain(client.server_info),
            capabilities=plain(client.server_capabilities),
            instructions=client.instructions,
        )
        for name, method, *rest in task["script"]:
            await drive(client, name, method, rest)
    say("closed")


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
