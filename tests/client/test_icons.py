"""Icons of a server are untrusted: bad ones are dropped, and what carried them stays usable."""

from typing import Any

import pytest

from tests.client.counterpart import result, usual
from tests.client.playing import Wire, client_of

GOOD: list[dict[str, Any]] = [
    {"src": "https://example.com/i.png"},
    {"src": "HTTPS://example.com/i.png", "mimeType": "image/png", "sizes": ["48x48", "any"], "theme": "dark"},
    {"src": "data:image/png;base64,AAAA"},
]
UNSAFE = [
    "javascript:alert(1)",
    "file:///etc/passwd",
    "ftp://x/i",
    "ws://x/i",
    "http://x/i",
    "app://icon",
    "/i.png",
    "",
]
HIDDEN = [" https://x/i", "https://x/\ni", "\x01data:x", "https:// x"]
MALFORMED: list[Any] = [
    None,
    7,
    "https://example.com/i.png",
    {},
    {"src": 7},
    {"src": "https://x/i", "sizes": "48x48"},
    {"src": "https://x/i", "sizes": [48]},
    {"src": "https://x/i", "theme": "sepia"},
    {"src": "https://x/i", "mimeType": 7},
]

revisions = pytest.mark.parametrize("revision", ["2025-11-25", "2026-07-28"])


def table(revision: str, icons: Any) -> dict[str, list[Any]]:
    link = {"type": "resource_link", "uri": "x://r", "name": "r", "icons": icons}
    return {
        **usual(revision),
        "tools/list": [result({"tools": [{"name": "t", "inputSchema": {}, "icons": icons}]})],
        "prompts/list": [result({"prompts": [{"name": "p", "icons": icons}]})],
        "resources/list": [result({"resources": [{"name": "r", "uri": "x://r", "icons": icons}]})],
        "resources/templates/list": [
            result({"resourceTemplates": [{"name": "r", "uriTemplate": "x://{r}", "icons": icons}]})
        ],
        "tools/call": [result({"content": [link]})],
        "prompts/get": [result({"messages": [{"role": "user", "content": link}]})],
    }


async def carriers(revision: str, icons: Any) -> list[Any]:
    """Everything that can carry icons, as a client reads it."""
    async with client_of(Wire(table(revision, icons)), revision) as client:
        return [
            (await client.list_tools()).tools[0],
            (await client.list_prompts()).prompts[0],
            (await client.list_resources()).resources[0],
            (await client.list_resource_templates()).resource_templates[0],
            (await client.call_tool("t")).content[0],
            (await client.get_prompt("p")).messages[0].content,
        ]


@revisions
@pytest.mark.requirement("icons.safe-schemes-only")
async def test_only_https_and_data_are_let_through(revision: str) -> None:
    icons = [{"src": source} for source in (*UNSAFE, *HIDDEN)]
    for carrier in await carriers(revision, [*icons, *GOOD]):
        assert [icon.src for icon in carrier.icons] == [icon["src"] for icon in GOOD]
    for carrier in await carriers(revision, icons):
        assert carrier.icons is None


@revisions
@pytest.mark.parametrize("bad", MALFORMED)
@pytest.mark.requirement("icons.untrusted")
async def test_what_carries_a_malformed_icon_stays_usable_without_it(revision: str, bad: Any) -> None:
    for carrier in await carriers(revision, [bad, *GOOD]):
        assert len(carrier.icons) == len(GOOD)


@revisions
@pytest.mark.parametrize("bad", [None, 7, "https://x/i", {"src": "https://x/i"}])
@pytest.mark.requirement("icons.untrusted")
async def test_icons_that_are_no_list_are_dropped(revision: str, bad: Any) -> None:
    for carrier in await carriers(revision, bad):
        assert carrier.icons is None


@revisions
@pytest.mark.requirement("icons.safe-schemes-only")
async def test_the_servers_own_icons_are_looked_at_too(revision: str) -> None:
    method, member = ("server/discover", "_meta") if revision == "2026-07-28" else ("initialize", "serverInfo")
    answers = usual(revision)
    info: dict[str, Any] = {"name": "x", "version": "1", "icons": [{"src": "file:///x"}, GOOD[0]]}
    opening = answers[method][0]["result"]
    opening[member] = {"io.modelcontextprotocol/serverInfo": info} if member == "_meta" else info
    async with client_of(Wire(answers), revision) as client:
        assert client.server_info["icons"] == [GOOD[0]]


async def test_what_is_called_icons_elsewhere_is_left_alone() -> None:
    schema = {"type": "object", "properties": {"icons": {"type": "array"}}, "icons": 7}
    tools = result({"tools": [{"name": "t", "inputSchema": schema, "outputSchema": schema}]})
    called = result({"content": [], "structuredContent": {"icons": ["javascript:1"]}})
    wire = Wire({**usual("2025-11-25"), "tools/list": [tools], "tools/call": [called]})
    async with client_of(wire, "2025-11-25") as client:
        tool = (await client.list_tools()).tools[0]
        assert (tool.input_schema, tool.output_schema) == (schema, schema)
        assert (await client.call_tool("t")).structured_content == {"icons": ["javascript:1"]}
