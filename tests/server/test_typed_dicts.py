"""Typed dicts of `typing`, on every Python, as arguments and as what is returned."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, NotRequired, Required, TypedDict

import pytest

from mcport.server.signature import ArgumentsInvalid, Signature, read_output


class Base(TypedDict):
    """Where it is."""

    city: str
    street: NotRequired[str]


class Place(Base, total=False):
    since: Required[datetime.date]
    near: list[Place]


def visit(place: Place, others: Annotated[list[Base] | None, "further ones"] = None) -> dict[str, Place]:
    return {"a": place}


def test_their_keys_are_required_as_their_authors_say() -> None:
    schema = Signature.of(visit).input_schema
    others = schema["properties"]["others"]
    assert (others["type"], others["description"]) == ("array", "further ones")
    assert others["items"]["required"] == ["city"]
    assert others["items"]["properties"] == {"city": {"type": "string"}, "street": {"type": "string"}}
    place = schema["$defs"]["Place"]
    assert sorted(place["required"]) == ["city", "since"]
    assert place["properties"]["near"] == {"type": "array", "items": {"$ref": "#/$defs/Place"}}


def test_they_are_bound_and_written() -> None:
    signature = Signature.of(visit)
    given: dict[str, Any] = {"city": "Lyon", "since": "2020-01-02", "near": [{"city": "Paris", "since": "2020-01-03"}]}
    bound = signature.bind({"place": given})
    assert bound["place"]["near"][0]["since"] == datetime.date(2020, 1, 3)
    output = read_output(signature.returns, "visit", None)
    assert output is not None
    assert output.write(visit(**bound)) == (
        b'{"a":{"city":"Lyon","since":"2020-01-02","near":[{"city":"Paris","since":"2020-01-03"}]}}'
    )


@pytest.mark.parametrize("place", [{"city": "Lyon"}, {"city": 1, "since": "2020-01-02"}])
def test_what_does_not_fit_is_refused(place: Any) -> None:
    with pytest.raises(ArgumentsInvalid, match=r"argument 'place\.(since|city)'"):
        Signature.of(visit).bind({"place": place})
