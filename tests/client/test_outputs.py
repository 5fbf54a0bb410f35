"""Results held against what tools promise, and the value in a result, as JSON or as the type that is wanted."""

import copy
import logging
import socket
from dataclasses import dataclass
from datetime import date
from typing import Any, TypedDict, assert_type

import pytest
from pydantic import BaseModel

from mcport import Client, InvalidAnswer, OutputInvalid, RemoteError, Server, ToolError, ToolFailed, ToolResult
from tests.client.counterpart import ALL, STATELESS, error, notification, result, usual
from tests.client.playing import Wire, client_of, of

STRUCTURED = ["2026-07-28", "2025-11-25", "2025-06-18"]
WRAPPING = ["2025-11-25", "2025-06-18"]
NEW = STATELESS[0]

POINT = {"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]}
WRAPPED = {"type": "object", "properties": {"result": {"type": "integer"}}, "required": ["result"]}
ABSENT = object()
TOLD = [("t", "done"), ("t", "failed"), ("none", "RemoteError")]


def tool(schema: Any = POINT, **members: Any) -> dict[str, Any]:
    promised = {} if schema is ABSENT else {"outputSchema": schema}
    return {"name": "t", "inputSchema": {"type": "object"}, **promised, **members}


def answer(structured: Any = ABSENT, text: str | None = None, **members: Any) -> dict[str, Any]:
    content = [] if text is None else [{"type": "text", "text": text}]
    given = {} if structured is ABSENT else {"structuredContent": structured}
    return result({"resultType": "complete", "content": content, **given, **members})


def wired(revision: str, schema: Any, structured: Any = ABSENT, text: str | None = None, **members: Any) -> Wire:
    listed = result({"resultType": "complete", "tools": [tool(schema)]})
    return Wire({**usual(revision), "tools/list": [listed], "tools/call": [answer(structured, text, **members)]})


async def called(wire: Wire, revision: str, *, as_: Any = None, listed: bool = True, **options: Any) -> ToolResult[Any]:
    async with client_of(wire, revision, **options) as client:
        if listed:
            await client.list_tools()
        return await client.call_tool("t", as_=as_)


# ---- the promise


@pytest.mark.requirement("tools.output-schema-client-validates", revisions=STRUCTURED)
@pytest.mark.parametrize("revision", STRUCTURED)
async def test_a_result_that_breaks_its_schema_raises_one_line_that_names_tool_and_field(revision: str) -> None:
    with pytest.raises(OutputInvalid) as caught:
        await called(wired(revision, POINT, {"x": "three"}), revision)
    line = "tools/call on server 'Wire': the result of tool 't' does not fit the tool's output schema: "
    assert str(caught.value).startswith(line)
    assert "x" in caught.value.cause
    assert "integer" in caught.value.cause
    assert isinstance(caught.value, InvalidAnswer)
    assert caught.value.tool == "t"
    assert isinstance(caught.value.result, ToolResult)
    assert caught.value.result.structured_content == {"x": "three"}


@pytest.mark.requirement("tools.output-schema-client-validates", revisions=STRUCTURED)
@pytest.mark.parametrize("revision", STRUCTURED)
async def test_a_result_that_fits_is_returned_as_it_came(revision: str) -> None:
    found = await called(wired(revision, POINT, {"x": 3, "y": None}), revision)
    assert found.structured_content == found.data == {"x": 3, "y": None}


@pytest.mark.parametrize("revision", STRUCTURED)
async def test_missing_structured_content_breaks_the_promise(revision: str) -> None:
    with pytest.raises(OutputInvalid, match="structuredContent is missing"):
        await called(wired(revision, POINT, text='{"x":3}'), revision)


async def test_null_is_a_value_and_not_missing() -> None:
    found = await called(wired(NEW, {"type": "null"}, None), NEW)
    assert found.data is None
    with pytest.raises(OutputInvalid):
        await called(wired(NEW, POINT, None), NEW)


@pytest.mark.requirement("tools.execution-errors-to-model", revisions=["2025-11-25", "2026-07-28"])
@pytest.mark.parametrize("revision", STRUCTURED)
async def test_a_tool_that_failed_promised_nothing(revision: str) -> None:
    found = await called(wired(revision, POINT, text="no such city", isError=True), revision)
    assert found.is_error
    assert found.text() == "no such city"


@pytest.mark.parametrize("revision", ["2025-03-26", "2024-11-05"])
async def test_revisions_without_output_schemas_check_nothing(revision: str) -> None:
    assert (await called(wired(revision, POINT, text="3"), revision)).data == "3"


async def test_nothing_is_checked_where_the_tool_was_not_listed_and_nothing_is_asked_behind_the_callers_back() -> None:
    wire = wired(NEW, POINT, {"x": "three"})
    assert (await called(wire, NEW, listed=False)).data == {"x": "three"}
    assert not of(wire.messages, "tools/list")


async def test_a_client_told_so_checks_nothing() -> None:
    assert (await called(wired(NEW, POINT, {"x": "three"}), NEW, check_output=False)).data == {"x": "three"}


def test_a_setting_that_is_none_is_told_in_one_line() -> None:
    with pytest.raises(ValueError, match="check_output is True, False or 'always', not 'sometimes'"):
        Client(Wire({}), check_output="sometimes")  # type: ignore[arg-type]


async def test_a_client_that_always_checks_lists_the_tools_once() -> None:
    wire = wired(NEW, POINT, {"x": 1})
    async with client_of(wire, NEW, check_output="always") as client:
        for _ in range(2):
            await client.call_tool("t")
            await client.call_tool("unlisted")
        assert len(of(wire.messages, "tools/list")) == 1
        wire.counterpart.table["tools/call"] = [answer({"x": "three"})]
        with pytest.raises(OutputInvalid):
            await client.call_tool("t")


async def test_a_client_that_always_checks_gives_the_result_where_the_list_fails(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wire = wired(NEW, POINT, {"x": "three"})
    wire.counterpart.table["tools/list"] = [error(-32603, "Internal error")]
    assert (await called(wire, NEW, listed=False, check_output="always")).data == {"x": "three"}
    assert "cannot be listed" in caplog.text


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"x": {"$ref": "http://127.0.0.1:9/schema"}}},
        {"type": "nonsense"},
        {"$schema": "https://example.com/other", "type": "object"},
    ],
)
async def test_a_schema_that_cannot_be_used_is_logged_once_and_nothing_is_checked(
    schema: Any, caplog: pytest.LogCaptureFixture
) -> None:
    wire = wired(NEW, schema, {"x": "three"})
    async with client_of(wire, NEW) as client:
        await client.list_tools()
        for _ in range(3):
            assert (await client.call_tool("t")).data == {"x": "three"}
    warnings = [each for each in caplog.records if "output schema of tool 't' on server 'Wire'" in each.message]
    assert len(warnings) == 1


@pytest.mark.requirement("tools.client-ref-rules")
@pytest.mark.parametrize("revision", STATELESS)
async def test_no_schema_that_another_refers_to_is_fetched(revision: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        elsewhere = {"$ref": f"http://127.0.0.1:{server.getsockname()[1]}/schema"}
        wire = wired(revision, {"type": "object", "properties": {"x": elsewhere}}, {"x": "three"})
        assert (await called(wire, revision)).data == {"x": "three"}
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_a_schema_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from mcport.core import json_schema

    compiled: list[object] = []
    original = json_schema.compile_schema

    def counting(schema: Any) -> Any:
        compiled.append(schema)
        return original(schema)

    monkeypatch.setattr(json_schema, "compile_schema", counting)
    wire = wired(NEW, POINT, {"x": 1})
    async with client_of(wire, NEW) as client:
        for _ in range(2):
            await client.list_tools()
            await client.call_tool("t")
            await client.call_tool("t")
    assert compiled == [POINT]


async def test_a_promise_counts_no_more_once_the_server_says_that_its_tools_changed() -> None:
    wire = wired(NEW, POINT, {"x": "three"})
    async with client_of(wire, NEW) as client:
        await client.list_tools()
        wire.push(notification("notifications/tools/list_changed"))
        assert (await client.call_tool("t")).data == {"x": "three"}
        await client.list_tools()
        with pytest.raises(OutputInvalid):
            await client.call_tool("t")


async def test_a_list_that_may_be_older_than_a_change_promises_nothing() -> None:
    wire = wired(NEW, POINT, {"x": "three"})
    wire.counterpart.table["tools/list"].insert(0, notification("notifications/tools/list_changed"))
    assert (await called(wire, NEW)).data == {"x": "three"}


async def test_a_promise_ends_with_the_connection() -> None:
    wires = iter([wired(NEW, POINT, {"x": 1}), wired(NEW, POINT, {"x": "three"})])

    async def dial() -> Wire:
        return next(wires)

    client = Client(dial, revision=NEW)
    async with client:
        await client.list_tools()
    async with client:
        assert (await client.call_tool("t")).data == {"x": "three"}


@pytest.mark.requirement("tools.client-validates-results")
@pytest.mark.parametrize("revision", ALL)
async def test_a_result_that_is_none_raises(revision: str) -> None:
    wire = wired(revision, ABSENT)
    wire.counterpart.table["tools/call"] = [result({"content": [{"type": "text"}]})]
    with pytest.raises(InvalidAnswer, match="does not fit CallToolResult"):
        await called(wire, revision)


# ---- the value


@pytest.mark.parametrize("revision", WRAPPING)
@pytest.mark.parametrize(
    ("schema", "structured", "value"),
    [
        (WRAPPED, {"result": 3}, 3),
        ({**WRAPPED, "title": "tOutput", "$schema": "https://json-schema.org/draft/2020-12/schema"}, {"result": 3}, 3),
        ({**WRAPPED, "required": []}, {"result": 3}, {"result": 3}),
        ({**WRAPPED, "additionalProperties": False}, {"result": 3}, {"result": 3}),
        ({**WRAPPED, "properties": {"result": {}, "x": {}}}, {"result": 3}, {"result": 3}),
        (WRAPPED, {"result": 3, "more": 1}, {"result": 3, "more": 1}),
        ({"type": "object"}, {"result": 3}, {"result": 3}),
        (ABSENT, {"result": 3}, {"result": 3}),
    ],
)
async def test_the_value_is_unwrapped_exactly_where_the_tool_declared_that_form(
    revision: str, schema: Any, structured: Any, value: Any
) -> None:
    found = await called(wired(revision, schema, structured, text="3"), revision)
    assert found.data == value
    assert found.structured_content == structured


@pytest.mark.parametrize(
    ("schema", "text", "listed", "value"),
    [
        (WRAPPED, "3", True, 3),
        ({**WRAPPED, "x-fastmcp-wrap-result": True}, "3", True, 3),
        (WRAPPED, '{"result": 3}', True, {"result": 3}),
        (WRAPPED, None, True, {"result": 3}),
        ({"type": "object"}, "3", True, {"result": 3}),
        (WRAPPED, "3", False, {"result": 3}),
    ],
)
async def test_where_any_value_can_be_said_one_is_unwrapped_if_both_the_schema_and_the_text_say_so(
    schema: Any, text: str | None, listed: bool, value: Any
) -> None:
    found = await called(wired(NEW, schema, {"result": 3}, text), NEW, listed=listed)
    assert found.data == value
    assert found.structured_content == {"result": 3}


@pytest.mark.parametrize("revision", WRAPPING)
@pytest.mark.parametrize(
    ("structured", "text", "value"),
    [
        ({"result": 3}, "3", 3),
        ({"result": [1, {"a": None}]}, '[1, {"a": null}]', [1, {"a": None}]),
        ({"result": "words"}, "words", "words"),
        ({"result": True}, "1", {"result": True}),
        ({"result": 3}, '{"result": 3}', {"result": 3}),
        ({"result": 3}, "three", {"result": 3}),
        ({"result": 3}, None, {"result": 3}),
        ({"result": 3, "x": 1}, "3", {"result": 3, "x": 1}),
    ],
)
async def test_the_text_tells_whether_a_tool_that_was_not_listed_wraps_its_value(
    revision: str, structured: Any, text: str | None, value: Any
) -> None:
    found = await called(wired(revision, WRAPPED, structured, text), revision, listed=False)
    assert found.data == value
    assert type(found.data) is type(value)


async def test_a_copy_of_a_result_has_its_value() -> None:
    found = await called(wired("2025-11-25", WRAPPED, {"result": 3}), "2025-11-25")
    assert [copy.copy(found).data, copy.deepcopy(found).data, found.model_copy(deep=True).data] == [3, 3, 3]


@pytest.mark.requirement("tools.client-audit-log")
@pytest.mark.parametrize("revision", ALL)
async def test_each_call_can_be_logged_with_its_tool_and_outcome_and_nothing_that_was_said(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mcport.client.tools")
    wire = wired(revision, ABSENT, text="secret")
    async with client_of(wire, revision) as client:
        await client.call_tool("t", {"a": "secret"})
        wire.counterpart.table["tools/call"] = [answer(text="secret", isError=True)]
        await client.call_tool("t", {"a": "secret"})
        wire.counterpart.table["tools/call"] = [error(-32602, "secret")]
        with pytest.raises(RemoteError):
            await client.call_tool("none")
    told = [each.message for each in caplog.records if each.name == "mcport.client.tools"]
    assert told == [f"tool '{name}' on server 'Wire': {how}" for name, how in TOLD]


# ---- typed


class Point(BaseModel):
    x: int


@dataclass
class Day:
    on: date


class Row(TypedDict):
    x: int


@pytest.mark.parametrize("revision", STRUCTURED)
@pytest.mark.parametrize(
    ("as_", "structured", "value"),
    [
        (Point, {"x": 3}, Point(x=3)),
        (Day, {"on": "2026-07-28"}, Day(date(2026, 7, 28))),
        (Row, {"x": 3}, {"x": 3}),
        (dict[str, int], {"x": 3}, {"x": 3}),
        (Point | None, {"x": 3}, Point(x=3)),
    ],
)
async def test_a_value_comes_as_the_type_that_is_wanted(revision: str, as_: Any, structured: Any, value: Any) -> None:
    found = await called(wired(revision, ABSENT, structured), revision, as_=as_)
    assert found.data == value
    assert type(found.data) is type(value)
    assert found.structured_content == structured


@pytest.mark.parametrize("revision", WRAPPING)
@pytest.mark.parametrize("listed", [True, False])
async def test_a_wrapped_value_comes_as_the_type_that_is_wanted(revision: str, listed: bool) -> None:
    found = await called(wired(revision, WRAPPED, {"result": 3}), revision, as_=int, listed=listed)
    assert found.data == 3


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(("as_", "text", "value"), [(str, "3", "3"), (int, "3", 3), (Point, '{"x":3}', Point(x=3))])
async def test_text_is_read_where_nothing_else_came(revision: str, as_: Any, text: str, value: Any) -> None:
    assert (await called(wired(revision, ABSENT, text=text), revision, as_=as_)).data == value


@pytest.mark.parametrize("revision", ALL)
async def test_a_value_of_another_type_raises_one_line(revision: str) -> None:
    with pytest.raises(OutputInvalid, match=r"^tools/call on server 'Wire': the result of tool 't' is no Point: x"):
        await called(wired(revision, ABSENT, {"x": "three"}, '{"x":"three"}'), revision, as_=Point)


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_failed_raises_where_a_type_is_wanted(revision: str) -> None:
    with pytest.raises(ToolFailed, match=r"^tool 't' on server 'Wire' failed: no such city$") as caught:
        await called(wired(revision, ABSENT, text="no such city", isError=True), revision, as_=Point)
    assert caught.value.cause == "no such city"
    assert isinstance(caught.value.result, ToolResult)
    assert caught.value.result.is_error


async def test_a_type_that_nobody_can_read_is_refused_before_the_tool_runs() -> None:
    wire = wired(NEW, ABSENT, {})
    with pytest.raises(Exception, match="Wire"):
        await called(wire, NEW, as_=Wire)
    assert not of(wire.messages, "tools/call")


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("content", "failed", "value"),
    [
        ([{"type": "text", "text": "mild"}], False, "mild"),
        ([{"type": "text", "text": "3"}], False, "3"),
        ([{"type": "text", "text": "mild"}], True, None),
        ([{"type": "text", "text": "mild"}, {"type": "text", "text": "dry"}], False, None),
        ([{"type": "image", "data": "aGk=", "mimeType": "image/png"}], False, None),
        ([], False, None),
    ],
)
async def test_one_text_is_the_value_where_no_structured_content_came(
    revision: str, content: Any, failed: bool, value: Any
) -> None:
    given = answer(content=content, isError=failed)
    async with client_of(Wire({**usual(revision), "tools/call": [given]}), revision) as client:
        found = await client.call_tool("t")
    assert found.data == value
    assert found.structured_content is None
    assert copy.deepcopy(found).data == value


def test_type_checkers_know_the_value() -> None:
    async def never_called(client: Client) -> None:
        assert_type((await client.call_tool("t", as_=Point)).data, Point)
        assert_type((await client.start_tool("t", as_=Point)).data, Any)
        assert_type((await client.call_tool("t")).data, Any)

    assert callable(never_called)


# ---- a server of our own


def varied() -> Server:
    server = Server("varied")

    @server.tool
    async def number() -> int:
        return 3

    @server.tool
    async def words() -> str:
        return "3"

    @server.tool
    async def point() -> Point:
        return Point(x=3)

    @server.tool
    async def rows() -> list[Row]:
        return [{"x": 1}, {"x": 2}]

    @server.tool
    async def fails() -> int:
        raise ToolError("out of numbers")

    return server


@pytest.mark.requirement("tools.structured-any-json", revisions=["2026-07-28"])
@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("revision", ALL)
async def test_the_value_is_the_same_in_every_revision_that_has_it(revision: str, listed: bool) -> None:
    async with Client(varied(), revision=revision) as client:
        if listed:
            await client.list_tools()
        found = {name: (await client.call_tool(name)).data for name in ("number", "point", "rows")}
        typed = [
            (await client.call_tool("number", as_=int)).data,
            (await client.call_tool("words", as_=str)).data,
            (await client.call_tool("point", as_=Point)).data,
            (await client.call_tool("rows", as_=list[Row])).data,
        ]
        with pytest.raises(ToolFailed, match="out of numbers"):
            await client.call_tool("fails", as_=int)
    if revision in STRUCTURED:
        assert found == {"number": 3, "point": {"x": 3}, "rows": [{"x": 1}, {"x": 2}]}
    assert typed == [3, "3", Point(x=3), [{"x": 1}, {"x": 2}]]
