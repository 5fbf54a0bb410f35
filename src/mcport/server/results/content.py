"""From what a handler returns to content: the blocks of a tool's result, the texts of prompts and resources.

Strings become text, None becomes nothing, content models stay themselves, lists of these are taken member by member;
any other value becomes its JSON as text. What a revision does not know is turned into what it knows. Below: the facade
types, loaded only when a value of theirs comes along.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from mcport.core.dialects.envelope import Body
from mcport.core.jsonrpc import JsonObject, dump, parse_json
from mcport.server.extensions.extension_result import ExtensionResult
from mcport.spec.instances import is_model
from mcport.spec.revisions import Revision

from .unsendable import ResultUnsendable, lost_number, unsendable

if TYPE_CHECKING:
    from mcport.spec.model import Model
    from mcport.spec.types import CallToolResult

BYTES_HINT: Final = "give back text, or Image, Audio or File of mcport.content"
"""What somebody can do who has bytes for a model."""

_TEXT: Final = b'{"content":[{"type":"text","text":%b}]}'
_NUMBER: Final = b'{"content":[{"type":"text","text":"%d"}]}'


def pack(value: Any, revision: Revision) -> Body | ExtensionResult | Model:
    """Return the tools/call result for a returned value. Raises `ResultUnsendable` for one that cannot be JSON."""
    if type(value) is str:
        try:
            return Body(_TEXT % to_json(value))  # not `dump`, which would search a text of a megabyte for numbers
        except ValueError as error:
            raise unsendable(value, error) from None
    if type(value) is int and -_SHORT < value < _SHORT:
        return Body(_NUMBER % value)
    if value is None:
        return Body(b'{"content":[]}')
    if is_model(value):
        return _pack_model(value, revision)
    if isinstance(value, list | tuple) and any(_is_content(member) for member in value):
        return _result([block_of(member, revision) for member in value])
    return value if type(value) is ExtensionResult else _text(value)


_SHORT: Final = 10**18
"""Integers below it are written without asking the JSON writer, which knows those of any length."""


def failed(text: str) -> JsonObject:
    """Return the result of a tool that failed; the text is for the model."""
    return {"content": [{"type": "text", "text": sayable(text)}], "isError": True}


def sayable(text: str) -> str:
    """Return a text without what UTF-8 cannot say (lone surrogates, as in names of files), which becomes "?"."""
    return text.encode("utf-8", "replace").decode()


def text_of(value: Any) -> str:
    """Return what a value says as text: its JSON, without the quotes where that is a string.

    Raises `ResultUnsendable` for a value that cannot be JSON.
    """
    if type(value) is str:
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        raise ResultUnsendable(f"it returned bytes: {BYTES_HINT}")
    data = json_of(value)
    return str(parse_json(data.encode())) if data.startswith('"') else data


def json_of(value: Any) -> str:
    """Return the JSON of a value. Raises `ResultUnsendable` where there is none."""
    try:
        data = dump(value)
    except (ValueError, RecursionError) as error:
        raise unsendable(value, error) from None
    check_numbers(value, data)
    return data.decode()


def check_numbers(value: Any, data: bytes) -> None:
    """Raise `ResultUnsendable` for a number that JSON lacks and that its model has written as null."""
    if (lost := lost_number(value, data)) is not None:
        raise ResultUnsendable(f"it returned a value that cannot be sent: {lost}")


def _text(value: Any) -> Body:
    """Return the result of which the one block is the text of a value."""
    return Body(_TEXT % to_json(text_of(value)))


def block_of(value: Any, revision: Revision) -> Model:
    """Return one content block as the revision knows it, from content or from any other value."""
    from mcport.spec.types import AudioContent, ResourceLink, TextContent

    if isinstance(value, AudioContent) and not revision.has_audio:
        return _as_resource(value)
    if isinstance(value, ResourceLink) and not revision.has_resource_links:
        return TextContent(type="text", text=f"{value.name}: {value.uri}", annotations=value.annotations)
    if _is_content(value):
        block: Model = value
        return block
    return TextContent(type="text", text=text_of(value))


def result_of(result: CallToolResult, revision: Revision, *, wrap: bool = False) -> Model:
    """Return a result that was made by hand as a revision knows it.

    Structured content that the revision cannot carry is wrapped if that is declared, and else becomes text, unless
    there is some already.
    """
    blocks: list[Any] = [block_of(block, revision) for block in result.content]
    changes: dict[str, object] = {"content": blocks}
    if "structured_content" in result.model_fields_set and not _carries(revision, result.structured_content):
        if wrap and revision.has_structured_output and not result.is_error:
            changes["structured_content"] = {"result": result.structured_content}
        else:
            changes["structured_content"] = None
            if not blocks:
                blocks.append(block_of(result.structured_content, revision))
    return result.model_copy(update=changes)


def _carries(revision: Revision, value: object) -> bool:
    """Whether a revision can carry a value as structured content."""
    return revision.has_structured_output and (revision.structured_any_json or isinstance(value, dict))


def as_contents(value: Any, uri: str) -> Any:
    """Return what a resource returned with pieces of content turned into contents of the resource of that URI."""
    if isinstance(value, list | tuple):
        return [as_contents(member, uri) for member in value] if any(map(_is_content, value)) else value
    if not _is_content(value):
        return value
    from mcport.content import File
    from mcport.spec.types import (
        BlobResourceContents,
        EmbeddedResource,
        ResourceLink,
        TextContent,
        TextResourceContents,
    )

    if isinstance(value, File):
        return value.resource.model_copy(update={"uri": uri})  # where the file lies is nobody's business
    if isinstance(value, EmbeddedResource):
        return value.resource
    if isinstance(value, TextContent):
        return TextResourceContents(uri=uri, text=value.text, meta=value.meta)
    if isinstance(value, ResourceLink):
        raise TypeError("a resource returns contents, not a link to another")
    return BlobResourceContents(uri=uri, mime_type=value.mime_type, blob=value.data, meta=value.meta)


def _as_resource(audio: Any) -> Model:
    """Return audio as a resource with the same bytes: a client that knows no audio can at least keep it."""
    from mcport.spec.types import BlobResourceContents, EmbeddedResource

    contents = BlobResourceContents(uri="embedded:audio", mime_type=audio.mime_type, blob=audio.data)
    return EmbeddedResource(type="resource", resource=contents, annotations=audio.annotations)


def _pack_model(value: Model, revision: Revision) -> Model | Body:
    from mcport.spec.types import CallToolResult

    if isinstance(value, CallToolResult):
        return result_of(value, revision)
    return _result([block_of(value, revision)]) if _is_content(value) else _text(value)


def _result(blocks: list[Any]) -> Model:
    from mcport.spec.types import CallToolResult

    return CallToolResult(content=blocks)


def _is_content(value: object) -> bool:
    if not is_model(value):
        return False
    from mcport.spec.types import AudioContent, EmbeddedResource, ImageContent, ResourceLink, TextContent

    return isinstance(value, TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource)
