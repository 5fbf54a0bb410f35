"""What a server offers and answers, as lines for people.

Everything that a server wrote is made harmless for a terminal, and bounded. It returns lines and prints none. Below:
the facade's types, `arguments` for what a schema names, `columns`, `transports.printable`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from mcport.client.listening.changes import (
    Change,
    Notified,
    PromptsChanged,
    ResourcesChanged,
    ResourceUpdated,
    ToolsChanged,
)
from mcport.core.jsonrpc import JsonObject
from mcport.spec.types import (
    AudioContent,
    BlobResourceContents,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    Prompt,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
)
from mcport.transports.printable import printable, printable_line

from . import columns
from .arguments import listed, properties

LONGEST_TEXT: Final = 100_000
_WIDEST_HEAD: Final = 44
_LISTS: Final = {ToolsChanged: "tools", PromptsChanged: "prompts", ResourcesChanged: "resources"}


def tool_rows(tools: Iterable[Tool]) -> Iterator[tuple[str, str]]:
    """Yield the signature and the summary of each tool; what may be left out stands in brackets."""
    for tool in tools:
        required = listed(tool.input_schema.get("required"))
        arguments = [(name, name in required) for name in properties(tool.input_schema)]
        yield _signature(tool.name, arguments), tool.description or tool.title or ""


def prompt_rows(prompts: Iterable[Prompt]) -> Iterator[tuple[str, str]]:
    """Yield the signature and the summary of each prompt."""
    for prompt in prompts:
        arguments = [(argument.name, bool(argument.required)) for argument in prompt.arguments or []]
        yield _signature(prompt.name, arguments), prompt.description or prompt.title or ""


def table(rows: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Return rows of two columns as indented lines of at most so many columns."""
    whole = [(printable_line(head), printable_line(_summary(text))) for head, text in rows]
    column = min(max((columns.width(head) for head, _ in whole), default=0), _WIDEST_HEAD)
    lines = []
    for head, text in whole:
        line = f"  {columns.padded(head, column)}  {text}".rstrip()
        # A head is never cut: it is what a person wants to type.
        lines.append(columns.cut(line, max(width, columns.width(head) + 2)))
    return lines


def block_text(block: ContentBlock) -> str:
    """Return a content block as text: what can be read is shown, what cannot is described."""
    match block:
        case TextContent(text=text):
            return bounded(text)
        case ImageContent(data=data, mime_type=kind) | AudioContent(data=data, mime_type=kind):
            return f"[{printable_line(kind)}, {_size(data)}]"
        case ResourceLink(uri=uri, name=name):
            return f"[resource {printable_line(uri)} ({printable_line(name)})]"
        case EmbeddedResource(resource=resource):
            return contents_text(resource)


def contents_text(contents: TextResourceContents | BlobResourceContents) -> str:
    """Return the contents of a resource as text."""
    if isinstance(contents, TextResourceContents):
        return bounded(contents.text)
    kind = printable_line(contents.mime_type or "bytes")
    return f"[{printable_line(contents.uri)}: {kind}, {_size(contents.blob)}]"


def change_line(change: Change) -> str:
    """Return what changed as one line."""
    match change:
        case ResourceUpdated(uri=uri):
            return f"resource updated: {printable_line(uri)}"
        case Notified(method=method, params=params):
            return printable_line(f"{method}: {json.dumps(params)}")
    return f"{_LISTS[type(change)]} changed"


def change_record(change: Change) -> JsonObject:
    """Return what changed as JSON."""
    match change:
        case ResourceUpdated(uri=uri):
            return {"changed": "resource", "uri": uri}
        case Notified(method=method, params=params):
            return {"changed": "extension", "method": method, "params": params}
    return {"changed": _LISTS[type(change)]}


def result_text(content: Sequence[ContentBlock], structured: object) -> str:
    """Return what a tool said: its content, or its structured value where there is no content."""
    if not content and structured is not None:
        return bounded(json.dumps(structured, indent=2, ensure_ascii=False))
    return "\n".join(block_text(block) for block in content)


def bounded(text: str) -> str:
    """Return text without anything that a terminal would obey; the end of a very long one is left out, and said so."""
    if len(text) <= LONGEST_TEXT:
        return printable(text)
    return f"{printable(text[:LONGEST_TEXT])}\n[{len(text) - LONGEST_TEXT} more characters; --json shows all]"


def decoded(data: str) -> bytes:
    """Return the bytes that base64 stands for; raises ValueError for what is none."""
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise ValueError(f"no base64: {error}") from None


def _size(data: str) -> str:
    try:
        return f"{len(decoded(data))} bytes"
    except ValueError:
        return "broken base64"


def _signature(name: str, arguments: Iterable[tuple[str, bool]]) -> str:
    return f"{name}({', '.join(each if required else f'[{each}]' for each, required in arguments)})"


def _summary(text: Any) -> str:
    return str(text).strip().partition("\n")[0]
