"""Our client drives a small server on the official SDK: in all five revisions, and with none named."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from mcport import Client
from mcport.errors import RemoteError, Timeout

SERVER = str(Path(__file__).with_name("official_server.py"))
HANDSHAKE = "2025-11-25"
STATELESS = "2026-07-28"


@pytest.fixture(scope="module")
def command(official_python: str) -> list[str]:
    return [official_python, SERVER]


@pytest.fixture(scope="module", params=[HANDSHAKE, STATELESS])
async def client(request: pytest.FixtureRequest, command: list[str]) -> AsyncIterator[Client]:
    """One conversation in each era, shared by the tests of this file: starting this server takes long."""
    async with Client(command, revision=request.param) as opened:
        yield opened


def text_of(result: object) -> str:
    content = getattr(result, "content")  # noqa: B009 - any of several generated content types
    assert isinstance(content[0].text, str)
    return content[0].text


async def test_without_a_revision_the_newest_is_found(command: list[str]) -> None:
    async with Client(command) as client:
        assert client.revision == STATELESS
        assert client.server_info == {"name": "peer", "version": "1.2.3"}
        assert client.instructions == "Ask politely."
        assert {"tools", "resources", "prompts"} <= set(client.capabilities)
        assert text_of(await client.call_tool("add", {"a": 1, "b": 2})) == "3"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18"])
async def test_an_older_revision_is_spoken_when_it_is_given(command: list[str], revision: str) -> None:
    async with Client(command, revision=revision) as client:
        assert client.revision == revision
        assert text_of(await client.call_tool("add", {"a": 1, "b": 2})) == "3"


async def test_tools_are_listed(client: Client) -> None:
    tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == {"add", "shout", "count", "wait", "fail"}


async def test_a_call_returns_text_and_the_structured_value(client: Client) -> None:
    result = await client.call_tool("add", {"a": 20, "b": 22})
    assert text_of(result) == "42"
    assert result.structured_content == {"result": 42}
    assert not result.is_error


async def test_what_a_tool_prints_does_not_disturb_the_conversation(client: Client) -> None:
    assert text_of(await client.call_tool("shout", {"text": "höher"})) == "HÖHER"


async def test_progress_arrives_in_order_before_the_result(client: Client) -> None:
    seen: list[tuple[float, float | None, str | None]] = []
    result = await client.call_tool("count", {"steps": 3}, progress=lambda *report: seen.append(report))
    assert text_of(result) == "3 steps"
    assert seen == [(1, 3, "step 1"), (2, 3, "step 2"), (3, 3, "step 3")]


async def test_a_failing_and_an_unknown_tool_are_error_results(client: Client) -> None:
    failed = await client.call_tool("fail", {})
    assert failed.is_error
    assert text_of(failed) == "Error executing tool fail"
    assert (await client.call_tool("nope", {})).is_error


async def test_a_call_that_takes_too_long_is_withdrawn_and_the_next_one_answered(client: Client) -> None:
    with pytest.raises(Timeout):
        await client.call_tool("wait", {}, timeout=0.2)
    with anyio.fail_after(10):
        assert text_of(await client.call_tool("add", {"a": 1, "b": 2})) == "3"


async def test_resources_and_templates_are_listed_and_read(client: Client) -> None:
    assert [resource.uri for resource in (await client.list_resources()).resources] == ["note://today"]
    templates = (await client.list_resource_templates()).resource_templates
    assert [template.uri_template for template in templates] == ["note://{day}/text"]
    noted = [(await client.read_resource(uri)).contents[0] for uri in ("note://today", "note://monday/text")]
    assert [getattr(each, "text", None) for each in noted] == ["Water the plants.", "Nothing on monday."]


async def test_an_unknown_resource_is_an_error_with_its_uri(client: Client) -> None:
    with pytest.raises(RemoteError) as caught:
        await client.read_resource("zzz://q")
    assert (caught.value.code, caught.value.data) == (-32602, {"uri": "zzz://q"})


async def test_a_prompt_is_listed_and_got(client: Client) -> None:
    assert [prompt.name for prompt in (await client.list_prompts()).prompts] == ["ask"]
    prompt = await client.get_prompt("ask", {"topic": "tea"})
    assert getattr(prompt.messages[0].content, "text", None) == "Tell me about tea."


async def test_an_unknown_prompt_is_an_error_even_one_with_code_zero(client: Client) -> None:
    with pytest.raises(RemoteError) as caught:
        await client.get_prompt("nope", {})
    assert caught.value.code == (0 if client.revision == HANDSHAKE else -32603)


async def test_ping_is_answered_in_the_handshake_era(client: Client) -> None:
    if client.revision == HANDSHAKE:
        await client.ping()


async def test_closing_during_a_call_ends_the_server(command: list[str]) -> None:
    with anyio.fail_after(15):
        async with Client(command, revision=STATELESS) as client:
            with anyio.move_on_after(0.2):
                await client.call_tool("wait", {})
