"""Values of every definition of a schema, as hypothesis strategies made from the generator's intermediate model.

They are small on purpose, so that thousands are cheap: short texts, lists of two, at most two unknown fields, whose
names no revision knows. Nothing here knows pydantic or mcport.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from schema.generate.everything import Sources, read_sources
from schema.generate.model import (
    Anything,
    Choice,
    Const,
    Definitions,
    Either,
    Json,
    Many,
    Map,
    Ref,
    Scalar,
    Schema,
    Shape,
    Type,
)

ROOT = Path(__file__).parents[2]
UNKNOWN = ("x-unknown", "vendor/unknown", "ünknown")

TEXT = st.text('ab "\\é\u2028\x7f', max_size=3)
WHOLE = st.integers(-(2**70), 2**70) | st.integers(-3, 3)
NUMBERS = WHOLE | st.floats(allow_nan=False, allow_infinity=False)
PLAIN: SearchStrategy[Json] = st.none() | st.booleans() | NUMBERS | TEXT
JSON: SearchStrategy[Json] = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2), max_leaves=3
)
EXTRAS: SearchStrategy[dict[str, Json]] = st.just({}) | st.dictionaries(st.sampled_from(UNKNOWN), JSON, max_size=2)


@cache
def sources() -> Sources:
    """Return the sources of this project."""
    return read_sources(ROOT)


def schema_of(revision: str) -> Schema:
    """Return the schema of `revision`."""
    return next(schema for schema in sources().schemas if schema.revision == revision)


REVISIONS = sorted(path.stem for path in (ROOT / "schema").glob("*.json"))


@cache
def instances(revision: str, name: str) -> SearchStrategy[Json]:
    """Return a strategy for values of the definition called `name`."""
    return _values(revision).of(Ref(name))


@cache
def _values(revision: str) -> _Values:
    return _Values(schema_of(revision).definitions)


class _Values:
    """Strategies for the definitions of one schema, each made once."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._made: dict[str, SearchStrategy[Json]] = {}

    def of(self, type_: Type) -> SearchStrategy[Json]:
        """Return a strategy for values of `type_`."""
        match type_:
            case Anything():
                return JSON
            case Ref(name):
                return self._named(name)
            case Const(value):
                return st.just(value)
            case Choice(values):
                return st.sampled_from(values)
            case Either(members):
                return st.one_of([self.of(member) for member in members])
            case Scalar():
                return _scalar(type_)
            case Many(item, most):
                return st.lists(self.of(item), max_size=2 if most is None else min(most, 2))
            case Map(value):
                return st.dictionaries(TEXT, self.of(value), max_size=2)
            case Shape():
                return self._object(type_)

    def _named(self, name: str) -> SearchStrategy[Json]:
        if name not in self._made:
            if name == "JSONValue":
                return JSON
            self._made[name] = st.deferred(lambda: self.of(self._definitions[name].type))
        return self._made[name]

    def _object(self, shape: Shape) -> SearchStrategy[Json]:
        required = {field.wire: self.of(field.type) for field in shape.fields if field.required}
        optional = {field.wire: self.of(field.type) for field in shape.fields if not field.required}
        known = st.fixed_dictionaries(required, optional=optional)
        return st.builds(lambda extras, fields: {**fields, **extras}, EXTRAS, known)


def _scalar(type_: Scalar) -> SearchStrategy[Json]:
    match type_.kind:
        case "string":
            return TEXT
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "integer":
            least = None if type_.least is None else int(type_.least)
            return st.integers(least, 2**70) | st.sampled_from([3.0, 1e15])
        case "number" if type_.least is not None:
            return st.floats(type_.least, type_.most) | st.sampled_from([0, 1])
        case _:
            return NUMBERS


def same(one: Json, other: Json) -> bool:
    """Tell whether two JSON values are equal as JSON: true is not 1, but 1.0 is."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other
