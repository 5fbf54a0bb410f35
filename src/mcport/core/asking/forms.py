"""Forms: the flat schemas by which a user is asked, what each revision knows of them, and whether an answer fits.

A form is an object of properties that are strings, numbers, booleans, one choice or several (client/elicitation
"Requested Schema"). It is held in the words of the newest revision. Below: `form_values`, abilities of revisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mcport.core.jsonrpc import JsonObject
from mcport.spec.model import Unsendable
from mcport.spec.revisions import Revision

from .form_values import Unfit, judge_value

_ABOUT: Final = frozenset({"type", "title", "description", "default"})
_STRING: Final = _ABOUT | {"minLength", "maxLength", "format", "pattern"}
_NUMBER: Final = _ABOUT | {"minimum", "maximum"}
_FINER: Final = frozenset({"exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_UNSAID: Final = _FINER | {"pattern"}
"""What is held against an answer here, and said to no client: forms have no words for it."""
_CHOICE: Final = _ABOUT | {"enum", "enumNames"}
_TITLED: Final = _ABOUT | {"oneOf"}
_SEVERAL: Final = _ABOUT | {"items", "minItems", "maxItems"}
_FORMATS: Final = ("email", "uri", "date", "date-time")
_FORM: Final = frozenset({"type", "properties", "required", "$schema"})

EMPTY: Final[JsonObject] = {"type": "object", "properties": {}}
"""The form of a question that only wants a yes."""


def read_form(schema: JsonObject, *, lenient: bool = False) -> JsonObject:
    """Return the form that a JSON Schema describes; raises TypeError, naming the field, for what no form can ask.

    A `lenient` reading leaves out what forms have no words for, because somebody else judges the values as well.
    """
    properties = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(properties, dict):
        raise TypeError('a form is an object: {"type": "object", "properties": {...}}')
    if not lenient and (odd := sorted(schema.keys() - _FORM)):
        raise TypeError(f"a form has no {odd[0]!r}; it has type, properties and required")
    required = [name for name in schema.get("required", ()) if isinstance(name, str)]
    if unknown := [name for name in required if name not in properties]:
        raise TypeError(f"the form requires {unknown[0]!r}, which is not among its properties")
    form: JsonObject = {"type": "object"}
    form["properties"] = {name: _property(name, each, lenient) for name, each in properties.items()}
    if required:
        form["required"] = required
    return form


def _property(name: str, schema: object, lenient: bool) -> JsonObject:
    """Return one property as forms have it."""
    if not isinstance(schema, Mapping):
        raise TypeError(f"field {name!r}: a schema is an object")
    known = _known(name, schema)
    if not lenient and (odd := sorted(schema.keys() - known)):
        raise TypeError(f"field {name!r}: forms have no {odd[0]!r} there")
    held = known | _FINER if known is _NUMBER else known
    found = {key: value for key, value in schema.items() if key in held}
    if schema.get("type") == "integer" and lenient:
        found.update(_bounds(schema))
    if "format" in found and found["format"] not in _FORMATS:
        if not lenient:
            raise TypeError(f"field {name!r}: formats are {', '.join(_FORMATS)}, not {found['format']!r}")
        del found["format"]
    try:
        if "default" in found:
            judge_value(found, found["default"])
    except Unfit as fault:
        raise TypeError(f"field {name!r}: the default {fault}") from None
    return found


def _known(name: str, schema: Mapping[str, Any]) -> frozenset[str]:
    """Return the members that a property of this kind may have, after a look at its choices."""
    kind = schema.get("type")
    if kind == "string" and "oneOf" in schema:
        _check_titled(name, schema["oneOf"])
        return _TITLED
    if kind == "string" and "enum" in schema:
        _check_choices(name, schema["enum"], schema.get("enumNames"))
        return _CHOICE
    if kind == "string":
        return _STRING
    if kind in ("number", "integer") and "enum" not in schema:
        return _NUMBER
    if kind == "boolean":
        return _ABOUT
    if kind == "array":
        _check_items(name, schema.get("items"))
        return _SEVERAL
    raise TypeError(
        f"field {name!r}: a form asks for strings, numbers, booleans and choices of strings, nothing nested"
    )


def _check_items(name: str, items: object) -> None:
    if isinstance(items, Mapping) and "anyOf" in items and items.keys() == {"anyOf"}:
        _check_titled(name, items["anyOf"])
    elif isinstance(items, Mapping) and items.get("type") == "string" and items.keys() == {"type", "enum"}:
        _check_choices(name, items["enum"], None)
    else:
        raise TypeError(f"field {name!r}: a list in a form is a choice of several strings, nothing nested")


def _check_choices(name: str, choices: object, titles: object) -> None:
    if not isinstance(choices, list) or not choices or not all(isinstance(each, str) for each in choices):
        raise TypeError(f"field {name!r}: choices are a list of strings")
    if titles is not None and (not isinstance(titles, list) or len(titles) != len(choices)):
        raise TypeError(f"field {name!r}: enumNames has a title for each choice")


def _check_titled(name: str, choices: object) -> None:
    if not isinstance(choices, list) or not choices or not all(_is_titled(each) for each in choices):
        raise TypeError(f'field {name!r}: titled choices are a list of {{"const": text, "title": text}}')


def _is_titled(choice: object) -> bool:
    if not isinstance(choice, Mapping):
        return False
    return choice.keys() == {"const", "title"} and all(isinstance(each, str) for each in choice.values())


def _bounds(schema: Mapping[str, Any]) -> JsonObject:
    """Bounds of an integer that exclude their value, said in bounds that include it."""
    found: JsonObject = {}
    if "exclusiveMinimum" in schema:
        found["minimum"] = schema["exclusiveMinimum"] + 1
    if "exclusiveMaximum" in schema:
        found["maximum"] = schema["exclusiveMaximum"] - 1
    return found


# ---- what a revision knows


def fitted_form(form: JsonObject, revision: Revision) -> JsonObject:
    """Return a form in the words of a revision. Raises `Unsendable` for a choice of several where there is none."""
    properties = {name: _fitted(name, each, revision) for name, each in form["properties"].items()}
    return {**form, "properties": properties}


def _fitted(name: str, schema: JsonObject, revision: Revision) -> JsonObject:
    found = {key: value for key, value in schema.items() if key not in _UNSAID}
    if revision.elicits_defaults:
        return found
    if found["type"] == "array":
        raise Unsendable(f"field {name!r}: protocol version {revision.name} has no choice of several")
    if found["type"] != "boolean":
        found.pop("default", None)
    if "oneOf" in found:
        choices = found.pop("oneOf")
        found["enum"] = [each["const"] for each in choices]
        found["enumNames"] = [each["title"] for each in choices]
    return found


# ---- answers


def judge_form(form: JsonObject, content: object) -> JsonObject:
    """Return the values of a form that was filled in, without what was not asked. Raises `Unfit`."""
    properties: dict[str, JsonObject] = form["properties"]
    if content is None and not properties:
        return {}
    if not isinstance(content, dict):
        raise Unfit("content is missing" if content is None else "content must be an object")
    for name in form.get("required", ()):
        if name not in content:
            raise Unfit(f"{name!r} is missing")
    found: JsonObject = {}
    for name, schema in properties.items():
        if name in content:
            try:
                found[name] = judge_value(schema, content[name])
            except Unfit as fault:
                raise Unfit(f"{name!r} {fault}") from None
    return found
