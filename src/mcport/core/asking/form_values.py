"""One value of a form: whether it is what its property asks for.

Nothing sits below.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final, TypeGuard
from urllib.parse import urlsplit

PATTERN_LENGTH: Final = 10_000
"""Longer texts are not held against a pattern: matching may take very long."""

_EMAIL: Final = re.compile(r"[^@\s]{1,256}@[^@\s.]+(\.[^@\s.]+)*")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME: Final = re.compile(
    rf"{_DATE.pattern}[Tt]([0-9]{{2}}:){{2}}[0-9]{{2}}(\.[0-9]+)?([Zz]|[+-][0-9]{{2}}:[0-9]{{2}})"
)


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
    if not is_number(value) or not abs(value) <= _GREATEST:
        raise Unfit("must be an integer" if whole else "must be a number")
    if whole and value != int(value):
        raise Unfit("must be an integer")
    if "minimum" in schema and value < schema["minimum"]:
        raise Unfit(f"must be at least {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        raise Unfit(f"must be at most {schema['maximum']}")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        raise Unfit(f"must be more than {schema['exclusiveMinimum']}")
    if "exclusiveMaximum" in schema and value >= schema["exclusiveMaximum"]:
        raise Unfit(f"must be less than {schema['exclusiveMaximum']}")
    if "multipleOf" in schema and not _is_multiple(value, schema["multipleOf"]):
        raise Unfit(f"must be a multiple of {schema['multipleOf']}")
    return int(value) if whole else value


def _is_multiple(value: int | float, step: int | float) -> bool:
    """Whether a value is a multiple, as far as floating point can tell."""
    if isinstance(value, int) and isinstance(step, int):
        return value % step == 0
    rest, least = math.fmod(abs(value), step), abs(value) / 1e9
    return rest <= least or step - rest <= least


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
    if "format" in schema and not is_formatted(schema["format"], value):
        raise Unfit(f"must be of the format {schema['format']}")
    if "pattern" in schema and not (len(value) <= PATTERN_LENGTH and re.search(schema["pattern"], value)):
        raise Unfit("does not match the pattern")
    return value


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a number, as long as it may be; yes and no are none, nor is what JSON has no word for."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) != math.inf


def is_formatted(kind: str, text: str) -> bool:
    """Whether a text is of one of the four formats that forms have; whatever is of another one fits."""
    judge = _FORMATS.get(kind)
    return judge is None or judge(text)


def _is_email(text: str) -> bool:
    return _EMAIL.fullmatch(text) is not None


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return _DATE.fullmatch(text) is not None


def _is_date_time(text: str) -> bool:
    """RFC 3339: with seconds and a zone."""
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return _DATE_TIME.fullmatch(text) is not None


def _is_uri(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme) and len(text) > len(parts.scheme) + 1 and not any(map(str.isspace, text))


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {
    "email": _is_email,
    "uri": _is_uri,
    "date": _is_date,
    "date-time": _is_date_time,
}
