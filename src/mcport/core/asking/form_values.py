"""One value of a form: whether it is what its property asks for.

Nothing sits below.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import urlsplit

PATTERN_LENGTH: Final = 10_000
"""Longer texts are not held against a pattern: matching may take very long."""


_GREATEST: Final = sys.float_info.max
"""What is greater is no number of a form: other programs would read it as infinite."""


class Unfit(Exception):
    """An answer is not what was asked for; the text says why, without repeating it."""


def judge_value(schema: Mapping[str, Any], value: object) -> object:
    """Return a value of a property, a whole number as such. Raises `Unfit`."""
    kind = schema["type"]
    if kind == "boolean":
        return _demand(value, isinstance(value, bool), "must be true or false")
    if kind in ("integer", "number"):
        return _number(schema, value)
    if kind == "array":
        return _several(schema, value)
    return _text(schema, value)


def _demand(value: object, holds: bool, otherwise: str) -> object:
    if not holds:
        raise Unfit(otherwise)
    return value


def _number(schema: Mapping[str, Any], value: object) -> object:
    whole = schema["type"] == "integer"
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _GREATEST:
        raise Unfit("must be an integer" if whole else "must be a number")
    if whole and value != value // 1:
        raise Unfit("must be an integer")
    if "minimum" in schema and value < schema["minimum"]:
        raise Unfit(f"must be at least {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        raise Unfit(f"must be at most {schema['maximum']}")
    return int(value) if whole else value


def _several(schema: Mapping[str, Any], value: object) -> object:
    if not isinstance(value, list):
        raise Unfit("must be a list")
    items = schema["items"]
    allowed = items["enum"] if "enum" in items else [each["const"] for each in items["anyOf"]]
    if not all(each in allowed for each in value):
        raise Unfit("has something that is no choice")
    if len(value) < schema.get("minItems", 0) or len(value) > schema.get("maxItems", len(value)):
        raise Unfit("has too few or too many choices")
    return value


def _text(schema: Mapping[str, Any], value: object) -> object:
    if not isinstance(value, str):
        raise Unfit("must be a string")
    if "oneOf" in schema or "enum" in schema:
        choices = schema["enum"] if "enum" in schema else [each["const"] for each in schema["oneOf"]]
        return _demand(value, value in choices, "is none of the choices")
    if len(value) < schema.get("minLength", 0) or len(value) > schema.get("maxLength", len(value)):
        raise Unfit("is too short or too long")
    if "format" in schema and not _is_formatted(schema["format"], value):
        raise Unfit(f"must be of the format {schema['format']}")
    if "pattern" in schema and not (len(value) <= PATTERN_LENGTH and re.search(schema["pattern"], value)):
        raise Unfit("does not match the pattern")
    return value


def _is_formatted(kind: str, text: str) -> bool:
    """Whether a text is of one of the four formats that forms have."""
    try:
        if kind == "date":
            return len(text) == 10 and bool(date.fromisoformat(text))
        if kind == "date-time":
            return "T" in text.upper() and datetime.fromisoformat(text).tzinfo is not None
        if kind == "uri":
            return bool(urlsplit(text).scheme) and " " not in text
    except ValueError:
        return False
    name, at, host = text.rpartition("@")
    return bool(name and at and host) and not any(sign.isspace() for sign in text)
