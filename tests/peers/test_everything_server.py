"""Our client drives `@modelcontextprotocol/server-everything`: a handshake server that nobody here wrote."""

import base64
from collections.abc import AsyncIterator

import anyio
import pytest

from mcport import Client
from mcport.errors import RemoteError


@pytest.fixture(scope="module")
async def client(everything: list[str]) -> AsyncIterator[Client]:
    """One conversation, found out by probing, shared by the tests of this file."""
    async with Client(everything) as opened:
        yield opened


def text_of(result: object) -> str:
    content = getattr(result, "content")  # noqa: B009 - any of several generated content types
    assert isinstance(content[0].text, str)
    return content[0].text


async def test_the_probe_is_refused_and_the_newest_handshake_revision_is_agreed(client: Client) -> None:
    assert client.revision == "2025-11-25"
    assert client.server_info["name"] == "mcp-servers/everything"
    assert client.instructions is not None
    assert client.instructions.startswith("# Everything Server")
    assert {"tools", "resources", "prompts", "completions", "logging"} <= set(client.capabilities)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
async def test_a_given_revision_is_the_one_that_is_spoken(everything: list[str], revision: str) -> None:
    async with Client(everything, revision=revision) as client:
        assert client.revision == revision
        assert text_of(await client.call_tool("echo", {"message": "hé\n"})) == "Echo: hé\n"


async def test_every_tool_is_listed(client: Client) -> None:
    names = {tool.name for tool in (await client.list_tools()).tools}
    assert {"echo", "get-sum", "get-tiny-image", "get-structured-content", "get-resource-links"} <= names


async def test_calls_return_text_and_structured_values(client: Client) -> None:
    assert text_of(await client.call_tool("get-sum", {"a": 1.5, "b": 2})) == "The sum of 1.5 and 2 is 3.5."
    weather = await client.call_tool("get-structured-content", {"location": "Chicago"})
    assert isinstance(weather.structured_content, dict)
    assert set(weather.structured_content) == {"temperature", "conditions", "humidity"}


async def test_an_image_annotations_links_and_embedded_resources_come_through(client: Client) -> None:
    image = (await client.call_tool("get-tiny-image", {})).content[1]
    assert (image.type, getattr(image, "mime_type", None)) == ("image", "image/png")
    noted = (await client.call_tool("get-annotated-message", {"messageType": "error"})).content[0]
    assert getattr(getattr(noted, "annotations", None), "priority", None) == 1
    links = await client.call_tool("get-resource-links", {"count": 2})
    assert [item.type for item in links.content] == ["text", "resource_link", "resource_link"]
    embedded = await client.call_tool("get-resource-reference", {"resourceType": "Blob", "resourceId": 1})
    assert embedded.content[1].type == "resource"


async def test_progress_arrives_in_order_and_ends_with_the_total(client: Client) -> None:
    seen: list[tuple[float, float | None]] = []
    result = await client.call_tool(
        "trigger-long-running-operation",
        {"duration": 0.3, "steps": 3},
        progress=lambda progress, total, _message: seen.append((progress, total)),
    )
    assert text_of(result).startswith("Long running operation completed")
    assert seen == [(1, 3), (2, 3), (3, 3)]


async def test_bad_calls_are_error_results(client: Client) -> None:
    assert (await client.call_tool("nope", {})).is_error
    wrong = await client.call_tool("get-sum", {"a": "x"})
    assert wrong.is_error
    assert "Invalid arguments for tool get-sum" in text_of(wrong)


async def test_unknown_resources_prompts_and_methods_are_errors_with_their_codes(client: Client) -> None:
    asked = {"resources/read": {"uri": "demo://nothing"}, "prompts/get": {"name": "nope"}, "no/such": {}}
    codes = []
    for method, params in asked.items():
        with pytest.raises(RemoteError) as caught:
            await client.request(method, params)
        codes.append(caught.value.code)
    assert codes == [-32602, -32602, -32601]


async def test_resources_and_templates_are_listed_and_read(client: Client) -> None:
    resources = [resource.uri for resource in (await client.list_resources()).resources]
    assert "demo://resource/static/document/startup.md" in resources
    templates = {template.uri_template for template in (await client.list_resource_templates()).resource_templates}
    kinds = ("text", "blob")
    assert templates == {f"demo://resource/dynamic/{kind}/{{resourceId}}" for kind in kinds}
    text, blob = [(await client.read_resource(f"demo://resource/dynamic/{kind}/7")).contents[0] for kind in kinds]
    assert getattr(text, "text", "").startswith("Resource 7: ")
    assert base64.b64decode(getattr(blob, "blob", "")).startswith(b"Resource 7: ")


async def test_prompts_are_listed_and_got(client: Client) -> None:
    names = {prompt.name for prompt in (await client.list_prompts()).prompts}
    assert {"simple-prompt", "args-prompt", "completable-prompt", "resource-prompt"} <= names
    prompt = await client.get_prompt("args-prompt", {"city": "Lyon"})
    assert getattr(prompt.messages[0].content, "text", None) == "What's weather in Lyon?"


async def test_an_argument_is_completed(client: Client) -> None:
    reference = {"type": "ref/prompt", "name": "completable-prompt"}
    params = {"ref": reference, "argument": {"name": "department", "value": "E"}}
    completed = await client.request("completion/complete", params)
    assert completed["completion"] == {"values": ["Engineering"], "total": 1, "hasMore": False}


async def test_ping_is_answered(client: Client) -> None:
    await client.ping()


async def test_closing_ends_a_server_that_does_not_leave_by_itself(everything: list[str]) -> None:
    # While a call runs, this server outlives the end of its stdin for as long as the call takes.
    with anyio.fail_after(15):
        async with Client(everything, revision="2025-11-25") as client:
            with anyio.move_on_after(0.2):
                await client.call_tool("trigger-long-running-operation", {"duration": 60, "steps": 2})
