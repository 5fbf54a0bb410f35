"""The facade's types: made by hand, read from the wire, and written for a peer."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pydantic
import pytest

import mcport.spec.types as types
from mcport.spec.model import Model, Unsendable, first_fault
from mcport.spec.revisions import REVISIONS
from mcport.spec.types import (
    Annotations,
    CallToolRequestParams,
    CallToolResult,
    Completion,
    CreateMessageResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    ImageContent,
    InputRequiredResult,
    ListToolsResult,
    PaginatedResult,
    ProgressNotificationParams,
    ReadResourceResult,
    RequestMetaObject,
    ResourceLink,
    Result,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
    ToolResultContent,
)

OLDEST, NEWEST = "2024-11-05", "2026-07-28"


def read(text: bytes) -> Any:
    return json.loads(text)


def test_a_value_is_made_with_python_names_and_written_with_wire_names() -> None:
    tool = Tool(name="add", input_schema={"type": "object"}, annotations=ToolAnnotations(read_only_hint=True))
    assert read(tool.to_json()) == {
        "name": "add",
        "inputSchema": {"type": "object"},
        "annotations": {"readOnlyHint": True},
    }


def test_pydantics_own_dump_writes_wire_names_as_well() -> None:
    assert '"inputSchema"' in Tool(name="add", input_schema={}).model_dump_json()


def test_constants_need_not_be_given_and_are_always_written() -> None:
    assert read(TextContent(text="hi").to_json()) == {"type": "text", "text": "hi"}
    assert (
        read(ElicitRequest(params=ElicitRequestFormParams(message="m", requested_schema={"properties": {}})).to_json())[
            "method"
        ]
        == "elicitation/create"
    )
    assert InputRequiredResult().result_type == "input_required"


def test_a_wrong_constant_is_refused() -> None:
    with pytest.raises(pydantic.ValidationError):
        TextContent(type="image", text="hi")


def test_from_the_wire_only_wire_names_are_fields() -> None:
    tool = Tool.from_wire({"name": "add", "inputSchema": {}, "output_schema": 5})
    assert tool.output_schema is None
    assert read(tool.to_json())["output_schema"] == 5
    with pytest.raises(pydantic.ValidationError):
        Tool.from_wire({"name": "add", "input_schema": {}})


def test_unknown_fields_are_kept_with_their_nulls() -> None:
    wire = {"type": "text", "text": "hi", "mood": None, "more": {"a": [None]}}
    assert TextContent.from_wire(wire).to_wire() == wire
    assert read(TextContent.from_wire(wire).to_json(OLDEST)) == wire


def test_nulls_inside_a_users_json_are_kept() -> None:
    result = CallToolResult(
        content=[TextContent(text="hi", meta={"a": None})], structured_content={"a": None}, meta={"b": {"c": None}}
    )
    assert read(result.to_json(NEWEST)) == {
        "resultType": "complete",
        "_meta": {"b": {"c": None}},
        "content": [{"type": "text", "text": "hi", "_meta": {"a": None}}],
        "structuredContent": {"a": None},
    }


@pytest.mark.parametrize("revision", [None, *REVISIONS])
def test_numbers_that_json_lacks_are_written_bare_and_not_as_null(revision: str | None) -> None:
    schema = {"type": "object", "most": float("inf"), "least": [float("nan")]}
    written = Tool(name="a", input_schema=schema).to_json(revision)
    assert b'"most":Infinity' in written
    assert b'"least":[NaN]' in written


def test_none_is_left_out_however_it_came_about() -> None:
    tool = Tool(name="add", input_schema={}, title=None)
    tool.description = None
    assert read(tool.to_json()) == {"name": "add", "inputSchema": {}}


def test_structured_content_that_was_set_to_null_is_null_where_the_revision_allows_it() -> None:
    set_to_null, unset = CallToolResult(content=[], structured_content=None), CallToolResult(content=[])
    assert read(set_to_null.to_json(NEWEST)) == {"resultType": "complete", "content": [], "structuredContent": None}
    assert read(set_to_null.to_json("2025-11-25")) == {"content": []}
    assert read(unset.to_json(NEWEST)) == {"resultType": "complete", "content": []}


def test_a_null_deep_inside_a_message_is_kept_and_the_value_itself_is_untouched() -> None:
    block = ToolResultContent(tool_use_id="1", content=[], structured_content=None)
    message = CreateMessageResult(role="user", model="m", content=[block, TextContent(text="hi")])
    assert read(message.to_json(NEWEST))["content"][0]["structuredContent"] is None
    assert message.content == [block, TextContent(text="hi")]
    assert block.structured_content is None


@pytest.mark.parametrize("wrong", ["1", True, 1.5, None])
def test_an_integer_is_a_json_integer(wrong: object) -> None:
    with pytest.raises(pydantic.ValidationError):
        ListToolsResult.from_wire({"tools": [], "ttlMs": wrong} if wrong is not None else {"tools": None})


def test_numbers_keep_what_they_are() -> None:
    def progress(value: object) -> object:
        return read(ProgressNotificationParams.from_wire({"progressToken": 1, "progress": value}).to_json())["progress"]

    assert [progress(5), progress(2**70), progress(0.5)] == [5, 2**70, 0.5]
    assert isinstance(progress(5), int)


def test_request_ids_and_tokens_keep_their_type() -> None:
    tokens = [ProgressNotificationParams(progress_token=token, progress=1).progress_token for token in (1, "1")]
    assert tokens == [1, "1"]
    with pytest.raises(pydantic.ValidationError):
        ProgressNotificationParams.from_wire({"progressToken": True, "progress": 1})


@pytest.mark.requirement("content.annotation-priority-range")
def test_a_value_out_of_bounds_is_refused_when_made_and_read_when_received() -> None:
    for wrong in (-0.1, 1.1):
        with pytest.raises(pydantic.ValidationError, match="between 0 and 1"):
            Annotations(priority=wrong)
        assert Annotations.from_wire({"priority": wrong}).priority == wrong
    with pytest.raises(pydantic.ValidationError, match="at most 100 long"):
        Completion(values=["a"] * 101)
    assert len(Completion.from_wire({"values": ["a"] * 101}).values) == 101


@pytest.mark.requirement("cache.ttl-non-negative")
def test_a_time_to_live_is_a_whole_number_of_at_least_zero() -> None:
    for wrong in (-1, 1.5, "5"):
        with pytest.raises(pydantic.ValidationError):
            ListToolsResult(tools=[], ttl_ms=wrong)
    assert ListToolsResult.from_wire({"tools": [], "ttlMs": -1}).ttl_ms == -1


@pytest.mark.parametrize(
    ("wire", "expected"),
    [
        ({"type": "text", "text": "a"}, TextContent),
        ({"type": "image", "data": "", "mimeType": "image/png"}, ImageContent),
        ({"type": "resource_link", "uri": "a:b", "name": "a"}, ResourceLink),
        ({"type": "resource", "resource": {"uri": "a:b", "text": ""}}, EmbeddedResource),
    ],
)
def test_content_is_told_apart_by_its_type(wire: dict[str, object], expected: type) -> None:
    assert [type(block) for block in CallToolResult.from_wire({"content": [wire]}).content] == [expected]


def test_resource_contents_are_told_apart_by_what_they_hold() -> None:
    result = ReadResourceResult.from_wire({"contents": [{"uri": "a:b", "text": "t"}, {"uri": "a:b", "blob": "YQ=="}]})
    assert [type(part).__name__ for part in result.contents] == ["TextResourceContents", "BlobResourceContents"]
    assert isinstance(result.contents[0], TextResourceContents)


def test_an_elicited_number_may_have_a_fraction() -> None:
    assert ElicitResult.from_wire({"action": "accept", "content": {"n": 1.5, "b": True}}).content == {
        "n": 1.5,
        "b": True,
    }


def test_answers_are_read_as_plain_json_so_that_a_malformed_one_can_be_asked_for_again() -> None:
    params = CallToolRequestParams.from_wire({"name": "a", "inputResponses": {"key": {"action": 5}}})
    assert params.input_responses == {"key": {"action": 5}}


def test_results_and_parameters_have_common_bases() -> None:
    assert issubclass(ListToolsResult, PaginatedResult)
    assert issubclass(PaginatedResult, Result)
    assert issubclass(InputRequiredResult, Result)
    assert CallToolRequestParams.from_wire({"name": "a", "_meta": {"progressToken": 1}}).meta == {"progressToken": 1}


def test_the_protocols_metadata_has_readable_names() -> None:
    prefix = "io.modelcontextprotocol"
    wire = {f"{prefix}/protocolVersion": NEWEST, f"{prefix}/clientCapabilities": {}, "traceparent": "00"}
    meta = RequestMetaObject.from_wire(wire)
    assert (meta.protocol_version, meta.client_info) == (NEWEST, None)
    assert meta.to_wire(NEWEST) == wire


@pytest.mark.parametrize(
    ("model", "wire", "fault"),
    [
        (ListToolsResult, {"tools": [{"name": "a"}]}, "tools.0.inputSchema: Field required"),
        (ListToolsResult, {"tools": [{"name": 5, "inputSchema": {}}]}, "tools.0.name: Input should be a valid string"),
        (CallToolRequestParams, [], "Input should be a valid dictionary or instance of CallToolRequestParams"),
    ],
)
def test_a_fault_is_one_line_with_wire_names(model: type[Model], wire: object, fault: str) -> None:
    with pytest.raises(pydantic.ValidationError) as caught:
        model.from_wire(wire)
    assert first_fault(caught.value) == fault


def test_a_derived_class_is_written_like_its_base_and_keeps_its_own_fields() -> None:
    class Timed(CallToolResult):
        took_ms: int = 5

    result = Timed(content=[])
    assert read(result.to_json(NEWEST)) == {"resultType": "complete", "content": [], "tookMs": 5}
    assert read(result.to_json(OLDEST)) == {"content": [], "tookMs": 5}


def test_a_class_of_nobodys_is_written_as_it_is() -> None:
    class Own(Model):
        some_field: str | None = None

    assert read(Own(some_field="a").to_json(OLDEST)) == {"someField": "a"}


def test_what_a_revision_demands_must_be_there() -> None:
    with pytest.raises(Unsendable, match="CallToolRequestParams to a peer of 2026-07-28 must have '_meta'"):
        CallToolRequestParams(name="a").to_json(NEWEST)
    assert read(CallToolRequestParams(name="a").to_json("2025-11-25")) == {"name": "a"}


def test_a_type_that_a_revision_does_not_have_is_not_written_for_it() -> None:
    with pytest.raises(Unsendable, match="revision 2024-11-05 has no InputRequiredResult"):
        InputRequiredResult().to_json(OLDEST)


def test_every_name_of_the_index_can_be_loaded_and_no_other() -> None:
    assert all(getattr(types, name) is not None for name in types.__all__)
    assert set(types.__all__) <= set(dir(types))
    with pytest.raises(AttributeError, match="has no attribute 'Toll'"):
        types.Toll  # noqa: B018


def loaded(code: str) -> set[str]:
    """Return the modules of mcport's types, and pydantic, that a fresh interpreter has loaded after `code`."""
    show = "import sys; print(*(name for name in sys.modules if name == 'pydantic' or name.startswith('mcport.spec')))"
    run = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True)
    return {name.removeprefix("mcport.spec.") for name in run.stdout.split()}


def test_tools_load_base_and_content_and_no_other_family() -> None:
    families = {name for name in loaded("from mcport.spec.types import Tool") if name.startswith("types.")}
    assert families == {"types.base", "types.content", "types.tools"}


def test_the_index_and_the_tables_load_no_pydantic() -> None:
    code = "import mcport.spec.types, mcport.spec.methods, mcport.spec.deltas, mcport.spec.revisions"
    assert "pydantic" not in loaded(code)
