"""Content made easily: pictures, sounds and files, from a path or from bytes; links, and resources embedded.

`text_of` reads the words in whatever came.

Each is content of the protocol, so that tools, prompts and resources may return it, alone or among others. Files are
read at once, up to a size, and never anything but regular files. It refuses to know who sends content and in which
revision. Below: the types of content.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from mcport.spec.types import (
    AudioContent,
    BlobResourceContents,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

if TYPE_CHECKING:
    from mcport.spec.model import Model
    from mcport.spec.scalars import JSONObject
    from mcport.spec.types import Annotations, Icon

__all__ = ["MOST_BYTES", "Audio", "File", "Image", "embed", "link", "text_of"]

MOST_BYTES: Final = 8 * 1024 * 1024
"""How large data may be by default: as base64 it still fits into one message to most clients."""

Source = str | PathLike[str]
Bytes = bytes | bytearray | memoryview

_BY_SUFFIX: Final[Mapping[str, str]] = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".bmp": "image/bmp",
    ".avif": "image/avif",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".oga": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".md": "text/markdown",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".toml": "application/toml",
    ".py": "text/x-python",
}
"""The same on every machine; for other suffixes the machine's own table is asked."""

_BY_BEGINNING: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"%PDF-", "application/pdf"),
)
_BY_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav"}

_TEXTUAL: Final = frozenset({"application/json", "application/xml", "application/yaml", "application/toml"})


class LinkOptions(TypedDict, total=False):
    """What else may be said of a link."""

    annotations: Annotations | None
    icons: list[Icon] | None
    meta: JSONObject | None


class Image(ImageContent):
    """A picture, from a file or from the bytes of one.

    Give either `path` or `data`. The MIME type is told from the file's suffix, or from how the bytes begin. Raises
    ValueError, in one line, where it cannot be told or is none of a picture, for data of more than `max_bytes`, and
    OSError for a file that cannot be read. See server/tools of the specification, "Image Content".
    """

    def __init__(
        self,
        path: Source | None = None,
        *,
        data: Bytes | None = None,
        mime_type: str | None = None,
        annotations: Annotations | None = None,
        meta: JSONObject | None = None,
        max_bytes: int = MOST_BYTES,
    ) -> None:
        raw, kind = _read("Image", "image", path, data, mime_type, max_bytes)
        super().__init__(data=raw, mime_type=kind, annotations=annotations, meta=meta)


class Audio(AudioContent):
    """A sound recording, from a file or from the bytes of one; clients of 2024-11-05 get it as an embedded resource.

    Give either `path` or `data`. The MIME type is told from the file's suffix, or from how the bytes begin. Raises
    ValueError, in one line, where it cannot be told or is none of a recording, for data of more than `max_bytes`, and
    OSError for a file that cannot be read. See server/tools of the specification, "Audio Content".
    """

    def __init__(
        self,
        path: Source | None = None,
        *,
        data: Bytes | None = None,
        mime_type: str | None = None,
        annotations: Annotations | None = None,
        meta: JSONObject | None = None,
        max_bytes: int = MOST_BYTES,
    ) -> None:
        raw, kind = _read("Audio", "audio", path, data, mime_type, max_bytes)
        super().__init__(data=raw, mime_type=kind, annotations=annotations, meta=meta)


class File(EmbeddedResource):
    """A file of any kind, embedded whole: as text where its type is one of text and it is UTF-8, else as bytes.

    Give either `path` or `data`. `uri` says where it comes from: for a path the URI of that file by default, for bytes
    it must be given. The MIME type is told as for `Image`, and need not be known. Raises ValueError, in one line, for
    data of more than `max_bytes`, and OSError for a file that cannot be read. See server/tools of the specification,
    "Embedded Resources".
    """

    def __init__(
        self,
        path: Source | None = None,
        *,
        data: Bytes | None = None,
        uri: str | None = None,
        mime_type: str | None = None,
        annotations: Annotations | None = None,
        meta: JSONObject | None = None,
        max_bytes: int = MOST_BYTES,
    ) -> None:
        found = _bytes("File", path, data, max_bytes)
        if uri is None:
            if path is None:
                raise ValueError("File: data has no name; give it a uri")
            uri = Path(path).absolute().as_uri()
        kind = mime_type or _guessed(path, found)
        super().__init__(resource=_contents(uri, found, kind), annotations=annotations, meta=meta)


def link(
    uri: str,
    name: str | None = None,
    *,
    title: str | None = None,
    description: str | None = None,
    mime_type: str | None = None,
    size: int | None = None,
    **more: Unpack[LinkOptions],
) -> ResourceLink:
    """Return a link to a resource, which a client may read by its URI when it needs it.

    `name` is by default the last part of the URI, `size` is in bytes; `annotations`, `icons` and `meta` may be given as
    well. Raises ValueError for a URI without a scheme. See server/tools of the specification, "Resource Links".
    """
    _check_uri("link", uri)
    own = name if name is not None else uri.rstrip("/").rpartition("/")[2] or uri
    known: dict[str, Any] = {"title": title, "description": description, "mime_type": mime_type, "size": size}
    return ResourceLink(uri=uri, name=own, **known, **more)


def embed(
    uri: str,
    contents: str | bytes,
    *,
    mime_type: str | None = None,
    annotations: Annotations | None = None,
    meta: JSONObject | None = None,
) -> EmbeddedResource:
    """Return a resource with everything in it: a string as text, bytes as bytes.

    Raises ValueError for a URI without a scheme. See server/tools of the specification, "Embedded Resources".
    """
    _check_uri("embed", uri)
    kind = mime_type or _by_suffix(uri)
    if isinstance(contents, str):
        resource: TextResourceContents | BlobResourceContents = TextResourceContents(
            uri=uri, text=contents, mime_type=kind
        )
    else:
        resource = BlobResourceContents(uri=uri, blob=_base64(contents), mime_type=kind)
    return EmbeddedResource(resource=resource, annotations=annotations, meta=meta)


def _read(
    what: str, family: str, path: Source | None, data: Bytes | None, mime_type: str | None, most: int
) -> tuple[str, str]:
    """Return data as base64, and its MIME type, which is one of the family."""
    found = _bytes(what, path, data, most)
    kind = mime_type or _guessed(path, found)
    where = f"{str(path)!r}" if path is not None else "the data"
    if kind is None:
        raise ValueError(f"{what}: cannot tell the MIME type of {where}; give mime_type=")
    if not kind.startswith(f"{family}/"):
        raise ValueError(f"{what}: {where} is {kind}, which is no {family}; File takes any kind")
    return _base64(found), kind


def _bytes(what: str, path: Source | None, data: Bytes | None, most: int) -> bytes:
    if (path is None) == (data is None):
        raise ValueError(f"{what}: give either path or data")
    if data is not None:
        if not isinstance(data, Bytes):
            raise ValueError(f"{what}: data is bytes, not {type(data).__name__}; a path goes into path=")
        found = bytes(data)
    else:
        file = Path(path)  # type: ignore[arg-type]
        if file.exists() and not file.is_file():  # a pipe would never end, and a directory has no bytes
            raise ValueError(f"{what}: {str(path)!r} is no regular file")
        with file.open("rb") as stream:
            found = stream.read(most + 1)
    if len(found) > most:
        raise ValueError(f"{what}: more than {most:,} bytes (max_bytes); send a link to a resource instead")
    return found


def _guessed(path: Source | None, data: bytes) -> str | None:
    return (_by_suffix(str(path)) if path is not None else None) or _by_beginning(data)


def _by_suffix(name: str) -> str | None:
    dot, suffix = name.rpartition(".")[1:]
    known = _BY_SUFFIX.get(f".{suffix.lower()}") if dot else None
    return known or mimetypes.guess_type(name, strict=False)[0]


def _by_beginning(data: bytes) -> str | None:
    if data.startswith(b"RIFF"):
        return _BY_RIFF.get(data[8:12])
    if data.lstrip()[:4].lower() == b"<svg":
        return "image/svg+xml"
    return next((kind for beginning, kind in _BY_BEGINNING if data.startswith(beginning)), None)


def _contents(uri: str, data: bytes, kind: str | None) -> TextResourceContents | BlobResourceContents:
    if kind is not None and (kind.startswith("text/") or kind in _TEXTUAL or kind.endswith(("+json", "+xml"))):
        try:
            return TextResourceContents(uri=uri, text=data.decode(), mime_type=kind)
        except UnicodeDecodeError:
            pass
    return BlobResourceContents(uri=uri, blob=_base64(data), mime_type=kind)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _check_uri(what: str, uri: str) -> None:
    scheme, colon, rest = uri.partition(":")
    if not (colon and rest and scheme.isascii() and scheme[:1].isalpha()):
        raise ValueError(f"{what}: {uri!r:.100} is no URI; it begins with a scheme, as in 'file:///notes.md'")


def text_of(said: Model | Sequence[Model]) -> str:
    """Return the texts in what somebody said, a line each; empty where there are none.

    `said` is the result of a tool, a resource, a prompt or a model, a message, one piece of content, or several of
    these: `text_of(await client.read_resource(uri))`, `text_of(await ctx.sample("..."))`. Pictures, sounds, links and
    embedded resources say nothing here.
    """
    return "\n".join(_texts(said))


def _texts(said: object) -> Iterator[str]:
    if isinstance(said, TextContent | TextResourceContents):
        yield said.text
    elif isinstance(said, list | tuple):
        for each in said:
            yield from _texts(each)
    else:
        for name in ("content", "contents", "messages"):
            yield from _texts(getattr(said, name, ()))
