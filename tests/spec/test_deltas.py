"""The tables of differences, held against the schema files, and what follows from them for a peer of one revision."""

from __future__ import annotations

import json
from typing import Any

import pytest

import mcport.spec.types as types
from mcport.spec.deltas import ABSENT, DEMANDED, FILLED, NULLABLE
from mcport.spec.model import Model, Unsendable
from mcport.spec.revisions import HANDSHAKE, LATEST, LATEST_HANDSHAKE, REVISIONS
from mcport.spec.types import (
    Annotations,
    CallToolResult,
    ClientCapabilities,
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    DiscoverResult,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
    Icon,
    Implementation,
    InitializeResult,
    InputRequiredResult,
    ListRootsRequest,
    ListToolsResult,
    PromptMessage,
    RequestedSchema,
    Root,
    ServerCapabilities,
    StringSchema,
    TextContent,
    Tool,
    ToolAnnotations,
    ToolExecution,
)
from tests.spec.test_methods import definitions

OLDEST = HANDSHAKE[-1].name
FILLED_IN = {"resultType", "ttlMs", "cacheScope"}


def read(value: Model, revision: str) -> Any:
    return json.loads(value.to_json(revision))


def stated(revision: str) -> dict[str, dict[str, Any]]:
    """Return the objects with named fields that the schema file and the facade call alike."""
    found = definitions(revision)
    return {name: found[name] for name in types.__all__ if name in found and "properties" in found[name]}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_field_is_absent_exactly_where_the_schema_does_not_state_it(revision: str) -> None:
    for name, node in stated(revision).items():
        if name not in ABSENT[revision]:  # 2025-06-18 had an EnumSchema that is called otherwise now
            continue
        model = getattr(types, name)
        wires = {
            own: info.validation_alias or model.model_config["alias_generator"](own)
            for own, info in model.model_fields.items()
        }
        absent = {own for own, tree in ABSENT[revision][name].items() if tree is True}
        expected = {own for own, wire in wires.items() if wire not in node["properties"] and wire != "extensions"}
        assert absent == expected, name


@pytest.mark.parametrize("revision", REVISIONS)
def test_what_the_schema_requires_is_required_demanded_filled_in_or_constant(revision: str) -> None:
    for name, node in stated(revision).items():
        if name not in ABSENT[revision]:
            continue
        by_default = getattr(types, name).model_fields
        demanded = {*DEMANDED[revision].get(name, ()), *FILLED[revision].get(name, {})}
        optional = {own for own, info in by_default.items() if info.default is None}
        wire_of = getattr(types, name).model_config["alias_generator"]
        required = {own for own in by_default if wire_of(own) in node.get("required", ())}
        assert required & optional == demanded, name


@pytest.mark.parametrize("revision", REVISIONS)
def test_only_the_stateless_era_fills_in(revision: str) -> None:
    filled = FILLED[revision]
    assert bool(filled) == (REVISIONS[revision].era == "stateless")
    assert all(values["result_type"] == "complete" for values in filled.values())
    cacheable = {name for name, values in filled.items() if values.keys() == {"result_type", "ttl_ms", "cache_scope"}}
    lists = {"ListToolsResult", "ListPromptsResult", "ListResourcesResult", "ListResourceTemplatesResult"}
    assert cacheable == (lists | {"ReadResourceResult", "DiscoverResult"} if filled else set())


def test_null_is_legal_in_structured_content_of_the_latest_revision_and_in_log_data() -> None:
    log = "LoggingMessageNotificationParams"
    assert NULLABLE[LATEST.name] == {
        "CallToolResult": ("structured_content",),
        log: ("data",),
        "ToolResultContent": ("structured_content",),
    }
    assert all(NULLABLE[revision.name] == {log: ("data",)} for revision in HANDSHAKE)


OLDEST_KEYS = {"name", "description", "inputSchema"}
TOOL = Tool(
    name="add",
    title="Add",
    description="Adds.",
    input_schema={"type": "object"},
    output_schema={"type": "object"},
    annotations=ToolAnnotations(read_only_hint=True),
    icons=[Icon(src="https://example.org/a.png")],
    execution=ToolExecution(task_support="optional"),
    meta={"a": 1},
)


@pytest.mark.parametrize(
    ("revision", "keys"),
    [
        ("2024-11-05", OLDEST_KEYS),
        ("2025-03-26", OLDEST_KEYS | {"annotations"}),
        ("2025-06-18", OLDEST_KEYS | {"annotations", "title", "outputSchema", "_meta"}),
        ("2025-11-25", OLDEST_KEYS | {"annotations", "title", "outputSchema", "_meta", "icons", "execution"}),
        ("2026-07-28", OLDEST_KEYS | {"annotations", "title", "outputSchema", "_meta", "icons"}),
    ],
)
def test_a_tool_goes_out_with_the_fields_of_the_revision(revision: str, keys: set[str]) -> None:
    assert read(TOOL, revision).keys() == keys
    listed = read(ListToolsResult(tools=[TOOL, TOOL]), revision)
    assert listed["tools"] == [read(TOOL, revision)] * 2
    assert ("ttlMs" in listed) == (revision == LATEST.name)


def test_fields_are_taken_out_inside_unions_and_lists() -> None:
    block = TextContent(
        text="a", meta={"b": 1}, annotations=Annotations(priority=1, last_modified="2025-01-01T00:00:00Z")
    )
    expected = {"type": "text", "text": "a", "annotations": {"priority": 1}}
    assert read(CallToolResult(content=[block]), OLDEST) == {"content": [expected]}
    assert read(PromptMessage(role="user", content=block), OLDEST)["content"] == expected


def test_what_is_set_is_not_filled_in() -> None:
    result = ListToolsResult(tools=[], ttl_ms=5, cache_scope="public", result_type="vendor")
    assert read(result, LATEST.name) == {"tools": [], "ttlMs": 5, "cacheScope": "public", "resultType": "vendor"}
    assert read(ListToolsResult(tools=[]), LATEST.name) == {
        "resultType": "complete",
        "ttlMs": 0,
        "cacheScope": "private",
        "tools": [],
    }


def test_a_question_in_a_result_carries_no_metadata_but_the_roots_question_may() -> None:
    questions = InputRequiredResult(
        input_requests={
            "a": ElicitRequest(
                params=ElicitRequestFormParams(
                    message="m", requested_schema=RequestedSchema(properties={}), meta={"x": 1}
                )
            ),
            "b": ListRootsRequest.from_wire({"method": "roots/list", "params": {"_meta": {"x": 1}}}),
            "c": CreateMessageRequest(
                params=CreateMessageRequestParams(messages=[], max_tokens=1, meta={"x": 1}, tools=[TOOL])
            ),
        }
    )
    written = read(questions, LATEST.name)["inputRequests"]
    assert [("_meta" in written[key]["params"]) for key in "abc"] == [False, True, False]
    assert written["c"]["params"]["tools"] == [read(TOOL, LATEST.name)]


def test_an_elicitation_for_the_first_revision_with_forms_has_no_text_defaults() -> None:
    form = RequestedSchema.from_wire(
        {
            "type": "object",
            "properties": {
                "text": {"type": "string", "default": "a", "title": "Text"},
                "flag": {"type": "boolean", "default": True},
                "choice": {"type": "string", "enum": ["a"], "default": "a"},
            },
        }
    )
    expected = {
        "text": {"type": "string", "title": "Text"},
        "flag": {"type": "boolean", "default": True},
        "choice": {"type": "string", "enum": ["a"]},
    }
    assert read(form, "2025-06-18")["properties"] == expected
    assert read(form, LATEST.name)["properties"]["text"]["default"] == "a"
    assert isinstance(form.properties["text"], StringSchema)
    assert form.properties["text"].default == "a"


def test_a_url_elicitation_must_have_its_id_where_urls_had_one() -> None:
    url = ElicitRequestURLParams(message="m", url="https://example.org")
    asked = ElicitRequest(params=url)
    assert read(asked, LATEST.name)["params"] == {"mode": "url", "message": "m", "url": "https://example.org"}
    with pytest.raises(Unsendable, match="'elicitationId'"):
        asked.to_json(LATEST_HANDSHAKE.name)
    url.elicitation_id = "1"
    assert read(asked, LATEST_HANDSHAKE.name)["params"]["elicitationId"] == "1"
    assert "elicitationId" not in read(asked, LATEST.name)["params"]


@pytest.mark.parametrize("revision", REVISIONS)
def test_extensions_can_be_declared_to_every_peer(revision: str) -> None:
    extensions: dict[str, Any] = {"vendor/apps": {}}
    assert read(ClientCapabilities(extensions=extensions), revision) == {"extensions": extensions}
    server = ServerCapabilities(extensions=extensions)
    opened: Model = (
        DiscoverResult(capabilities=server, supported_versions=[])
        if REVISIONS[revision].era == "stateless"
        else InitializeResult(
            capabilities=server, protocol_version=revision, server_info=Implementation(name="a", version="1")
        )
    )
    assert read(opened, revision)["capabilities"] == {"extensions": extensions}


def test_an_answer_to_a_question_has_metadata_only_where_it_is_a_result() -> None:
    answer = CreateMessageResult(role="assistant", model="m", content=TextContent(text="a"), meta={"x": 1})
    assert all("_meta" in read(answer, revision) for revision in REVISIONS)
    roots = types.ListRootsResult(roots=[Root(uri="file:///a")], meta={"x": 1})
    assert [("_meta" in read(roots, revision.name)) for revision in (LATEST, LATEST_HANDSHAKE)] == [False, True]
