"""Arguments of tools that are repeated in headers: what the headers are, and whether they agree.

(2026-07-28 basic/transports/streamable-http "Custom Headers from Tool Parameters".) Below: `headers`, and
`core.mirrors`, which finds out what a schema asks for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from mcport.core.jsonrpc import EXACT, JsonObject
from mcport.core.mirrors import PARAM, Mirror
from mcport.errors import HeaderMismatch

from .headers import decode_value, encode_value

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}(\.0{1,20})?\Z")


def param_headers(mirrors: Sequence[Mirror], arguments: JsonObject) -> dict[str, str]:
    """Return the headers that repeat arguments of a call; what is absent or null is left out."""
    headers = {}
    for mirror in mirrors:
        value = _at(arguments, mirror.path)
        if value is not None and (text := _text(value)) is not None:
            headers[mirror.header] = encode_value(text)
    return headers


def check_params(headers: Mapping[str, str], mirrors: Sequence[Mirror], arguments: object) -> None:
    """Raise `HeaderMismatch` unless the headers repeat the arguments of a call ("Server Behavior")."""
    for mirror in mirrors:
        said, value = headers.get(mirror.header), _at(arguments, mirror.path)
        if said is None and value is None:
            continue
        name = f"Mcp-Param-{mirror.header.removeprefix(PARAM)}"
        if said is None:
            raise HeaderMismatch(f"Header mismatch: {name} is missing, and the body has {'.'.join(mirror.path)!r:.80}")
        try:
            text = decode_value(said)
        except ValueError as error:
            raise HeaderMismatch(f"Header mismatch: {name} {error}") from None
        if not _agrees(text, value):
            raise HeaderMismatch(f"Header mismatch: {name} is {said!r:.80}, and the body says {value!r:.80}")


def _at(arguments: object, path: tuple[str, ...]) -> object:
    """The value at the exact path, None where there is none."""
    for step in path:
        if type(arguments) is not dict:
            return None
        arguments = arguments.get(step)
    return arguments


def _text(value: object) -> str | None:
    """An argument as text; None for what no header repeats ("Type conversion")."""
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and -EXACT <= value <= EXACT:
        return str(value)
    if type(value) is float and value.is_integer() and -EXACT <= value <= EXACT:
        return str(int(value))
    return value if type(value) is str else None


def _agrees(text: str, value: object) -> bool:
    """Whether a header's text is a value of the body; integers are compared as numbers."""
    if type(value) in (int, float):
        return bool(_NUMBER.match(text)) and int(text.partition(".")[0]) == value
    meant = _text(value)
    # What no header repeats is left to the check of the arguments.
    return text == meant if meant is not None else value is not None
