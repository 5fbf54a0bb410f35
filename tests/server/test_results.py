"""What handlers return, and what clients get: judged by the exact models of every revision."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import json
import logging
import pathlib
import uuid
from typing import Any, TypedDict

import pydantic
import pytest

from mcport import Client, Server
from mcport.spec.types import (
    Annotations,
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    EmbeddedResource,
    GetPromptResult,
    ImageContent,
    PromptMessage,
    ResourceLink,
    TextContent,
    TextResourceContents,
)
from tests.server.wire import ALL, NEW, SERVER_INFO, Json, serving

TEXT = TextContent(type="text", text="t")
IMAGE = ImageContent(type="image", data="aQ==", mime_type="image/png")
AUDIO = AudioContent(type="audio", data="YQ==", mime_type="audio/wav")
LINK = ResourceLink(type="resource_link", name="doc", uri="file:///doc")
EMBEDDED = EmbeddedResource(type="resource", resource=TextResourceContents(uri="file:///a", text="a"))


class Colour(enum.Enum):
    RED = "red"
    ONE = 1


@dataclasses.dataclass
class Point:
    x: int
    where: Any


class Pair(TypedDict):
    a: int
    b: str


class Person(pydantic.BaseModel):
    name: str
    since: datetime.date = datetime.date(2020, 1, 2)
    nickname: str | None = None
    alias: str = pydantic.Field("x", alias="otherName")


class Text(str):
    pass


def returning(value: Any) -> Server:
    """Return a server whose tool, resource and prompt return a value."""
    server = Server("returns")

    @server.tool
    async def give() -> Any:
        return value

    @server.resource("data://it")
    async def read() -> Any:
        return value

    @server.prompt
    async def say() -> Any:
        return value

    return server


TEXTS: list[tuple[Any, str]] = [
    ("", ""),
    ("NaN and Infinity", "NaN and Infinity"),
    ("ü\n\u2028🎈\x00", "ü\n\u2028🎈\x00"),
    (Text("mine"), "mine"),
    (0, "0"),
    (-(10**17), "-" + "1" + "0" * 17),
    (10**40, "1" + "0" * 40),
    (True, "true"),
    (1.5, "1.5"),
    (1e100, "1e+100"),
    ([], "[]"),
    ([1, "a", None], '[1,"a",null]'),
    (["a", "b"], '["a","b"]'),
    ((1, 2), "[1,2]"),
    ({}, "{}"),
    ({"a": None, "NaN": "Infinity"}, '{"a":null,"NaN":"Infinity"}'),
    (Pair(a=1, b="x"), '{"a":1,"b":"x"}'),
    (Point(1, Point(2, None)), '{"x":1,"where":{"x":2,"where":null}}'),
    (Person(name="Ann", otherName="y"), '{"name":"Ann","since":"2020-01-02","nickname":null,"otherName":"y"}'),
    ([Person(name="Ann")], '[{"name":"Ann","since":"2020-01-02","nickname":null,"otherName":"x"}]'),
    (Colour.RED, "red"),
    (Colour.ONE, "1"),
    (datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.UTC), "2020-01-02T03:04:05Z"),
    (datetime.date(2020, 1, 2), "2020-01-02"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (decimal.Decimal("1.10"), "1.10"),
    (pathlib.Path("/a/b"), "/a/b"),
    ({"when": datetime.date(2020, 1, 2)}, '{"when":"2020-01-02"}'),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
async def test_a_tool_returns_text_or_the_json_of_any_other_value(value: Any, text: str) -> None:
    async with serving(returning(value), ALL[-1]) as wire:
        result = await wire.call("give")
        assert result["content"] == [{"type": "text", "text": text}]
        assert "isError" not in result


async def test_a_tool_that_returns_nothing_has_no_content() -> None:
    for revision in ALL:
        async with serving(returning(None), revision) as wire:
            assert (await wire.call("give"))["content"] == []


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("lifecycle.negotiated-version", revisions=["2025-06-18", "2025-11-25"])
async def test_content_of_every_kind_is_said_as_the_revision_knows_it(revision: str) -> None:
    blocks = [TEXT, IMAGE, AUDIO, LINK, EMBEDDED, "plain", {"a": 1}]
    for value in (blocks, tuple(blocks), CallToolResult(content=blocks[:5])):
        async with serving(returning(value), revision) as wire:
            content = (await wire.call("give"))["content"]
        kinds = [block["type"] for block in content]
        audio = "audio" if revision >= "2025-03-26" else "resource"
        link = "resource_link" if revision >= "2025-06-18" else "text"
        assert kinds[:5] == ["text", "image", audio, link, "resource"]
        assert [block["text"] for block in content[5:]] in (["plain", '{"a":1}'], [])
        assert "YQ==" in str(content[2])
        assert "file:///doc" in str(content[3])


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("block", [TEXT, IMAGE, AUDIO, LINK, EMBEDDED])
async def test_a_single_block_is_content_too(revision: str, block: Any) -> None:
    async with serving(returning(block), revision) as wire:
        assert len((await wire.call("give"))["content"]) == 1


@pytest.mark.parametrize("revision", ALL)
async def test_a_whole_result_goes_out_as_it_is(revision: str) -> None:
    result = CallToolResult(content=[TEXT], is_error=True, meta={"example.org/a": None})
    async with serving(returning(result), revision) as wire:
        found = await wire.call("give")
        assert found["isError"] is True
        assert found["content"] == [{"type": "text", "text": "t"}]
        assert found["_meta"]["example.org/a"] is None


@pytest.mark.parametrize("revision", ALL)
async def test_prompts_return_text_messages_or_content(revision: str) -> None:
    message = PromptMessage(role="assistant", content=TEXT)
    values: list[tuple[Any, list[tuple[str, str]]]] = [
        ("hi", [("user", "hi")]),
        (["a", message, IMAGE], [("user", "a"), ("assistant", "t"), ("user", "image")]),
        ([{"role": "assistant", "content": "b"}], [("assistant", "b")]),
        ([{"role": "user", "content": {"type": "text", "text": "c"}}], [("user", "c")]),
        ({"a": 1}, [("user", '{"a":1}')]),
        (GetPromptResult(description="mine", messages=[message]), [("assistant", "t")]),
        ([], []),
    ]
    for value, expected in values:
        async with serving(returning(value), revision) as wire:
            messages = (await wire.ask("prompts/get", {"name": "say"}))["result"]["messages"]
        assert [(each["role"], each["content"].get("text", each["content"]["type"])) for each in messages] == expected


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("lifecycle.negotiated-version", revisions=["2025-06-18", "2025-11-25"])
async def test_prompts_say_audio_and_links_as_the_revision_knows_them(revision: str) -> None:
    whole = GetPromptResult(messages=[PromptMessage(role="user", content=block) for block in (AUDIO, LINK)])
    for value in ([AUDIO, LINK], whole):
        async with serving(returning(value), revision) as wire:
            messages = (await wire.ask("prompts/get", {"name": "say"}))["result"]["messages"]
        assert [each["content"]["type"] for each in messages] == [
            "audio" if revision >= "2025-03-26" else "resource",
            "resource_link" if revision >= "2025-06-18" else "text",
        ]


@pytest.mark.parametrize("revision", ALL)
async def test_resources_return_text_bytes_contents_or_json(revision: str) -> None:
    text = TextResourceContents(uri="data://other", text="t")
    blob = BlobResourceContents(uri="data://it", blob="aQ==")
    it = {"uri": "data://it"}
    values: list[tuple[Any, Json]] = [
        ("t", [{**it, "text": "t"}]),
        (b"i", [{**it, "blob": "aQ=="}]),
        (memoryview(b"i"), [{**it, "blob": "aQ=="}]),
        ({"a": None}, [{**it, "mimeType": "application/json", "text": '{"a":null}'}]),
        ([], [{**it, "mimeType": "application/json", "text": "[]"}]),
        (datetime.date(2020, 1, 2), [{**it, "mimeType": "application/json", "text": '"2020-01-02"'}]),
        ([text, blob], [{"uri": "data://other", "text": "t"}, {**it, "blob": "aQ=="}]),
        (blob, [{**it, "blob": "aQ=="}]),
    ]
    for value, expected in values:
        async with serving(returning(value), revision) as wire:
            assert (await wire.ask("resources/read", {"uri": "data://it"}))["result"]["contents"] == expected


class Secret:
    def __repr__(self) -> str:
        return "hunter2"


LOOP: list[Any] = []
LOOP.append(LOOP)

UNSENDABLE: list[tuple[Any, str]] = [
    (float("nan"), "the value is nan"),
    ({"a": [1, {"b": float("inf")}]}, "a[1].b is inf"),
    (Point(1, Secret()), "where is an object of type"),
    ([{"x": Secret()}], "[0].x is an object of type"),
    (Secret(), "test_results.Secret"),
    ({"raw": b"\xff"}, "raw is bytes that are no UTF-8 text"),
    ("a\ud800", "lone surrogate"),
    (["a", {"k": "\ud800"}], "[1].k is text with a lone surrogate"),
    (TextContent(type="text", text="\ud800"), "text is text with a lone surrogate"),
    (LOOP, "Circular"),
    (int, "type"),
]


@pytest.mark.parametrize(("value", "blame"), UNSENDABLE)
async def test_p19_a_value_that_cannot_be_sent_is_the_tools_fault_and_the_log_names_the_field(
    value: Any, blame: str, caplog: pytest.LogCaptureFixture
) -> None:
    for revision in ("2025-06-18", ALL[-1]):
        caplog.clear()
        async with serving(returning(value), revision) as wire:
            result = await wire.call("give")
            text = result["content"][0]["text"]
            assert result["isError"] is True
            assert text.startswith("Tool 'give' is at fault: what it returned cannot be sent (error ")
            assert "hunter2" not in text + caplog.text
            (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
            assert blame in record.getMessage()
            assert text[text.index("(error ") + 1 :][:14] in record.getMessage()
            await wire.silent()


async def test_bytes_of_a_tool_are_refused_with_a_hint(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(returning(b"abc"), ALL[-1]) as wire:
        assert (await wire.call("give"))["isError"] is True
    assert "it returned bytes: give back text, or Image, Audio or File" in caplog.text


@pytest.mark.parametrize("value", [float("nan"), Secret(), {"a": "\ud800"}])
async def test_p19_the_same_holds_for_resources_and_prompts(value: Any, caplog: pytest.LogCaptureFixture) -> None:
    async with serving(returning(value), ALL[-1]) as wire:
        for method, params, name in [
            ("resources/read", {"uri": "data://it"}, "Resource 'data://it'"),
            ("prompts/get", {"name": "say"}, "Prompt 'say'"),
        ]:
            error = await wire.error(method, params)
            assert error["code"] == -32603
            assert error["message"].startswith(f"{name} is at fault")
    assert "which cannot be sent" in caplog.text


RULED = ["2025-06-18", "2025-11-25", *NEW]
RESERVED = {
    "2025-06-18": "tools.mcp.com/a",
    "2025-11-25": "com.mcp.tools/a",
    NEW[0]: "dev.modelcontextprotocol/a",
}


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("content.annotation-priority-range")
@pytest.mark.parametrize("priority", [-0.1, 7])
async def test_a_priority_out_of_bounds_that_a_handler_passes_on_does_not_leave_the_server(
    revision: str, priority: float, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Annotations.from_wire({"priority": priority})
    async with serving(returning(TEXT.model_copy(update={"annotations": wrong})), revision) as wire:
        assert (await wire.call("give"))["isError"] is True
        assert (await wire.error("prompts/get", {"name": "say"}))["code"] == -32603
    assert f"priority {priority} is not between 0 and 1" in caplog.text
    with pytest.raises(ValueError, match="is not between 0 and 1"):
        Server("demo").resource("a://b", annotations=wrong)


@pytest.mark.parametrize("revision", RULED)
@pytest.mark.requirement("meta.prefix-reserved", "meta.prefix-format", "meta.prefix-label-format", "meta.name-format")
async def test_metadata_of_applications_keeps_to_its_keys(revision: str, caplog: pytest.LogCaptureFixture) -> None:
    for key in (RESERVED[revision], "a/b/c", "-a/b", "com.exam_ple/a", "com.example/-a", "a-"):
        server = Server("demo", revisions=[revision])
        for register in (server.tool, server.prompt):
            with pytest.raises(ValueError, match="_meta key"):
                register(meta={key: 1}, name="x")(lambda: None)
        with pytest.raises(ValueError, match="_meta key"):
            server.resource("a://b", meta={key: 1})
        for value in (CallToolResult(content=[], meta={key: 1}), TEXT.model_copy(update={"meta": {key: 1}})):
            async with serving(returning(value), revision) as wire:
                assert (await wire.call("give"))["isError"] is True
            assert f"_meta key {key!r}" in caplog.text
    for key in ("a", "example.com/a-b_c.d", "dev.example/"):
        Server("demo").tool(meta={key: 1}, name="x")(lambda: None)
        async with serving(returning(CallToolResult(content=[], meta={key: 1})), revision) as wire:
            assert (await wire.call("give"))["_meta"][key] == 1


@pytest.mark.parametrize("revision", ALL)
async def test_a_result_of_another_server_is_passed_on_without_what_the_protocol_wrote_into_it(revision: str) -> None:
    upstream = Server("upstream", version="9")

    @upstream.tool
    async def give() -> CallToolResult:
        return CallToolResult(content=[TEXT], meta={"example.org/a": 1})

    gateway = Server("gateway", version="1")

    @gateway.tool(name="give")
    async def passed_on() -> CallToolResult:
        async with Client(upstream) as client:
            return await client.call_tool("give")

    async with serving(gateway, revision) as wire:
        result = await wire.call("give")
    assert result["content"] == [{"type": "text", "text": "t"}]
    own = {SERVER_INFO: {"name": "gateway", "version": "1"}} if revision in NEW else {}
    assert result["_meta"] == {"example.org/a": 1, **own}


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    "value",
    [
        CallToolResult(content=[], structured_content={"a": float("nan")}),
        CallToolResult(content=[], meta={"a": float("inf")}),
        TEXT.model_copy(update={"meta": {"a": [float("nan")]}}),
        TEXT.model_copy(update={"annotations": Annotations(priority=0.5, more=float("nan"))}),
    ],
)
async def test_numbers_that_json_lacks_are_never_sent_as_null(
    revision: str, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with serving(returning(value), revision) as wire:
        result = await wire.call("give")
    if result.get("isError"):
        assert "NaN" in caplog.text or "finite" in caplog.text
    else:
        assert "null" not in json.dumps(result)  # what had such a number is not in this revision


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("meta.trace-context-format")
async def test_trace_context_in_metadata_has_its_form(revision: str) -> None:
    right = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "baggage": "a=b"}
    async with serving(returning(CallToolResult(content=[], meta=right)), revision) as wire:
        assert (await wire.call("give"))["_meta"].items() >= right.items()
    async with serving(returning(CallToolResult(content=[], meta={"traceparent": "x"})), revision) as wire:
        assert (await wire.call("give"))["isError"] is True


async def test_a_prompt_that_returns_none_is_at_fault(caplog: pytest.LogCaptureFixture) -> None:
    async with serving(returning(None), ALL[-1]) as wire:
        assert (await wire.error("prompts/get", {"name": "say"}))["code"] == -32603
    assert "not None" in caplog.text
