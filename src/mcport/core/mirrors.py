"""Which arguments of a tool want to be repeated: the annotation of properties that says so, and where it may stand.

(2026-07-28 basic/transports/streamable-http "Custom Headers from Tool Parameters".) A property with `x-mcp-header:
Region` is repeated as `Mcp-Param-Region`. What is repeated, and whether it agrees, is `http.parameters`' business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from mcport.core.jsonrpc import JsonObject

ANNOTATION: Final = "x-mcp-header"
PARAM: Final = "mcp-param-"

_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_TYPES: Final = ("string", "integer", "boolean")
_DEEPEST: Final = 64


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
