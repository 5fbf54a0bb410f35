"""The typed calls: what each of them sends in each revision, and the type that comes back."""

from typing import Any

import pytest

from mcport import InvalidAnswer, Limits, NotDeclared
from mcport.spec import types
from mcport.spec.methods import METHODS
from mcport.spec.types import (
    CompletionArgument,
    CompletionContext,
    Icon,
    Implementation,
    PromptReference,
    ResourceTemplateReference,
)
from tests.client.counterpart import ALL, HANDSHAKE, STATELESS, result, usual
from tests.client.playing import Wire, client_of, of

PROMPT, LETTERS = PromptReference(name="greet"), CompletionArgument(name="city", value="Ly")
CITY = CompletionContext(arguments={"land": "France"})

ANSWERS: dict[str, dict[str, Any]] = {
    "completion/complete": {"completion": {"values": ["Lyon"]}},
    "prompts/get": {"messages": []},
    "prompts/list": {"prompts": [{"name": "p"}]},
    "resources/list": {"resources": [{"name": "r", "uri": "x://r"}]},
    "resources/read": {"contents": []},
    "resources/templates/list": {"resourceTemplates": [{"name": "t", "uriTemplate": "x://{t}"}]},
    "tools/call": {"content": []},
    "tools/list": {"tools": [{"name": "t", "inputSchema": {"type": "object"}}]},
}

# call, its arguments, the method and the parameters that go out
CASES: list[tuple[str, tuple[Any, ...], str, dict[str, Any]]] = [
    ("call_tool", ("add",), "tools/call", {"name": "add"}),
    ("call_tool", ("add", {"a": 1}), "tools/call", {"name": "add", "arguments": {"a": 1}}),
    ("complete", (PROMPT, LETTERS), "completion/complete", {"ref": {"type": "ref/prompt", "name": "greet"}}),
    ("discover", (), "server/discover", {}),
    ("get_prompt", ("greet",), "prompts/get", {"name": "greet"}),
    ("get_prompt", ("greet", {"a": "b"}), "prompts/get", {"name": "greet", "arguments": {"a": "b"}}),
    ("list_prompts", (), "prompts/list", {}),
    ("list_prompts", ("c",), "prompts/list", {"cursor": "c"}),
    ("list_resource_templates", ("c",), "resources/templates/list", {"cursor": "c"}),
    ("list_resources", ("c",), "resources/list", {"cursor": "c"}),
    ("list_tools", (), "tools/list", {}),
    ("list_tools", ("",), "tools/list", {"cursor": ""}),
    ("ping", (), "ping", {}),
    ("read_resource", ("x://r",), "resources/read", {"uri": "x://r"}),
    ("set_logging_level", ("info",), "logging/setLevel", {"level": "info"}),
    ("subscribe_resource", ("x://r",), "resources/subscribe", {"uri": "x://r"}),
    ("unsubscribe_resource", ("x://r",), "resources/unsubscribe", {"uri": "x://r"}),
]


def table(revision: str) -> dict[str, list[Any]]:
    answers: dict[str, list[Any]] = {method: [result(members)] for method, members in ANSWERS.items()}
    plain = {method: [result({})] for method in ("logging/setLevel", "resources/subscribe", "resources/unsubscribe")}
    return {**answers, **plain, **{key: value for key, value in usual(revision).items() if key not in answers}}


def methods(wire: Wire) -> list[str]:
    """What the client wrote, by method."""
    return [message["method"] for message in wire.messages]


@pytest.mark.parametrize("revision", ALL)
async def test_every_call_sends_its_method_and_reads_its_type(revision: str) -> None:
    wire = Wire(table(revision))
    async with client_of(wire, revision) as client:
        for name, arguments, method, params in CASES:
            if revision not in METHODS[method].from_client:
                continue
            found = await getattr(client, name)(*arguments, meta={"com.example/a": 1})
            sent = wire.messages[-1]["params"]
            assert wire.messages[-1]["method"] == method
            assert sent.pop("_meta")["com.example/a"] == 1
            assert {key: sent[key] for key in params} == params
            assert sent.keys() - params.keys() <= {"argument"}
            assert isinstance(found, getattr(types, METHODS[method].result or ""))


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("lifecycle.negotiated-version", revisions=HANDSHAKE)
async def test_a_method_that_the_revision_lacks_is_refused_and_nothing_is_sent(revision: str) -> None:
    wire = Wire(table(revision))
    async with client_of(wire, revision) as client:
        for name, arguments, method, _ in CASES:
            if revision not in METHODS[method].from_client:
                with pytest.raises(NotDeclared, match=f"{method} is not part of protocol version {revision}"):
                    await getattr(client, name)(*arguments)
        for method in ("notifications/progress", "notifications/roots/list_changed"):
            if revision in STATELESS:
                with pytest.raises(NotDeclared, match=f"{method} is not part of protocol version"):
                    client.notify(method)
        await client.list_tools()
    assert methods(wire)[-1] == "tools/list"
    assert methods(wire)[:-1] in (["server/discover"], ["initialize", "notifications/initialized"])


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("lifecycle.negotiated-version", revisions=HANDSHAKE)
@pytest.mark.requirement("completion.context-arguments", revisions=["2025-06-18", "2025-11-25", *STATELESS])
async def test_a_field_that_the_revision_lacks_is_not_sent(revision: str) -> None:
    wire = Wire(table(revision))
    async with client_of(wire, revision) as client:
        reference = ResourceTemplateReference(uri="x://{t}")
        await client.complete(PromptReference(name="greet", title="Greet"), LETTERS, CITY)
        first = wire.messages[-1]["params"]
        await client.complete(reference, LETTERS)
        second = wire.messages[-1]["params"]
    has_titles = revision >= "2025-06-18"
    assert ("context" in first, "title" in first["ref"]) == (has_titles, has_titles)
    second.pop("_meta", None)
    assert second == {"ref": {"type": "ref/resource", "uri": "x://{t}"}, "argument": {"name": "city", "value": "Ly"}}
    assert not has_titles or first["context"] == {"arguments": {"land": "France"}}


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("meta.implementation-fields")
async def test_the_client_introduces_itself_with_what_the_revision_has(revision: str) -> None:
    icon = Icon(src="https://example.com/i.png")
    info = Implementation(
        name="host", version="2", title="T", website_url="https://example.com", description="d", icons=[icon]
    )
    for given in (info, None):
        wire = Wire(table(revision))
        async with client_of(wire, revision, info=given) as client:
            await client.list_tools()
        params = wire.messages[0]["params"]
        said = params.get("clientInfo") or params["_meta"]["io.modelcontextprotocol/clientInfo"]
        wanted = {"name", "version"}
        if given is not None:
            wanted |= {"title"} if revision >= "2025-06-18" else set()
            wanted |= {"websiteUrl", "description", "icons"} if revision >= "2025-11-25" else set()
        assert said.keys() == wanted
        assert said["name"] == ("host" if given else "mcport")


@pytest.mark.parametrize("revision", HANDSHAKE)
@pytest.mark.requirement("lifecycle.negotiated-capabilities")
async def test_what_the_server_did_not_declare_is_refused_and_nothing_is_sent(revision: str) -> None:
    wire = Wire({**table(revision), **usual(revision, {"resources": {}})})
    async with client_of(wire, revision) as client:
        for name, arguments, method, _ in CASES:
            needed = METHODS[method].needs(revision)
            if needed in ("tools", "prompts", "completions", "logging", "resources.subscribe"):
                with pytest.raises(
                    NotDeclared, match=f"{method} needs the capability '{needed}', which the server did"
                ):
                    await getattr(client, name)(*arguments)
        with pytest.raises(NotDeclared):
            await client.start_tool("add")
        await client.list_resources()
    assert methods(wire) == ["initialize", "notifications/initialized", "resources/list"]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("prompts.respect-capabilities")
async def test_prompts_are_not_asked_of_a_server_that_declares_none(revision: str) -> None:
    wire = Wire({**table(revision), **usual(revision, {"tools": {}})})
    async with client_of(wire, revision) as client:
        with pytest.raises(NotDeclared, match="prompts/list needs the capability 'prompts'"):
            await client.list_prompts()
        with pytest.raises(NotDeclared, match="prompts/get needs the capability 'prompts'"):
            await client.get_prompt("greet")
        await client.list_tools()
    assert not [method for method in methods(wire) if method.startswith("prompts/")]


async def test_values_that_do_not_fit_are_refused_in_one_line() -> None:
    async with client_of(Wire(table("2025-11-25")), "2025-11-25") as client:
        with pytest.raises(ValueError, match=r"^the parameters do not fit CompleteRequestParams: argument.name: ") as e:
            await client.complete(PROMPT, {"value": "x"})  # type: ignore[arg-type]
        assert "\n" not in str(e.value)


async def test_a_request_of_anything_goes_out_as_it_is() -> None:
    wire = Wire({**usual("2025-11-25"), "com.example/do": [result({"x": 1})]})
    async with client_of(wire, "2025-11-25") as client:
        assert await client.request("com.example/do", {"y": [1, None]}) == {"x": 1}
        assert wire.messages[-1]["params"] == {"y": [1, None]}
        client.notify("com.example/said", {"z": 2})
        await client.ping()
    assert of(wire.messages, "com.example/said") == [
        {"jsonrpc": "2.0", "method": "com.example/said", "params": {"z": 2}}
    ]


async def test_metadata_is_merged_and_the_progress_token_is_the_clients() -> None:
    wire = Wire(usual("2025-11-25"))
    async with client_of(wire, "2025-11-25") as client:
        await client.request("tools/call", {"name": "x", "_meta": {"com.example/a": 1}}, meta={"com.example/b": 2})
        assert wire.messages[-1]["params"]["_meta"] == {"com.example/a": 1, "com.example/b": 2}
        sent = len(wire.messages)
        for key, fault in (("progressToken", "chosen by the client; give progress="), ("io.mcp/x", "reserved for the")):
            with pytest.raises(ValueError, match=fault):
                await client.call_tool("x", meta={key: 1})
            with pytest.raises(ValueError, match=fault):
                await client.request("tools/call", {"name": "x", "_meta": {key: 1}})
        assert len(wire.messages) == sent


@pytest.mark.parametrize("revision", ["2025-06-18", "2025-11-25", *STATELESS])
@pytest.mark.requirement("meta.prefix-reserved", "meta.prefix-format", "meta.prefix-label-format", "meta.name-format")
@pytest.mark.requirement("meta.trace-context-format", revisions=STATELESS)
async def test_metadata_of_a_caller_keeps_to_its_keys(revision: str) -> None:
    wire = Wire(usual(revision))
    wrong: dict[str, object] = dict.fromkeys(["tools.mcp.com/x", "a/b/c", "-a/b", "com.exam_ple/a", "com.example/-a"])
    if revision in STATELESS:
        wrong["traceparent"] = "x"
    async with client_of(wire, revision) as client:
        sent = len(wire.messages)
        for key, value in wrong.items():
            with pytest.raises(ValueError, match=f"_meta key '{key}'"):
                await client.call_tool("x", meta={key: value})
        assert len(wire.messages) == sent
        await client.call_tool("x", meta={"com.example/a-b_c.d": 1})
    assert wire.messages[-1]["params"]["_meta"]["com.example/a-b_c.d"] == 1


# ---- pages


def pages(*cursors: object) -> list[Any]:
    """One page for each cursor, with a tool that is called by its number; `...` is no cursor at all."""
    found = []
    for number, cursor in enumerate(cursors):
        tools = [{"name": str(number), "inputSchema": {}}]
        found.append(result({"tools": tools} if cursor is ... else {"tools": tools, "nextCursor": cursor}))
    return found


class Paged(Wire):
    """A counterpart that has one answer for each page."""

    def __init__(self, answers: list[Any]) -> None:
        super().__init__(usual("2025-11-25"))
        self._left = iter(answers)

    async def send(self, message: bytes) -> None:
        if b'"tools/list"' in message:
            self.counterpart.table["tools/list"] = [next(self._left)]
        await super().send(message)


@pytest.mark.parametrize("end", [..., None])
async def test_a_walk_goes_through_all_pages_and_an_empty_cursor_goes_on(end: object) -> None:
    wire = Paged(pages("a", "", "b", end))
    async with client_of(wire, "2025-11-25") as client:
        assert [tool.name async for tool in client.each_tool(meta={"com.example/m": 1})] == ["0", "1", "2", "3"]
    asked = of(wire.messages, "tools/list")
    assert [message["params"].get("cursor") for message in asked] == [None, "a", "", "b"]
    assert {message["params"]["_meta"]["com.example/m"] for message in asked} == {1}


async def test_a_cursor_that_comes_back_ends_the_walk_with_an_error() -> None:
    async with client_of(Paged(pages("a", "b", "a")), "2025-11-25") as client:
        walk = client.each_tool()
        assert [(await anext(walk)).name, (await anext(walk)).name] == ["0", "1"]
        with pytest.raises(InvalidAnswer) as caught:
            await anext(walk)
    assert str(caught.value) == "tools/list on server 'Paged': it gave the cursor 'a' twice, so the list has no end"


async def test_a_walk_is_bounded() -> None:
    wire = Paged(pages(*map(str, range(50))))
    async with client_of(wire, "2025-11-25", limits=Limits(list_pages=3)) as client:
        with pytest.raises(InvalidAnswer, match="tools/list on server 'Paged': the list has more than 3 pages"):
            [tool async for tool in client.each_tool()]
    assert len(of(wire.messages, "tools/list")) == 3


async def test_a_walk_of_exactly_the_bound_is_whole() -> None:
    async with client_of(Paged(pages("a", "b", ...)), "2025-11-25", limits=Limits(list_pages=3)) as client:
        assert [tool.name async for tool in client.each_tool()] == ["0", "1", "2"]


async def test_pages_are_fetched_when_they_are_needed_and_an_early_leave_leaves_nothing() -> None:
    wire = Paged(pages("a", "b", ...))
    async with client_of(wire, "2025-11-25") as client:
        async for tool in client.each_tool():
            assert tool.name == "0"
            break
        assert len(of(wire.messages, "tools/list")) == 1


async def test_every_list_has_its_walk() -> None:
    async with client_of(Wire(table("2025-11-25")), "2025-11-25") as client:
        assert [(await anext(client.each_prompt())).name] == ["p"]
        assert [each.uri async for each in client.each_resource()] == ["x://r"]
        assert [each.uri_template async for each in client.each_resource_template()] == ["x://{t}"]
        assert [each.name async for each in client.each_tool()] == ["t"]
