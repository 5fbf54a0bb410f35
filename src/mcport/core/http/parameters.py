"""Arguments of tools that are repeated in headers: how a schema asks for it, what the headers are, whether they agree.

(2026-07-28 basic/transports/streamable-http "Custom Headers from Tool Parameters".) A property with `x-mcp-header:
Region` is repeated as `Mcp-Param-Region`. Below: `headers`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mcport.core.jsonrpc import EXACT, JsonObject
from mcport.errors import HeaderMismatch

from .headers import PARAM, decode_value, encode_value

ANNOTATION: Final = "x-mcp-header"

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_TYPES: Final = ("string", "integer", "boolean")
_DEEPEST: Final = 64
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,20}(\.0{1,20})?\Z")


class BadAnnotation(ValueError):
    """A schema asks for a header in a way that is not allowed; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """One argument that is repeated in a header: the way to it, the header's name in lower case, its JSON type."""

    path: tuple[str, ...]
    header: str
    type: str


def mirrors_of(schema: JsonObject) -> tuple[Mirror, ...]:
    """Return the arguments that a tool's input schema wants to be repeated in headers.

    Raises `BadAnnotation` where the schema asks for what is not allowed ("Schema Extension").
    """
    found = list(_annotated(schema, (), 0))
    if _count(schema, 0) != len(found):
        raise BadAnnotation(f"{ANNOTATION} stands where it is not reached by `properties` alone")
    seen: set[str] = set()
    for mirror in found:
        if mirror.header in seen:
            raise BadAnnotation(f"{ANNOTATION} {mirror.header.removeprefix(PARAM)!r} is used twice")
        seen.add(mirror.header)
    return tuple(found)


def _annotated(schema: JsonObject, path: tuple[str, ...], depth: int) -> Iterator[Mirror]:
    """The annotated properties below a schema, by way of `properties` only."""
    properties = schema.get("properties")
    if type(properties) is not dict or depth > _DEEPEST:
        return
    for name, member in properties.items():
        if type(member) is not dict:
            continue
        here = (*path, name)
        if ANNOTATION in member:
            yield _mirror(member, here)
        yield from _annotated(member, here, depth + 1)


def _mirror(member: JsonObject, path: tuple[str, ...]) -> Mirror:
    name, kind = member[ANNOTATION], member.get("type")
    at = ".".join(path)
    if type(name) is not str or not _TOKEN.match(name):
        raise BadAnnotation(f"{ANNOTATION} of {at!r:.80} must be the name of a header, not {name!r:.80}")
    if kind not in _TYPES:
        raise BadAnnotation(f"{ANNOTATION} of {at!r:.80} is for a string, integer or boolean, not for {kind!r:.80}")
    return Mirror(path, PARAM + name.lower(), kind)


def _count(value: Any, depth: int) -> int:
    """How many annotations there are anywhere in a schema, but for what is only data in it."""
    if depth > _DEEPEST:
        return 0
    if type(value) is list:
        return sum(_count(each, depth + 1) for each in value)
    if type(value) is not dict:
        return 0
    return (ANNOTATION in value) + sum(
        _members(each, depth + 1)
        if key in ("properties", "$defs", "definitions", "patternProperties")
        else _count(each, depth + 1)
        for key, each in value.items()
        if key not in ("default", "const", "enum", "examples")
    )


def _members(value: Any, depth: int) -> int:
    """The same for an object whose keys are names: one of them may be called like the annotation."""
    return sum(_count(each, depth) for each in value.values()) if type(value) is dict else _count(value, depth)


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
