"""Results as they leave: dressed for their revision, whatever they are made of."""

from __future__ import annotations

from collections import OrderedDict
from operator import attrgetter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.dialects.contract import META_SERVER
from mcport.core.dialects.envelope import LONG, Body, Envelope, Fixed
from mcport.core.jsonrpc import Raw, Response, decode, encode, parse_json
from mcport.spec.revisions import HANDSHAKE, LATEST, REVISIONS, Revision
from mcport.spec.types import CallToolResult, ListToolsResult, TextContent, Tool
from tests.spec.instances import JSON, same

INFO = {"name": "s", "version": "1"}
EVERY = pytest.mark.parametrize("revision", REVISIONS.values(), ids=attrgetter("name"))
OLD = pytest.mark.parametrize("revision", HANDSHAKE, ids=attrgetter("name"))


def dressed(revision: Revision, result: object) -> dict[str, Any]:
    """The result as a client reads it, off the wire."""
    raw = Envelope(revision, INFO).dress(result)
    assert type(raw) is Raw
    message = decode(encode(Response(1, raw)))
    assert isinstance(message, Response)
    assert isinstance(message.result, dict)
    return message.result


def typed(**members: Any) -> dict[str, Any]:
    """What a result of the stateless era has beside its own members."""
    return {"resultType": "complete", **members, "_meta": {META_SERVER: INFO, **members.pop("_meta", {})}}


def call_result(text: str = "3", **more: Any) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], **more)


CONTENT = [{"type": "text", "text": "3"}]
MADE = [
    {"content": CONTENT},
    OrderedDict(content=CONTENT),
    Body(b'{"content":[{"type":"text","text":"3"}]}'),
    call_result(),
]


@pytest.mark.requirement("base.result.result-type-required", "meta.result.server-info")
@pytest.mark.parametrize("result", MADE)
def test_in_the_stateless_era_a_result_says_its_type_and_who_serves_it(result: object) -> None:
    assert dressed(LATEST, result) == {
        "resultType": "complete",
        "content": CONTENT,
        "_meta": {META_SERVER: INFO},
    }


@OLD
@pytest.mark.requirement("lifecycle.negotiated-version", revisions=["2025-06-18", "2025-11-25"])
@pytest.mark.parametrize("result", MADE)
def test_in_the_handshake_era_a_result_is_what_it_was_made_of(revision: Revision, result: object) -> None:
    assert dressed(revision, result) == {"content": CONTENT}


@pytest.mark.requirement("base.result.result-type-required", "base.result.has-result-member", revisions=[LATEST.name])
@pytest.mark.parametrize("result", [{}, Body(b"{}"), Fixed({}), {"_meta": {}}, {"_meta": None}])
def test_an_empty_result_is_dressed_too(result: object) -> None:
    assert dressed(LATEST, result) == {"resultType": "complete", "_meta": {META_SERVER: INFO}}


@OLD
@pytest.mark.requirement("base.result.has-result-member", revisions=["2025-11-25"])
def test_an_empty_result_stays_empty_in_the_handshake_era(revision: Revision) -> None:
    assert dressed(revision, {}) == dressed(revision, Body(b"{}")) == dressed(revision, Fixed({})) == {}


@pytest.mark.requirement("base.result.any-object", "base.result.result-type-required", revisions=[LATEST.name])
def test_a_type_that_a_result_says_itself_stays() -> None:
    asking = {"resultType": "input_required", "inputRequests": {}}
    assert dressed(LATEST, asking) == {**asking, "_meta": {META_SERVER: INFO}}
    assert dressed(LATEST, {**asking, "_meta": {"a": 1}}) == {**asking, "_meta": {META_SERVER: INFO, "a": 1}}


@pytest.mark.parametrize("result", [{"content": CONTENT, "_meta": {"a": None}}, call_result(meta={"a": None})])
def test_metadata_of_a_result_is_kept(result: object) -> None:
    found = dressed(LATEST, result)
    assert found["_meta"] == {META_SERVER: INFO, "a": None}
    assert dressed(HANDSHAKE[0], result)["_meta"] == {"a": None}


@pytest.mark.requirement("meta.result.server-info")
def test_a_result_that_was_passed_on_names_the_server_that_it_came_through() -> None:
    upstream = {META_SERVER: {"name": "upstream", "version": "0"}, "a": 1}
    for result in ({"content": CONTENT, "_meta": upstream}, call_result(meta=upstream)):
        assert dressed(LATEST, result)["_meta"] == {META_SERVER: INFO, "a": 1}


def test_no_result_is_changed_by_being_dressed() -> None:
    plain, model = {"content": CONTENT, "_meta": {"a": 1}}, call_result(meta={"a": 1})
    dressed(LATEST, plain)
    dressed(LATEST, model)
    assert plain == {"content": CONTENT, "_meta": {"a": 1}}
    assert model == call_result(meta={"a": 1})


@EVERY
def test_unknown_members_of_a_model_are_kept(revision: Revision) -> None:
    found = dressed(revision, CallToolResult.from_wire({"content": CONTENT, "x": None, "_meta": {"a": 1}}))
    assert found["x"] is None
    assert found["_meta"]["a"] == 1
    assert ("resultType" in found) == (revision is LATEST)


@EVERY
@pytest.mark.requirement("lifecycle.negotiated-version", revisions=["2025-06-18", "2025-11-25"])
def test_a_fixed_result_is_dressed_once_for_each_revision(revision: Revision) -> None:
    fixed = Fixed(
        ListToolsResult(tools=[Tool(name="add", title="Add", input_schema={})], ttl_ms=0, cache_scope="private")
    )
    first, again = (Envelope(each, INFO).dress(fixed) for each in (revision, revision))
    assert first is again
    assert [*fixed.dressed] == [revision.name]
    [tool] = parse_json(first.data)["tools"]
    assert ("title" in tool) == revision.has_titles
    assert ("ttlMs" in parse_json(first.data)) == revision.caches_results


def test_bytes_that_are_dressed_already_pass() -> None:
    raw = Raw(b'{"resultType":"complete"}')
    assert Envelope(LATEST, INFO).dress(raw) is raw


@EVERY
@given(result=st.dictionaries(st.sampled_from(["a", "content", "résultat", "NaN"]), JSON, max_size=3))
@settings(max_examples=40)
def test_what_a_result_says_comes_through_unchanged(revision: Revision, result: dict[str, Any]) -> None:
    found = dressed(revision, result)
    assert same({name: found[name] for name in result}, result)
    assert found.keys() - result.keys() == ({"resultType", "_meta"} if revision is LATEST else set())


@pytest.mark.parametrize("size", [0, LONG - 60, LONG, LONG + 1, 5 * LONG])
@pytest.mark.parametrize("revision", [LATEST, HANDSHAKE[0]], ids=attrgetter("name"))
def test_long_results_are_dressed_like_short_ones(revision: Revision, size: int) -> None:
    text = "x" * size
    body = Body(b'{"content":[{"type":"text","text":"%b"}]}' % text.encode())
    plain = {"content": [{"type": "text", "text": text}]}
    expected = typed(**plain) if revision is LATEST else plain
    assert dressed(revision, body) == dressed(revision, plain) == dressed(revision, call_result(text)) == expected


@EVERY
@pytest.mark.parametrize(
    "result",
    [
        None,
        [],
        "x",
        7,
        object(),
        {"a": float("nan")},
        {"a": "\ud800"},
        {"a": object()},
    ],
)
def test_what_cannot_be_a_result_is_refused(revision: Revision, result: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        Envelope(revision, INFO).dress(result)


@pytest.mark.parametrize("meta", [[], "x", 7, False])
def test_metadata_that_is_no_object_is_refused(meta: object) -> None:
    with pytest.raises(ValueError, match="_meta of a result is an object"):
        Envelope(LATEST, INFO).dress({"_meta": meta})
