"""What asking is made of: digests, capabilities, values of forms, URLs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.core.asking.canonical import canonical, digest
from mcport.core.asking.capabilities import check_need, declares, demand
from mcport.core.asking.form_values import Unfit, judge_value
from mcport.core.asking.urls import check_url, is_file_uri
from mcport.errors import MissingCapability
from mcport.spec.revisions import REVISIONS

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)

ELICITING = [revision for revision in REVISIONS.values() if revision.elicits]
MODED = [revision for revision in ELICITING if revision.elicits_url]


def shuffled(value: Any) -> Any:
    """The value with its members the other way round and whole numbers with a point."""
    if isinstance(value, dict):
        return {key: shuffled(each) for key, each in reversed(value.items())}
    if isinstance(value, list):
        return [shuffled(each) for each in value]
    return float(value) if type(value) is int and abs(value) < 2**53 else value


@given(JSON)
def test_equal_values_have_one_text_however_they_were_written(value: Any) -> None:
    assert canonical(shuffled(value)) == canonical(value)
    assert digest(shuffled(value)) == digest(value)


def test_values_that_differ_have_different_digests() -> None:
    values: list[Any] = [None, True, False, 0, 1, "1", "", [], {}, [1], ["1"], {"a": 1}, {"a": None}, {"b": 1}, 1.5]
    assert len({digest(value) for value in values}) == len(values)


@pytest.mark.parametrize("revision", MODED)
@pytest.mark.requirement("elicitation.empty-capability-is-form", revisions=[each.name for each in MODED])
def test_modes_of_elicitation_follow_from_what_is_declared(revision: Any) -> None:
    def modes(declared: Any) -> list[str]:
        return [
            mode for mode in ("form", "url") if declares({"elicitation": declared}, f"elicitation.{mode}", revision)
        ]

    assert modes({}) == ["form"]
    assert modes({"form": {}}) == ["form"]
    assert modes({"url": {}}) == ["url"]
    assert modes({"form": {}, "url": {}}) == ["form", "url"]
    assert modes(None) == modes([]) == []
    assert not declares({}, "elicitation", revision)


def test_the_first_revision_with_elicitation_has_forms_and_nothing_else() -> None:
    for revision in ELICITING:
        if revision not in MODED:
            assert declares({"elicitation": {"url": {}}}, "elicitation.form", revision)
            assert not declares({"elicitation": {"url": {}}}, "elicitation.url", revision)


def test_what_is_missing_is_named_as_a_client_would_declare_it() -> None:
    revision = MODED[0]
    with pytest.raises(MissingCapability, match=r"'roots', 'sampling\.tools'") as caught:
        demand({"sampling": {}}, ["roots", "sampling", "sampling.tools"], revision, "think")
    assert caught.value.data == {"requiredCapabilities": {"roots": {}, "sampling": {"tools": {}}}}
    demand({"sampling": {"tools": {}}}, ["sampling.tools"], revision, "think")


def test_only_capabilities_that_exist_can_be_needed() -> None:
    for need in ("roots", "sampling.tools", "elicitation", "extensions.com.example/x", "experimental.y"):
        check_need(need)
    for need in ("sample", "", "elicitation.voice", "sampling.tools.x"):
        with pytest.raises(ValueError, match="unknown client capability"):
            check_need(need)


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc"], ["a", "abcd", 1, None, ["ab"]]),
        ({"type": "string", "format": "email"}, ["a@b.c", "a.b@c"], ["a", "@b", "a@", "a b@c"]),
        ({"type": "string", "format": "uri"}, ["https://x/y", "urn:a:b"], ["x", "a b:c", "//x"]),
        ({"type": "string", "format": "date"}, ["2026-02-28"], ["2026-02-30", "2026-2-3", "20260228", "x"]),
        (
            {"type": "string", "format": "date-time"},
            ["2026-02-28T01:02:03Z", "2026-02-28T01:02:03.5+01:00"],
            ["2026-02-28", "2026-02-28T01:02:03", "2026-02-28 01:02:03Z", "x"],
        ),
        ({"type": "string", "pattern": "^a+$"}, ["a", "aa"], ["b", "", "a" * 10_001]),
        ({"type": "string", "enum": ["x", "y"]}, ["x"], ["z", "", None]),
        ({"type": "string", "oneOf": [{"const": "x", "title": "X"}]}, ["x"], ["X"]),
        ({"type": "integer", "minimum": 1, "maximum": 3}, [1, 3, 2.0], [0, 4, 1.5, True, "1", float("inf")]),
        ({"type": "number", "minimum": 0.5}, [0.5, 1], [0.4, False, "1", float("inf"), float("nan")]),
        ({"type": "boolean"}, [True, False], [0, "true", None]),
        (
            {"type": "array", "items": {"type": "string", "enum": ["x", "y"]}, "minItems": 1, "maxItems": 2},
            [["x"], ["x", "y"]],
            [[], ["z"], ["x", "y", "x"], "x", [1], None],
        ),
        ({"type": "array", "items": {"anyOf": [{"const": "x", "title": "X"}]}}, [[], ["x"]], [["X"]]),
    ],
)
def test_values_are_held_against_what_was_asked(schema: Any, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert judge_value(schema, value) == value
    for value in bad:
        with pytest.raises(Unfit):
            judge_value(schema, value)


def test_what_is_said_of_a_bad_value_does_not_repeat_it() -> None:
    with pytest.raises(Unfit) as caught:
        judge_value({"type": "string", "maxLength": 2}, "secret")
    assert "secret" not in str(caught.value)


def test_urls_that_are_not_safe_to_travel_are_known_and_those_that_are_none_refused() -> None:
    assert check_url("https://example.com/a?b=c")
    assert check_url("http://localhost:80/")
    assert check_url("http://127.0.0.1/")
    assert not check_url("http://example.com/")
    for bad in ("ftp://x/", "https:///x", "https://x:port/", "https://u@x/", "https://x/\n", "x"):
        with pytest.raises(ValueError, match="URL"):
            check_url(bad)


def test_roots_are_files() -> None:
    assert is_file_uri("file:///home")
    assert is_file_uri("FILE://host/x")
    assert not is_file_uri("file:/home")
    assert not is_file_uri("https://x/")
