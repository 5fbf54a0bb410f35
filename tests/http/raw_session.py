"""A client of the handshake era that says every word itself: messages, and sessions with one app or several."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pydantic_core import to_json

from mcport.spec.revisions import REVISIONS

from .bridge import ask

STREAM: dict[str, str | None] = {"accept": "text/event-stream", "content-type": None}


def message(method: str, id: int | None = 1, **params: Any) -> bytes:
    head = {"jsonrpc": "2.0", "method": method, "params": params}
    return to_json(head if id is None else {**head, "id": id})


def call(tool: str, id: int = 1, meta: dict[str, Any] | None = None, **arguments: Any) -> bytes:
    return message("tools/call", id, name=tool, arguments=arguments, **({"_meta": meta} if meta else {}))


def initialize(revision: str = "2025-11-25", **capabilities: Any) -> bytes:
    about = {"name": "raw", "version": "1"}
    return message("initialize", protocolVersion=revision, capabilities=capabilities, clientInfo=about)


def accept(question: Any, content: Any) -> bytes:
    """The answer to a question: a form that is accepted, or what a model said."""
    sampling = question["method"] == "sampling/createMessage"
    said = {"role": "assistant", "model": "m", "content": {"type": "text", "text": content}}
    result = said if sampling else {"action": "accept", "content": {"value": content}}
    return to_json({"jsonrpc": "2.0", "id": question["id"], "result": result})


class Session:
    """A session with an app, which may go on at another one: each request may say at which."""

    def __init__(self, app: Any, id: str, revision: str) -> None:
        self.app = app
        self.headers: dict[str, str | None] = {"mcp-session-id": id, "mcp-protocol-version": revision}
        self.revision = REVISIONS[revision]

    def post(self, body: bytes, at: Any = None) -> Any:
        return ask(at or self.app, body, self.headers)

    def get(self, last: str | None = None, at: Any = None) -> Any:
        return ask(at or self.app, b"", {**self.headers, **STREAM, "last-event-id": last}, method="GET")

    def delete(self, at: Any = None) -> Any:
        return ask(at or self.app, b"", self.headers, method="DELETE")

    async def tell(self, body: bytes, at: Any = None) -> None:
        """Post what has no answer."""
        async with self.post(body, at) as answer:
            assert (answer.status, await answer.body()) == (202, b"")

    async def result(self, body: bytes, at: Any = None) -> Any:
        """Post a request and return its result, whether or not something was told before."""
        async with self.post(body, at) as answer:
            assert answer.status == 200
            is_stream = answer.headers["content-type"] == "text/event-stream"
            last = (await answer.events())[-1] if is_stream else await answer.json()
            return last["result"]


@asynccontextmanager
async def session(app: Any, revision: str = "2025-11-25", **capabilities: Any) -> AsyncIterator[Session]:
    async with ask(app, initialize(revision, **capabilities)) as answer:
        assert answer.status == 200
        assert (await answer.json())["result"]["protocolVersion"] == revision
        opened = Session(app, answer.headers["mcp-session-id"], revision)
    await opened.tell(message("notifications/initialized", None))
    yield opened
