"""The limit over HTTP: an ASGI application that reads a body, parses it and answers with canned bytes.

No protocol is kept here. Its arguments are the JSON object that `traffic.Names` describes and settings of uvicorn.
"""

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import jiter
import uvicorn

JSON = (b"content-type", b"application/json")
OPENED = {
    "protocolVersion": "2025-11-25",
    "supportedVersions": ["2026-07-28", "2025-11-25"],
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "bare", "version": "1"},
    "tools": [],
}
SESSION = (b"mcp-session-id", b"0123456789abcdef0123456789abcdef")


class App:
    """Answers calls that add, a call that says it again, and openings."""

    def __init__(self, names: dict[str, Any]) -> None:
        self._echo: str = names["echo"]

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[..., Any]) -> None:
        event = await receive()
        chunks = [event["body"]]
        while event["more_body"]:
            event = await receive()
            chunks.append(event["body"])
        message = jiter.from_json(b"".join(chunks))
        if "id" not in message:
            await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        body = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": self._result(message)}).encode()
        headers = [JSON, SESSION, (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _result(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["method"] != "tools/call":
            return {**OPENED, "resultType": "complete", "ttlMs": 0, "cacheScope": "public"}
        arguments = message["params"]["arguments"]
        if message["params"]["name"] == self._echo:
            return {"resultType": "complete", "content": [{"type": "text", "text": arguments["text"]}]}
        total = arguments["a"] + arguments["b"]
        content = [{"type": "text", "text": str(total)}]
        return {"resultType": "complete", "content": content, "structuredContent": {"result": total}}


def main() -> None:
    names, settings = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    settings.pop("streams")
    uvicorn.run(App(names), lifespan="off", log_level="warning", access_log=False, **settings)


if __name__ == "__main__":
    main()
