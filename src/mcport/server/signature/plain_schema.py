"""A JSON Schema made plain: no references where they can be spelled out, no titles, no null for "left out".

Models and hosts read these schemas, and many stumble over `$ref`, `anyOf` with null and generated titles (P22).
Knows JSON Schema 2020-12 as pydantic writes it. Refuses to know callables. Below sits nothing.
"""

from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["Schema", "allows", "plain", "promised"]

Schema = dict[str, Any]
"""A JSON Schema, or a part of one: any JSON object."""

_REFERENCE = "#/$defs/"
_PARTS = 5_000
"""So many parts at most are spelled out: definitions that use each other twice would double at every step."""

_ONE = frozenset(
    {
        *("items", "contains", "additionalProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties"),
        *("contentSchema", "not", "if", "then", "else"),
    }
)
_SEVERAL = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"dependentSchemas", "patternProperties", "properties"})

_PROMISED = frozenset({"date", "date-time", "email", "ipv4", "ipv6", "uri", "uuid"})
"""Formats of which everything that pydantic writes under their names is one."""

_TYPES: dict[type, str] = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}


def plain(schema: Schema) -> Schema:
    """Return the schema made plain; the one given stays as it is, and shares no part with the result.

    Definitions are spelled out where they are used; those that contain themselves stay in `$defs`. A property that
    may be left out and then is null is described without null. Titles stay where an author wrote them.
    """
    definitions: dict[str, Schema] = schema.get("$defs", {})
    kept = _kept(schema, definitions)
    spelled = {name: each for name, each in definitions.items() if name not in kept}
    result = _plain({key: value for key, value in schema.items() if key != "$defs"}, spelled)
    if kept:
        result["$defs"] = {name: _plain(_untitled(definitions[name]), spelled) for name in sorted(kept)}
    return result


def promised(schema: Schema) -> Schema:
    """Return a plain schema of what is written without formats that not every written value has.

    Validators that insist on formats refuse fractions of seconds in durations, for one, and some know no `path`.
    """
    result = _changed(schema, promised)
    if "$defs" in result:
        result["$defs"] = {name: promised(each) for name, each in result["$defs"].items()}
    return {key: value for key, value in result.items() if key != "format" or value in _PROMISED}


def allows(schema: Schema, kind: type) -> bool:
    """Whether values of a JSON type may be valid: `NoneType`, `bool`, `int`, `float` or `str`."""
    if "const" in schema:
        return type(schema["const"]) is kind
    if "enum" in schema:
        return any(type(value) is kind for value in schema["enum"])
    if "type" in schema:
        return _TYPES[kind] in ([schema["type"]] if isinstance(schema["type"], str) else schema["type"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return any(allows(each, kind) for each in schema[key])
    return "$ref" not in schema and "allOf" not in schema


def _kept(schema: Schema, definitions: dict[str, Schema]) -> set[str]:
    """The definitions that stay: those that contain themselves, or all if spelling them out would grow too large."""
    uses = {name: list(_references(each)) for name, each in definitions.items()}
    kept = {name for name in uses if name in _reached(name, uses)}
    sizes: dict[str, int] = {}

    def size(name: str) -> int:
        if name in kept or name not in uses:
            return 1
        if name not in sizes:
            sizes[name] = _count(definitions[name]) + sum(map(size, uses[name]))
        return sizes[name]

    if sum(map(size, _references(schema))) + sum(size(each) for name in kept for each in uses[name]) > _PARTS:
        return {name for name in uses if name in _reached("", {**uses, "": list(_references(schema))})}
    return kept


def _reached(start: str, uses: dict[str, list[str]]) -> set[str]:
    """All names that `start` leads to; `start` itself only if it leads back."""
    reached: set[str] = set()
    waiting = list(uses[start])
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(uses.get(name, ()))
    return reached


def _references(schema: Schema) -> Iterator[str]:
    """The names of the definitions that a schema refers to, as often as it does."""
    if "$ref" in schema:
        yield schema["$ref"].removeprefix(_REFERENCE)
    for part in _parts(schema):
        yield from _references(part)


def _count(schema: Schema) -> int:
    return 1 + sum(map(_count, _parts(schema)))


def _parts(schema: Schema) -> Iterator[Schema]:
    """The schemas right inside a schema; `$defs` are looked at by name only."""
    for key, value in schema.items():
        if key in _ONE and isinstance(value, dict):
            yield value
        elif key in _SEVERAL:
            yield from (each for each in value if isinstance(each, dict))
        elif key in _NAMED:
            yield from (each for each in value.values() if isinstance(each, dict))


def _plain(schema: Schema, spelled: dict[str, Schema]) -> Schema:
    name = schema.get("$ref", "").removeprefix(_REFERENCE)
    if name in spelled:
        own = {key: value for key, value in schema.items() if key != "$ref"}
        return _plain({**_untitled(spelled[name]), **own}, spelled)
    # `discriminator` is OpenAPI's, and points to definitions; the constants in the branches say the same.
    result = {key: value for key, value in schema.items() if key != "discriminator"}
    result = _changed(result, lambda part: _plain(part, spelled))
    for key, value in result.get("properties", {}).items():
        if key not in result.get("required", ()):
            result["properties"][key] = _without_null(value)
    return result


def _changed(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """A copy of a schema with every schema right inside it changed."""

    def each(value: Any) -> Any:
        return change(value) if isinstance(value, dict) else value

    result: Schema = {}
    for key, value in schema.items():
        if key in _ONE:
            result[key] = each(value)
        elif key in _SEVERAL:
            result[key] = [each(part) for part in value]
        elif key in _NAMED:
            result[key] = {name: each(part) for name, part in value.items()}
        else:
            result[key] = _copied(value)
    return result


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _untitled(definition: Schema) -> Schema:
    """A definition without its title, which pydantic takes from the name of a class."""
    return {key: value for key, value in definition.items() if key != "title"}


def _without_null(schema: Any) -> Any:
    """A property whose default is null, described as what it is when it is given."""
    if not isinstance(schema, dict) or schema.get("default", ...) is not None:
        return schema
    result = {key: value for key, value in schema.items() if key != "default"}
    branches = [each for each in result.get("anyOf", ()) if each != {"type": "null"}]
    if len(branches) == 1:
        del result["anyOf"]
        return {**branches[0], **result}
    return {**result, "anyOf": branches} if branches else result
