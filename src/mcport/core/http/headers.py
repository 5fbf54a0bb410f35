"""The headers of the protocol: their names, and how values of the body are mirrored in them.

(2026-07-28 basic/transports/streamable-http "Request Metadata".) Names are lower case here, as ASGI has them. Headers
are a mapping of text to text; nothing here knows who sends them. Below: `jsonrpc`, the error page.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Final

from mcport.core.jsonrpc import JsonObject
from mcport.errors import HeaderMismatch

VERSION: Final = "mcp-protocol-version"
METHOD: Final = "mcp-method"
NAME: Final = "mcp-name"
SESSION: Final = "mcp-session-id"
LAST_EVENT: Final = "last-event-id"

JSON: Final = "application/json"
EVENT_STREAM: Final = "text/event-stream"

NAMED: Final[Mapping[str, str]] = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
"""The member of the parameters that `Mcp-Name` repeats, by method; extensions add to it."""

_OPEN: Final = "=?base64?"
_CLOSE: Final = "?="
_PLAIN: Final = re.compile(r"[\x20-\x7e\t]*\Z")


def encode_value(text: str) -> str:
    """Return a text as a header can carry it.

    Visible ASCII goes as it is; anything else, what begins or ends with white space, and what looks encoded already
    goes as the Base64 of its UTF-8 ("Value Encoding"). Raises UnicodeEncodeError for lone surrogates.
    """
    looks_encoded = text.startswith(_OPEN) and text.endswith(_CLOSE)
    if _PLAIN.match(text) and text == text.strip(" \t") and not looks_encoded:
        return text
    return _OPEN + b64encode(text.encode()).decode() + _CLOSE


def decode_value(value: str) -> str:
    """Return the text that a header's value stands for; raises ValueError for one that cannot have been meant."""
    if not _PLAIN.match(value):
        raise ValueError("has characters that no header may have")
    value = value.strip(" \t")
    if not (value.startswith(_OPEN) and value.endswith(_CLOSE) and len(value) >= len(_OPEN) + len(_CLOSE)):
        return value
    try:
        return b64decode(value[len(_OPEN) : -len(_CLOSE)], validate=True).decode()
    except ValueError:
        raise ValueError("is marked as Base64 and is none") from None


def mirrored(method: str, params: JsonObject, named: Mapping[str, str] = NAMED) -> dict[str, str]:
    """Return the headers that repeat a request's method and, where it has one, the name of what it is about."""
    headers = {METHOD: method}
    member = named.get(method)
    name = params.get(member) if member is not None else None
    if type(name) is str:
        headers[NAME] = encode_value(name)
    return headers


def check_mirrored(
    headers: Mapping[str, str], method: str, params: JsonObject, named: Mapping[str, str] = NAMED
) -> None:
    """Raise `HeaderMismatch` unless the headers repeat what the body says ("Server Validation")."""
    said = headers.get(METHOD)
    if said != method:
        raise _mismatch("Mcp-Method", said, method)
    member = named.get(method)
    if member is None:
        return
    name, said = params.get(member), headers.get(NAME)
    # A plain value says itself; only others are looked at. Without a name in the body the method's own check speaks.
    if said != name and (said is not None or type(name) is str) and _decoded("Mcp-Name", said) != name:
        raise _mismatch("Mcp-Name", said, name)


def _decoded(header: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        return decode_value(value)
    except ValueError as error:
        raise HeaderMismatch(f"Header mismatch: {header} {error}") from None


def _mismatch(header: str, said: str | None, meant: object) -> HeaderMismatch:
    if said is None:
        return HeaderMismatch(f"Header mismatch: {header} is missing")
    return HeaderMismatch(f"Header mismatch: {header} is {said!r:.80}, and the body says {meant!r:.80}")
