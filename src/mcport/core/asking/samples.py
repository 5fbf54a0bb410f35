"""The rules of a conversation that a client's model is to continue (client/sampling "Message Content Constraints").

It looks at messages as they go over the wire. Below: abilities of revisions.
"""

from __future__ import annotations

from typing import Any

from mcport.core.jsonrpc import JsonObject
from mcport.spec.model import Unsendable
from mcport.spec.revisions import Revision


def blocks_of(message: JsonObject) -> list[JsonObject]:
    """Return the content of a message as a list."""
    content: Any = message["content"]
    return content if isinstance(content, list) else [content]


def check_messages(messages: list[JsonObject]) -> None:
    """Raise ValueError where results of tools are mixed with anything else, or do not answer what was asked for."""
    wanted: set[str] = set()
    for number, message in enumerate(messages):
        blocks = blocks_of(message)
        results = [block["toolUseId"] for block in blocks if block["type"] == "tool_result"]
        if results and len(results) < len(blocks):
            raise ValueError(f"message {number}: results of tools are mixed with other content")
        if results and message["role"] != "user":
            raise ValueError(f"message {number}: results of tools come in a message of the user")
        if sorted(results) != sorted(wanted):
            raise ValueError(f"message {number}: each wish to use a tool is answered by one result in the next message")
        uses = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if uses and message["role"] != "assistant":
            raise ValueError(f"message {number}: only the assistant wishes to use tools")
        wanted = set(uses)
        if len(wanted) != len(uses):
            raise ValueError(f"message {number}: two wishes to use a tool have the same id")
    if wanted:
        raise ValueError("the last message wishes to use tools; the results are missing")


def fitted_messages(messages: list[JsonObject], revision: Revision) -> list[JsonObject]:
    """Return messages as a revision knows them. Raises `Unsendable` for content that it does not know."""
    if revision.samples_with_tools:
        return messages
    return [{**message, "content": _single(message, revision)} for message in messages]


def _single(message: JsonObject, revision: Revision) -> JsonObject:
    blocks = blocks_of(message)
    if len(blocks) != 1:
        raise Unsendable(f"protocol version {revision.name} has one piece of content in a message, not {len(blocks)}")
    kind = blocks[0]["type"]
    if kind not in ("text", "image") and not (kind == "audio" and revision.has_audio):
        raise Unsendable(f"protocol version {revision.name} has no {kind!r} content in sampling")
    return blocks[0]
