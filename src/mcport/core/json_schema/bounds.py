"""How much work a JSON Schema may cause: its subschemas are counted before anything is compiled.

A few definitions that use each other twice double at every step, so references count as what they lead to. Refuses to
know values and the library that checks them. Below sits the standard library.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urldefrag, urljoin

from mcport.errors import SchemaRefused

from .dialects import dialect_of

MOST_SUBSCHEMAS: Final = 2_000
"""Of so many subschemas a schema may consist at most, with every reference replaced by what it refers to."""

DEEPEST: Final = 100
"""So many subschemas may stand inside each other, references followed."""

MOST_VALUES: Final = 20_000
"""Of so many values a schema may consist as JSON: long lists of choices, mostly."""

_DEEPEST_JSON: Final = 200
"""So many arrays and objects may stand inside each other in the text of a schema; the JSON door allows no more."""

ONE: Final = frozenset(
    {
        *("items", "contains", "additionalProperties", "additionalItems", "propertyNames", "not", "if", "then", "else"),
        *("unevaluatedItems", "unevaluatedProperties", "contentSchema"),
    }
)
"""Keywords of which the value is a schema."""
SEVERAL: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems", "items"})
"""Keywords of which the value is an array of schemas."""
NAMED: Final = frozenset({"properties", "patternProperties", "dependentSchemas", "dependencies"})
"""Keywords of which the value is an object of schemas."""
DEFINITIONS: Final = frozenset({"$defs", "definitions"})

_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_DATA: Final = frozenset({"const", "default", "enum", "examples"})

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measure:
    """What was counted: `subschemas`, and `returns`, the references that lead back into what contains them."""

    subschemas: int
    returns: int


def measure(schema: Schema | bool) -> Measure:
    """Count the subschemas of a schema. Raises `SchemaRefused` beyond the bounds."""
    if isinstance(schema, bool):
        return Measure(1, 0)
    counted = _Counter(schema).count(schema, "", 0)
    return Measure(counted.subschemas, counted.returns)


def parts(schema: Schema) -> Iterator[object]:
    """Give the schemas right inside a schema, definitions aside."""
    for key, value in schema.items():
        if key in ONE and not isinstance(value, list):
            yield value
        elif key in SEVERAL and isinstance(value, list):
            yield from value
        elif key in NAMED and isinstance(value, dict):
            yield from value.values()


@dataclass(frozen=True, slots=True)
class _Count:
    subschemas: int = 1
    height: int = 1
    returns: int = 0


class _Counter:
    """Counts what a schema becomes when every reference is spelled out; one that leads back is not followed."""

    def __init__(self, schema: Schema) -> None:
        self._places = _Places(schema)
        self._known: dict[int, _Count] = {}
        self._open: set[int] = set()

    def count(self, schema: object, base: str, level: int) -> _Count:
        """Count one schema that stands at a level, where relative references are resolved against `base`."""
        if not isinstance(schema, dict):
            return _Count()
        key = id(schema)
        if key in self._open:
            return _Count(returns=1)
        known = self._known.get(key)
        if known is None:
            if level >= DEEPEST:
                raise SchemaRefused(f"the schema is nested too deeply (over {DEEPEST} subschemas inside each other)")
            self._open.add(key)
            known = self._known[key] = self._sum(schema, joined(base, schema), level + 1)
            self._open.discard(key)
        if level + known.height > DEEPEST:
            raise SchemaRefused(f"the schema is nested too deeply (over {DEEPEST} subschemas inside each other)")
        return known

    def _sum(self, schema: Schema, base: str, level: int) -> _Count:
        subschemas, height, returns = 1, 0, 0
        inner = [(part, base) for part in parts(schema)]
        for keyword in _REFERENCES:
            if isinstance(reference := schema.get(keyword), str):
                inner += self._places.find(reference, base)
        for part, place in inner:
            counted = self.count(part, place, level)
            subschemas += counted.subschemas
            height = max(height, counted.height)
            returns += counted.returns
            if subschemas > MOST_SUBSCHEMAS:
                raise SchemaRefused(f"the schema has more than {MOST_SUBSCHEMAS:,} subschemas, references spelled out")
        return _Count(subschemas, height + 1, returns)


class _Places:
    """Where references of a document lead: to its resources, their anchors, and anything by pointer."""

    def __init__(self, schema: Schema) -> None:
        self._resources: dict[str, tuple[Schema, str]] = {"": (schema, "")}
        self._anchors: dict[str, list[tuple[object, str]]] = {}
        _check_size(schema)
        stack: list[tuple[object, str]] = [(schema, "")]
        while stack:
            node, base = stack.pop()
            inner: list[object] = []
            if isinstance(node, dict):
                inner = [value for key, value in node.items() if key not in _DATA]
                base = self._note(node, base)
            elif isinstance(node, list):
                inner = node
            stack.extend((each, base) for each in inner if isinstance(each, dict | list))

    def _note(self, schema: Schema, base: str) -> str:
        """Remember what a schema is called, and return the base of what is inside it."""
        own = joined(base, schema)
        if own != base:
            dialect_of(schema)  # a document of its own inside another may be of another dialect
            self._resources.setdefault(own, (schema, own))
        for keyword in ("$anchor", "$dynamicAnchor"):
            if isinstance(name := schema.get(keyword), str):
                self._anchors.setdefault(name, []).append((schema, base))
        return own

    def find(self, reference: str, base: str) -> list[tuple[object, str]]:
        """Give all that a reference may mean, each with its base; nothing for what is not in the document.

        Anchors of one name count together: which one a dynamic reference means depends on the value.
        """
        url, fragment = urldefrag(reference)
        resource = self._resources.get(urldefrag(_resolved(base, url))[0] if url else base)
        if resource is None:
            return []
        if fragment and not fragment.startswith("/"):
            return self._anchors.get(fragment, [])
        return _pointed(*resource, unquote(fragment))


def _check_size(schema: Schema) -> None:
    """Raise `SchemaRefused` for a schema of too many values, or with too many inside each other."""
    level: list[Any] = [schema]
    values = depth = 0
    while level:
        depth += 1
        values += sum(map(len, level))
        if depth > _DEEPEST_JSON:
            raise SchemaRefused(f"the schema is nested too deeply (over {_DEEPEST_JSON} arrays and objects)")
        if values > MOST_VALUES:
            raise SchemaRefused(f"the schema is too large (over {MOST_VALUES:,} values)")
        members = (each.values() if isinstance(each, dict) else each for each in level)
        level = [member for each in members for member in each if isinstance(member, dict | list)]


def joined(base: str, schema: Schema) -> str:
    """Return the base of what is inside a schema, which its `$id` may change."""
    own = schema.get("$id", schema.get("id"))
    if not isinstance(own, str) or not own or own.startswith("#"):
        return base
    return urldefrag(_resolved(base, own))[0]


def _resolved(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference)
    except ValueError:  # no URL at all
        return reference


def _pointed(node: object, base: str, pointer: str) -> list[tuple[object, str]]:
    """Follow a JSON pointer from a resource on."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and name in node:
            node = node[name]
        elif isinstance(node, list) and name.isdecimal() and int(name[:9]) < len(node):
            node = node[int(name)]
        else:
            return []
    return [(node, base)]
