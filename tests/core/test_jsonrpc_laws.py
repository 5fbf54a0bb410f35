"""Messages against the exact models of every revision: the same are accepted, and they come through unchanged."""

from __future__ import annotations

import importlib
import json
from functools import cache
from typing import Any

import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import to_json

from mcport.core.jsonrpc import Batch, Malformed, Request, decode, encode, is_id, parse_json
from tests.spec.instances import JSON, REVISIONS, TEXT, instances, same


@cache
def exact(revision: str, name: str) -> type[pydantic.BaseModel]:
    module = importlib.import_module(f"mcport.spec.wire.r{revision.replace('-', '_')}")
    found: type[pydantic.BaseModel] = getattr(module, name)
    return found


def accepts(revision: str, name: str, value: object) -> bool:
    try:
        exact(revision, name).model_validate_json(json.dumps(value), strict=True)
    except pydantic.ValidationError:
        return False
    return True


OWN = {"jsonrpc", "id", "method", "params", "result", "error"}


def without_extras(message: Any) -> Any:
    """What a message says in the members that JSON-RPC knows; null data of an error is no data."""
    if isinstance(message, list):
        return [without_extras(member) for member in message]
    kept = {name: value for name, value in message.items() if name in OWN}
    if "error" in kept:
        known = {name: value for name, value in kept["error"].items() if name in {"code", "message", "data"}}
        kept["error"] = {name: value for name, value in known.items() if name != "data" or value is not None}
    return kept


@pytest.mark.requirement("base.jsonrpc-2.0")
@pytest.mark.parametrize("revision", REVISIONS)
@given(data=st.data())
@settings(max_examples=50)
def test_every_message_of_a_revision_comes_through_unchanged(revision: str, data: st.DataObject) -> None:
    value: Any = data.draw(instances(revision, "JSONRPCMessage"))
    found = decode(to_json(value))
    if isinstance(value, list) and value:
        assert isinstance(found, Batch)
        written: Any = [parse_json(encode(member)) for member in found.members if not isinstance(member, Malformed)]
    else:
        assert isinstance(found, Malformed) == (value == [])
        written = [] if isinstance(found, Malformed) else parse_json(encode(found))  # type: ignore[arg-type]
    assert same(written, without_extras(value))
    assert accepts(revision, "JSONRPCMessage", written)


MEMBERS: dict[str, st.SearchStrategy[object]] = {
    "jsonrpc": st.sampled_from(["2.0"] * 8 + ["1.0", 2.0, None]),
    "id": st.sampled_from([0, 1, "a", "", 1.0, None, 1.5, True, [], {}]),
    "method": st.sampled_from(["m", "m", "m", "", None, 5, ["m"]]),
    "params": st.sampled_from([{}, {"a": 1}, {"_meta": {}}, [], "x", 0, False]),
    "result": JSON,
    "error": JSON | st.just({"code": 1, "message": "no"}),
    "x": TEXT,
}


@pytest.mark.requirement("base.jsonrpc-2.0", "base.request.id-string-or-integer", "base.request.id-not-null")
@pytest.mark.parametrize("revision", REVISIONS)
@given(value=st.fixed_dictionaries({}, optional=MEMBERS))
@settings(max_examples=120)
def test_a_request_is_what_the_exact_model_takes_for_one(revision: str, value: dict[str, object]) -> None:
    found = decode(to_json(value))
    assert isinstance(found, Request) == accepts(revision, "JSONRPCRequest", value)
    if isinstance(found, Malformed):
        assert not accepts(revision, "JSONRPCRequest", value)


def test_where_the_door_differs_from_the_exact_models_it_is_on_purpose() -> None:
    newest = REVISIONS[-1]
    lenient = {"jsonrpc": "2.0", "id": 1, "method": "m", "params": None}
    assert not accepts(newest, "JSONRPCRequest", lenient)
    assert isinstance(decode(to_json(lenient)), Request)
    for strict in (
        {"jsonrpc": "2.0", "id": 1, "method": "m", "params": {"big": 1}} | {"id": 1e300},
        {"jsonrpc": "2.0", "id": 1, "result": {"resultType": "complete"}, "error": {"code": 1, "message": "no"}},
        {"jsonrpc": "2.0", "id": None, "method": "n"},
    ):
        assert accepts(newest, "JSONRPCMessage", strict)
        assert isinstance(decode(to_json(strict)), Malformed)


@given(value=JSON)
@settings(max_examples=100)
def test_ids_are_strings_and_integers_as_json_has_them(value: object) -> None:
    assert is_id(value) == (
        accepts(REVISIONS[-1], "RequestId", value) and not (type(value) is float and abs(value) >= 2**53)
    )
