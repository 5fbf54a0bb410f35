"""What a server author says wrongly is refused where it was said, in one line that names it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mcport import Server
from mcport.spec.types import Annotations, Icon, ToolAnnotations
from tests.server.wire import NEW, serving

ICON = "Icon(src='https://example.com/icon.png')"


class Secret:
    """What nobody can send."""


def work(a: str = "") -> str:
    return a


def line_of(error: BaseException) -> str:
    """Return the text of an error, which is one line."""
    text = str(error)
    assert "\n" not in text
    assert len(text) < 300
    return text


# ---- what is said of a tool, a resource, a prompt

SHARED: list[tuple[str, Any, str]] = [
    ("name", 3, "name is a string, not int"),
    ("title", 3, "title is a string, not int"),
    ("title", "half \ud83d", r"title has half of a character in it, which no message can carry: 'half \ud83d'"),
    ("description", b"x", "description is a string, not bytes"),
    ("icons", "x", f"icons is a list, such as [{ICON}], not str"),
    ("icons", ["x"], f"icons[0] is an object such as {ICON}, not str"),
    ("icons", [{"src": "a:b"}, {"source": "x"}], f"icons[1]: src: Field required; write it as {ICON}"),
    ("icons", [Icon.model_validate({"src": "a:b", "more": Secret()})], "icons[0] cannot be JSON: "),
    ("meta", "x", "_meta must be an object, not str"),
    ("meta", {"a": Secret()}, "meta cannot be JSON: Unable to serialize unknown type: "),
    ("meta", {"a": float("nan")}, "meta cannot be JSON: "),
    ("visible", 3, "visible is a function that takes the Context, not int"),
    ("timeout", "x", "timeout is a number of seconds, not str"),
    ("timeout", -1, "timeout is a positive number of seconds, not -1"),
    ("max_concurrency", 0, "max_concurrency is at least 1, not 0"),
    ("needs", "telepathy", "needs: unknown client capability 'telepathy'; known: elicitation, "),
    ("tags", {"x"}, "there is no option 'tags'. What is the application's own goes into meta={...}."),
    ("titel", "x", "there is no option 'titel'. Did you mean 'title'?"),
]
OF_TOOLS: list[tuple[str, Any, str]] = [
    ("annotations", "x", "annotations is an object such as ToolAnnotations(read_only_hint=True), not str"),
    ("annotations", {"read_only_hint": "?"}, "annotations: read_only_hint: Input should be a valid boolean"),
    ("structured", "x", "structured is True or False, not str"),
]
OF_RESOURCES: list[tuple[str, Any, str]] = [
    ("annotations", "x", "annotations is an object such as Annotations(priority=1), not str"),
    ("annotations", Annotations(last_modified="soon"), "last_modified 'soon' is no date in ISO 8601"),
    ("mime_type", "text", "mime_type 'text' is no media type such as 'text/plain'"),
    ("size", "x", "size is a number of bytes, at least 0, not str"),
    ("size", True, "size is a number of bytes, at least 0, not bool"),
    ("size", -1, "size is a number of bytes, at least 0, not -1"),
    ("ttl_ms", "x", "ttl_ms is a number of milliseconds, 0 or more, not 'x'"),
    ("cache_scope", "all", 'cache_scope is "public" or "private", not \'all\''),
]


@pytest.mark.parametrize(("option", "value", "line"), SHARED + OF_TOOLS)
def test_a_wrong_option_of_a_tool_is_told_with_the_tools_name(option: str, value: Any, line: str) -> None:
    server = Server("demo")
    whose = "tool" if option == "name" else "tool 'work'"
    for register in (server.tool(**{option: value}), lambda function: server.add_tool(function, **{option: value})):
        with pytest.raises((TypeError, ValueError)) as caught:
            register(work)
        assert line_of(caught.value).startswith(f"{whose}: {line}")


@pytest.mark.parametrize(("option", "value", "line"), [each for each in SHARED + OF_TOOLS if each[0] != "name"])
def test_a_wrong_option_of_a_raw_tool_is_told_with_its_name(option: str, value: Any, line: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Server("demo").add_raw_tool("raw", work, input_schema={"type": "object"}, **{option: value})
    assert line_of(caught.value).startswith(f"tool 'raw': {line}")


@pytest.mark.parametrize("uri", ["a://b", "a://{a}"])
@pytest.mark.parametrize(("option", "value", "line"), SHARED + OF_RESOURCES)
def test_a_wrong_option_of_a_resource_or_template_is_told_with_its_uri(
    uri: str, option: str, value: Any, line: str
) -> None:
    server = Server("demo")
    with pytest.raises((TypeError, ValueError)) as caught:
        server.resource(uri, **{option: value})
    assert line_of(caught.value).startswith(f"resource {uri!r}: {line}")
    with pytest.raises((TypeError, ValueError)) as caught:
        server.add_resource(uri, work, **{option: value})
    assert line_of(caught.value).startswith(f"resource {uri!r}: {line}")


@pytest.mark.parametrize(("option", "value", "line"), SHARED)
def test_a_wrong_option_of_a_prompt_is_told_with_the_prompts_name(option: str, value: Any, line: str) -> None:
    server = Server("demo")
    whose = "prompt" if option == "name" else "prompt 'work'"
    for register in (server.prompt(**{option: value}), lambda function: server.add_prompt(function, **{option: value})):
        with pytest.raises((TypeError, ValueError)) as caught:
            register(work)
        assert line_of(caught.value).startswith(f"{whose}: {line}")


def test_a_template_has_no_size() -> None:
    with pytest.raises(TypeError, match=r"resource 'a://\{a\}': a template has no size"):
        Server("demo").add_resource("a://{a}", work, size=5)


async def test_what_is_refused_while_the_server_runs_leaves_its_lists_as_they_were() -> None:
    server: Any = Server("demo")
    server.add_tool(work, title="Work", icons=[{"src": "https://a.example/i.png"}], annotations={"title": "T"})
    server.add_resource("a://b", work, annotations=Annotations(priority=1), meta={"when": [1, None, "x"]})
    unsendable = ToolAnnotations.model_validate({"title": "x", "more": Secret()})
    wrong: list[tuple[Any, Any]] = [
        (server.add_tool, {"name": "other", "icons": ["x"]}),
        (server.add_tool, {"name": "more", "annotations": unsendable}),
        (server.add_prompt, {"title": 3}),
    ]
    async with serving(server, NEW[0]) as wire:
        for add, options in wrong:
            with pytest.raises((TypeError, ValueError)):
                add(work, **options)
        (tool,) = (await wire.ask("tools/list"))["result"]["tools"]
        (resource,) = (await wire.ask("resources/list"))["result"]["resources"]
    assert (tool["title"], tool["icons"]) == ("Work", [{"src": "https://a.example/i.png"}])
    assert resource["_meta"] == {"when": [1, None, "x"]}


def half(a: str = "") -> str:
    return a


half.__doc__ = "Has \ud83d in its text."  # Python 3.13 does not compile a docstring with it


def test_what_is_shown_of_the_function_itself_must_be_sendable_too() -> None:
    server = Server("demo")
    for kind, register in [("tool 'half'", server.tool), ("prompt 'half'", server.prompt)]:
        with pytest.raises(ValueError, match=rf"^{kind}: its docstring or schema cannot be JSON: ") as caught:
            register(half)
        line_of(caught.value)
    for uri in ("a://b", "a://{a}"):
        with pytest.raises(ValueError, match=r"^resource 'a://.*': its docstring or schema cannot be JSON: "):
            server.add_resource(uri, half)
    infinite = {"type": "object", "properties": {"a": {"default": float("inf")}}}
    with pytest.raises(ValueError, match=r"^tool 'raw': its docstring or schema cannot be JSON: "):
        server.add_raw_tool("raw", work, input_schema=infinite)
    with pytest.raises(ValueError, match=r"^tool 'work': its docstring or schema cannot be JSON: "):
        server.add_tool(work, output_schema=infinite)
    assert len(server._tools.listing) == len(server._prompts.listing) == len(server._resources.listing) == 0


# ---- what stands where something else belongs


class Tools:
    """Has a method."""

    def method(self) -> None: ...


def test_a_name_without_its_option_is_told_how_to_be_written() -> None:
    server: Any = Server("demo")
    with pytest.raises(TypeError, match=r"^tool: a name is an option: write @server\.tool\(name='named'\)$"):
        server.tool("named")
    with pytest.raises(TypeError, match=r"^prompt: a name is an option: write @server\.prompt\(name='named'\)$"):
        server.prompt("named")


def test_a_resource_without_a_uri_is_told_to_have_one() -> None:
    server: Any = Server("demo")
    first = r"^resource: the URI comes first: write @server\.resource\('scheme://path'\)"
    with pytest.raises(TypeError, match=first + " above 'work'$"):
        server.resource(work)
    with pytest.raises(TypeError, match=first + ", not int$"):
        server.add_resource(5, work)
    with pytest.raises(TypeError, match=first + ", not NoneType$"):
        server.resource(None)


def test_what_is_there_already_is_told_with_both_ways_out() -> None:
    server = Server("demo")
    for register in (server.tool, server.prompt, server.resource("a://b")):
        register(work)
        with pytest.raises(ValueError, match="is there already: take that one away first, or call this one something"):
            register(work)


# ---- what is said of the server

OPTIONS: list[tuple[str, Any, str]] = [
    ("version", 3, "the version of a server is a string, not int"),
    ("title", 3, "title is a string, not int"),
    ("icons", ["x"], f"icons[0] is an object such as {ICON}, not str"),
    ("instructions", 5, "instructions is a string, not int"),
    ("page_size", 0, "page_size is a number, at least 1, not 0"),
    ("page_size", "x", "page_size is a number, at least 1, not str"),
    ("page_size", True, "page_size is a number, at least 1, not bool"),
    ("cache", "x", "cache is a CacheHint, such as CacheHint(ttl_ms=60_000), not str"),
    ("cache_lists", "x", "cache_lists is a CacheHint, such as CacheHint(ttl_ms=60_000), not str"),
    ("cache_lists", {"tools": 3}, "cache_lists['tools'] is a CacheHint, such as CacheHint(ttl_ms=60_000), not int"),
    ("lifespan", 3, "lifespan is a function, not int"),
    ("log_level", "loud", "log_level 'loud' is not one of debug, "),
    ("ask_timeout", -1, "ask_timeout and ask_total are seconds: ask_timeout is above 0"),
    ("ask_timeout", "x", "ask_timeout is a number of seconds, not str"),
    ("ask_total", None, "ask_total is a number of seconds, not NoneType"),
    ("seal_key", "x" * 40, "seal_key is bytes, such as those of os.urandom(32), or a list of them"),
    ("seal_key", ["x" * 40], "seal_key is bytes, such as those of os.urandom(32), or a list of them"),
    ("limits", "x", "limits is Limits, such as Limits(requests_in_flight=10), not str"),
    ("revisions", 3, "revisions is a list, not int"),
    ("revisions", [[]], "revisions: unknown protocol revision []; known: "),
    ("offers", ["tool"], "offers: there is no kind 'tool'; known: tools, "),
    ("middleware", [3], "a middleware is an object of a class derived from Middleware, not 3"),
    ("extensions", [3], "extensions are objects such as Extension('com.example/name'), not int"),
    ("notices", 3, "notices is a way to tell other processes of changes: int has no method 'publish'"),
    ("ask_store", {}, "ask_store is a store: dict has no method 'put'"),
    ("dev", "yes", "dev is True or False, not str"),
]


@pytest.mark.parametrize(("option", "value", "line"), OPTIONS)
def test_a_wrong_option_of_the_server_is_told_in_one_line(option: str, value: Any, line: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        Server("demo", **{option: value})
    assert line_of(caught.value).startswith(line)
    assert "xxxx" not in str(caught.value), "a key is a secret"


@pytest.mark.parametrize("option", sorted(Server.__init__.__kwdefaults__ or ()))
def test_no_option_of_the_server_takes_just_anything(option: str) -> None:
    anything: Any = {option: Secret()}
    with pytest.raises((TypeError, ValueError)) as caught:
        Server("demo", **anything)
    assert line_of(caught.value).startswith(option)


def test_a_lifespan_that_yields_is_told_to_be_a_context() -> None:
    async def lifespan(server: Server) -> AsyncIterator[None]:
        yield

    with pytest.raises(TypeError, match=r"^lifespan is .*: write @asynccontextmanager above its async def$"):
        Server("demo", lifespan=lifespan)  # type: ignore[arg-type]


def test_the_traceback_ends_with_the_authors_own_line_above_those_of_mcport() -> None:
    server: Any = Server("demo")
    with pytest.raises(TypeError) as caught:
        server.tool(title=3)(work)
    first, *rest = caught.traceback
    assert "server.tool(title=3)" in str(first.statement)
    assert all("mcport" in Path(str(entry.path)).parts for entry in rest)
