"""Structured output: what tools declare of their results, what goes out in each revision, and who is at fault."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import logging
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import jsonschema_rs
import pydantic
import pytest

from mcport import Server
from mcport.core.input_required import InputRequired
from mcport.errors import SchemaRefused
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import CallToolResult, ImageContent, TextContent
from tests.server.wire import ALL, NEW, Json, serving

DECLARING = [name for name in ALL if REVISIONS[name].has_structured_output]
OBJECTS_ONLY = [name for name in DECLARING if not REVISIONS[name].structured_any_json]


class Person(pydantic.BaseModel):
    """Somebody."""

    name: str = pydantic.Field(description="how to call them")
    born: datetime.date = datetime.date(2020, 1, 2)
    nickname: str | None = None
    weight: float = 1.5
    children: list[Person] = []

    @pydantic.computed_field  # type: ignore[prop-decorator]
    @property
    def initial(self) -> str:
        return self.name[:1]


@dataclasses.dataclass
class Point:
    x: float
    y: float = 0.0


class Pair(TypedDict):
    a: int
    b: NotRequired[str]


BUILTIN: Any = type(print)


class Colour(enum.Enum):
    RED = "red"


def giving(annotation: Any, value: Any, **options: Any) -> Server:
    """A server with a tool of this return annotation that returns this value."""
    server = Server("gives")

    async def give() -> Any:
        return value

    give.__annotations__["return"] = annotation
    server.add_tool(give, **options)
    return server


async def listed(server: Server, revision: str) -> Json:
    async with serving(server, revision) as wire:
        (tool,) = (await wire.ask("tools/list"))["result"]["tools"]
        return tool


async def called(server: Server, revision: str) -> Json:
    async with serving(server, revision) as wire:
        return await wire.call("give")


ANN = Person(name="Ann")
ANN_JSON: Json = {"name": "Ann", "born": "2020-01-02", "nickname": None, "weight": 1.5, "children": [], "initial": "A"}

OBJECTS: list[tuple[Any, Any, Json]] = [
    (Person, ANN, ANN_JSON),
    (Point, Point(1.0), {"x": 1.0, "y": 0.0}),
    (Pair, {"a": 1}, {"a": 1}),
    (dict[str, Any], {"a": [None, {"b": None}]}, {"a": [None, {"b": None}]}),
    (dict[str, Person], {"x": ANN}, {"x": ANN_JSON}),
    (dict, {}, {}),
]

OTHERS: list[tuple[Any, Any, Json]] = [
    (int, 3, 3),
    (int, 10**30, 10**30),
    (float, 1.5, 1.5),
    (bool, True, True),
    (list[int], [1, 2], [1, 2]),
    (list[Person], [ANN], [ANN_JSON]),
    (tuple[int, str], (1, "a"), [1, "a"]),
    (Person | None, None, None),
    (Person | None, ANN, ANN_JSON),
    (int | str, "x", "x"),
    (Literal["a", "b"], "a", "a"),
    (Colour, Colour.RED, "red"),
    (datetime.date, datetime.date(2020, 1, 2), "2020-01-02"),
    (Annotated[int, pydantic.Field(ge=3)], 4, 4),
    (Person | Point, Point(1.0), {"x": 1.0, "y": 0.0}),
]


@pytest.mark.requirement("tools.structured-also-text", revisions=DECLARING)
@pytest.mark.requirement("tools.output-schema-conform", revisions=DECLARING)
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("annotation", "value", "expected"), [*OBJECTS, *OTHERS])
async def test_what_a_tool_returns_is_declared_and_sent_as_json_and_as_text(
    revision: str, annotation: Any, value: Any, expected: Json
) -> None:
    server = giving(annotation, value)
    tool, result = await listed(server, revision), await called(server, revision)
    (block,) = result["content"]
    text = block["text"]
    assert (text if isinstance(expected, str) else json.loads(text)) == expected
    if revision not in DECLARING:
        assert "outputSchema" not in tool
        assert "structuredContent" not in result
        return
    is_object = any(annotation is each for each, _, _ in OBJECTS)
    wrapped = revision in OBJECTS_ONLY and not is_object
    assert result["structuredContent"] == ({"result": expected} if wrapped else expected)
    checker = jsonschema_rs.Draft202012Validator(tool["outputSchema"], offline=True)
    assert checker.is_valid(result["structuredContent"])
    assert not checker.is_valid("no object" if is_object else {"result": {"x": []}, "y": {}})


@pytest.mark.requirement("tools.output-schema-object", revisions=OBJECTS_ONLY)
@pytest.mark.requirement("tools.structured-object", revisions=OBJECTS_ONLY)
@pytest.mark.parametrize("revision", OBJECTS_ONLY)
async def test_a_value_that_is_no_object_is_the_member_result_of_one_where_it_must_be(revision: str) -> None:
    tool = await listed(giving(list[int], [1]), revision)
    assert tool["outputSchema"] == {
        "type": "object",
        "properties": {"result": {"type": "array", "items": {"type": "integer"}}},
        "required": ["result"],
    }
    assert (await called(giving(int, 5), revision))["structuredContent"] == {"result": 5}


@pytest.mark.requirement("tools.output-schema-any", "tools.structured-any-json", revisions=NEW)
@pytest.mark.parametrize("revision", NEW)
async def test_any_json_value_is_structured_content_null_included(revision: str) -> None:
    assert (await listed(giving(list[int], []), revision))["outputSchema"] == {
        "type": "array",
        "items": {"type": "integer"},
    }
    falsy: list[tuple[Any, Json]] = [(list[int], []), (int | None, None), (bool, False), (int, 0)]
    for annotation, value in falsy:
        result = await called(giving(annotation, value), revision)
        assert result["structuredContent"] == value
        assert type(result["structuredContent"]) is type(value)


@pytest.mark.requirement("json-schema.prefer-2020-12")
@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
async def test_p22_output_schemas_are_plain(revision: str) -> None:
    point = {"type": "object", "properties": {"x": {"type": "number"}, "y": {"type": "number"}}, "required": ["x", "y"]}
    assert (await listed(giving(Point, None), revision))["outputSchema"] == point
    assert (await listed(giving(dict[str, Point], None), revision))["outputSchema"] == {
        "type": "object",
        "additionalProperties": point,
    }
    recursive = (await listed(giving(Person, None), revision))["outputSchema"]
    assert recursive["type"] == "object"
    assert recursive["required"] == ["name", "born", "nickname", "weight", "children", "initial"]
    assert recursive["properties"]["name"] == {"type": "string", "description": "how to call them"}
    assert "title" not in recursive
    assert "default" not in recursive["properties"]["weight"]
    jsonschema_rs.meta.validate(recursive)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (str, "x"),
        (str | None, None),
        (None, None),
        (Any, {"a": 1}),
        (object, 1),
        (ImageContent, "x"),
        (bytes | None, "x"),
        (list[TextContent], []),
        (CallToolResult, "x"),
        (list[str | ImageContent], []),
        (BUILTIN, "x"),
    ],
)
async def test_text_content_nothing_and_anything_are_not_structured_by_themselves(annotation: Any, value: Any) -> None:
    server = giving(annotation, value)
    assert "outputSchema" not in await listed(server, NEW[0])
    assert "structuredContent" not in await called(server, NEW[0])


@pytest.mark.parametrize("annotation", [bytes, bytearray, memoryview])
@pytest.mark.parametrize("structured", [None, False])
def test_a_tool_that_returns_bytes_is_refused_when_it_is_registered(annotation: Any, structured: bool | None) -> None:
    line = "give: a tool cannot return bytes: give back text, or Image, Audio or File of mcport.content"
    with pytest.raises(TypeError, match=f"^{line}$"):
        giving(annotation, b"x", structured=structured)


@pytest.mark.parametrize("revision", DECLARING)
async def test_structured_true_demands_it_and_false_switches_it_off(revision: str) -> None:
    text = giving(str, 'a "word"', structured=True)
    wraps = revision in OBJECTS_ONLY
    assert (await called(text, revision))["structuredContent"] == ({"result": 'a "word"'} if wraps else 'a "word"')
    assert (await called(text, revision))["content"] == [{"type": "text", "text": 'a "word"'}]
    plain = giving(Person, ANN, structured=False)
    assert "structuredContent" not in await called(plain, revision)
    assert "outputSchema" not in await listed(plain, revision)


@pytest.mark.parametrize("annotation", [ImageContent, BUILTIN, list[TextContent], dict[str, BUILTIN]])
def test_structured_true_is_refused_in_one_line_where_no_schema_can_say_what_is_returned(annotation: Any) -> None:
    with pytest.raises(TypeError, match="give: what it returns has no JSON Schema: ") as caught:
        giving(annotation, None, structured=True)
    assert "\n" not in str(caught.value)


def test_structured_true_needs_an_annotation() -> None:
    def give():  # type: ignore[no-untyped-def]
        return 1

    with pytest.raises(TypeError, match="give: structured=True needs a return annotation, or output_schema="):
        Server("demo").add_tool(give, structured=True)
    with pytest.raises(TypeError, match="structured=False contradicts output_schema="):
        Server("demo").add_tool(give, structured=False, output_schema={})


async def test_alternatives_that_are_whole_results_do_not_count() -> None:
    schema = (await listed(giving(int, 1), NEW[0]))["outputSchema"]
    for annotation in (int | CallToolResult, int | InputRequired):
        assert (await listed(giving(annotation, 1), NEW[0]))["outputSchema"] == schema


class Watched(pydantic.BaseModel):
    x: int

    @pydantic.model_validator(mode="before")
    @classmethod
    def seen(cls, data: Any) -> Any:
        SEEN.append(data)
        return data


SEEN: list[Any] = []


@pytest.mark.parametrize("revision", ALL)
async def test_a_value_of_the_annotated_type_is_not_validated_again_and_any_other_is(revision: str) -> None:
    value, nested = Watched(x=1), [Watched(x=2)]
    SEEN.clear()
    await called(giving(Watched, value), revision)
    await called(giving(list[Watched], nested), revision)
    assert SEEN == []
    assert json.loads((await called(giving(Watched, {"x": 3}), revision))["content"][0]["text"]) == {"x": 3}
    assert SEEN == [{"x": 3}]


WRONG: list[tuple[Any, Any, str]] = [
    (Person, {"name": 5}, "field 'name': Input should be a valid string, got int"),
    (Person, {"born": "x"}, "field 'name': Field required (and 1 more)"),
    (Person, "hunter2", "got str"),
    (Person, ANN.model_copy(update={"weight": "hunter2"}), "field 'weight' must be float, got str"),
    (list[Person], [ANN, 5], "field '[1]': "),
    (list[Point], [Point("hunter2")], "field 'x' must be float, got str"),  # type: ignore[arg-type]
    (int, "hunter2", "got str"),
    (int, None, "got NoneType"),
    (dict[str, int], {"a": "hunter2"}, "field 'a': "),
    (Pair, {"b": "x"}, "field 'a': Field required"),
    (bool, TextContent(text="hunter2"), "got TextContent"),
]


@pytest.mark.requirement("tools.output-schema-conform", revisions=DECLARING)
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("annotation", "value", "line"), WRONG)
async def test_p24_a_wrong_return_type_is_the_tools_fault_and_the_log_says_which_field(
    revision: str, annotation: Any, value: Any, line: str, caplog: pytest.LogCaptureFixture
) -> None:
    result = await called(giving(annotation, value), revision)
    assert result["isError"] is True
    assert "structuredContent" not in result
    text = result["content"][0]["text"]
    assert text.startswith("Tool 'give' is at fault: what it returned is not what it declares (error ")
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert line in record.getMessage()
    assert "hunter2" not in text + caplog.text


class Numbers(pydantic.BaseModel):
    n: float
    inner: Any = None


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (float, float("nan")),
        (Numbers, Numbers(n=float("inf"))),
        (Numbers, Numbers(n=1.0, inner={"a": [float("nan")]})),
        (list[Numbers], [Numbers(n=float("nan"))]),
        (dict[str, Any], {"a": float("-inf")}),
        (Point, Point(float("nan"))),
        (dict[str, Any], {"a": [Numbers(n=float("nan"))]}),
        (Numbers, Numbers(n=1.0, inner=Numbers(n=float("nan")))),
        (Any, Numbers(n=float("nan"))),
        (Any, [None, Numbers(n=1.0, inner=Point(float("nan")))]),
    ],
)
async def test_numbers_that_json_lacks_are_the_tools_fault_and_never_null(
    revision: str, annotation: Any, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    result = await called(giving(annotation, value), revision)
    assert result["isError"] is True
    assert "JSON has only finite numbers" in caplog.text


async def test_a_model_that_says_how_to_write_such_numbers_is_obeyed() -> None:
    class Telling(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(ser_json_inf_nan="null")
        n: float | None

    result = await called(giving(Telling, Telling(n=float("nan"))), NEW[0])
    assert result["structuredContent"] == {"n": None}
    result = await called(giving(dict[str, Any], {"a": Telling(n=float("nan"))}), NEW[0])
    assert result["structuredContent"] == {"a": {"n": None}}


async def test_a_schema_of_the_authors_own_gets_no_null_for_a_number_that_json_lacks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    result = await called(giving(Any, Numbers(n=float("nan")), output_schema={"type": "object"}), NEW[0])
    assert result["isError"] is True
    assert "n is nan (JSON has only finite numbers)" in caplog.text


FIRST = {"type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "integer", "minimum": 0}}}


@pytest.mark.requirement("tools.output-schema-conform", revisions=DECLARING)
@pytest.mark.parametrize("revision", ALL)
async def test_a_schema_of_the_authors_own_is_declared_and_values_are_checked_by_it(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = giving(Any, (1, 2), output_schema=FIRST)
    tool, result = await listed(server, revision), await called(server, revision)
    assert result["content"][0]["text"] == "[1,2]"
    if revision in DECLARING:
        wraps = revision in OBJECTS_ONLY
        assert result["structuredContent"] == ({"result": [1, 2]} if wraps else [1, 2])
        assert wraps or tool["outputSchema"] == FIRST
        checker = jsonschema_rs.Draft202012Validator(tool["outputSchema"], offline=True)
        assert checker.is_valid(result["structuredContent"])
        assert not checker.is_valid({"result": [-1]} if wraps else [-1])
    wrong = await called(giving(Any, [1, -2], output_schema=FIRST), revision)
    assert wrong["isError"] is True
    assert "field '[1]' must be at least 0, got an integer" in caplog.text


@pytest.mark.requirement("json-schema.schema-valid", revisions=["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("schema", [{"type": "text"}, {"$ref": "http://127.0.0.1:9/x"}, {"$schema": "urn:own"}, []])
def test_an_output_schema_that_cannot_be_used_is_refused_when_the_tool_is_registered(schema: Any) -> None:
    with pytest.raises(SchemaRefused, match="give: output_schema: ") as caught:
        giving(Any, 1, output_schema=schema)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("revision", OBJECTS_ONLY)
@pytest.mark.parametrize(
    "schema",
    [
        {"$id": "https://a.test/s", "type": "array", "items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"const": 1}}},
        {"anyOf": [{"const": 1}, {"type": "array", "items": {"$ref": "#"}}]},
        {"items": {"$ref": "#n"}, "$defs": {"n": {"$anchor": "n", "const": 1}}, "type": "array"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "array", "items": [{"const": 1}]},
    ],
)
async def test_references_of_a_schema_mean_the_same_when_it_is_wrapped(revision: str, schema: Json) -> None:
    schema_then = (await listed(giving(Any, [1], output_schema=schema), revision))["outputSchema"]
    checker = jsonschema_rs.validator_for(schema_then, offline=True)
    assert checker.is_valid({"result": [1]})
    assert not checker.is_valid({"result": [2]})
    assert schema_then["type"] == "object"
    assert schema_then.get("$schema") == schema.get("$schema")


@pytest.mark.parametrize("revision", ALL)
async def test_a_whole_result_is_passed_on_and_its_structured_content_is_checked(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    right = CallToolResult(content=[TextContent(text="mine")], structured_content=[1])
    result = await called(giving(list[int], right), revision)
    assert result["content"] == [{"type": "text", "text": "mine"}]
    sent = {"result": [1]} if revision in OBJECTS_ONLY else [1]
    assert result.get("structuredContent") == (sent if revision in DECLARING else None)
    for wrong in (CallToolResult(content=[], structured_content=["x"]), CallToolResult(content=[])):
        assert (await called(giving(list[int], wrong), revision))["isError"] is True
    assert "field '[0]' must be an integer, got a string" in caplog.text
    assert "a result without structured content" in caplog.text


@pytest.mark.parametrize("revision", ALL)
async def test_a_result_that_is_an_error_is_not_checked(revision: str) -> None:
    failed = CallToolResult(content=[TextContent(text="no")], is_error=True)
    result = await called(giving(Person, failed), revision)
    assert result["isError"] is True
    assert result["content"] == [{"type": "text", "text": "no"}]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("value", [[1], "x", None, 5])
async def test_structured_content_that_a_revision_cannot_carry_becomes_text(revision: str, value: Json) -> None:
    result = await called(giving(Any, CallToolResult(content=[], structured_content=value)), revision)
    if revision in NEW:
        assert result["structuredContent"] == value
        assert result["content"] == []
    else:
        assert "structuredContent" not in result
        assert result["content"] == [{"type": "text", "text": value if isinstance(value, str) else json.dumps(value)}]
    kept = CallToolResult(content=[TextContent(text="t")], structured_content=value)
    assert (await called(giving(Any, kept), revision))["content"] == [{"type": "text", "text": "t"}]
