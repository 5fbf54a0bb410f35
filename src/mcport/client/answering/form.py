"""Forms: what a server may ask its client's user to fill in, and whether an answer fits.

A form is a flat JSON Schema of texts, numbers, yes or no, and choices (client/elicitation "Requested Schema"); schema
and answer are plain JSON here. Patterns of a server are not run: one could be made to take for ever. It asks nobody
anything. Below: `core.asking`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from mcport.core.asking.form_values import is_formatted, is_number

MOST: Final = 1000
"""So many fields may a form have, and so many choices a field: nobody could fill in more."""

_TYPES: Final = ("string", "number", "integer", "boolean", "array")


def fault_of_schema(schema: object) -> str | None:
    """Return what keeps a schema from being a form, None for a good one."""
    if type(schema) is not dict or schema.get("type", "object") != "object":
        return "requestedSchema: a form is an object"
    fields, required = schema.get("properties"), schema.get("required", [])
    if type(fields) is not dict:
        return "requestedSchema.properties: an object is needed"
    if len(fields) > MOST:
        return f"requestedSchema.properties: a form has at most {MOST} fields"
    for name, field in fields.items():
        fault = _fault_of_field(field)
        if fault is not None:
            return f"requestedSchema.properties.{name:.60}: {fault}"
    if type(required) is not list or not all(type(name) is str for name in required):
        return "requestedSchema.required: a list of names is needed"
    return None


def _fault_of_field(field: object) -> str | None:
    kind = field.get("type") if type(field) is dict else None
    if type(field) is not dict or type(kind) is not str or kind not in _TYPES:
        return "only texts, numbers, yes or no, and choices can be asked for"
    choices = _choices(field["items"] if kind == "array" and type(field.get("items")) is dict else field)
    if kind == "array" and choices is None:
        return "a list must be a choice of several"
    if choices is not None and not all(type(choice) is str for choice in choices):
        return "a choice is between texts"
    if choices is not None and len(choices) > MOST:
        return f"a choice is between at most {MOST} texts"
    return None


def _choices(field: Mapping[str, Any]) -> list[Any] | None:
    """Return the values to choose from, None if the field is no choice."""
    if type(field.get("enum")) is list:
        return list(field["enum"])
    for keyword in ("oneOf", "anyOf"):
        options = field.get(keyword)
        if type(options) is list:
            return [option.get("const") if type(option) is dict else None for option in options]
    return None


def fault_of_answer(schema: Mapping[str, Any], content: Mapping[str, Any]) -> str | None:
    """Return what keeps an answer from fitting a form, in words for the author of a callback; None if it fits."""
    fields: Mapping[str, Any] = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in content:
            return f"field {name!r} is missing"
    for name, value in content.items():
        if name not in fields:
            return f"unknown field {name!r:.60} (the form has {', '.join(fields) or 'no fields':.500})"
        fault = _fault_of_value(fields[name], value)
        if fault is not None:
            return f"field {name!r} {fault}"
    return None


def _fault_of_value(field: Mapping[str, Any], value: object) -> str | None:
    return _JUDGES[field["type"]](field, value)


def _fault_of_text(field: Mapping[str, Any], value: object) -> str | None:
    if type(value) is not str:
        return f"must be a text, not {value!r:.60}"
    choices = _choices(field)
    if choices is not None and value not in choices:
        return f"must be one of {', '.join(map(repr, choices))}, not {value!r:.60}"
    fault = _fault_of_size(field, "Length", len(value), "characters")
    form = field.get("format")
    if fault is None and type(form) is str and not is_formatted(form, value):
        return f"must have the format {form!r}, not {value!r:.60}"
    return fault


def _fault_of_number(field: Mapping[str, Any], value: object) -> str | None:
    if not is_number(value):
        return f"must be a number, not {value!r:.60}"
    if field["type"] == "integer" and value != int(value):
        return f"must be a whole number, not {value!r}"
    least, most = field.get("minimum"), field.get("maximum")
    if isinstance(least, int | float) and value < least:
        return f"must be at least {least}, not {value}"
    if isinstance(most, int | float) and value > most:
        return f"must be at most {most}, not {value}"
    return None


def _fault_of_boolean(field: Mapping[str, Any], value: object) -> str | None:
    return None if isinstance(value, bool) else f"must be true or false, not {value!r:.60}"


def _fault_of_several(field: Mapping[str, Any], value: object) -> str | None:
    choices = _choices(field["items"]) or []
    if not isinstance(value, list) or not all(type(each) is str for each in value):
        return f"must be a list of texts, not {value!r:.60}"
    strange: Iterable[str] = (each for each in value if each not in choices)
    for each in strange:
        return f"must be chosen from {', '.join(map(repr, choices))}, not {each!r:.60}"
    return _fault_of_size(field, "Items", len(value), "choices")


def _fault_of_size(field: Mapping[str, Any], what: str, size: int, unit: str) -> str | None:
    least, most = field.get(f"min{what}"), field.get(f"max{what}")
    if isinstance(least, int) and size < least:
        return f"needs at least {least} {unit}, not {size}"
    if isinstance(most, int) and size > most:
        return f"takes at most {most} {unit}, not {size}"
    return None


_JUDGES: Final[Mapping[str, Callable[[Mapping[str, Any], object], str | None]]] = {
    "string": _fault_of_text,
    "number": _fault_of_number,
    "integer": _fault_of_number,
    "boolean": _fault_of_boolean,
    "array": _fault_of_several,
}
