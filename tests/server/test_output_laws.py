"""Laws of output: whatever a type allows is written as its schema says, wrapped or not, by validators that insist."""

from __future__ import annotations

import datetime
import enum
import ipaddress
import json
import pathlib
import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

import jsonschema_rs
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import TypedDict

from mcport.core.json_schema import compile_schema
from mcport.server.results.structured import wrapped
from mcport.server.signature import read_output


class Colour(enum.Enum):
    RED = "red"
    TWO = 2


@dataclass
class Point:
    x: int
    when: datetime.datetime
    zone: datetime.time | None = None


class Pair(TypedDict):
    a: Decimal
    b: list[Colour]


class Tree(pydantic.BaseModel):
    name: str
    took: datetime.timedelta = datetime.timedelta(0)
    parent: Tree | None = None
    points: list[Point] = []
    kind: Literal["a", 1, None] = None


FLOATS = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False)
TIMES = st.datetimes() | st.datetimes(timezones=st.just(datetime.UTC))
POINTS = st.builds(Point, st.integers(), TIMES, st.none() | st.times())
COLOURS = st.sampled_from(Colour)
TREES: Any = st.recursive(
    st.builds(Tree, name=TEXT, took=st.timedeltas(), points=st.lists(POINTS, max_size=2)),
    lambda inner: st.builds(Tree, name=TEXT, parent=inner, kind=st.sampled_from(["a", 1, None])),
    max_leaves=3,
)

CASES: list[tuple[Any, Any]] = [
    (int, st.integers()),
    (float, FLOATS | st.integers(-(2**53), 2**53)),
    (bool, st.booleans()),
    (Decimal, DECIMALS),
    (datetime.datetime, TIMES),
    (datetime.date, st.dates()),
    (datetime.timedelta, st.timedeltas()),
    (uuid.UUID, st.uuids()),
    (pathlib.PurePosixPath, TEXT.map(pathlib.PurePosixPath)),
    (ipaddress.IPv4Address | ipaddress.IPv6Address, st.ip_addresses()),
    (Colour, COLOURS),
    (list[Point], st.lists(POINTS, max_size=3)),
    (dict[str, Decimal | None], st.dictionaries(TEXT, DECIMALS | st.none(), max_size=3)),
    (dict[int, str], st.dictionaries(st.integers(), TEXT, max_size=3)),
    (tuple[int, str] | None, st.none() | st.tuples(st.integers(), TEXT)),
    (frozenset[int], st.frozensets(st.integers(), max_size=3)),
    (Pair, st.fixed_dictionaries({"a": DECIMALS, "b": st.lists(COLOURS, max_size=2)})),
    (Tree, TREES),
    (Tree | Point, TREES | POINTS),
    (list[Any], st.lists(st.recursive(st.none() | st.booleans() | TEXT, st.lists, max_leaves=3), max_size=3)),
]


@pytest.mark.requirement("tools.output-schema-conform", revisions=["2025-06-18", "2025-11-25", "2026-07-28"])
@pytest.mark.parametrize(("annotation", "values"), CASES, ids=[str(each[0]) for each in CASES])
def test_whatever_a_type_allows_is_written_as_its_schema_says(annotation: Any, values: Any) -> None:
    output = read_output(annotation, "give", True)
    assert output is not None
    insisting = jsonschema_rs.Draft202012Validator(output.schema, offline=True, validate_formats=True)
    inside = jsonschema_rs.Draft202012Validator(wrapped(output.schema), offline=True, validate_formats=True)
    own = compile_schema(output.schema)
    assert own.notes == ()

    @settings(max_examples=30, deadline=None, derandomize=True)
    @given(values)
    def law(value: Any) -> None:
        written = json.loads(output.write(value))
        assert own.fault(written) is None
        insisting.validate(written)
        inside.validate({"result": written})
        assert not inside.is_valid(written) or annotation is dict[int, str]

    law()
