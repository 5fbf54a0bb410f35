"""What is wrong with a value, in one plain line: where it is and what it must be, never the value as a whole.

Knows the errors of jsonschema-rs by their keywords. Refuses to know schemas and who reads the line. Below sits the
standard library.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

_LISTED: Final = 3
_CHOICES: Final = 20
_WIDTH: Final = 60
_LINE: Final = 300

_TYPES: Final = {
    "string": "a string",
    "number": "a number",
    "integer": "an integer",
    "boolean": "true or false",
    "object": "an object",
    "array": "an array",
    "null": "null",
}

_LIMITS: Final = {
    "minimum": "must be at least {limit}",
    "maximum": "must be at most {limit}",
    "exclusiveMinimum": "must be greater than {limit}",
    "exclusiveMaximum": "must be less than {limit}",
    "multipleOf": "must be a multiple of {multiple_of}",
    "minLength": "must be at least {limit} characters long",
    "maxLength": "must be at most {limit} characters long",
    "minItems": "must have at least {limit} items",
    "maxItems": "must have at most {limit} items",
    "minProperties": "must have at least {limit} members",
    "maxProperties": "must have at most {limit} members",
    "pattern": "must match the pattern {pattern}",
    "format": "must have the format {format}",
}

_RULES: Final = {
    "uniqueItems": "must not have the same item twice",
    "contains": "lacks an item of the kind that it must have",
    "not": "is of a form that is not allowed",
    "falseSchema": "is not allowed here",
    "unevaluatedItems": "has more items than are allowed",
    "additionalItems": "has more items than are allowed",
}

_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$-]*")
_ONE: Final = re.compile(r"\b1 (item|character|member)s\b")


@dataclass(frozen=True, slots=True)
class Words:
    """How a line speaks of what was checked.

    `part` names one part of the value ("argument", "field"), `whole` all of it. `shown` says what was there instead
    of what must be; by default only of which kind it is.
    """

    part: str = "field"
    whole: str = "the value"
    shown: Callable[[object], str] | None = None


def describe(errors: Iterable[ValidationError], words: Words, names: Sequence[str]) -> str:
    """Say in one line what is wrong; `names` are those that the value's own members may have, if that is known."""
    found = list(dict.fromkeys(_problem(error, words) for error in islice(errors, 100)))
    more = len(found) - _LISTED
    line = "; ".join([*found[:_LISTED], *([f"and {more} more"] if more > 0 else [])])
    if any(problem.startswith("unknown ") for problem in found[:_LISTED]):
        line += f" (it takes {_cut(', '.join(names))})" if names else " (it takes none)"
    return line


def kind_of(value: object) -> str:
    """Say of which kind a JSON value is."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    for kind, name in ((str, "a string"), (int, "an integer"), (float, "a number"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    return "an array"


def _problem(error: ValidationError, words: Words) -> str:
    path, kind = error.instance_path, error.kind
    if kind.name == "required":
        return f"{_subject([*path, kind.as_dict()['property']], words)} is missing"
    if kind.name in ("additionalProperties", "unevaluatedProperties"):
        return _unknown(path, kind.as_dict()["unexpected"], words)
    if kind.name == "propertyNames":
        return f"a name in {_subject(path, words)} is not allowed: {_name_fault(kind.as_dict()['error'])}"
    return f"{_subject(path, words)} {_fault(error, words)}"


def _fault(error: ValidationError, words: Words) -> str:
    keyword, details = error.kind.name, error.kind.as_dict()
    if keyword in _RULES:
        return _RULES[keyword]
    if keyword in _LIMITS:
        must = _ONE.sub(r"1 \1", _LIMITS[keyword].format_map(details))
    elif keyword == "type":
        must = f"must be {_choice(_TYPES.get(each, each) for each in details['types'])}"
    elif keyword == "enum":
        must = f"must be {_choice(map(_literal, details['options']))}"
    elif keyword == "const":
        must = f"must be {_literal(details['expected_value'])}"
    elif keyword in ("anyOf", "oneOf"):
        return _of_choices(error, details["context"], words)
    else:
        return f"breaks the rule {keyword!r} of its schema"
    return f"{_cut(must)}, got {(words.shown or kind_of)(error.instance)}"


def _of_choices(error: ValidationError, branches: list[list[ValidationError]], words: Words) -> str:
    """Say what is wrong with a value that fits none of several schemas: the branch that was meant decides."""
    if any(not branch for branch in branches):
        return "fits more than one of the forms of which it must have exactly one"
    depth = len(error.instance_path)
    meant = [branch for branch in branches if not _is_other_kind(branch, depth)]
    if meant:
        return "fits none of its forms: " + _problem(min(meant, key=len)[0], words)
    kinds = [each for branch in branches for each in _kinds(branch[0])]
    return f"must be {_cut(_choice(dict.fromkeys(kinds)))}, got {(words.shown or kind_of)(error.instance)}"


def _is_other_kind(branch: list[ValidationError], depth: int) -> bool:
    """Whether a branch was not meant at all: the value itself, not something inside it, is of another kind."""
    return any(len(each.instance_path) == depth and each.kind.name in ("type", "const", "enum") for each in branch)


def _kinds(error: ValidationError) -> list[str]:
    details = error.kind.as_dict()
    if error.kind.name == "type":
        return [_TYPES.get(each, each) for each in details["types"]]
    if error.kind.name == "const":
        return [_literal(details["expected_value"])]
    return [_literal(each) for each in details.get("options", ())]


def _unknown(path: list[str | int], names: list[str], words: Words) -> str:
    name = _quoted(names[0])
    return f"{_subject(path, words)} has no {words.part} {name}" if path else f"unknown {words.part} {name}"


def _name_fault(error: ValidationError) -> str:
    return f"{_quoted(str(error.instance))} {_fault(error, Words()).partition(', got ')[0]}"


def _subject(path: Sequence[str | int], words: Words) -> str:
    return f"{words.part} '{_path(path)}'" if path else words.whole


def _path(path: Sequence[str | int]) -> str:
    text = ""
    for step in path:
        if isinstance(step, str) and _IDENTIFIER.fullmatch(step) and len(step) <= _WIDTH:
            text += f".{step}" if text else step
        else:
            text += f"[{_quoted(step) if isinstance(step, str) else step}]"
    return text


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…")


def _literal(value: Any) -> str:
    """Write a value of the schema, as far as it is short."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _cut(str(value)) if isinstance(value, float) or abs(value) < 10**18 else "a certain integer"
    return f"a certain {'object' if isinstance(value, dict) else 'array'}" if value else kind_of(value)


def _choice(kinds: Iterable[str]) -> str:
    found = list(islice(kinds, _CHOICES + 1)) or ["nothing"]
    *first, last = [*found[:_CHOICES], "one of many more"] if len(found) > _CHOICES else found
    return " or ".join(filter(None, [", ".join(first), last]))


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else f"{text[: _LINE - 1]}…"
