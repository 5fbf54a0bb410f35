"""The fields of a form that a server asks a person to fill in: how each is shown, and what a typed line means.

Pure: it reads and prints nothing. Below: the facade's types, `transports.printable`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mcport.core.asking.form_values import is_formatted, is_number
from mcport.spec.types import RequestedSchema
from mcport.transports.printable import printable_line

SKIPPED: Final[Any] = object()
"""What an empty line means where nothing is needed."""

_YES: Final = frozenset({"y", "yes", "true", "1"})
_NO: Final = frozenset({"n", "no", "false", "0"})


@dataclass(frozen=True, slots=True)
class Field:
    """One field; `schema` is as it was on the wire."""

    name: str
    schema: Mapping[str, Any]
    required: bool

    def shown(self) -> Iterator[str]:
        """Yield the lines that introduce it, harmless for a terminal."""
        described = self.schema.get("description")
        if described:
            yield f"  {printable_line(described)}"
        for number, (value, title) in enumerate(self.choices, start=1):
            yield f"  {number}) {printable_line(title)}{'' if title == value else f' ({printable_line(value)})'}"

    @property
    def prompt(self) -> str:
        """What stands before the place to type: the label, what is expected, and the default."""
        label = printable_line(self.schema.get("title") or self.name)
        default = self.schema.get("default")
        shown = "" if default is None else f" [{printable_line(_written(default))}]"
        optional = "" if self.required or default is not None else " (may be left empty)"
        return f"{label}, {self._expected}{shown}{optional}: "

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The values to choose from and their titles; none where anything may be typed."""
        schema = self.schema.get("items") or self.schema
        options = schema.get("oneOf") or schema.get("anyOf")
        if options:
            return [(option["const"], option["title"]) for option in options]
        values = schema.get("enum") or []
        titles = schema.get("enumNames") or []
        return [*zip(values, [*titles, *values[len(titles) :]], strict=False)]

    def read(self, line: str) -> Any:
        """Return the value that a line stands for, `SKIPPED` for none. Raises ValueError saying what is expected."""
        text = line.strip()
        if not text:
            default = self.schema.get("default")
            if default is None and self.required:
                raise ValueError("this is needed")
            return SKIPPED if default is None else default
        kind = self.schema.get("type")
        if kind == "array":
            return self._several(text)
        if self.choices:
            return self._chosen(text)
        if kind == "boolean":
            return _truth(text)
        return self._number(text) if kind in ("integer", "number") else self._text(line)

    @property
    def _expected(self) -> str:
        kind = self.schema.get("type", "string")
        if self.choices:
            return "one or more, with commas" if kind == "array" else "one of these"
        named = {"boolean": "yes or no", "integer": "a whole number", "number": "a number"}
        return str(named.get(kind) or self.schema.get("format") or "text")

    def _several(self, text: str) -> list[str]:
        found = list(dict.fromkeys(self._chosen(each.strip()) for each in text.split(",") if each.strip()))
        self._bounded(len(found), "minItems", "maxItems", "choices")
        return found

    def _chosen(self, text: str) -> str:
        for value, title in self.choices:
            if text in (value, title):
                return value
        if text.isdecimal() and 0 < int(text) <= len(self.choices):
            return self.choices[int(text) - 1][0]
        raise ValueError(f"{text!r:.40} is none of the choices; type a number from 1 to {len(self.choices)}")

    def _number(self, text: str) -> int | float:
        whole = self.schema["type"] == "integer"
        try:
            value = int(text) if whole or text.lstrip("+-").isdecimal() else float(text)
        except ValueError:
            raise ValueError(f"{text!r:.40} is not {'a whole' if whole else 'a'} number") from None
        if not is_number(value):
            raise ValueError(f"{text!r:.40} is not a number")
        self._bounded(value, "minimum", "maximum", "")
        return value

    def _text(self, text: str) -> str:
        self._bounded(len(text), "minLength", "maxLength", "characters")
        kind = self.schema.get("format")
        if kind is not None and not is_formatted(kind, text):
            raise ValueError(f"{text!r:.40} is no {kind}")
        return text

    def _bounded(self, value: float, least: str, most: str, what: str) -> None:
        low, high = self.schema.get(least), self.schema.get(most)
        if low is not None and value < low:
            raise ValueError(f"at least {low} {what}".rstrip())
        if high is not None and value > high:
            raise ValueError(f"at most {high} {what}".rstrip())


def fields(form: RequestedSchema) -> list[Field]:
    """Return the fields of a form, in its order."""
    schema = form.to_wire()
    needed = schema.get("required") or []
    return [Field(name, each, name in needed) for name, each in schema["properties"].items()]


def _truth(text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise ValueError(f"{text!r:.40} is neither yes nor no")


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
