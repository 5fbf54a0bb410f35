"""From what a tool returns to the content blocks of its result.

Strings become text, None becomes nothing, content models stay themselves, lists of these are taken member by member;
any other value becomes its JSON as text. What a revision does not know is turned into what it knows. Below: the facade
types, loaded only when a value of theirs comes along.
"""

from __future__ import annotations

from typing import Any, Final

from mcport.core.dialects.envelope import Body
from mcport.core.jsonrpc import JsonObject, dump
from mcport.spec.model import Model
from mcport.spec.revisions import Revision

_TEXT: Final = b'{"content":[{"type":"text","text":%b}]}'
_NUMBER: Final = b'{"content":[{"type":"text","text":"%d"}]}'


def pack(value: Any, revision: Revision) -> Body | JsonObject | Model:
    """Return the tools/call result for a returned value. Raises ValueError for a value that cannot be JSON."""
    if type(value) is str:
        return Body(_TEXT % dump(value))
    if type(value) is int:
        return Body(_NUMBER % value)
    if value is None:
        return Body(b'{"content":[]}')
    if isinstance(value, Model):
        return _pack_model(value, revision)
    if isinstance(value, list | tuple) and any(_is_content(member) for member in value):
        return _result([_block(member, revision) for member in value])
    return {"content": [text_block(value)]}


def failed(text: str) -> JsonObject:
    """Return the result of a tool that failed; the text is for the model."""
    return {"content": [{"type": "text", "text": text}], "isError": True}


def text_block(value: Any) -> JsonObject:
    """Return a text block: a string as it is, any other value as JSON."""
    return {"type": "text", "text": value if isinstance(value, str) else dump(value).decode()}


def _pack_model(value: Model, revision: Revision) -> Model | JsonObject:
    from mcport.spec.types import CallToolResult

    if isinstance(value, CallToolResult):
        return value.model_copy(update={"content": [_block(block, revision) for block in value.content]})
    return _result([_block(value, revision)]) if _is_content(value) else {"content": [text_block(value)]}


def _result(blocks: list[Any]) -> Model:
    from mcport.spec.types import CallToolResult

    return CallToolResult(content=blocks)


def _is_content(value: object) -> bool:
    if not isinstance(value, Model):
        return False
    from mcport.spec.types import AudioContent, EmbeddedResource, ImageContent, ResourceLink, TextContent

    return isinstance(value, TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource)


def _block(value: Any, revision: Revision) -> Model:
    """Return one block as the revision knows it."""
    from mcport.spec.types import AudioContent, BlobResourceContents, EmbeddedResource, ResourceLink, TextContent

    if isinstance(value, AudioContent) and not revision.has_audio:
        # A resource with the same bytes: an older client can at least keep it.
        contents = BlobResourceContents(uri="data:" + value.mime_type, mime_type=value.mime_type, blob=value.data)
        return EmbeddedResource(type="resource", resource=contents)
    if isinstance(value, ResourceLink) and not revision.has_resource_links:
        return TextContent(type="text", text=f"{value.name}: {value.uri}")
    if _is_content(value):
        block: Model = value
        return block
    return TextContent(**text_block(value))
