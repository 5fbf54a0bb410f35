"""Arguments as they are typed at a shell: `name=value`, `name:=json`, or one JSON object.

A value is read as the tool's input schema wants it; what does not fit goes as the text it is, since the server says
best what is wrong with it. Knows nothing of conversations. Below: nothing of mcport.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from .usage import UsageError

# In the order in which they are tried: a text that could be a number is one, where the schema allows both.
_KINDS: Final = ("null", "boolean", "integer", "number", "array", "object")
_DEPTH: Final = 20


def tool_arguments(words: Sequence[str], schema: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the arguments of a tool; raises `UsageError` for words that are none."""
    if len(words) == 1 and (words[0] == "-" or words[0].startswith(("{", "@"))):
        return _whole(words[0])
    found: dict[str, Any] = {}
    fields = properties(schema or {})
    for name, text, is_json in map(_split, words):
        value = _parsed(text, name) if is_json else _typed(text, fields.get(name, {}), schema or {})
        if name in found and isinstance(found[name], list) and isinstance(value, list):
            found[name] += value
        elif name in found:
            raise UsageError(f"argument {name!r} is given twice")
        else:
            found[name] = value
    return found


def properties(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the fields that the schema of a stranger names; none, if that is not what stands there."""
    named = schema.get("properties")
    return named if isinstance(named, Mapping) else {}


def listed(value: object) -> Sequence[Any]:
    """Return what should be a list in the schema of a stranger; nothing, if it is none."""
    return value if isinstance(value, list) else ()


def text_arguments(words: Sequence[str]) -> dict[str, str]:
    """Return arguments that are texts and nothing else, as prompts take them."""
    if len(words) == 1 and (words[0] == "-" or words[0].startswith(("{", "@"))):
        return {
            name: value if isinstance(value, str) else json.dumps(value) for name, value in _whole(words[0]).items()
        }
    return {name: text for name, text, _ in map(_split, words)}


def _split(word: str) -> tuple[str, str, bool]:
    name, equals, text = word.partition("=")
    if not equals or name in ("", ":"):
        raise UsageError(f"arguments are NAME=VALUE, NAME:=JSON or one JSON object; got {word!r:.80}")
    return (name[:-1], text, True) if name.endswith(":") else (name, text, False)


def _whole(word: str) -> dict[str, Any]:
    """Read one JSON object: as it stands here, from a file, or from stdin."""
    if word.startswith("{"):
        where, text = "the arguments", word
    elif word == "-":
        where, text = "stdin", sys.stdin.read()
    else:
        where = word[1:]
        try:
            text = Path(where).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{where} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    value = _parsed(text, where, f"{where}: not JSON")
    if not isinstance(value, dict):
        raise UsageError(f"{where}: the arguments are one JSON object, this is {text.strip()!r:.40}")
    return value


def _parsed(text: str, name: str, complaint: str | None = None) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{complaint or f'argument {name!r} is not JSON'}: {error}") from None


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no JSON")


# ---- reading a value as its schema wants it


def _typed(text: str, field: Any, root: Mapping[str, Any]) -> Any:
    plain = [*_alternatives(field, root, set())]
    for choice in (each for schema in plain for each in listed(schema.get("enum"))):
        if text == (choice if isinstance(choice, str) else json.dumps(choice)):
            return choice
    kinds = {kind for schema in plain for kind in _kinds(schema)}
    for kind in _KINDS:
        if kind in kinds and (value := _as(kind, text)) is not _NOTHING:
            return value
    if "array" in kinds and "string" not in kinds:
        items: Any = next((schema["items"] for schema in plain if "items" in schema), {})
        return [_typed(text, items, root)]
    return text


def _alternatives(field: Any, root: Mapping[str, Any], seen: set[int], depth: int = 0) -> Iterable[Mapping[str, Any]]:
    """Yield what a schema allows, each once, its references and unions resolved as far as that is simple."""
    if not isinstance(field, Mapping) or id(field) in seen or depth > _DEPTH:
        return
    seen.add(id(field))
    reference = field.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        yield from _alternatives(_target(reference, root), root, seen, depth + 1)
    for union in ("anyOf", "oneOf"):
        for each in listed(field.get(union)):
            yield from _alternatives(each, root, seen, depth + 1)
    yield field


def _target(reference: str, root: Any) -> Any:
    for step in reference[2:].split("/"):
        root = root.get(step, {}) if isinstance(root, Mapping) else {}
    return root


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """Return the types that a schema names; all of them, if it says nothing at all."""
    named = schema.get("type")
    if isinstance(named, list):
        return [each for each in named if isinstance(each, str)]
    if isinstance(named, str):
        return [named]
    said = schema.keys() & {"$ref", "anyOf", "oneOf", "enum", "const"}
    return [] if said else [*_KINDS, "string"]


_NOTHING: Final = object()


def _as(kind: str, text: str) -> Any:
    """Return the value that a text stands for, if it is of that kind."""
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError):
        return _NOTHING
    fits = {
        "null": value is None,
        "boolean": isinstance(value, bool),
        "integer": isinstance(value, int) and not isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
    }
    return value if fits[kind] else _NOTHING
