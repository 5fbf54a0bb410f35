"""Regular expressions of a schema that cannot be compiled within bounds, taken for annotations.

JSON Schema's expressions are those of ECMAScript, with look-arounds and back-references, which no engine runs in
bounded time; they are left out, and the rest of the schema still holds. Refuses to know values. Below sits `bounds`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .bounds import DEFINITIONS, NAMED, ONE, SEVERAL, Schema


class Loosening:
    """Takes the expressions out of a schema that `compiles` refuses, and remembers them in `dropped`."""

    def __init__(self, compiles: Callable[[str], bool]) -> None:
        self._compiles = compiles
        self._verdicts: dict[str, bool] = {}
        self.dropped: list[str] = []

    def apply(self, schema: Any) -> Any:
        """Return a schema without those expressions; it accepts whatever the one given accepts."""
        if not isinstance(schema, dict):
            return schema
        before = len(self.dropped)
        result = {key: self._member(key, value) for key, value in schema.items()}
        self._pattern(result)
        self._pattern_properties(result)
        if len(self.dropped) > before:
            self._turned(schema, result)
        return result

    def _member(self, key: str, value: Any) -> Any:
        if key in SEVERAL and isinstance(value, list):
            return [self.apply(each) for each in value]
        if key in ONE:
            return self.apply(value)
        if key in NAMED | DEFINITIONS and isinstance(value, dict):
            return {name: self.apply(each) for name, each in value.items()}
        return value

    def _pattern(self, schema: Schema) -> None:
        if isinstance(pattern := schema.get("pattern"), str) and self._refuses(pattern):
            del schema["pattern"]

    def _pattern_properties(self, schema: Schema) -> None:
        """Leave out members that a pattern names; then nobody can say which members no pattern names."""
        named = schema.get("patternProperties")
        if isinstance(named, dict) and (refused := [name for name in named if self._refuses(name)]):
            schema["patternProperties"] = {name: each for name, each in named.items() if name not in refused}
            for keyword in ("additionalProperties", "unevaluatedProperties"):
                schema.pop(keyword, None)

    def _turned(self, given: Schema, result: Schema) -> None:
        """Drop what refuses a value because a part accepts it: the part accepts more than it was meant to."""
        for keyword in ("not", "if", "oneOf"):
            if keyword in given and result[keyword] != given[keyword]:
                del result[keyword]

    def _refuses(self, pattern: str) -> bool:
        if pattern not in self._verdicts:
            self._verdicts[pattern] = self._compiles(pattern)
        if not self._verdicts[pattern]:
            self.dropped.append(pattern)
        return not self._verdicts[pattern]
