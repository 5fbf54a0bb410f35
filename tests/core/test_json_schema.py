"""Values against JSON Schemas: the dialects, what is refused before compiling, and the bounds on the work."""

import json
import socket
import subprocess
import sys
from typing import Any

import pytest

from mcport.core.json_schema import Checker, compile_schema
from mcport.errors import SchemaRefused

FROM_2025_11_25 = ["2025-11-25", "2026-07-28"]


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"x": value}
    return value


@pytest.mark.requirement("json-schema.support-2020-12", revisions=FROM_2025_11_25)
@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"prefixItems": [{"type": "integer"}], "items": False}, [1], [1, 2]),
        ({"$defs": {"n": {"type": "integer"}}, "$ref": "#/$defs/n"}, 1, "1"),
        ({"dependentRequired": {"card": ["address"]}}, {"card": 1, "address": 2}, {"card": 1}),
        ({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": False}, {"a": 1}, {"b": 1}),
        ({"$defs": {"n": {"$anchor": "number", "type": "number"}}, "items": {"$ref": "#number"}}, [1.5], ["x"]),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1, "b": 2}, {"a": 1}),
        ({"$id": "https://a.test/s", "$defs": {"n": {"$id": "n", "type": "null"}}, "$ref": "n"}, None, 1),
        ({"contains": {"const": 1}, "minContains": 2}, [1, 2, 1], [1, 2]),
        (True, 1, ...),
    ],
)
def test_2020_12_is_understood(schema: Any, good: object, bad: object) -> None:
    checker = compile_schema(schema)
    assert checker.fault(good) is None
    assert bad is ... or checker.fault(bad) is not None


@pytest.mark.requirement("json-schema.default-2020-12", revisions=FROM_2025_11_25)
def test_a_schema_that_names_no_dialect_is_read_as_2020_12() -> None:
    assert compile_schema({"items": {"type": "string"}, "prefixItems": [{"type": "integer"}]}).fault([1, "a"]) is None
    with pytest.raises(SchemaRefused, match="2020-12"):
        compile_schema({"items": [{"type": "integer"}]})  # what only older dialects allow


@pytest.mark.requirement("json-schema.validate-by-dialect", revisions=FROM_2025_11_25)
@pytest.mark.requirement("json-schema.explicit-dialect", revisions=FROM_2025_11_25)
@pytest.mark.parametrize("end", ["", "#"])
def test_a_schema_is_read_by_the_dialect_that_it_names(end: str) -> None:
    draft_07 = {"$schema": f"http://json-schema.org/draft-07/schema{end}", "items": [{"type": "integer"}]}
    assert compile_schema(draft_07).fault(["x"]) == "field '[0]' must be an integer, got a string"
    ignored = {"$schema": f"http://json-schema.org/draft-07/schema{end}", "dependentRequired": {"a": ["b"]}}
    assert compile_schema(ignored).fault({"a": 1}) is None


@pytest.mark.requirement("json-schema.unsupported-dialect-error", revisions=FROM_2025_11_25)
@pytest.mark.parametrize("dialect", ["http://json-schema.org/draft-03/schema#", "https://example.com/own", 7])
@pytest.mark.parametrize("inside", [False, True])
def test_a_dialect_that_is_not_supported_is_named(dialect: object, inside: bool) -> None:
    schema: Any = {"$schema": dialect, "type": "object"}
    if inside:
        schema = {"$id": "https://a.test/", "properties": {"a": {"$id": "b", **schema}, "$schema": {"type": "null"}}}
    with pytest.raises(SchemaRefused, match=r"dialect .* is not supported; supported are 2020-12, 2019-09, draft-07"):
        compile_schema(schema)


@pytest.mark.requirement("json-schema.schema-valid", revisions=FROM_2025_11_25)
@pytest.mark.parametrize(
    ("schema", "line"),
    [
        ({"properties": {"a": {"type": "text"}}}, r"not a valid JSON Schema \(2020-12\): at properties\.a\.type"),
        ({"required": "a"}, "at required"),
        ({"$ref": "#/$defs/nothing"}, "does not exist"),
        ([], "a JSON Schema is an object, true or false, not list"),
        ("object", "not str"),
        (None, "not NoneType"),
    ],
)
def test_an_invalid_schema_is_refused_in_one_line(schema: object, line: str) -> None:
    with pytest.raises(SchemaRefused, match=line) as caught:
        compile_schema(schema)
    assert "\n" not in str(caught.value)


@pytest.mark.requirement("json-schema.ref-no-network", revisions=["2026-07-28"])
@pytest.mark.requirement("json-schema.ref-fetch-off-by-default", revisions=["2026-07-28"])
@pytest.mark.requirement("json-schema.ref-unresolved-rejected", revisions=["2026-07-28"])
@pytest.mark.parametrize("inner", ["{}", '{"properties": {"a": %s}}', '{"$defs": {"a": %s}, "$ref": "#/$defs/a"}'])
def test_a_reference_out_of_the_schema_is_refused_and_never_fetched(inner: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        reference = json.dumps({"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/schema.json"})
        schema = json.loads(inner % reference if "%" in inner else reference)
        with pytest.raises(SchemaRefused, match=r"refers to 'http://127.*, which is not in it; nothing is fetched"):
            compile_schema(schema)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_file_is_not_read(tmp_path: Any) -> None:
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(SchemaRefused, match="nothing is fetched"):
        compile_schema({"$ref": (tmp_path / "a.json").as_uri()})


def doubling(levels: int) -> dict[str, Any]:
    """A schema of a few lines that means 2 to the power of `levels` subschemas."""
    steps = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(levels)}
    return {"$defs": {**steps, f"a{levels}": {"type": "integer"}}, "$ref": "#/$defs/a0"}


@pytest.mark.requirement("json-schema.validation-bounds", revisions=["2026-07-28"])
@pytest.mark.parametrize(
    ("schema", "line"),
    [
        (doubling(27), "more than 2,000 subschemas"),
        ({"enum": list(range(20_001))}, "too large"),
        ({"default": [[n] for n in range(15_000)]}, "too large"),
        ({"anyOf": [{"const": n} for n in range(2_001)]}, "more than 2,000 subschemas"),
        ({"$id": "https://a.test/", **json.loads(json.dumps(doubling(27)).replace("#", "https://a.test/#"))}, "2,000"),
        ({"$defs": {f"a{n}": {"$ref": f"#/$defs/a{n + 1}"} for n in range(300)}, "$ref": "#/$defs/a0"}, "too deeply"),
        (json.loads('{"not":' * 150 + "{}" + "}" * 150), "too deeply"),
        (json.loads('{"default":' + '{"a":' * 400 + "{}" + "}" * 401), "too deeply"),
        (json.loads('{"x-more":' + '{"a":' * 400 + "{}" + "}" * 401), "too deeply"),
    ],
)
def test_a_schema_that_would_cost_too_much_is_refused(schema: Any, line: str) -> None:
    with pytest.raises(SchemaRefused, match=line):
        compile_schema(schema)


def test_a_schema_within_the_bounds_is_compiled() -> None:
    assert compile_schema(doubling(8)).fault(1) is None
    assert compile_schema({"anyOf": [{"const": n} for n in range(1_000)]}).fault(999) is None
    assert compile_schema({"enum": list(range(5_000))}).fault(4_999) is None
    assert (compile_schema({"enum": list(range(5_000))}).fault("x") or "").endswith("or one of many more, got a string")


@pytest.mark.requirement("json-schema.validation-bounds", revisions=["2026-07-28"])
def test_a_value_that_is_nested_too_deeply_is_refused_before_the_library_sees_it() -> None:
    schema = {"$defs": {"n": {"additionalProperties": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"}
    checker = compile_schema(schema)
    assert checker.fault(nested(190)) is None
    deep = nested(5_000)
    assert checker.fault(deep) == "the value is nested too deeply (over 200 arrays and objects inside each other)"


def test_a_schema_that_branches_into_itself_is_checked_and_explained_in_bounded_time() -> None:
    branch = {"properties": {"x": {"$ref": "#/$defs/n"}}, "required": ["q"]}
    checker = compile_schema({"$defs": {"n": {"anyOf": [branch, branch, branch]}}, "$ref": "#/$defs/n"})
    assert checker.fault(nested(100)) == "the value does not fit its schema (it is too large to say where)"
    assert checker.fault({}) == "the value fits none of its forms: field 'q' is missing"


def test_a_schema_that_refers_only_to_itself_ends() -> None:
    assert compile_schema({"$ref": "#"}).fault({"a": 1}) is None
    assert compile_schema({"$dynamicAnchor": "n", "items": {"$dynamicRef": "#n"}}).fault([[[]]]) is None


def test_an_evil_expression_takes_linear_time() -> None:
    assert compile_schema({"pattern": "^(a+)+$"}).fault("a" * 50_000 + "!") is not None


@pytest.mark.parametrize(
    ("schema", "value", "bad"),
    [
        ({"type": "string", "pattern": "(?=a)b"}, "c", 1),
        ({"properties": {"a": {"pattern": r"(a)\1"}, "b": {"type": "string"}}}, {"a": "x"}, {"b": 1}),
        ({"patternProperties": {"(?!x)": {"type": "null"}}, "additionalProperties": False}, {"a": 1}, ...),
        ({"type": "string", "not": {"pattern": "(?=a)b"}}, "x", 1),
        ({"oneOf": [{"pattern": "(?=a)b"}, {"type": "string"}], "type": "string"}, "x", 1),
        ({"if": {"pattern": "(?=a)"}, "then": {"type": "integer"}}, "x", ...),
        ({"$defs": {"p": {"type": "string", "pattern": "a{1000}{1000}"}}, "$ref": "#/$defs/p"}, "x", 1),
    ],
)
def test_an_expression_that_cannot_be_compiled_is_an_annotation_and_noted(
    schema: Any, value: object, bad: object
) -> None:
    before = json.dumps(schema)
    checker = compile_schema(schema)
    assert checker.fault(value) is None
    assert bad is ... or checker.fault(bad) is not None
    assert [note for note in checker.notes if note.startswith("the pattern ") and note.endswith("cannot be checked")]
    assert json.dumps(schema) == before


def test_a_property_named_pattern_is_no_expression() -> None:
    checker = compile_schema({"properties": {"pattern": {"type": "string", "pattern": "(?=a)b"}}})
    assert checker.fault({"pattern": 1}) == "field 'pattern' must be a string, got an integer"


def test_the_library_is_loaded_for_the_first_schema_only() -> None:
    code = (
        "import sys, mcport.core.json_schema as room; before = 'jsonschema_rs' in sys.modules;"
        "room.compile_schema(True); print(before, 'jsonschema_rs' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["False", "True"]


def test_a_checker_is_what_compile_schema_gives() -> None:
    assert isinstance(compile_schema(False), Checker)
    assert compile_schema(False).fault(1) == "the value is not allowed here"
