"""The everything example offers what a conformance suite looks for, in every revision."""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Any

import pytest

from mcport import Server
from mcport.spec.revisions import REVISIONS
from tests.examples.loading import loaded
from tests.server.wire import ALL, NEW, OLD, SERVER_INFO, Json, Wire, opened, serving, unopened

TOOLS = [
    "test_simple_text",
    "test_image_content",
    "test_audio_content",
    "test_embedded_resource",
    "test_multiple_content_types",
    "test_tool_with_logging",
    "test_tool_with_progress",
    "test_error_handling",
    "test_sampling",
    "test_elicitation",
    "test_elicitation_sep1034_defaults",
    "test_elicitation_sep1330_enums",
    "test_missing_capability",
    "test_streaming_elicitation",
    "test_logging_tool",
    "test_trigger_tool_change",
    "test_trigger_prompt_change",
    "test_input_required_result_elicitation",
    "test_input_required_result_sampling",
    "test_input_required_result_list_roots",
    "test_input_required_result_request_state",
    "test_input_required_result_multiple_inputs",
    "test_input_required_result_multi_round",
    "test_input_required_result_tampered_state",
    "test_input_required_result_capabilities",
    "json_schema_2020_12_tool",
    "test_x_mcp_header",
    "test_reconnection",
]
PROMPTS = [
    "test_simple_prompt",
    "test_prompt_with_arguments",
    "test_prompt_with_embedded_resource",
    "test_prompt_with_image",
    "test_input_required_result_prompt",
]
LEVEL = "io.modelcontextprotocol/logLevel"
SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"
WATCHED = "test://watched-resource"


def fresh() -> Server:
    """The example, as nothing has changed in it."""
    server = loaded("everything").server
    assert isinstance(server, Server)
    return server


everything = cache(fresh)


async def listed(wire: Wire, kind: str) -> list[Json]:
    found: list[Json] = (await wire.ask(f"{kind}/list"))["result"][kind.rpartition("/")[2]]
    return found


async def read(wire: Wire, uri: str) -> Json:
    (contents,) = (await wire.ask("resources/read", {"uri": uri}))["result"]["contents"]
    return contents


async def got(wire: Wire, name: str, **arguments: str) -> list[Json]:
    answer = await wire.ask("prompts/get", {"name": name, "arguments": arguments})
    return [message["content"] for message in answer["result"]["messages"]]


def decoded(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


# ---- tools


@pytest.mark.parametrize("revision", ALL)
async def test_every_tool_is_there_and_described_in_an_order_that_stays(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        tools = await listed(wire, "tools")
        assert {*TOOLS} <= {tool["name"] for tool in tools}
        assert all(tool["description"] and re.fullmatch(r"[A-Za-z0-9_.-]{1,128}", tool["name"]) for tool in tools)
        assert await listed(wire, "tools") == tools


@pytest.mark.parametrize("revision", ALL)
async def test_the_first_tool_can_be_called_without_knowing_it(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        first = (await listed(wire, "tools"))[0]["name"]
        for params in ({"name": first, "arguments": {}}, {"name": first}):
            result = (await wire.ask("tools/call", params))["result"]
            assert not result.get("isError")
            assert result["content"][0]["text"]


@pytest.mark.parametrize("revision", ALL)
async def test_each_kind_of_content_is_what_it_says(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        (image,) = (await wire.call("test_image_content"))["content"]
        assert (image["type"], image["mimeType"]) == ("image", "image/png")
        assert decoded(image["data"]).startswith(b"\x89PNG")
        (audio,) = (await wire.call("test_audio_content"))["content"]
        sound = audio if REVISIONS[revision].has_audio else audio["resource"]
        assert sound["mimeType"] == "audio/wav"
        assert decoded(sound["data" if sound is audio else "blob"]).startswith(b"RIFF")
        (block,) = (await wire.call("test_embedded_resource"))["content"]
        assert block["type"] == "resource"
        assert all(block["resource"][member] for member in ("uri", "mimeType", "text"))


@pytest.mark.parametrize("revision", ALL)
async def test_one_result_mixes_kinds_of_content(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        blocks = (await wire.call("test_multiple_content_types"))["content"]
        assert [block["type"] for block in blocks] == ["text", "image", "resource"]


@pytest.mark.parametrize("revision", ALL)
async def test_a_tool_that_fails_is_a_result_with_a_text(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        failed = await wire.call("test_error_handling")
        assert failed["isError"] is True
        assert failed["content"][0]["text"] == "This tool fails on purpose."


@pytest.mark.parametrize("revision", ALL)
async def test_values_are_structured_where_the_revision_has_that(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        weather, total = await wire.call("structured_weather"), await wire.call("add", {"a": 2, "b": 3})
        assert (await wire.call("fahrenheit", {"celsius": 100}))["content"][0]["text"] == "212.0"
    assert total["content"][0]["text"] == "5"
    expected: dict[str, Any] = {"city": "Lyon", "celsius": 18.5, "sky": "clear"}
    assert weather.get("structuredContent") == (expected if REVISIONS[revision].has_structured_output else None)


@pytest.mark.parametrize("revision", OLD)
async def test_three_log_messages_come_before_the_result_once_the_level_is_set(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        assert (await wire.ask("logging/setLevel", {"level": "debug"}))["result"] == {}
        id = wire.request("tools/call", {"name": "test_tool_with_logging"})
        told = [await wire.read() for _ in range(3)]
        assert [message["params"]["level"] for message in told] == ["info"] * 3
        assert (await wire.read())["id"] == id


@pytest.mark.parametrize("revision", NEW)
async def test_nothing_is_logged_to_a_request_that_names_no_level(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        assert await wire.text("test_logging_tool")  # which reads the very next message as the answer
        wire.request("tools/call", {"name": "test_logging_tool"}, **{LEVEL: "debug"})
        assert (await wire.read())["method"] == "notifications/message"
        assert "result" in await wire.read()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("token", ["progress-test-1", 7])
async def test_progress_rises_to_its_total_before_the_result(revision: str, token: Json) -> None:
    async with serving(everything(), revision) as wire:
        id = wire.request("tools/call", {"name": "test_tool_with_progress"}, progressToken=token)
        told = [(await wire.read())["params"] for _ in range(3)]
        assert [(each["progressToken"], each["progress"], each["total"]) for each in told] == [
            (token, 0, 100),
            (token, 50, 100),
            (token, 100, 100),
        ]
        assert (await wire.read())["id"] == id


@pytest.mark.parametrize("revision", ALL)
async def test_a_schema_of_ones_own_is_listed_to_the_letter_and_holds(revision: str) -> None:
    module = loaded("everything")
    async with serving(module.server, revision) as wire:
        (tool,) = [each for each in await listed(wire, "tools") if each["name"] == "json_schema_2020_12_tool"]
        schema = tool["inputSchema"]
        assert schema == module.ADDRESS_BOOK
        assert schema["$defs"]["address"]["$anchor"] == "addressDef"
        assert schema["properties"]["address"] == {"$ref": "#/$defs/address"}
        assert schema["then"] == {"required": ["phone"]}
        good = {"contactMethod": "phone", "phone": "1", "address": {"city": "Lyon"}}
        assert await wire.text(tool["name"], good) == "Accepted: address, contactMethod, phone"
        for wrong in ({}, {"contactMethod": "phone", "email": "a@b"}, {**good, "fax": "2"}):
            assert "Accepted" not in str(await wire.ask("tools/call", {"name": tool["name"], "arguments": wrong}))


@pytest.mark.parametrize("revision", ALL)
async def test_an_argument_that_http_repeats_in_a_header_says_so_and_may_be_left_out(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        (tool,) = [each for each in await listed(wire, "tools") if each["name"] == "test_x_mcp_header"]
        region = tool["inputSchema"]["properties"]["region"]
        assert (region["type"], region["x-mcp-header"]) == ("string", "Region")
        assert "required" not in tool["inputSchema"]
        assert await wire.text("test_x_mcp_header", {"region": "eu"}) == "Region: eu"
        assert await wire.text("test_x_mcp_header") == "Region: none"


@pytest.mark.parametrize("revision", ALL)
async def test_where_no_stream_can_be_closed_the_answer_comes_all_the_same(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        assert await wire.text("test_reconnection") == "Whoever came back gets this."


@pytest.mark.parametrize("revision", ALL)
async def test_a_call_that_is_withdrawn_stops(revision: str) -> None:
    async with serving(fresh(), revision) as wire:
        id = wire.request("tools/call", {"name": "wait"})
        assert (await read(wire, "test://withdrawn"))["text"] == '{"calls":0}'
        wire.notify("notifications/cancelled", {"requestId": id})
        assert (await read(wire, "test://withdrawn"))["text"] == '{"calls":1}'
        assert await wire.text("wait", {"seconds": 0}) == "0 s have passed."


# ---- what changes


@pytest.mark.parametrize("revision", OLD)
async def test_changes_reach_a_session_unasked(revision: str) -> None:
    async with serving(fresh(), revision) as wire:
        for kind in ("tool", "prompt"):
            before = await listed(wire, f"{kind}s")
            for _ in range(2):
                await wire.text(f"test_trigger_{kind}_change")
            await wire.rest()
            assert await listed(wire, f"{kind}s") == before
        assert {b"tools", b"prompts"} == {line.split(b"/")[1] for line in wire.raw if b"list_changed" in line}


@pytest.mark.parametrize("revision", NEW)
async def test_changes_reach_those_who_listen_for_them_and_name_the_request(revision: str) -> None:
    async with serving(fresh(), revision) as wire:
        wanted = {"toolsListChanged": True, "resourceSubscriptions": [WATCHED]}
        id = wire.request("subscriptions/listen", {"notifications": wanted})
        acknowledged = await wire.read()
        assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
        assert acknowledged["params"]["notifications"] == wanted
        for tool in ("test_trigger_prompt_change", "test_trigger_tool_change", "touch_watched_resource"):
            wire.request("tools/call", {"name": tool})
        messages = [await wire.read() for _ in range(5)]
    told = [each for each in messages if "method" in each]
    assert {each["method"] for each in told} == {
        "notifications/tools/list_changed",
        "notifications/resources/updated",
    }
    assert {each["params"]["_meta"][SUBSCRIPTION] for each in [acknowledged, *told]} == {id}


@pytest.mark.parametrize("revision", OLD)
async def test_a_resource_can_be_followed_and_given_up(revision: str) -> None:
    async with serving(fresh(), revision) as wire:
        assert (await wire.ask("resources/subscribe", {"uri": WATCHED}))["result"] == {}
        wire.request("tools/call", {"name": "touch_watched_resource"})
        messages = [await wire.read(), await wire.read()]
        assert [each["params"] for each in messages if "method" in each] == [{"uri": WATCHED}]
        assert (await read(wire, WATCHED))["text"] == '{"changes":1}'
        assert (await wire.ask("resources/unsubscribe", {"uri": WATCHED}))["result"] == {}
        await wire.text("touch_watched_resource")
        await wire.silent()


# ---- resources


@pytest.mark.parametrize("revision", ALL)
async def test_resources_are_listed_and_read_as_text_as_bytes_and_by_template(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        resources = await listed(wire, "resources")
        assert {"test://static-text", "test://static-binary", WATCHED} <= {each["uri"] for each in resources}
        assert all(each["uri"] and each["name"] for each in resources)
        assert (await read(wire, resources[0]["uri"]))["uri"] == resources[0]["uri"]
        (template,) = (await wire.ask("resources/templates/list"))["result"]["resourceTemplates"]
        assert template["uriTemplate"] == "test://template/{id}/data"
        text, binary = await read(wire, "test://static-text"), await read(wire, "test://static-binary")
        assert (text["mimeType"], bool(text["text"])) == ("text/plain", True)
        assert (binary["mimeType"], decoded(binary["blob"])[:4]) == ("image/png", b"\x89PNG")
        data = await read(wire, "test://template/123/data")
        assert data["uri"] == "test://template/123/data"
        assert '"123"' in data["text"]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("uri", ["test://nonexistent-resource-for-conformance-testing", "test://template/a-b/data"])
async def test_an_unknown_resource_is_an_error_with_its_uri(revision: str, uri: str) -> None:
    async with serving(everything(), revision) as wire:
        error = await wire.error("resources/read", {"uri": uri})
        assert (error["code"], error["data"]) == (-32602 if revision in NEW else -32002, {"uri": uri})


# ---- prompts and completions


@pytest.mark.parametrize("revision", ALL)
async def test_prompts_are_listed_and_filled_in(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        prompts = await listed(wire, "prompts")
        assert [prompt["name"] for prompt in prompts] == PROMPTS
        assert all(prompt["description"] for prompt in prompts)
        assert (await got(wire, "test_simple_prompt"))[0]["text"]
        (said,) = await got(wire, "test_prompt_with_arguments", arg1="hello", arg2="world")
        assert "hello" in said["text"]
        assert "world" in said["text"]
        uri = "test://example-resource"
        resource, _ = await got(wire, "test_prompt_with_embedded_resource", resourceUri=uri)
        assert (resource["type"], resource["resource"]["uri"]) == ("resource", uri)
        assert all(resource["resource"][member] for member in ("mimeType", "text"))
        image, _ = await got(wire, "test_prompt_with_image")
        assert (image["type"], image["mimeType"]) == ("image", "image/png")


@pytest.mark.parametrize("revision", ALL)
async def test_an_argument_of_a_prompt_is_completed(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        ref = {"type": "ref/prompt", "name": "test_prompt_with_arguments"}
        for argument, value, expected in (
            ("arg1", "", ["paris", "park", "party"]),
            ("arg1", "park", ["park"]),
            ("arg2", "p", []),
        ):
            params = {"ref": ref, "argument": {"name": argument, "value": value}}
            assert (await wire.ask("completion/complete", params))["result"]["completion"]["values"] == expected


# ---- utilities


@pytest.mark.parametrize("revision", OLD)
async def test_a_session_opens_with_everything_declared_and_pings_are_answered(revision: str) -> None:
    async with unopened(everything(), revision) as wire:
        declared = (await opened(wire))["capabilities"]
        assert (await wire.ask("ping"))["result"] == {}
    assert declared["tools"] == declared["prompts"] == {"listChanged": True}
    assert declared["resources"] == {"listChanged": True, "subscribe": True}
    assert declared["logging"] == {}
    assert ("completions" in declared) == REVISIONS[revision].completions_capability


@pytest.mark.parametrize("revision", NEW)
async def test_discovery_says_who_this_is_and_every_result_carries_its_members(revision: str) -> None:
    async with serving(everything(), revision) as wire:
        found = (await wire.ask("server/discover"))["result"]
        assert {*NEW} <= {*found["supportedVersions"]} <= {*ALL}
        assert {"tools", "prompts", "resources", "completions"} <= found["capabilities"].keys()
        assert found["_meta"][SERVER_INFO] == {"name": "everything", "version": "1.0.0", "title": "Everything"}
        lists = ("tools/list", "prompts/list", "resources/list", "resources/templates/list")
        results = [found, *[(await wire.ask(method))["result"] for method in lists]]
        results.append((await wire.ask("resources/read", {"uri": "test://static-text"}))["result"])
    for result in results:
        assert result["resultType"] == "complete"
        assert (type(result["ttlMs"]), result["cacheScope"] in ("public", "private")) == (int, True)


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.parametrize(
    "method",
    ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "unknown/method"],
)
async def test_what_the_stateless_era_has_not_is_an_unknown_method(revision: str, method: str) -> None:
    async with serving(everything(), revision) as wire:
        assert (await wire.error(method, {}))["code"] == -32601
