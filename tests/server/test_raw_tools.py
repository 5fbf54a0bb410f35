"""Tools whose author wrote the schema: shown as it is, and arguments checked by it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcport import Context, Server
from mcport.errors import SchemaRefused
from mcport.spec.revisions import REVISIONS
from tests.server.wire import ALL, NEW, Json, serving

SCHEMA: Json = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Order",
    "type": "object",
    "properties": {
        "kind": {"type": "string", "enum": ["card", "cash"], "x-mcp-header": "Kind"},
        "number": {"$ref": "#/$defs/number"},
        "when": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "lines": {"type": "array", "prefixItems": [{"$ref": "#line"}]},
    },
    "required": ["kind"],
    "additionalProperties": False,
    "allOf": [
        {"if": {"properties": {"kind": {"const": "card"}}, "required": ["kind"]}, "then": {"required": ["number"]}}
    ],
    "$defs": {
        "number": {"type": "string", "pattern": "^[0-9]{4}$", "title": "Number"},
        "line": {"$anchor": "line", "type": "object", "properties": {"price": {"type": "number"}}},
    },
    "x-own": {"a": None},
}


def ordering(handler: Any = None, **options: Any) -> Server:
    server = Server("orders")

    async def order(arguments: dict[str, Any]) -> str:
        """Order something."""
        return json.dumps(arguments)

    server.add_raw_tool("order", handler or order, input_schema=SCHEMA, **options)
    return server


@pytest.mark.requirement("tools.input-schema-object")
@pytest.mark.requirement("tools.input-schema-any-keyword", revisions=NEW)
@pytest.mark.parametrize("revision", ALL)
async def test_a_raw_schema_is_shown_exactly_as_it_was_given(revision: str) -> None:
    before = json.dumps(SCHEMA)
    async with serving(ordering(title="Order", meta={"example.org/a": None}), revision) as wire:
        (tool,) = (await wire.ask("tools/list"))["result"]["tools"]
    assert json.dumps(tool["inputSchema"]) == before
    assert tool["description"] == "Order something."
    assert ("title" in tool) is ("_meta" in tool) is REVISIONS[revision].has_titles
    assert "outputSchema" not in tool


@pytest.mark.requirement("tools.validate-inputs")
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({}, "argument 'kind' is missing"),
        ({"kind": "bill"}, "argument 'kind' must be 'card' or 'cash', got 'bill'"),
        ({"kind": "card"}, "argument 'number' is missing"),
        ({"kind": "card", "number": "12"}, "argument 'number' must match the pattern ^[0-9]{4}$, got '12'"),
        ({"kind": "cash", "when": 5}, "argument 'when' must be a string or null, got 5"),
        ({"kind": "cash", "lines": [{"price": "x"}]}, "argument 'lines[0].price' must be a number, got 'x'"),
        ({"kind": "cash", "kinds": 1}, "unknown argument 'kinds' (it takes kind, number, when, lines)"),
    ],
)
async def test_p24_arguments_that_do_not_fit_are_told_in_one_line_and_the_handler_is_not_called(
    revision: str, arguments: Json, line: str
) -> None:
    calls: list[Json] = []

    async def order(arguments: dict[str, Any]) -> str:
        calls.append(arguments)
        return "done"

    async with serving(ordering(order), revision) as wire:
        answer = await wire.ask("tools/call", {"name": "order", "arguments": arguments})
        assert calls == []
        assert await wire.text("order", {"kind": "cash"}) == "done"
    if REVISIONS[revision].tool_argument_errors_are_results:
        assert answer["result"]["isError"] is True
        assert answer["result"]["content"] == [{"type": "text", "text": f"order: {line}"}]
    else:
        assert answer["error"] == {"code": -32602, "message": f"order: {line}"}


async def with_context(arguments: dict[str, Any], ctx: Context) -> Any:
    return {"given": arguments, "context": isinstance(ctx, Context)}


async def bare(arguments, ctx):  # type: ignore[no-untyped-def]
    return {"given": arguments, "context": isinstance(ctx, Context)}


def plain(ctx: Context, given: Any) -> Any:
    return {"given": given, "context": isinstance(ctx, Context)}


@pytest.mark.parametrize("handler", [with_context, bare, plain])
async def test_a_handler_gets_all_arguments_as_one_dict_and_the_context_if_it_likes(handler: Any) -> None:
    given = {"kind": "cash", "when": None}
    async with serving(ordering(handler), NEW[0]) as wire:
        assert json.loads(await wire.text("order", given)) == {"given": given, "context": True}


def nothing() -> None: ...


def three(a: Any, b: Any, c: Any) -> None: ...


@pytest.mark.parametrize("handler", [nothing, three])
def test_a_handler_that_takes_anything_else_is_refused(handler: Any) -> None:
    with pytest.raises(TypeError, match="order: a raw handler takes the arguments as one dict, and the context"):
        ordering(handler)


@pytest.mark.requirement("json-schema.schema-valid", revisions=["2025-11-25", "2026-07-28"])
@pytest.mark.requirement("tools.input-schema-object")
@pytest.mark.parametrize(
    ("schema", "line"),
    [
        (None, "its 'type' is 'object'"),
        (True, "its 'type' is 'object'"),
        ({"type": "array"}, "its 'type' is 'object'"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "at properties.a.type"),
        ({"type": "object", "$ref": "http://127.0.0.1:9/a"}, "nothing is fetched"),
        ({"type": "object", "$schema": "urn:own"}, "dialect 'urn:own' is not supported"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_in_one_line(schema: Any, line: str) -> None:
    with pytest.raises(SchemaRefused, match="order: input_schema: ") as caught:
        Server("orders").add_raw_tool("order", with_context, input_schema=schema)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_an_expression_that_cannot_be_checked_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?=x)"}}}
    server = Server("orders")
    server.add_raw_tool("order", with_context, input_schema=schema)
    assert "order: input_schema: the pattern '(?=x)' cannot be checked" in caplog.text
    async with serving(server, NEW[0]) as wire:
        assert "isError" not in await wire.call("order", {"a": "y"})


@pytest.mark.requirement("json-schema.validate-by-dialect")
@pytest.mark.parametrize("revision", ["2025-11-25", *NEW])
async def test_an_older_dialect_is_shown_and_obeyed(revision: str) -> None:
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": {"a": {"items": [{"type": "integer"}]}},
    }
    server = Server("orders")
    server.add_raw_tool("order", with_context, input_schema=schema)
    async with serving(server, revision) as wire:
        assert (await wire.ask("tools/list"))["result"]["tools"][0]["inputSchema"] == schema
        assert "isError" not in await wire.call("order", {"a": [1, "x"]})
        assert (await wire.call("order", {"a": ["x"]}))["isError"] is True


@pytest.mark.parametrize("revision", ALL)
async def test_results_of_raw_tools_are_checked_where_they_declare_a_schema(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def order(arguments: dict[str, Any]) -> Any:
        return {"id": 5 if arguments["kind"] == "cash" else "five"}

    output = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
    async with serving(ordering(order, output_schema=output), revision) as wire:
        (tool,) = (await wire.ask("tools/list"))["result"]["tools"]
        right = await wire.call("order", {"kind": "cash"})
        wrong = await wire.call("order", {"kind": "card", "number": "1234"})
    assert tool.get("outputSchema") == (output if REVISIONS[revision].has_structured_output else None)
    assert right.get("structuredContent") == ({"id": 5} if REVISIONS[revision].has_structured_output else None)
    assert right["content"] == [{"type": "text", "text": '{"id":5}'}]
    assert wrong["isError"] is True
    assert "field 'id' must be an integer, got a string" in caplog.text
