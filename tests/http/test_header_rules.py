"""Headers that repeat the body (stateless era), on the wire: what a server refuses, and that nothing is run then."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest
from pydantic import Field

from mcport import Server
from mcport.spec.methods import METHODS
from tests.faults.serving import served

from .bridge import STATELESS_VERSION, ask, stateless

pytestmark = pytest.mark.anyio

TABLE = "one table: each row breaks or keeps one of these rules"
ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "count": {"type": "integer", "x-mcp-header": "Count"},
        "how": {"type": "object", "properties": {"dry": {"type": "boolean", "x-mcp-header": "Dry-Run"}}},
    },
}
METHOD, NAME, VERSION = "mcp-method", "mcp-name", "mcp-protocol-version"
REGION, COUNT, DRY = "mcp-param-region", "mcp-param-count", "mcp-param-dry-run"
Headers = dict[str, str | None]

ASKED_BY_CLIENTS = [
    each.name for each in METHODS.values() if each.kind == "request" and STATELESS_VERSION in each.from_client
]


class Shop:
    """A server that notes what is ordered."""

    def __init__(self) -> None:
        self.ordered: list[dict[str, Any]] = []
        self.made = Server("shop", revisions=[STATELESS_VERSION])
        self.made.add_raw_tool("order", self.order, input_schema=ORDER)

    async def order(self, arguments: dict[str, Any]) -> str:
        self.ordered.append(arguments)
        return "ordered"


def order(arguments: dict[str, Any], **headers: str | None) -> dict[str, Any]:
    request = stateless("tools/call", id=7, name="order", arguments=arguments)
    request["headers"] |= {name.replace("_", "-"): value for name, value in headers.items()}
    return request


async def check_refused(request: dict[str, Any], words: str) -> None:
    """See that an order is refused in these words, and not run."""
    shop = Shop()
    app = shop.made.asgi()
    async with ask(app, **request) as answer:
        said = await answer.json()
    assert (answer.status, said["error"]["code"], said["id"]) == (400, -32020, 7)
    assert words in said["error"]["message"]
    assert shop.ordered == []
    await app.aclose()


@pytest.mark.requirement("http.headers.mismatch-400-error")
@pytest.mark.requirement("http.headers.mismatch-rejected")
@pytest.mark.requirement("http.headers.missing-rejected")
@pytest.mark.requirement("http.headers.missing-version-rejected")
@pytest.mark.requirement("http.headers.invalid-chars-rejected")
@pytest.mark.requirement("http.headers.values-case-sensitive")
@pytest.mark.requirement("http.headers.protocol-version-mismatch", reason=TABLE)
@pytest.mark.parametrize(
    ("header", "value", "words"),
    [
        (VERSION, None, "MCP-Protocol-Version is missing"),
        (VERSION, "2025-11-25", "MCP-Protocol-Version is '2025-11-25', and the body says"),
        (VERSION, "1999-01-01", "MCP-Protocol-Version is '1999-01-01', and the body says"),
        (METHOD, None, "Mcp-Method is missing"),
        (METHOD, "tools/list", "Mcp-Method is 'tools/list'"),
        (METHOD, "Tools/Call", "Mcp-Method is 'Tools/Call'"),
        (NAME, None, "Mcp-Name is missing"),
        (NAME, "other", "Mcp-Name is 'other'"),
        (NAME, "Order", "Mcp-Name is 'Order'"),
        (NAME, "order, order", "Mcp-Name is 'order, order'"),
        (NAME, "=?base64?b3JkZXI?=", "Mcp-Name is marked as Base64 and is none"),
        (NAME, "=?base64?b3Jk!XI=?=", "Mcp-Name is marked as Base64 and is none"),
        (NAME, "=?BASE64?b3JkZXI=?=", "Mcp-Name is '=?BASE64?b3JkZXI=?='"),
        (NAME, "ord\xe9r", "Mcp-Name has characters that no header may have"),
        (NAME, "ord\x00er", "Mcp-Name has characters that no header may have"),
    ],
)
async def test_a_request_whose_headers_do_not_repeat_it_is_refused_and_not_run(
    header: str, value: str | None, words: str
) -> None:
    await check_refused(order({}, **{header: value}), words)


@pytest.mark.requirement("x-mcp-header.mismatch-400")
@pytest.mark.requirement("x-mcp-header.validated-against-body")
@pytest.mark.requirement("x-mcp-header.missing-rejected")
@pytest.mark.requirement("x-mcp-header.invalid-chars-rejected")
@pytest.mark.parametrize(
    ("arguments", "headers", "words"),
    [
        ({"region": "eu"}, {}, "Mcp-Param-region is missing"),
        ({"region": "eu"}, {REGION: "us"}, "Mcp-Param-region is 'us'"),
        ({"region": "eu"}, {REGION: "EU"}, "Mcp-Param-region is 'EU'"),
        ({"region": "Grüße"}, {REGION: "=?base64?R3LDvMOfZQ?="}, "Mcp-Param-region is marked as Base64 and is none"),
        ({"region": "Gr\xfc"}, {REGION: "Gr\xfc"}, "Mcp-Param-region has characters that no header may have"),
        ({}, {REGION: "eu"}, "Mcp-Param-region is 'eu', and the body says None"),
        ({"count": 42}, {COUNT: "43"}, "Mcp-Param-count is '43'"),
        ({"count": 42}, {COUNT: "42.5"}, "Mcp-Param-count is '42.5'"),
        ({"how": {"dry": True}}, {DRY: "false"}, "Mcp-Param-dry-run is 'false'"),
        ({"how": {"dry": True}}, {}, "Mcp-Param-dry-run is missing"),
    ],
)
async def test_a_call_whose_headers_do_not_repeat_its_arguments_is_refused_and_not_run(
    arguments: dict[str, Any], headers: Headers, words: str
) -> None:
    await check_refused(order(arguments, **headers), words)


@pytest.mark.requirement("x-mcp-header.server-optional")
@pytest.mark.requirement("x-mcp-header.not-expected-without-value")
@pytest.mark.requirement("x-mcp-header.integer-numeric-compare")
@pytest.mark.requirement("header-encoding.decode-before-compare")
@pytest.mark.requirement("header-encoding.servers-decode")
@pytest.mark.parametrize(
    ("arguments", "headers"),
    [
        ({}, {}),
        ({"count": 42}, {COUNT: "42"}),
        ({"count": 42}, {COUNT: "42.0"}),
        ({"how": {"dry": False}}, {DRY: "false"}),
        ({"region": "Grüße"}, {REGION: "=?base64?R3LDvMOfZQ==?="}),
        ({"region": "eu"}, {REGION: "=?base64?ZXU=?=", NAME: "=?base64?b3JkZXI=?="}),
        ({}, {"mcp-param-nobody-asked": "for this"}),
    ],
)
async def test_a_call_whose_headers_repeat_it_is_run(arguments: dict[str, Any], headers: Headers) -> None:
    shop = Shop()
    app = shop.made.asgi()
    async with ask(app, **order(arguments, **headers)) as answer:
        assert (answer.status, "result" in await answer.json()) == (200, True)
    assert shop.ordered == [arguments]
    await app.aclose()


@pytest.mark.requirement("x-mcp-header.not-expected-without-value")
async def test_no_header_is_wanted_for_null() -> None:
    shop = Shop()
    app = shop.made.asgi()
    async with ask(app, **order({"region": None})) as answer:
        # Whether null is a good argument is the business of the schema, and of no header.
        assert (answer.status, (await answer.json())["result"]["isError"]) == (200, True)
    await app.aclose()


@pytest.mark.requirement("x-mcp-header.not-empty")
@pytest.mark.requirement("x-mcp-header.token-syntax")
@pytest.mark.requirement("x-mcp-header.no-control-chars")
@pytest.mark.requirement("x-mcp-header.primitive-types")
@pytest.mark.requirement("x-mcp-header.unique")
@pytest.mark.requirement("x-mcp-header.no-other-path")
@pytest.mark.requirement("x-mcp-header.statically-reachable", reason=TABLE)
@pytest.mark.parametrize(
    ("properties", "words"),
    [
        ({"a": {"type": "string", "x-mcp-header": ""}}, "must be the name of a header"),
        ({"a": {"type": "string", "x-mcp-header": "a b"}}, "must be the name of a header"),
        ({"a": {"type": "string", "x-mcp-header": "a:b"}}, "must be the name of a header"),
        ({"a": {"type": "string", "x-mcp-header": "ä"}}, "must be the name of a header"),
        ({"a": {"type": "string", "x-mcp-header": "a\r\nb"}}, "must be the name of a header"),
        ({"a": {"type": "number", "x-mcp-header": "A"}}, "is for a string, integer or boolean"),
        ({"a": {"type": "object", "x-mcp-header": "A"}}, "is for a string, integer or boolean"),
        ({name: {"type": "string", "x-mcp-header": name} for name in ("A", "a")}, "is used twice"),
        ({"a": {"type": "array", "items": {"type": "string", "x-mcp-header": "A"}}}, "by `properties` alone"),
        ({"a": {"oneOf": [{"type": "string", "x-mcp-header": "A"}]}}, "by `properties` alone"),
    ],
)
def test_a_tool_that_asks_for_headers_as_it_may_not_is_refused_when_it_is_registered(
    properties: dict[str, Any], words: str
) -> None:
    made = Server("shop")
    with pytest.raises(ValueError, match=re.escape(words)) as refused:
        made.add_raw_tool("order", lambda arguments: "", input_schema={"type": "object", "properties": properties})
    assert str(refused.value).startswith("tool 'order': ")
    assert "\n" not in str(refused.value)


def test_so_is_a_function_whose_annotations_ask_for_them() -> None:
    made = Server("shop")

    async def order(price: Annotated[float, Field(json_schema_extra={"x-mcp-header": "Price"})]) -> str:
        """Order."""
        return ""

    with pytest.raises(ValueError, match="tool 'order': x-mcp-header of 'price' is for a string, integer or boolean"):
        made.tool(order)


@pytest.mark.requirement("x-mcp-header.server-optional")
async def test_a_function_asks_for_headers_by_its_annotations() -> None:
    made = Server("shop")

    @made.tool
    async def order(region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})]) -> str:
        """Order."""
        return region

    app = made.asgi()
    for headers, status in (({REGION: "eu"}, 200), ({}, 400)):
        request = stateless("tools/call", name="order", arguments={"region": "eu"})
        async with ask(app, request["body"], request["headers"] | headers) as answer:
            assert answer.status == status
    await app.aclose()


def wordy(word: str) -> str:
    """Say a word."""
    return word


def words(value: str) -> list[str]:
    """Suggest words."""
    return []


@pytest.mark.requirement("http.endpoint.single-post")
@pytest.mark.parametrize("method", ASKED_BY_CLIENTS)
async def test_every_method_is_posted_to_the_one_path(method: str) -> None:
    made = Server("s", offers=["tools", "prompts", "resources"])
    made.prompt(name="p")(wordy)
    made.complete(argument="word", prompt="p")(words)
    app = made.asgi()
    async with ask(app, **stateless(method, name="x", uri="x:y", notifications={})) as answer:
        assert answer.status == 200
        if answer.headers["content-type"] == "application/json":
            assert (await answer.json()).get("error", {}).get("code") in (None, -32602)
    await app.aclose()


@pytest.mark.requirement("http.headers.names-case-insensitive")
@pytest.mark.parametrize("parser", ["h11", "httptools"])
@pytest.mark.parametrize("write", [str.lower, str.upper, str.title])
def test_names_of_headers_may_be_written_in_any_case(parser: str, write: Any) -> None:
    if parser == "httptools":
        pytest.importorskip("httptools", reason="the extra 'fast' is not installed")
    request = stateless("tools/call", name="order", arguments={"region": "eu"})
    fields = request["headers"] | {"host": "localhost", "content-type": "application/json", REGION: "eu"}
    fields["content-length"] = str(len(request["body"]))
    head = "".join(f"{write(name)}: {value}\r\n" for name, value in fields.items())
    shop = Shop()
    with served(shop.made, parser) as site, site.connect() as connection:
        connection.send(f"POST /mcp HTTP/1.1\r\n{head}\r\n".encode() + request["body"])
        assert connection.answer().status == 200
    assert shop.ordered == [{"region": "eu"}]
