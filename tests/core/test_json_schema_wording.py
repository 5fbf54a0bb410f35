"""The one line for a value that does not fit a schema."""

from typing import Any

import pytest

from mcport.core.json_schema import Words, compile_schema

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 3, "exclusiveMaximum": 100, "multipleOf": 2},
        "name": {"type": "string", "minLength": 1, "maxLength": 5, "pattern": "^[a-z]+$"},
        "size": {"enum": ["small", 4, None]},
        "kind": {"const": "order"},
        "items": {"type": "array", "minItems": 1, "maxItems": 2, "uniqueItems": True, "items": {"$ref": "#/$defs/i"}},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "pay": {
            "oneOf": [
                {"type": "object", "properties": {"card": {"type": "string"}}, "required": ["card"]},
                {"type": "object", "properties": {"cash": {"type": "boolean"}}, "required": ["cash", "coins"]},
            ]
        },
        "tags": {"propertyNames": {"maxLength": 2}},
    },
    "required": ["id"],
    "additionalProperties": False,
    "$defs": {
        "i": {"type": "object", "properties": {"price": {"type": "number"}}, "additionalProperties": False},
    },
}
CHECKER = compile_schema(ORDER)
ALL = "id, name, size, kind, items, note, pay, tags"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ({}, "field 'id' is missing"),
        ([], "the value must be an object, got an array"),
        ({"id": "x" * 10_000}, "field 'id' must be an integer, got a string"),
        ({"id": True}, "field 'id' must be an integer, got true"),
        ({"id": 2}, "field 'id' must be at least 3, got an integer"),
        ({"id": 100}, "field 'id' must be less than 100, got an integer"),
        ({"id": 5}, "field 'id' must be a multiple of 2, got an integer"),
        (
            {"id": 4, "name": "aAaaaa"},
            "field 'name' must be at most 5 characters long, got a string; "
            "field 'name' must match the pattern ^[a-z]+$, got a string",
        ),
        ({"id": 4, "name": "abcdef"}, "field 'name' must be at most 5 characters long, got a string"),
        ({"id": 4, "name": "A"}, "field 'name' must match the pattern ^[a-z]+$, got a string"),
        ({"id": 4, "size": "tall"}, "field 'size' must be 'small', 4 or null, got a string"),
        ({"id": 4, "kind": 1}, "field 'kind' must be 'order', got an integer"),
        ({"id": 4, "items": []}, "field 'items' must have at least 1 item, got an array"),
        ({"id": 4, "items": [{}, {}]}, "field 'items' must not have the same item twice"),
        ({"id": 4, "items": [{"price": "x"}]}, "field 'items[0].price' must be a number, got a string"),
        ({"id": 4, "items": [{"cost": 1}]}, "field 'items[0]' has no field 'cost'"),
        ({"id": 4, "note": 1}, "field 'note' must be a string or null, got an integer"),
        (
            {"id": 4, "pay": {"card": 1}},
            "field 'pay' fits none of its forms: field 'pay.card' must be a string, got an integer",
        ),
        ({"id": 4, "pay": 1}, "field 'pay' must be an object, got an integer"),
        (
            {"id": 4, "pay": {"card": "x", "cash": True, "coins": 1}},
            "field 'pay' fits more than one of the forms of which it must have exactly one",
        ),
        (
            {"id": 4, "tags": {"abc": 1}},
            "a name in field 'tags' is not allowed: 'abc' must be at most 2 characters long",
        ),
        ({"id": 4, "extra": 1}, f"unknown field 'extra' (it takes {ALL})"),
        (
            {"id": "a", "name": 1},
            "field 'id' must be an integer, got a string; field 'name' must be a string, got an integer",
        ),
    ],
)
def test_a_line_says_where_and_what(value: object, line: str) -> None:
    assert CHECKER.fault(value) == line


def test_many_faults_are_counted() -> None:
    line = compile_schema({"items": {"type": "string"}}).fault(list(range(10))) or ""
    assert line.endswith("field '[2]' must be a string, got an integer; and 7 more")


def test_the_words_are_those_of_whoever_asks() -> None:
    words = Words(part="argument", whole="all arguments together", shown=repr)
    assert CHECKER.fault({"id": "x"}, words) == "argument 'id' must be an integer, got 'x'"
    assert CHECKER.fault(1, words) == "all arguments together must be an object, got 1"
    assert CHECKER.fault({"id": 4, "ID": 1}, words) == f"unknown argument 'ID' (it takes {ALL})"


@pytest.mark.parametrize("key", ["a b", "ü" * 200, "x\n"])
def test_strange_names_are_quoted_and_cut(key: str) -> None:
    line = compile_schema({"additionalProperties": {"type": "null"}}).fault({key: 1}) or ""
    assert line.startswith("field '['")
    assert len(line) < 120
    assert "\n" not in line


def test_a_line_is_short_however_long_the_schema() -> None:
    schema = {"enum": ["x" * 1_000] * 100, "pattern": "a" * 10_000, "type": "string"}
    assert len(compile_schema(schema).fault("b") or "") < 1_000


def test_what_is_no_json_is_said_so() -> None:
    assert (compile_schema({"additionalProperties": {"type": "string"}}).fault({"a": object()}) or "").startswith(
        "the value is not JSON"
    )
