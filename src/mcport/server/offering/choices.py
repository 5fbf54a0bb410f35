"""What an argument may be, where its type says so: literals, enumerations and booleans. Below:
`signature`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic_core import to_json

from mcport.server.signature.plain_schema import allows


class Choices:
    """The texts that an argument may be."""

    __slots__ = ("texts",)

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts

    def fitting(self, typed: str) -> list[str]:
        """Return those that begin with what was typed, then those that contain it; case does not matter."""
        wanted = typed.casefold()
        folded = [(text, text.casefold()) for text in self.texts]
        first = [text for text, fold in folded if fold.startswith(wanted)]
        return first + [text for text, fold in folded if wanted in fold and not fold.startswith(wanted)]


def choices_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the choices of each property of an object that has some."""
    found = {name: list(dict.fromkeys(_texts(each))) for name, each in schema.get("properties", {}).items()}
    return {name: Choices(texts) for name, texts in found.items() if texts}


def _texts(schema: Mapping[str, Any]) -> Iterator[str]:
    """The values as somebody types them: strings as they are, others as JSON, which is read only where no text fits."""
    read = not allows(dict(schema), str)
    for value in _values(schema):
        if isinstance(value, str):
            yield value
        elif read and value is not None:
            yield to_json(value).decode()


def _values(schema: Mapping[str, Any]) -> Iterator[object]:
    if "const" in schema:
        yield schema["const"]
    elif "enum" in schema:
        yield from schema["enum"]
    elif schema.get("type") == "boolean":
        yield from (True, False)
    for key in ("anyOf", "oneOf"):
        for each in schema.get(key, ()):
            yield from _values(each)
