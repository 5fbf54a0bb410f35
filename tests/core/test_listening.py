"""The filter of a listening request: what is read from it, what is written back, what bears its id."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.core.dialects.contract import META_SUBSCRIPTION
from mcport.core.dialects.listening import KINDS, Kind, is_declared, read_filter, stamped, topics_of, write_filter
from mcport.errors import InvalidParams
from mcport.spec.methods import METHODS
from mcport.spec.model import wire_name
from mcport.spec.revisions import STATELESS
from mcport.spec.types import SubscriptionFilter
from tests.spec.instances import JSON

MEMBERS = [kind.member for kind in KINDS]
FILTERS = st.fixed_dictionaries(
    {}, optional={**{name: st.booleans() for name in MEMBERS[:3]}, MEMBERS[3]: st.lists(st.text(max_size=5))}
)


def read(wanted: Any, most: int = 100, *more: Kind) -> dict[Kind, list[str]]:
    return read_filter({"notifications": wanted}, [*KINDS, *more], most)


def test_the_kinds_are_those_of_the_schema() -> None:
    assert {wire_name(field) for field in SubscriptionFilter.model_fields} == {*MEMBERS}
    for kind in KINDS:
        assert METHODS[kind.method].from_server >= {revision.name for revision in STATELESS}


@given(FILTERS)
def test_what_is_honoured_whole_is_echoed_without_what_was_not_asked_for(wanted: dict[str, Any]) -> None:
    echoed = write_filter(read(wanted))
    expected = {name: list(dict.fromkeys(v)) if v is not True else v for name, v in wanted.items() if v is not False}
    assert echoed == expected
    assert write_filter(read(echoed)) == echoed


@given(JSON)
def test_nothing_that_a_client_sends_does_harm(value: Any) -> None:
    for wanted in (value, {MEMBERS[0]: value}, {MEMBERS[3]: value}):
        with contextlib.suppress(InvalidParams):
            assert set(read(wanted, 10)) <= set(KINDS)


def test_topics_are_methods_with_the_names_that_were_listed() -> None:
    honoured = read({"toolsListChanged": True, "promptsListChanged": False, "resourceSubscriptions": ["a", "b", "a"]})
    assert topics_of(honoured) == [
        ("notifications/tools/list_changed", None),
        ("notifications/resources/updated", "a"),
        ("notifications/resources/updated", "b"),
    ]


def test_an_extension_may_have_a_kind_of_its_own() -> None:
    jobs = Kind("jobIds", "notifications/jobs", ("extensions", "com.example/jobs"), "jobId")
    honoured = read({"jobIds": ["1", "2"]}, 100, jobs)
    assert write_filter(honoured) == {"jobIds": ["1", "2"]}
    assert topics_of(honoured) == [("notifications/jobs", "1"), ("notifications/jobs", "2")]
    assert jobs.topic({"jobId": "1"}) == ("notifications/jobs", "1")
    assert is_declared({"extensions": {"com.example/jobs": {}}}, jobs.capability)
    assert not is_declared({"extensions": {}}, jobs.capability)


@pytest.mark.parametrize(
    ("capabilities", "declared"),
    [
        ({"tools": {"listChanged": True}}, True),
        ({"tools": {"listChanged": False}}, False),
        ({"tools": {}}, False),
        ({"tools": True}, False),
        ({}, False),
    ],
)
def test_a_capability_is_declared_by_true(capabilities: dict[str, Any], declared: bool) -> None:
    assert is_declared(capabilities, ("tools", "listChanged")) == declared


@pytest.mark.parametrize("id", [0, 1, "1", "", 1.0])
def test_the_id_is_in_meta_beside_what_is_there(id: Any) -> None:
    assert stamped(None, id) == {"_meta": {META_SUBSCRIPTION: id}}
    params: dict[str, Any] = {"uri": "a", "_meta": {"com.example/x": 1, META_SUBSCRIPTION: "forged"}}
    made = stamped(params, id)
    assert made == {"uri": "a", "_meta": {"com.example/x": 1, META_SUBSCRIPTION: id}}
    assert type(made["_meta"][META_SUBSCRIPTION]) is type(id)
    assert params["_meta"][META_SUBSCRIPTION] == "forged"
