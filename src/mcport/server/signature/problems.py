"""What is wrong with arguments, in one plain line.

Knows the errors of pydantic and the marks that `json_semantics` leaves in their locations. Refuses to know schemas
and callables. Below sit `json_semantics` and pydantic-core.
"""

import re
import reprlib
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from pydantic_core import ValidationError

from .json_semantics import ABSENT, BRANCH

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["MANY", "ArgumentsInvalid", "describe", "shown"]

MANY = 1_000
"""From so many errors on they are counted and not listed: looking at each takes several microseconds."""

_LISTED = 5
_WIDTH = 60
_CHOICES_WIDTH = 300

_KINDS = {
    "an integer": "int_type int_parsing int_from_float int_parsing_size",
    "a number": "float_type float_parsing",
    "a finite number": "finite_number",
    "a decimal number": "decimal_type decimal_parsing",
    "a string": "string_type string_sub_type string_unicode bytes_type",
    "true or false": "bool_type bool_parsing",
    "null": "none_required",
    "an array": "list_type tuple_type set_type frozen_set_type iterable_type deque_type named_tuple_type",
    "an object": "dict_type mapping_type model_type model_attributes_type dataclass_type dataclass_exact_type",
    "a date such as '2026-01-31'": "date_type date_parsing date_from_datetime_parsing date_from_datetime_inexact",
    "a date and time such as '2026-01-31T12:00:00Z'": (
        "datetime_type datetime_parsing datetime_from_date_parsing datetime_object_invalid"
    ),
    "a time such as '12:00:00'": "time_type time_parsing",
    "a duration such as 'PT1H30M'": "time_delta_type time_delta_parsing",
    "a UUID": "uuid_type uuid_parsing",
    "a URL": "url_type url_parsing url_syntax_violation",
    "a path": "path_type",
    "a string that holds JSON": "json_type json_invalid",
    "a complex number": "complex_type complex_str_parsing",
}
_EXPECTED = {kind: words for words, kinds in _KINDS.items() for kind in kinds.split()}

_LIMITS = {
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "string_too_short": "must be at least {min_length} characters long",
    "string_too_long": "must be at most {max_length} characters long",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "too_short": "must have at least {min_length} items",
    "too_long": "must have at most {max_length} items",
}

_ONE = re.compile(r"\b1 (item|character)s\b")
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$-]*")

Location = tuple[int | str, ...]


class ArgumentsInvalid(ValueError):
    """The arguments of a call do not fit.

    Attributes:
        line: what is wrong, without the callable's name (`argument 'b' is missing`); the error's own text has it.
    """

    def __init__(self, name: str, line: str) -> None:
        super().__init__(f"{name}: {line}")
        self.line = line


def describe(error: ValidationError, takes: Sequence[str]) -> str:
    """Say in one line what is wrong.

    Args:
        error: what pydantic found.
        takes: the names of all arguments, as callers give them.
    """
    if error.error_count() > MANY:
        return f"{error.error_count():,} values are wrong, too many to list"
    problems = [_problem(each, takes) for each in _settled(error.errors(include_url=False), 0)]
    unknown = [number for number, problem in enumerate(problems) if problem.startswith("unknown argument ")]
    if unknown and unknown[0] < _LISTED:
        last = [number for number in unknown if number < _LISTED][-1]
        problems[last] += f" (it takes {_names(takes)})"
    more = len(problems) - _LISTED
    return "; ".join([*problems[:_LISTED], *([f"and {more} more"] if more > 0 else [])])


def shown(value: object) -> str:
    """Write a value from a caller in at most 60 characters, on one line; null, true and false as in JSON."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    try:
        text = _SHORT.repr(value)
    except ValueError:  # Python refuses to write integers of more than some thousand digits
        text = "a value too long to show"
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 1]}…"


class _Short(reprlib.Repr):
    """Writes the beginning of a value in time that does not grow with it; the one of `reprlib` sorts objects first."""

    def repr_dict(self, value: dict[str, object], level: int) -> str:
        if level <= 0:
            return "{...}"
        first = [
            f"{self.repr1(key, level - 1)}: {self.repr1(each, level - 1)}" for key, each in islice(value.items(), 4)
        ]
        return f"{{{', '.join(first)}{', ...' if len(value) > len(first) else ''}}}"


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = _WIDTH


def _settled(errors: "Sequence[ErrorDetails]", depth: int) -> "list[ErrorDetails]":
    """Reduce the errors of a union's branches to what is worth saying; marks at `depth` and beyond are looked at."""
    settled: list[ErrorDetails] = []
    unions: dict[Location, dict[int | str, list[ErrorDetails]]] = {}
    for error in errors:
        mark = _mark(error["loc"], depth)
        if mark is None:
            settled.append(error)
            continue
        branches = unions.setdefault(error["loc"][:mark], {})
        if not branches:
            settled.append(error)  # keeps the place of the union
        branches.setdefault(error["loc"][mark], []).append(error)
    return [each for error in settled for each in _place(error, depth, unions)]


def _place(
    error: "ErrorDetails", depth: int, unions: "dict[Location, dict[int | str, list[ErrorDetails]]]"
) -> "list[ErrorDetails]":
    mark = _mark(error["loc"], depth)
    if mark is None:
        return [error]
    branches = {label: each for label, each in unions[error["loc"][:mark]].items() if label != ABSENT}
    fitting = [each for each in branches.values() if not _wrong_kind(each, mark)]
    if fitting:
        return _settled(min(fitting, key=len), mark + 1)
    return [_union_error([each for branch in branches.values() for each in branch], mark)]


def _mark(location: Location, depth: int) -> int | None:
    """The place of the first mark of a branch in a location, from `depth` on."""
    for place in range(depth, len(location)):
        step = location[place]
        if isinstance(step, str) and step.startswith(BRANCH):
            return place
    return None


def _wrong_kind(errors: "Sequence[ErrorDetails]", mark: int) -> bool:
    """Whether a branch was not meant at all: the value itself, not something inside it, is of another kind."""
    return all(_expected(error) and not _steps(error["loc"][mark:]) for error in errors)


def _union_error(errors: "Sequence[ErrorDetails]", mark: int) -> "ErrorDetails":
    """One error for a value that fits no branch, which names all that would fit."""
    named = list(dict.fromkeys(words for error in errors if (words := _expected(error))))
    text = " or ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))
    return {"type": "union", "loc": errors[0]["loc"][:mark], "msg": f"must be {text}", "input": errors[0]["input"]}


def _expected(error: "ErrorDetails") -> str | None:
    """What kind of value was expected, in words; None if the kind was right and something else is wrong."""
    if error["type"] in ("literal_error", "enum"):
        return _cut(str(error.get("ctx", {}).get("expected", "another value")))
    return _EXPECTED.get(error["type"])


def _problem(error: "ErrorDetails", takes: Sequence[str]) -> str:
    """One error in words."""
    location = _steps(error["loc"])
    if error["type"] == "extra_forbidden":
        return _unknown(location, takes)
    if location[-1:] == ("[key]",) and len(location) > 2:
        subject = f"key {shown(location[-2])} of {_subject(location[:-2])}"
    else:
        subject = _subject(location)
    if error["type"] == "missing":
        return f"{subject} is missing"
    must = _must(error)
    return f"{subject} {must}, got {shown(error['input'])}" if must else f"{subject} is refused: {_refusal(error)}"


def _must(error: "ErrorDetails") -> str | None:
    """What a value must be; None if only a validator of the user can tell."""
    context = error.get("ctx", {})
    if expected := _expected(error):
        return f"must be {expected}"
    if error["type"] in ("union", "tag"):
        return _cut(error["msg"])
    if template := _LIMITS.get(error["type"]):
        try:
            return _cut(_ONE.sub(r"1 \1", template.format_map(context)))
        except KeyError:
            return None
    if error["msg"].startswith("Input should "):
        return "must " + _cut(error["msg"].removeprefix("Input should "))
    return None


def _refusal(error: "ErrorDetails") -> str:
    raised = error.get("ctx", {}).get("error")
    return _cut(" ".join(str(raised if isinstance(raised, Exception) else error["msg"]).split()) or "not acceptable")


def _cut(text: str) -> str:
    return text if len(text) <= _CHOICES_WIDTH else f"{text[: _CHOICES_WIDTH - 1]}…"


def _unknown(location: Location, takes: Sequence[str]) -> str:
    if len(location) > 1:
        return f"{_subject(location[:-1])} has no field {shown(location[-1])}"
    import difflib  # only for mistakes

    name = str(location[0])
    near = difflib.get_close_matches(name[:_WIDTH], takes, n=1)
    return f"unknown argument {shown(name)}" + (f", did you mean '{near[0]}'?" if near else "")


def _names(takes: Sequence[str]) -> str:
    return _cut(", ".join(takes)) if takes else "no arguments"


def _subject(location: Location) -> str:
    return f"argument '{_path(location)}'" if location else "all arguments together"


def _steps(location: Location) -> Location:
    """A location without the marks of branches."""
    return tuple(step for step in location if not (isinstance(step, str) and step.startswith(BRANCH)))


def _path(location: Location) -> str:
    """Write a location as people do: `order.items[2].price`."""
    text = ""
    for step in location:
        if isinstance(step, str) and _IDENTIFIER.fullmatch(step) and len(step) <= _WIDTH:
            text += f".{step}" if text else step
        else:
            text += f"[{shown(step)}]"
    return text
