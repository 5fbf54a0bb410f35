"""The client's dialects: what every request says of its sender, what may be asked at all, and how results are read."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings

from mcport.core.dialects.contract import META_CAPABILITIES, META_CLIENT, META_VERSION
from mcport.core.dialects.speaking import Complete, InputRequired, Invalid, Speaker
from mcport.errors import NotDeclared
from mcport.spec.methods import METHODS
from mcport.spec.revisions import HANDSHAKE, LATEST, REVISIONS, Revision
from tests.spec.instances import JSON

INFO = {"name": "c", "version": "1"}
CAPABILITIES: dict[str, Any] = {"sampling": {}}
STAMP = {META_VERSION: LATEST.name, META_CAPABILITIES: CAPABILITIES, META_CLIENT: INFO}

EVERY = pytest.mark.parametrize("revision", REVISIONS.values(), ids=attrgetter("name"))
OLD = pytest.mark.parametrize("revision", HANDSHAKE, ids=attrgetter("name"))

REQUESTS = [method for method in METHODS.values() if method.kind == "request"]
NOTIFICATIONS = [method for method in METHODS.values() if method.kind == "notification"]
EVERYTHING = {
    "tools": {},
    "resources": {"subscribe": True, "listChanged": True},
    "prompts": {},
    "completions": {},
    "logging": {},
    "tasks": {"list": {}, "cancel": {}},
}


def speaker(revision: Revision = LATEST) -> Speaker:
    return Speaker(revision, INFO, CAPABILITIES)


# ---- stamping


@pytest.mark.requirement("meta.request.required-fields", "meta.request.client-info")
@pytest.mark.parametrize("params", [None, {}, {"name": "add"}, {"_meta": None}, {"_meta": {}}])
def test_every_stateless_request_says_who_asks_and_in_which_revision(params: dict[str, Any] | None) -> None:
    stamped = speaker().stamp(params)
    assert stamped == {**(params or {}), "_meta": STAMP}


@pytest.mark.requirement("meta.request.required-fields")
def test_other_metadata_stays_and_the_stamp_is_not_overruled() -> None:
    given = {"a": 1, "_meta": {"x": 1, META_VERSION: "2025-11-25", META_CAPABILITIES: {"roots": {}}}}
    stamped = speaker().stamp(given)
    assert stamped == {"a": 1, "_meta": {"x": 1, **STAMP}}
    assert given["_meta"] == {"x": 1, META_VERSION: "2025-11-25", META_CAPABILITIES: {"roots": {}}}


@OLD
@pytest.mark.requirement("lifecycle.negotiated-version", revisions=["2025-06-18", "2025-11-25"])
def test_in_the_handshake_era_nothing_is_stamped(revision: Revision) -> None:
    params = {"a": 1}
    assert speaker(revision).stamp(params) is params
    assert speaker(revision).stamp(None) is None


# ---- what may be asked


@EVERY
@pytest.mark.requirement("lifecycle.negotiated-version", revisions=["2025-06-18", "2025-11-25"])
def test_what_the_revision_lacks_is_not_sent(revision: Revision) -> None:
    for method in METHODS.values():
        if revision.name in method.from_client:
            speaker(revision).check(method.name, EVERYTHING)
        else:
            with pytest.raises(NotDeclared, match=revision.name):
                speaker(revision).check(method.name, EVERYTHING)


@EVERY
@pytest.mark.requirement("lifecycle.negotiated-capabilities", revisions=["2025-06-18", "2025-11-25"])
def test_what_the_server_did_not_declare_is_not_asked(revision: Revision) -> None:
    asked = [method for method in REQUESTS if revision.name in method.from_client and method.needs(revision.name)]
    assert len(asked) >= 6
    for method in asked:
        needed = str(method.needs(revision.name))
        first, *_ = needed.split(".")
        undeclared: list[dict[str, Any]] = [{}, {first: None}, {first: False}, {"experimental": {needed: {}}}]
        for declared in undeclared:
            with pytest.raises(NotDeclared, match=f"{method.name} needs the capability '{needed}'"):
                speaker(revision).check(method.name, declared)


def test_a_part_of_a_capability_is_needed_where_it_stands() -> None:
    subscribe = METHODS["resources/subscribe"].name
    declared: list[Any] = [{}, {"subscribe": False}, True, []]
    for resources in declared:
        with pytest.raises(NotDeclared, match=r"resources\.subscribe"):
            speaker(HANDSHAKE[0]).check(subscribe, {"resources": resources})
    speaker(HANDSHAKE[0]).check(subscribe, {"resources": {"subscribe": True}})
    speaker(HANDSHAKE[0]).check("resources/list", {"resources": {}})


@EVERY
def test_a_method_that_nobody_knows_is_the_callers_business(revision: Revision) -> None:
    speaker(revision).check("vendor/thing", {})


# ---- reading


@pytest.mark.requirement("result-type.absent-is-complete", "result-type.accepted-set")
@pytest.mark.parametrize(
    "result", [{}, {"content": []}, {"resultType": "complete"}, {"resultType": "complete", "x": 1}]
)
def test_a_result_that_says_nothing_of_its_type_is_complete(result: dict[str, Any]) -> None:
    assert speaker().read("tools/call", result) == Complete(result)


@pytest.mark.requirement("result-type.accepted-set")
@pytest.mark.parametrize("method", ["tools/call", "prompts/get", "resources/read", "vendor/thing"])
def test_a_result_may_ask_for_input(method: str) -> None:
    asking = {"resultType": "input_required", "inputRequests": {}}
    assert speaker().read(method, asking) == InputRequired(asking)


@pytest.mark.requirement("result-type.unrecognized-invalid", "result-type.accepted-set")
@pytest.mark.parametrize("kind", ["task", "Complete", "complete ", "", None, True, 1, ["complete"], {"complete": 1}])
def test_a_result_of_an_unknown_type_is_invalid(kind: object) -> None:
    found = speaker().read("tools/call", {"resultType": kind, "content": []})
    assert isinstance(found, Invalid)
    assert found.reason.startswith("the result of tools/call has an unknown resultType ")


@pytest.mark.requirement("result-type.unrecognized-invalid")
def test_only_some_methods_may_be_answered_with_a_question() -> None:
    asking = {"resultType": "input_required", "inputRequests": {}}
    stateless = [method.name for method in REQUESTS if LATEST.name in method.from_client]
    may_ask = [name for name in stateless if isinstance(speaker().read(name, asking), InputRequired)]
    assert sorted(may_ask) == ["prompts/get", "resources/read", "tools/call"]


@OLD
def test_the_type_of_a_result_means_nothing_in_the_handshake_era(revision: Revision) -> None:
    for result in ({}, {"resultType": "input_required"}, {"resultType": 7}):
        assert speaker(revision).read("tools/call", result) == Complete(result)


@EVERY
@pytest.mark.parametrize("result", [None, [], "x", 7, True])
def test_a_result_that_is_no_object_is_invalid(revision: Revision, result: object) -> None:
    assert speaker(revision).read("tools/list", result) == Invalid("the result of tools/list is not an object")


@given(result=JSON)
@settings(max_examples=60)
def test_every_answer_can_be_judged(result: object) -> None:
    assert isinstance(speaker().read("tools/call", result), Complete | InputRequired | Invalid)
