"""Requests of the stateless era: each is judged by what it says of itself, and by nothing that came before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans, dictionaries, lists, sampled_from

from mcport.core.dialects.contract import (
    META_CAPABILITIES,
    META_CLIENT,
    META_LOG_LEVEL,
    META_VERSION,
    Admitted,
    Conversation,
    Offer,
)
from mcport.core.dialects.stateless import admit, admit_next, is_stateless
from mcport.errors import INVALID_PARAMS, UNSUPPORTED_REVISION, ProtocolError
from mcport.spec.revisions import HANDSHAKE, LATEST, REVISIONS, Revision
from tests.spec.instances import JSON

CLIENT = {"name": "c", "version": "1"}
WORDS = (
    sampled_from([LATEST.name, "x", 1]) | booleans() | dictionaries(sampled_from("ab"), sampled_from([1, True, "x"]))
)


def offer(*revisions: Revision) -> Offer:
    return Offer({revision.name: revision for revision in revisions or REVISIONS.values()}, lambda _: {}, lambda _: {})


def params(version: object = LATEST.name, capabilities: object = None, **more: object) -> dict[str, Any]:
    meta = {META_VERSION: version, META_CAPABILITIES: {} if capabilities is None else capabilities}
    return {"name": "add", "_meta": {**meta, **more}}


def fault(asked: dict[str, Any], *revisions: Revision) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        admit(offer(*revisions), asked)
    return caught.value


@pytest.mark.parametrize(
    ("meta", "stateless"),
    [
        (params()["_meta"], True),
        ({META_VERSION: None}, True),
        ({META_VERSION: "2025-11-25"}, True),
        ({}, False),
        ({META_CAPABILITIES: {}}, False),
        ({"progressToken": 1}, False),
    ],
)
def test_a_request_is_stateless_when_its_meta_names_a_version(meta: dict[str, Any], stateless: bool) -> None:
    assert is_stateless(meta) == stateless


@pytest.mark.requirement("version.no-handshake", "stateless.no-context-from-prior-requests")
def test_each_request_says_for_itself_who_asks() -> None:
    served = offer()
    first = admit(served, params(capabilities={"sampling": {}}, **{META_CLIENT: CLIENT, META_LOG_LEVEL: "debug"}))
    second = admit(served, params())
    assert first == Admitted(LATEST, CLIENT, {"sampling": {}}, "debug")
    assert second == Admitted(LATEST, {}, {}, None)


def test_a_request_that_says_the_same_of_itself_as_the_latest_one_is_not_judged_anew() -> None:
    served, conversation = offer(), Conversation()
    first = admit_next(served, params(capabilities={"sampling": {}}, **{META_CLIENT: CLIENT}), conversation)
    assert admit_next(served, params(capabilities={"sampling": {}}, **{META_CLIENT: CLIENT}), conversation) is first
    assert admit_next(served, params(), conversation) == Admitted(LATEST, {}, {}, None)


@pytest.mark.requirement("stateless.no-context-from-prior-requests")
@pytest.mark.parametrize("before", [True, 1, 1.0, [1], {"deep": [True]}])
@pytest.mark.parametrize("after", [True, 1, 1.0, [True], {"deep": [1]}])
def test_what_equals_the_latest_words_and_is_not_the_same_is_judged_by_itself(before: object, after: object) -> None:
    served, conversation = offer(), Conversation()
    admit_next(served, params(capabilities={"x": before}), conversation)
    admitted = admit_next(served, params(capabilities={"x": after}), conversation)
    assert repr(admitted.client_capabilities) == repr({"x": after})


@pytest.mark.requirement("stateless.no-context-from-prior-requests")
def test_what_somebody_changed_in_an_admitted_request_does_not_reach_the_next_one() -> None:
    served, conversation = offer(), Conversation()
    admit_next(served, params(capabilities={"sampling": {}}), conversation).client_capabilities["roots"] = {}
    admitted = admit_next(served, params(capabilities={"sampling": {}}), conversation)
    assert admitted.client_capabilities == {"sampling": {}}


@settings(derandomize=True, deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(metas=lists(dictionaries(sampled_from([META_VERSION, META_CAPABILITIES, META_CLIENT, "x"]), WORDS), max_size=5))
def test_no_answer_depends_on_an_earlier_request(metas: list[dict[str, object]]) -> None:
    served, conversation = offer(), Conversation()
    for meta in metas:
        asked = {"_meta": {META_VERSION: LATEST.name, META_CAPABILITIES: {}, **meta}}
        assert judged(admit, served, asked) == judged(admit_next, served, asked, conversation)


def judged(admit: Callable[..., Admitted], *asked: object) -> str:
    """What came of a request, in words: equal words are the same values."""
    try:
        return repr(admit(*asked))
    except ProtocolError as error:
        return repr((error.code, error.message))


@pytest.mark.requirement("meta.request.missing-field-error")
@pytest.mark.parametrize("version", [None, 20260728, True, [LATEST.name], {}])
def test_a_version_that_is_no_text_is_invalid(version: object) -> None:
    error = fault(params(version=version))
    assert (error.code, error.message) == (INVALID_PARAMS, f"_meta {META_VERSION} must be a string")


@pytest.mark.requirement("meta.request.missing-field-error", "meta.reserved-no-assumptions", revisions=[LATEST.name])
@pytest.mark.parametrize("capabilities", [[], "{}", 0, False])
def test_capabilities_that_are_no_object_are_invalid(capabilities: object) -> None:
    error = fault({"_meta": {META_VERSION: LATEST.name, META_CAPABILITIES: capabilities}})
    assert (error.code, error.message) == (INVALID_PARAMS, f"_meta {META_CAPABILITIES} must be an object")


@pytest.mark.requirement("meta.request.missing-field-error")
def test_capabilities_that_are_missing_or_null_are_invalid() -> None:
    error = fault({"_meta": {META_VERSION: LATEST.name}})
    assert (error.code, error.message) == (INVALID_PARAMS, f"_meta {META_CAPABILITIES} is missing")
    assert fault({"_meta": {META_VERSION: LATEST.name, META_CAPABILITIES: None}}).code == INVALID_PARAMS


@pytest.mark.requirement("version.unsupported-error", "version.unsupported-error-data")
@pytest.mark.parametrize("version", ["", "2027-01-01", "latest", "2024-11-05", "2025-11-25", LATEST.name + " "])
def test_a_version_that_is_not_served_is_answered_with_those_that_are(version: str) -> None:
    error = fault(params(version=version))
    assert error.code == UNSUPPORTED_REVISION
    assert error.data == {"supported": [*REVISIONS], "requested": version}
    assert version in error.message


@pytest.mark.requirement("version.unsupported-error", "version.unsupported-error-data")
def test_a_version_that_is_switched_off_is_not_served() -> None:
    error = fault(params(), *HANDSHAKE)
    assert error.code == UNSUPPORTED_REVISION
    assert error.data == {"supported": [revision.name for revision in HANDSHAKE], "requested": LATEST.name}


@pytest.mark.requirement("version.unsupported-error")
def test_the_version_is_judged_before_what_that_version_would_demand() -> None:
    assert fault({"_meta": {META_VERSION: "2027-01-01"}}).code == UNSUPPORTED_REVISION


@pytest.mark.requirement("meta.reserved-no-assumptions", revisions=[LATEST.name])
@pytest.mark.parametrize("value", [None, [], "x", 0, True, 1.5, "DEBUG", "trace"])
def test_client_info_of_the_wrong_shape_counts_as_absent(value: object) -> None:
    assert admit(offer(), params(**{META_CLIENT: value})).client_info == {}


@pytest.mark.requirement("logging.invalid-level", "logging.levels", revisions=[LATEST.name])
@pytest.mark.parametrize("value", [None, [], "x", 0, True, 1.5, "DEBUG", "trace"])
def test_a_level_that_does_not_exist_is_refused_with_those_that_do(value: object) -> None:
    error = fault(params(**{META_LOG_LEVEL: value}))
    assert error.code == INVALID_PARAMS
    assert "debug, info, notice, warning, error, critical, alert, emergency" in error.message


@pytest.mark.parametrize("level", ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"])
def test_a_level_that_exists_is_taken(level: str) -> None:
    assert admit(offer(), params(**{META_LOG_LEVEL: level})).log_level == level


@pytest.mark.requirement("meta.reserved-no-assumptions", revisions=[LATEST.name])
@given(version=JSON, capabilities=JSON, client=JSON, level=JSON)
@settings(max_examples=100)
def test_no_value_at_a_reserved_key_does_harm(version: Any, capabilities: Any, client: Any, level: Any) -> None:
    for asked in (
        params(version=version),
        {"_meta": {META_VERSION: LATEST.name, META_CAPABILITIES: capabilities}},
        params(**{META_CLIENT: client, META_LOG_LEVEL: level}),
    ):
        found = outcome(asked)
        if isinstance(found, ProtocolError):
            assert found.code in (INVALID_PARAMS, UNSUPPORTED_REVISION)
        else:
            assert isinstance(found.client_info, dict)
            assert isinstance(found.client_capabilities, dict)


def outcome(asked: dict[str, Any]) -> Admitted | ProtocolError:
    try:
        return admit(offer(), asked)
    except ProtocolError as error:
        return error
