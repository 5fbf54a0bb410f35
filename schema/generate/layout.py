"""The layout of a schema file: how a JSON value is written so that people can read it.

What fits on a line of `WIDTH` columns stands on one line; what does not is nested by two spaces, one member a line.
A map of properties or definitions is always nested, because its members are what a reader looks for; a long list of
plain values is filled line by line. Keys keep the order in which they are given, and nothing here knows what a key
means beyond that. Equal values give equal text. Nothing sits below but the standard library.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

WIDTH = 150
INDENT = "  "
ALWAYS_NESTED = frozenset({"properties", "patternProperties", "definitions", "$defs"})


def lay_out(document: Mapping[str, object]) -> str:
    """Return the text of a whole file: `document` nested at its top level, ended by a newline."""
    return _nested(document, "") + "\n"


def _text(value: object, indent: str, room: int, nest: bool = False) -> str:
    """Return `value` as text whose first line may take `room` columns and whose other lines start at `indent`."""
    if isinstance(value, (dict, list)) and value:
        line = "" if nest or _holds_map(value) else _on_one_line(value)
        return line if line and len(line) <= room else _nested(value, indent)
    return _on_one_line(value)


def _nested(value: object, indent: str) -> str:
    inner = indent + INDENT
    if isinstance(value, Mapping):
        return "{\n" + ",\n".join(_members(value, inner)) + f"\n{indent}}}"
    assert isinstance(value, list)
    if all(isinstance(item, (str, int, float)) for item in value):
        return "[\n" + "\n".join(_filled(value, inner)) + f"\n{indent}]"
    items = (inner + _text(item, inner, WIDTH - len(inner) - 1) for item in value)
    return "[\n" + ",\n".join(items) + f"\n{indent}]"


def _members(members: Mapping[str, object], indent: str) -> Iterator[str]:
    for key, value in members.items():
        head = f"{indent}{_on_one_line(key)}: "
        yield head + _text(value, indent, WIDTH - len(head) - 1, nest=key in ALWAYS_NESTED)


def _filled(items: Sequence[object], indent: str) -> Iterator[str]:
    """Yield lines of `indent` and as many items as fit, each with its comma but the last of all."""
    line = indent
    for number, item in enumerate(items, 1):
        word = _on_one_line(item) + ("," if number < len(items) else "")
        if line != indent and len(line) + 1 + len(word) > WIDTH:
            yield line
            line = indent
        line += word if line == indent else f" {word}"
    yield line


def _holds_map(value: object) -> bool:
    """Tell whether somewhere in `value` there is a filled map that must be nested."""
    if isinstance(value, dict):
        return any((key in ALWAYS_NESTED and bool(part)) or _holds_map(part) for key, part in value.items())
    return isinstance(value, list) and any(_holds_map(item) for item in value)


def _on_one_line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
