"""What authors register and how it is shown: names, decorators, lists and their pages, changes while connected."""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from mcport import Context, Server
from mcport.spec.types import Annotations, Icon, ToolAnnotations
from tests.server.wire import ALL, NEW, Json, Wire, serving

REVISION = NEW[0]


async def listed(wire: Wire, method: str, member: str) -> list[Json]:
    """Return all entries of a list, page by page."""
    entries: list[Json] = []
    cursor: Json = None
    while True:
        result = (await wire.ask(method, {} if cursor is None else {"cursor": cursor}))["result"]
        entries += result[member]
        if (cursor := result.get("nextCursor")) is None:
            return entries


def add(a: int, b: int = 2) -> int:
    """Add two numbers."""
    return a + b


class Desk:
    """Objects whose methods are served."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def say(self, word: str) -> str:
        """Say a word."""
        return f"{self.name}: {word}"

    def __call__(self, ctx: Context) -> str:
        return f"{self.name} in {ctx.revision}"

    @staticmethod
    def plain(n: int) -> int:
        return n

    @classmethod
    async def made(cls, n: int) -> str:
        return cls.__name__ * n


def test_decorators_return_what_they_were_given() -> None:
    server = Server("demo")
    assert server.tool(add) is add
    assert server.tool(name="other")(add) is add
    assert server.resource("a://b")(test_nothing) is test_nothing
    assert server.prompt(test_nothing) is test_nothing
    assert server.prompt(name="other")(test_nothing) is test_nothing


def test_nothing() -> None: ...


async def test_functions_methods_partials_and_callable_objects_are_served() -> None:
    server, desk = Server("demo"), Desk("ann")
    server.tool(add)
    server.tool(desk.say)
    server.tool(name="desk")(desk)
    server.tool(Desk.plain)
    server.tool(Desk.made)
    server.tool(name="add5")(functools.partial(add, b=5))
    server.tool(name="square")(lambda n: n * n)
    async with serving(server, REVISION) as wire:
        tools = await listed(wire, "tools/list", "tools")
        assert [tool["name"] for tool in tools] == ["add", "say", "desk", "plain", "made", "add5", "square"]
        assert tools[0]["description"] == "Add two numbers."
        assert tools[0]["inputSchema"]["required"] == ["a"]
        assert set(tools[5]["inputSchema"]["properties"]) == {"a"}
        assert tools[2]["inputSchema"]["properties"] == {}
        calls: list[tuple[str, Json, str]] = [
            ("add", {"a": 1}, "3"),
            ("say", {"word": "hi"}, "ann: hi"),
            ("desk", {}, f"ann in {REVISION}"),
            ("plain", {"n": 4}, "4"),
            ("made", {"n": 2}, "DeskDesk"),
            ("add5", {"a": 1}, "6"),
            ("square", {"n": 3}, "9"),
        ]
        for name, arguments, text in calls:
            assert await wire.text(name, arguments) == text


async def stream() -> AsyncIterator[int]:
    yield 1


def steps() -> Iterator[int]:
    yield 1


def anything(*args: int) -> None: ...
def everything(**kwargs: int) -> None: ...
def positional(a: int, /) -> None: ...


@pytest.mark.parametrize("function", [stream, steps, anything, everything, positional, lambda: 1, Desk.say, Desk, 5])
def test_what_cannot_be_served_is_refused_in_one_line(function: Any) -> None:
    server = Server("demo")
    for register in (server.tool, server.prompt, server.resource("a://b")):
        with pytest.raises(TypeError) as caught:
            register(function)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


def test_a_name_or_uri_that_is_taken_is_refused() -> None:
    server = Server("demo")
    for register in (server.tool(name="a"), server.prompt(name="a"), server.resource("a://b")):
        register(one_text)
        with pytest.raises(ValueError, match="is there already"):
            register(one_text)


def one_text(b: str = "") -> str:
    return b


@pytest.mark.parametrize("name", ["", "a b", "a,b", "ä", "a" * 129, "a/b", "a\nb"])
async def test_names_that_clients_may_refuse_give_a_warning_and_are_served(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    server = Server("demo")
    server.tool(name=name)(one_text)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "1 to 128" in record.getMessage()
    async with serving(server, REVISION) as wire:
        assert await wire.text(name, {"b": "x"}) == "x"


async def test_good_names_give_no_warning_and_case_matters(caplog: pytest.LogCaptureFixture) -> None:
    server = Server("demo")
    for name in ("getUser", "getuser", "a", "A-b_c.9", "a" * 128):
        server.tool(name=name)(functools.partial(one_text, name))
    assert not caplog.records
    async with serving(server, REVISION) as wire:
        assert await wire.text("getUser") == "getUser"
        assert await wire.text("getuser") == "getuser"


async def test_a_wrong_name_is_told_with_the_nearest_one() -> None:
    server = Server("Demo")
    server.tool(add)
    server.prompt(one_text)
    async with serving(server, REVISION) as wire:
        error = await wire.error("tools/call", {"name": "ad"})
        assert error == {"code": -32602, "message": "Unknown tool 'ad' on server 'Demo'. Did you mean 'add'?"}
        error = await wire.error("prompts/get", {"name": "one_txt"})
        assert error == {
            "code": -32602,
            "message": "Unknown prompt 'one_txt' on server 'Demo'. Did you mean 'one_text'?",
        }
        for method in ("tools/call", "prompts/get"):
            for params in ({}, {"name": None}, {"name": 5}, {"name": "add", "arguments": []}):
                assert (await wire.error(method, params))["code"] == -32602


@pytest.mark.parametrize("revision", ALL)
async def test_p24_wrong_arguments_are_told_in_one_line(revision: str) -> None:
    server = Server("Demo")
    server.tool(add)
    cases: list[tuple[Json, str]] = [
        ({"a": "x"}, "add: argument 'a' must be an integer, got 'x'"),
        ({}, "add: argument 'a' is missing"),
        ({"a": 1, "c": 1}, "add: unknown argument 'c' (it takes a, b)"),
    ]
    async with serving(server, revision) as wire:
        for arguments, line in cases:
            answer = await wire.ask("tools/call", {"name": "add", "arguments": arguments})
            if revision >= "2025-11-25":
                assert answer["result"]["isError"] is True
                assert answer["result"]["content"] == [{"type": "text", "text": line}]
            else:
                assert answer["error"] == {"code": -32602, "message": line}


@pytest.mark.parametrize("revision", ALL)
async def test_everything_that_can_be_said_of_an_entry_is_shown_where_the_revision_has_it(revision: str) -> None:
    server = Server("demo")
    shown: Any = {"title": "T", "description": "D", "icons": [Icon(src="https://a.example/i.png")], "meta": {"a": None}}
    server.tool(annotations=ToolAnnotations(read_only_hint=True), **shown)(add)
    server.prompt(**shown)(one_text)
    more = {"mime_type": "text/plain", "annotations": Annotations(priority=1), **shown}
    server.resource("a://b", size=5, **more)(one_text)
    server.resource("a://{b}", name="family", **more)(one_text)
    async with serving(server, revision) as wire:
        (tool,) = await listed(wire, "tools/list", "tools")
        (prompt,) = await listed(wire, "prompts/list", "prompts")
        (resource,) = await listed(wire, "resources/list", "resources")
        (template,) = await listed(wire, "resources/templates/list", "resourceTemplates")
    for entry in (tool, prompt, resource, template):
        assert entry["description"] == "D"
        assert ("title" in entry) == (revision >= "2025-06-18")
        assert ("_meta" in entry) == (revision >= "2025-06-18")
        assert ("icons" in entry) == (revision >= "2025-11-25")
    assert ("annotations" in tool) == (revision >= "2025-03-26")
    assert prompt["arguments"] == [{"name": "b", "required": False}]
    assert (resource["uri"], resource["name"], resource["mimeType"]) == ("a://b", "one_text", "text/plain")
    assert ("size" in resource) == (revision >= "2025-03-26") or resource["size"] == 5
    assert (template["uriTemplate"], template["name"]) == ("a://{b}", "family")


async def test_the_context_is_found_by_its_annotation_in_every_kind_of_handler() -> None:
    server = Server("demo")

    @server.tool
    async def tool(context: Context) -> str:
        return type(context.request_id).__name__

    @server.resource("a://{b}")
    def resource(b: str, who: Context[None] | None = None) -> str:
        assert who is not None
        return f"{b} {who.revision}"

    @server.prompt
    async def prompt(*, c: Context[str], word: str) -> str:
        return f"{word} {c.revision}"

    async with serving(server, REVISION) as wire:
        (tool_shown,) = await listed(wire, "tools/list", "tools")
        assert tool_shown["inputSchema"]["properties"] == {}
        assert await wire.text("tool") == "str"
        read = await wire.ask("resources/read", {"uri": "a://x"})
        assert read["result"]["contents"][0]["text"] == f"x {REVISION}"
        (prompt_shown,) = await listed(wire, "prompts/list", "prompts")
        assert prompt_shown["arguments"] == [{"name": "word", "required": True}]
        got = await wire.ask("prompts/get", {"name": "prompt", "arguments": {"word": "hi"}})
        assert got["result"]["messages"][0]["content"]["text"] == f"hi {REVISION}"


# ---- resources


@pytest.mark.parametrize("uri", ["a://{x}", "a://{b}/{x}", "a://fixed"])
def test_variables_and_parameters_must_be_the_same(uri: str) -> None:
    def two(b: str, c: str) -> str:
        return b + c

    with pytest.raises(TypeError, match=r"two: "):
        Server("demo").resource(uri)(two)


async def test_a_fixed_resource_wins_over_templates_and_templates_in_their_order() -> None:
    server = Server("demo")
    server.resource("a://{b}")(lambda_named("family"))
    server.resource("a://{b}/{c}")(lambda_named("two"))
    server.resource("a://one")(lambda_named("fixed"))
    async with serving(server, REVISION) as wire:
        for uri, text in [("a://one", "fixed"), ("a://two", "family two"), ("a://x/y", "two x")]:
            read = await wire.ask("resources/read", {"uri": uri})
            assert read["result"]["contents"] == [{"uri": uri, "text": text}]
        for uri in ("b://x", "", "a://"):
            error = await wire.error("resources/read", {"uri": uri})
            assert (error["code"], error["data"]) == (-32602, {"uri": uri})
        for params in ({}, {"uri": 5}, {"uri": "a://" + "x" * 9000}):
            assert (await wire.error("resources/read", params))["code"] == -32602


def lambda_named(name: str) -> Any:
    if name == "fixed":
        return lambda_fixed
    if name == "two":
        return lambda_two
    return lambda_family


def lambda_fixed() -> str:
    return "fixed"


def lambda_family(b: str) -> str:
    return f"family {b}"


def lambda_two(b: str, c: str) -> str:
    return f"two {b}"


async def test_variables_become_the_parameters_types_or_there_is_no_such_resource() -> None:
    server = Server("demo")

    @server.resource("day://{n}")
    def day(n: int) -> str:
        return f"{n + 1}"

    async with serving(server, REVISION) as wire:
        read = await wire.ask("resources/read", {"uri": "day://41"})
        assert read["result"]["contents"][0]["text"] == "42"
        assert (await wire.error("resources/read", {"uri": "day://soon"}))["code"] == -32602


# ---- lists and their pages


def many(count: int, page_size: int | None) -> Server:
    server = Server("many", page_size=page_size)
    for number in range(count):
        name = f"item{number}" + "x" * (3000 if number == 2 else 0)
        server.tool(name=name)(one_text)
        server.prompt(name=name)(one_text)
        server.resource(f"a://{name}")(lambda_fixed)
        server.resource(f"item{number}://{{b}}")(one_text)
    return server


LISTS = [
    ("tools/list", "tools"),
    ("prompts/list", "prompts"),
    ("resources/list", "resources"),
    ("resources/templates/list", "resourceTemplates"),
]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("page_size", [None, 1, 3, 7, 100])
async def test_every_entry_is_on_exactly_one_page_in_the_order_of_registration(
    revision: str, page_size: int | None
) -> None:
    async with serving(many(7, page_size), revision) as wire:
        for method, member in LISTS:
            entries = await listed(wire, method, member)
            names = [entry.get("uri") or entry.get("uriTemplate") or entry["name"] for entry in entries]
            assert [index for index, name in enumerate(names) if f"item{index}" in name] == list(range(7))
            first = (await wire.ask(method))["result"]
            assert len(first[member]) == min(page_size or 7, 7)
            assert ("nextCursor" in first) == (page_size in (1, 3))


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("cursor", ["", "nonsense", "aXRlbTA", 5, [], {}, True, "0", "\x00"])
async def test_a_cursor_that_is_none_of_ours_is_refused(revision: str, cursor: Json) -> None:
    async with serving(many(5, 2), revision) as wire:
        for method, _ in LISTS:
            assert (await wire.error(method, {"cursor": cursor}))["code"] == -32602


async def test_cursors_say_nothing_and_outlive_what_is_added() -> None:
    server = many(5, 2)
    async with serving(server, REVISION) as wire:
        cursor = (await wire.ask("tools/list"))["result"]["nextCursor"]
        assert "item" not in cursor
        assert "result" in await wire.ask("tools/list", {"cursor": cursor})
        server.tool(name="late")(one_text)
        server.tool(name="later")(one_text)
        result = (await wire.ask("tools/list", {"cursor": cursor}))["result"]
        assert [tool["name"][:5] for tool in result["tools"]] == ["item2", "item3"]
        entries = await listed(wire, "tools/list", "tools")
        assert [entry["name"] for entry in entries[-2:]] == ["late", "later"]


@pytest.mark.parametrize("revision", ALL)
async def test_what_is_added_while_connected_is_in_the_next_list_and_can_be_used(revision: str) -> None:
    server = Server("late")
    async with serving(server, revision) as wire:
        assert (await wire.error("tools/list"))["code"] == -32601
        server.tool(add)
        assert [tool["name"] for tool in await listed(wire, "tools/list", "tools")] == ["add"]
        server.tool(name="more")(add)
        assert [tool["name"] for tool in await listed(wire, "tools/list", "tools")] == ["add", "more"]
        assert await wire.text("more", {"a": 1}) == "3"
        server.resource("a://b")(lambda_fixed)
        server.prompt(one_text)
        assert len(await listed(wire, "resources/list", "resources")) == 1
        assert len(await listed(wire, "prompts/list", "prompts")) == 1


# ---- the server itself


@pytest.mark.parametrize(
    ("revisions", "text"),
    [(["2020-01-01"], "unknown protocol revision '2020-01-01'"), ([], "at least one"), ("x", "'x'")],
)
def test_revisions_that_do_not_exist_are_refused(revisions: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Server("demo", revisions=revisions)


async def test_one_revision_may_be_given_as_it_is() -> None:
    async with serving(Server("demo", revisions="2025-06-18"), "2025-06-18") as wire:
        await wire.silent()


@pytest.mark.parametrize("wrong", [("x", 2), (5, "1"), (None, "1")])
def test_name_and_version_are_strings(wrong: tuple[Any, Any]) -> None:
    with pytest.raises(TypeError, match=r"the (name|version) of a server is a string, not \w+$"):
        Server(*wrong)
