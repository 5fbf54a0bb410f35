"""The official SDK's client drives a server over stdio and prints what it saw, one JSON object a line.

Runs in `.peers/mcp`. Its one argument is a JSON object: the `server` as a command list, its `env`, the `mode` of the
client, and the `script`: steps of the form [name, method of the client, arguments...], where a last object may hold
keyword arguments under "also". A step that raises prints its error. Progress, questions, log messages and notifications
are printed as they come.

With `answers` the client can be asked: `elicit` holds results by message, `sample` the model's words, `roots` the URIs.
Among "also", `progress` asks for progress and `patience` withdraws the call after so many seconds. The method `listen`
takes a filter, a list of tools to call meanwhile and how many events to wait for.
"""

import asyncio
import json
import sys
from typing import Any

import anyio
from mcp import Client, MCPError, StdioServerParameters, types  # type: ignore[import-not-found]  # of its environment


def say(step: str, **seen: object) -> None:
    print(json.dumps({"step": step, **seen}), flush=True)


def plain(model: Any) -> Any:
    return None if model is None else model.model_dump(mode="json", by_alias=True, exclude_none=True)


def of_answers(answers: dict[str, Any] | None) -> dict[str, Any]:
    """The callbacks of a client that can be asked; none without answers."""
    if answers is None:
        return {}

    async def elicit(context: Any, params: Any) -> Any:
        say("asked", method="elicitation/create", params=plain(params))
        return types.ElicitResult.model_validate(answers["elicit"].get(params.message, {"action": "decline"}))

    async def sample(context: Any, params: Any) -> Any:
        say("asked", method="sampling/createMessage", params=plain(params))
        content = types.TextContent(type="text", text=answers["sample"])
        return types.CreateMessageResult(role="assistant", content=content, model="scripted")

    async def roots(context: Any) -> Any:
        say("asked", method="roots/list", params=None)
        return types.ListRootsResult(roots=[types.Root(uri=uri) for uri in answers["roots"]])

    return {"elicitation_callback": elicit, "sampling_callback": sample, "list_roots_callback": roots}


async def logged(params: Any) -> None:
    say("log", level=params.level, data=params.data)


async def told(message: Any) -> None:
    say("told", method=message.method, params=plain(message.params))


async def drive(client: Any, name: str, method: str, arguments: list[Any]) -> None:
    async def on_progress(progress: float, total: float | None, message: str | None) -> None:
        say(name, progress=[progress, total, message])

    also = arguments.pop()["also"] if arguments and isinstance(arguments[-1], dict) and "also" in arguments[-1] else {}
    if also.pop("progress", False):
        also["progress_callback"] = on_progress
    patience = also.pop("patience", None)
    if method == "complete":
        arguments[0] = types.PromptReference.model_validate(arguments[0])
    try:
        with anyio.move_on_after(patience) as scope:
            if method == "listen":
                await listen(client, name, *arguments)
            else:
                say(name, result=plain(await getattr(client, method)(*arguments, **also)))
        if scope.cancelled_caught:
            say(name, withdrawn=True)
    except MCPError as error:
        say(name, error={"code": error.error.code, "message": error.error.message})
    except Exception as error:
        say(name, failure=f"{type(error).__name__}: {error}")


async def listen(client: Any, name: str, wanted: dict[str, Any], tools: list[str], count: int) -> None:
    async with client.listen(**wanted) as subscription:
        say(name, honored=plain(subscription.honored))
        for tool in tools:
            await client.call_tool(tool, {})
        for _ in range(count):
            event = await anext(subscription)
            say(name, event=type(event).__name__, uri=getattr(event, "uri", None))
    say(name, result={})


async def main(task: dict[str, Any]) -> None:
    command, *arguments = task["server"]
    parameters = StdioServerParameters(command=command, args=arguments, env=task["env"])
    also = {**of_answers(task.get("answers")), "logging_callback": logged, "message_handler": told}
    async with Client(parameters, mode=task["mode"], log_level=task.get("log_level"), **also) as client:
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
