"""Whether content that this side made is what it says: base64, media types, URIs, dates, priorities.

The types of the facade cannot tell, since what comes from a peer is read as it is (server/prompts and server/tools,
"Image Content" and its neighbours; server/resources, "Resource Contents" and "Annotations"). Below: `core.uri`.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

_MEDIA_TYPE: Final = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:[ \t]*;[ -~]*)?")


def check_content(result: object) -> None:
    """Raise ValueError, in one line, for a block, contents or a message of a result or question that is not sound."""
    for name in ("content", "contents", "messages"):
        parts = getattr(result, name, None) or ()
        for index, part in enumerate(parts if isinstance(parts, Sequence) else (parts,)):
            for piece in _pieces(part):
                if fault := _fault(piece):
                    raise ValueError(f"{name}[{index}]: {fault}")


def check_media_type(text: object) -> None:
    """Raise ValueError for a media type that is none."""
    if not isinstance(text, str) or _MEDIA_TYPE.fullmatch(text) is None:
        raise ValueError(f"mime_type {text!r:.60} is no media type such as 'text/plain'")


def check_annotations(annotations: Any) -> None:
    """Raise ValueError for annotations with a date that is not in ISO 8601, or a priority that is out of bounds."""
    priority = getattr(annotations, "priority", None)
    if priority is not None and not 0 <= priority <= 1:
        raise ValueError(f"priority {priority!r:.60} is not between 0 and 1")
    when = getattr(annotations, "last_modified", None)
    try:
        _ = when if when is None else datetime.fromisoformat(when)
    except (TypeError, ValueError):
        raise ValueError(f"last_modified {when!r:.60} is no date in ISO 8601, such as '2025-01-12T15:00:58Z'") from None


def _pieces(part: Any) -> Iterator[Any]:
    """A part of a result, and what is inside it: the content of a message, one block or many; a block's resource."""
    for piece in part if isinstance(part, list) else (part,):
        yield piece
        for name in ("content", "resource"):
            inner = getattr(piece, name, None)
            if inner is not None and not isinstance(inner, str):
                yield from _pieces(inner)


def _fault(piece: Any) -> str | None:
    """What is not sound about one piece; the names are those of the facade's fields."""
    for name in ("data", "blob"):
        text = getattr(piece, name, None)
        if isinstance(text, str) and not _is_base64(text):
            return f"{name} is not base64"
    from mcport.core.uri import is_uri

    uri = getattr(piece, "uri", None)
    if isinstance(uri, str) and not is_uri(uri):
        return f"{uri!r:.60} is no URI"
    try:
        if getattr(piece, "mime_type", None) is not None:
            check_media_type(piece.mime_type)
        check_annotations(getattr(piece, "annotations", None))
    except ValueError as error:
        return str(error)
    return None


def _is_base64(text: str) -> bool:
    try:
        binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return False
    return True
