"""Prompts: how they are shown, what may be filled in, and the messages that come of it."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from mcport import Server
from mcport.spec.types import (
    Annotations,
    AudioContent,
    BlobResourceContents,
    EmbeddedResource,
    GetPromptResult,
    ImageContent,
    PromptMessage,
    ResourceLink,
    TextContent,
    TextResourceContents,
)
from tests.server.test_registration import listed
from tests.server.wire import ALL, NEW, OLD, Json, opened, serving, unopened

AUDIBLE = [revision for revision in ALL if revision != "2024-11-05"]


def saying(value: Any) -> Server:
    server = Server("demo")

    @server.prompt
    async def say() -> Any:
        return value

    return server


async def messages(value: Any, revision: str) -> list[Json]:
    async with serving(saying(value), revision) as wire:
        found: list[Json] = (await wire.ask("prompts/get", {"name": "say"}))["result"]["messages"]
        return found


@pytest.mark.parametrize("revision", ALL)
async def test_arguments_are_described_as_the_docstring_and_the_annotations_do(revision: str) -> None:
    server = Server("demo")

    @server.prompt
    def review(code: str, language: Annotated[str, Field(title="Tongue", description="Which one")] = "python") -> str:
        """Review code.

        Args:
            code: what to review
        """
        return code

    async with serving(server, revision) as wire:
        (prompt,) = await listed(wire, "prompts/list", "prompts")
    title = {"title": "Tongue"} if revision >= "2025-06-18" else {}
    assert prompt["description"] == "Review code."
    assert prompt["arguments"] == [
        {"name": "code", "description": "what to review", "required": True},
        {"name": "language", **title, "description": "Which one", "required": False},
    ]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("prompts.validate-arguments", "prompts.errors")
async def test_p24_arguments_of_a_prompt_are_judged_in_one_plain_line_before_it_runs(revision: str) -> None:
    server = Server("Demo")
    ran: list[str] = []

    @server.prompt
    async def review(code: str, times: int = 1) -> str:
        ran.append(code)
        return code

    mistakes: list[tuple[Json, str]] = [
        ({"name": "review"}, "review: argument 'code' is missing"),
        ({"name": "review", "arguments": {"times": "2"}}, "review: argument 'code' is missing"),
        (
            {"name": "review", "arguments": {"code": "x", "tims": "2"}},
            "review: unknown argument 'tims', did you mean 'times'? (it takes code, times)",
        ),
        (
            {"name": "review", "arguments": {"code": "x", "times": "many"}},
            "review: argument 'times' must be an integer, got 'many'",
        ),
        ({"name": "review", "arguments": {"code": 5}}, "review: argument 'code' must be a string, got 5"),
        ({"name": "review", "arguments": "x"}, "review: arguments must be an object"),
        ({"name": "reviw"}, "Unknown prompt 'reviw' on server 'Demo'. Did you mean 'review'?"),
        ({}, "prompts/get: name is missing"),
    ]
    async with serving(server, revision) as wire:
        for params, line in mistakes:
            assert await wire.error("prompts/get", params) == {"code": -32602, "message": line}
        assert ran == []
        assert "result" in await wire.ask("prompts/get", {"name": "review", "arguments": {"code": "x", "times": "2"}})


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("prompts.errors")
async def test_p19_an_exception_in_a_prompt_is_an_internal_error_that_tells_nothing(revision: str) -> None:
    server = Server("demo")

    @server.prompt
    def broken() -> str:
        raise RuntimeError("hunter2")

    async with serving(server, revision) as wire:
        error = await wire.error("prompts/get", {"name": "broken"})
        assert error["code"] == -32603
        assert "hunter2" not in error["message"]


@pytest.mark.parametrize("revision", ALL)
async def test_a_conversation_of_several_roles_and_kinds_of_content_goes_out_in_its_order(revision: str) -> None:
    image = ImageContent(data="aQ==", mime_type="image/png", annotations=Annotations(audience=["user"], priority=0.5))
    value = [
        "look at this",
        image,
        PromptMessage(role="assistant", content=TextContent(text="nice")),
        {"role": "user", "content": "and this"},
        EmbeddedResource(resource=TextResourceContents(uri="file:///a", text="a", mime_type="text/x-a")),
    ]
    found = await messages(value, revision)
    assert [each["role"] for each in found] == ["user", "user", "assistant", "user", "user"]
    assert [each["content"]["type"] for each in found] == ["text", "image", "text", "text", "resource"]
    assert found[1]["content"]["annotations"] == {"audience": ["user"], "priority": 0.5}
    assert found[4]["content"]["resource"]["mimeType"] == "text/x-a"


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("prompts.embedded-resource")
async def test_an_embedded_resource_always_says_its_type(revision: str) -> None:
    text = EmbeddedResource(resource=TextResourceContents(uri="file:///a", text="a"))
    blob = EmbeddedResource(resource=BlobResourceContents(uri="file:///b", blob="aQ=="))
    whole = GetPromptResult(messages=[PromptMessage(role="user", content=block) for block in (text, blob)])
    for value in ([text, blob], whole):
        found = await messages(value, revision)
        assert [each["content"]["resource"]["mimeType"] for each in found] == ["text/plain", "application/octet-stream"]


def embedded(**members: Any) -> EmbeddedResource:
    return EmbeddedResource(resource=BlobResourceContents(**{"uri": "a://b", "blob": "aQ==", **members}))


UNSOUND_IMAGES: list[tuple[Any, str]] = [
    (ImageContent(data="not base64!", mime_type="image/png"), "data is not base64"),
    (ImageContent(data="aQ", mime_type="image/png"), "data is not base64"),
    (ImageContent(data="aQ==", mime_type="png"), "'png' is no media type"),
    (ImageContent(data="aQ==", mime_type=""), "'' is no media type"),
]
UNSOUND_AUDIO: list[tuple[Any, str]] = [
    (AudioContent(data="a", mime_type="audio/wav"), "data is not base64"),
    (AudioContent(data="aQ==", mime_type="audio/"), "'audio/' is no media type"),
]
UNSOUND_RESOURCES: list[tuple[Any, str]] = [
    (embedded(uri="no uri"), "'no uri' is no URI"),
    (embedded(blob="ä"), "blob is not base64"),
    (embedded(mime_type="text"), "'text' is no media type"),
]


async def refused(value: Any, fault: str, revision: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.clear()
    async with serving(saying([PromptMessage(role="user", content=value)]), revision) as wire:
        error = await wire.error("prompts/get", {"name": "say"})
    assert error["code"] == -32603
    assert error["message"].startswith("Prompt 'say' is at fault: what it returned cannot be sent")
    assert fault in caplog.text


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("prompts.image-base64")
async def test_an_image_that_is_none_does_not_leave_the_server(revision: str, caplog: pytest.LogCaptureFixture) -> None:
    for value, fault in UNSOUND_IMAGES:
        await refused(value, fault, revision, caplog)


@pytest.mark.parametrize("revision", AUDIBLE)
@pytest.mark.requirement("prompts.audio-base64")
async def test_audio_that_is_none_does_not_leave_the_server(revision: str, caplog: pytest.LogCaptureFixture) -> None:
    for value, fault in UNSOUND_AUDIO:
        await refused(value, fault, revision, caplog)


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("prompts.embedded-resource")
async def test_an_embedded_resource_that_is_none_does_not_leave_the_server(
    revision: str, caplog: pytest.LogCaptureFixture
) -> None:
    for value, fault in UNSOUND_RESOURCES:
        await refused(value, fault, revision, caplog)


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("prompts.resource-links")
async def test_messages_may_link_to_resources(revision: str) -> None:
    link = ResourceLink(name="doc", uri="file:///doc", description="d", mime_type="text/plain")
    (message,) = await messages(link, revision)
    assert message["content"] == {
        "type": "resource_link",
        "name": "doc",
        "uri": "file:///doc",
        "description": "d",
        "mimeType": "text/plain",
    }


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("prompts.capability-declared", "prompts.list-answered", revisions=NEW)
@pytest.mark.requirement("prompts.respect-capabilities")
async def test_prompts_are_declared_where_there_are_some_and_unknown_methods_where_there_are_none(
    revision: str,
) -> None:
    for server, there in ((saying("x"), True), (Server("none"), False)):
        async with unopened(server, revision) as wire:
            if revision in OLD:
                capabilities = (await opened(wire))["capabilities"]
            else:
                capabilities = (await wire.ask("server/discover"))["result"]["capabilities"]
            assert ("prompts" in capabilities) == there
            if there:
                assert [each["name"] for each in await listed(wire, "prompts/list", "prompts")] == ["say"]
            else:
                for method, params in (("prompts/list", {}), ("prompts/get", {"name": "say"})):
                    assert (await wire.error(method, params))["code"] == -32601
