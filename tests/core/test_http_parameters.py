"""Arguments of tools that are repeated in headers (`x-mcp-header`)."""

from typing import Any

import pytest

from mcport.core.http.parameters import check_params, param_headers
from mcport.core.mirrors import BadAnnotation, Mirror, mirrors_of
from mcport.errors import HeaderMismatch

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "where": {"type": "object", "properties": {"dry": {"type": "boolean", "x-mcp-header": "Dry-Run"}}},
        "x-mcp-header": {"type": "string", "default": {"x-mcp-header": "is data here"}},
    },
}
MIRRORS = mirrors_of(SCHEMA)


def annotated(name: object, kind: object = "string") -> dict[str, Any]:
    return {"properties": {"a": {"type": kind, "x-mcp-header": name}}}


def test_annotated_properties_are_found_by_way_of_properties() -> None:
    assert (
        Mirror(("region",), "mcp-param-region", "string"),
        Mirror(("count",), "mcp-param-count", "integer"),
        Mirror(("where", "dry"), "mcp-param-dry-run", "boolean"),
    ) == MIRRORS
    assert mirrors_of({}) == mirrors_of({"type": "object"}) == ()


@pytest.mark.requirement("x-mcp-header.not-empty")
@pytest.mark.requirement("x-mcp-header.token-syntax")
@pytest.mark.requirement("x-mcp-header.no-control-chars")
@pytest.mark.parametrize("name", ["", "a b", "a:b", "ü", "a\r\nb", "a\x00", 5, None, ["Region"]])
def test_what_is_no_name_of_a_header_is_refused(name: object) -> None:
    with pytest.raises(BadAnnotation, match="must be the name of a header"):
        mirrors_of(annotated(name))


@pytest.mark.requirement("x-mcp-header.primitive-types")
@pytest.mark.parametrize("kind", ["number", "object", "array", "null", ["string", "null"], None])
def test_only_strings_integers_and_booleans_are_repeated(kind: object) -> None:
    with pytest.raises(BadAnnotation, match="is for a string, integer or boolean"):
        mirrors_of(annotated("Region", kind))


@pytest.mark.requirement("x-mcp-header.unique")
def test_a_name_is_used_once_however_it_is_written() -> None:
    schema = {"properties": {name: {"type": "string", "x-mcp-header": name} for name in ("Region", "REGION")}}
    with pytest.raises(BadAnnotation, match="'region' is used twice"):
        mirrors_of(schema)


@pytest.mark.requirement("x-mcp-header.statically-reachable")
@pytest.mark.requirement("x-mcp-header.no-other-path")
@pytest.mark.parametrize(
    "schema",
    [
        {"x-mcp-header": "Root", "type": "string"},
        {"properties": {"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}}},
        {"properties": {"a": {"oneOf": [{"type": "string", "x-mcp-header": "A"}]}}},
        {"allOf": [annotated("A")]},
        {"anyOf": [annotated("A")]},
        {"not": annotated("A")},
        {"if": annotated("A")},
        {"then": annotated("A")},
        {"else": annotated("A")},
        {"$defs": {"a": {"type": "string", "x-mcp-header": "A"}}, "properties": {"a": {"$ref": "#/$defs/a"}}},
        {"additionalProperties": {"type": "string", "x-mcp-header": "A"}},
        {"prefixItems": [{"type": "string", "x-mcp-header": "A"}]},
    ],
)
def test_an_annotation_anywhere_else_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(BadAnnotation, match="not reached by `properties` alone"):
        mirrors_of(schema)


@pytest.mark.requirement("x-mcp-header.exact-path")
@pytest.mark.requirement("x-mcp-header.null-omitted")
@pytest.mark.requirement("x-mcp-header.absent-omitted")
@pytest.mark.requirement("x-mcp-header.type-conversion")
@pytest.mark.requirement("x-mcp-header.values-encoded")
@pytest.mark.requirement("x-mcp-header.integer-safe-range", reason="facets of one repetition")
@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({}, {}),
        ({"region": None, "where": {}}, {}),
        ({"region": "eu", "dry": True}, {"mcp-param-region": "eu"}),
        ({"region": " eu"}, {"mcp-param-region": "=?base64?IGV1?="}),
        ({"count": -7, "where": {"dry": False}}, {"mcp-param-count": "-7", "mcp-param-dry-run": "false"}),
        ({"count": 42.0, "where": {"dry": True}}, {"mcp-param-count": "42", "mcp-param-dry-run": "true"}),
        ({"region": ["no", "text"], "where": "no object"}, {}),
        *(({"count": count}, {}) for count in (2**53, -(2**53), 2.0**53, -(2.0**53))),
        ({"count": -(2**53) + 1.0}, {"mcp-param-count": "-9007199254740991"}),
    ],
)
def test_headers_repeat_the_arguments_and_agree_with_them(arguments: dict[str, Any], headers: dict[str, str]) -> None:
    assert param_headers(MIRRORS, arguments) == headers
    if "count" not in arguments or abs(arguments["count"]) < 2**53:
        without = {key: value for key, value in arguments.items() if not (key == "region" and isinstance(value, list))}
        check_params(headers, MIRRORS, without)


@pytest.mark.requirement("x-mcp-header.validated-against-body")
@pytest.mark.requirement("x-mcp-header.missing-rejected")
@pytest.mark.requirement("x-mcp-header.invalid-chars-rejected")
@pytest.mark.requirement("x-mcp-header.mismatch-400")
@pytest.mark.parametrize(
    ("headers", "arguments", "says"),
    [
        ({}, {"region": "eu"}, "Mcp-Param-region is missing"),
        ({"mcp-param-region": "us"}, {"region": "eu"}, "is 'us', and the body says 'eu'"),
        ({"mcp-param-region": "EU"}, {"region": "eu"}, "is 'EU'"),
        ({"mcp-param-region": "eu"}, {}, "the body says None"),
        ({"mcp-param-region": "eu"}, {"region": None}, "the body says None"),
        ({"mcp-param-region": "=?base64?SGVsbG8?="}, {"region": "Hello"}, "marked as Base64 and is none"),
        ({"mcp-param-count": "43"}, {"count": 42}, "is '43'"),
        ({"mcp-param-count": "4_2"}, {"count": 42}, "is '4_2'"),
        ({"mcp-param-count": "true"}, {"where": {"dry": True}}, "Mcp-Param-count is 'true'"),
        ({"mcp-param-dry-run": "True"}, {"where": {"dry": True}}, "is 'True'"),
    ],
)
def test_headers_that_do_not_agree_are_refused(headers: dict[str, str], arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(HeaderMismatch, match=says) as raised:
        check_params(headers, MIRRORS, arguments)
    assert (raised.value.code, raised.value.http_status) == (-32020, 400)


@pytest.mark.requirement("x-mcp-header.integer-numeric-compare")
@pytest.mark.requirement("x-mcp-header.not-expected-without-value")
@pytest.mark.parametrize(
    ("headers", "arguments"),
    [
        ({}, {}),
        ({}, {"region": None}),
        ({"mcp-param-count": "42.0"}, {"count": 42}),
        ({"mcp-param-count": "+42"}, {"count": 42.0}),
        ({"mcp-param-region": "=?base64?SGVsbG8=?="}, {"region": "Hello"}),
        ({"mcp-param-region": "=?base64?SGVsbG8="}, {"region": "=?base64?SGVsbG8="}),
        ({"mcp-param-other": "whatever"}, {}),
    ],
)
def test_headers_that_agree_pass(headers: dict[str, str], arguments: dict[str, Any]) -> None:
    check_params(headers, MIRRORS, arguments)
