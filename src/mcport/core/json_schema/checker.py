"""A JSON Schema made ready to check values: compiled once, within bounds, from nothing but itself.

Refuses to know where schemas and values come from. Below sit `bounds`, `dialects`, `patterns`, `wording` and
jsonschema-rs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from mcport.errors import SchemaRefused

from .bounds import Measure, Schema, measure
from .dialects import dialect_of
from .patterns import Loosening
from .wording import Words, describe

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError, Validator

DEEPEST_VALUE: Final = 200
"""So many arrays and objects may stand inside each other in a value, as at the door through which JSON comes in."""

_REGEX_BYTES: Final = 1 << 20
"""How large one compiled regular expression may become."""

_ALL: Final = 2_000
"""Up to this much work all that is wrong is looked for; beyond it, the first fault only."""

_MOST: Final = 20_000
"""Beyond this much work nobody looks where the fault is. Telling valid from invalid is always linear."""

_FIELD: Final = Words()


class Checker:
    """Checks values against one schema.

    `notes` are what the author of the schema should know, a line each: expressions that are not checked.
    """

    __slots__ = ("_is_valid", "_measure", "_names", "_validator", "notes")

    def __init__(self, validator: Validator, size: Measure, names: Iterable[str], notes: tuple[str, ...]) -> None:
        self._validator = validator
        self._is_valid = validator.is_valid
        self._measure = size
        self._names = tuple(names)
        self.notes = notes

    def fault(self, value: object, words: Words = _FIELD) -> str | None:
        """Return None for a value that fits the schema, else one plain line: where it is wrong, and how.

        The value is one that JSON has, as `jiter` or `json` give it; `words` say how the line speaks of its parts.
        """
        nodes, depth = _extent(value) if isinstance(value, dict | list) else (1, 0)
        if depth > DEEPEST_VALUE:
            return f"{words.whole} is nested too deeply (over {DEEPEST_VALUE} arrays and objects inside each other)"
        try:
            if self._is_valid(value):
                return None
            return self._described(value, self._work(nodes, depth), words)
        except ValueError as error:
            return f"{words.whole} is not JSON: {_first_line(error)}"

    def _work(self, nodes: int, depth: int) -> int:
        """Estimate how many steps describing a fault takes at most; each return of a schema to itself may branch."""
        branching: int = max(self._measure.returns, 1) ** min(depth, 64)
        return nodes * branching

    def _described(self, value: object, work: int, words: Words) -> str:
        if work > _MOST:
            return f"{words.whole} does not fit its schema (it is too large to say where)"
        errors = self._validator.iter_errors(value) if work <= _ALL else _first_error(self._validator, value)
        return describe(errors, words, self._names)


def compile_schema(schema: Any) -> Checker:
    """Make a schema ready to check values with; it is not looked at again afterwards.

    Raises `SchemaRefused`, with one line, for what is no JSON Schema in its own dialect (2020-12 if it names none), for
    a dialect that is not supported, for references that lead out of it, and for one that is too large.
    See basic/index of the specification, "JSON Schema Usage".
    """
    if not isinstance(schema, dict | bool):
        raise SchemaRefused(f"a JSON Schema is an object, true or false, not {type(schema).__name__}")
    dialect = dialect_of(schema)
    size = measure(schema)
    try:
        validator, notes = _compiled(schema)
    except SchemaRefused:
        raise
    except Exception as error:
        raise SchemaRefused(_refusal(error, dialect)) from None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return Checker(validator, size, properties if isinstance(properties, dict) else (), notes)


def _compiled(schema: Schema | bool) -> tuple[Validator, tuple[str, ...]]:
    """Compile a schema, if need be without the regular expressions that cannot be."""
    try:
        return _validator(schema), ()
    except ValueError as error:
        if getattr(getattr(error, "kind", None), "name", None) not in ("format", "pattern"):
            raise
    loosening = Loosening(_compiles)
    validator = _validator(loosening.apply(schema))
    notes = (f"the pattern {_cut(repr(each))} cannot be checked" for each in dict.fromkeys(loosening.dropped))
    return validator, tuple(notes)


def _compiles(pattern: str) -> bool:
    try:
        _validator({"pattern": pattern})
    except ValueError:
        return False
    return True


def _validator(schema: Schema | bool) -> Validator:
    """Compile a schema as it is: it stays offline, and expressions run in linear time and bounded memory."""
    from jsonschema_rs import RegexOptions, validator_for

    bounds = RegexOptions(size_limit=_REGEX_BYTES, dfa_size_limit=_REGEX_BYTES)
    return validator_for(schema, offline=True, pattern_options=bounds, validate_formats=False)


def _first_error(validator: Validator, value: object) -> list[ValidationError]:
    from jsonschema_rs import ValidationError

    try:
        validator.validate(value)
    except ValidationError as error:
        return [error]
    return []


def _extent(value: dict[Any, Any] | list[Any]) -> tuple[int, int]:
    """Return how many values a value consists of, and how deep it is; beyond the bound nobody looks further."""
    nodes, depth = 1, 0
    level: list[dict[Any, Any] | list[Any]] = [value]
    while level and depth <= DEEPEST_VALUE:
        depth += 1
        inner: list[dict[Any, Any] | list[Any]] = []
        for each in level:
            nodes += len(each)
            for member in each.values() if isinstance(each, dict) else each:
                if isinstance(member, dict | list):
                    inner.append(member)
        level = inner
    return nodes, depth


def _refusal(error: Exception, dialect: str) -> str:
    reason = _first_line(error)
    if "Retrieval is disabled" in reason:
        where = reason.partition("'")[2].partition("'")[0]
        return f"the schema refers to {_cut(repr(where))}, which is not in it; nothing is fetched"
    if "Recursion limit" in reason:
        return "the schema is nested too deeply"
    path = ".".join(map(str, getattr(error, "instance_path", ())))
    return f"not a valid JSON Schema ({dialect}): {_cut(f'at {path}: ' if path else '')}{_cut(reason)}"


def _first_line(error: Exception) -> str:
    return _cut(str(error).partition("\n")[0])


def _cut(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:199]}…"
