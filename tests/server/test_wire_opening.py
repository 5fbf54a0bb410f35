"""How a conversation with a served server begins, in both eras, and what it remembers of it."""

from __future__ import annotations

import anyio
import pytest

from mcport import Context, Server
from mcport.spec.types import Icon
from tests.server.wire import ALL, CAPABILITIES, NEW, OLD, SERVER_INFO, VERSION, Json, opened, serving, unopened

LOG_LEVEL = "io.modelcontextprotocol/logLevel"
CLIENT_INFO = "io.modelcontextprotocol/clientInfo"


def demo(revisions: list[str] | None = None) -> Server:
    server = Server(
        "demo",
        "1.2",
        title="Demo",
        description="shows",
        website_url="https://example.org",
        icons=[Icon(src="https://example.org/i.png")],
        instructions="Add things.",
        revisions=revisions,
    )

    @server.tool
    async def who(ctx: Context) -> dict[str, Json]:
        return {
            "revision": ctx.revision,
            "client": ctx.client_info.get("name"),
            "capabilities": ctx.client_capabilities,
        }

    return server


# ---- the handshake era


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement(
    "lifecycle.initialize-result", "lifecycle.version.same-if-supported", "base.support-core-lifecycle"
)
async def test_initialize_is_answered_with_the_version_asked_for_and_who_the_server_is(revision: str) -> None:
    async with unopened(demo(), revision) as wire:
        result = await opened(wire)
        assert result["protocolVersion"] == revision
        assert result["capabilities"] == {"logging": {}, "tools": {"listChanged": True}}
        assert (result["serverInfo"]["name"], result["serverInfo"]["version"]) == ("demo", "1.2")
        assert result["instructions"] == "Add things."
        assert (await wire.ask("tools/list"))["result"]["tools"][0]["name"] == "who"


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("meta.implementation-fields")
@pytest.mark.parametrize("icons", [True, False])
async def test_the_server_names_itself_with_the_members_that_the_revision_has(revision: str, icons: bool) -> None:
    server = demo() if icons else Server("demo", title="Demo", description="shows", website_url="https://example.org")
    async with unopened(server, revision) as wire:
        if revision in OLD:
            info = (await opened(wire))["serverInfo"]
        else:
            info = (await wire.ask("server/discover"))["result"]["_meta"][SERVER_INFO]
    expected = {"name", "version"}
    if revision >= "2025-06-18":
        expected |= {"title"}
    if revision >= "2025-11-25":
        expected |= {"description", "icons", "websiteUrl"} if icons else {"description", "websiteUrl"}
    assert info.keys() == expected


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.parametrize("asked", ["2026-07-28", "1999-01-01", "latest", ""])
@pytest.mark.requirement("lifecycle.version.other-if-not")
async def test_any_other_version_is_answered_with_one_that_is_served(revision: str, asked: str) -> None:
    async with unopened(demo(revisions=[revision]), revision) as wire:
        assert (await opened(wire, asked))["protocolVersion"] == revision
        await wire.silent()


async def test_an_unknown_version_gets_the_newest_handshake_revision_that_is_served() -> None:
    async with unopened(demo(), "2025-11-25") as wire:
        assert (await opened(wire, "3000-01-01"))["protocolVersion"] == "2025-11-25"


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("lifecycle.initialize-first")
async def test_nothing_but_ping_is_answered_before_initialize(revision: str) -> None:
    async with unopened(demo(), revision) as wire:
        for method in ("tools/list", "tools/call", "resources/list", "nothing"):
            assert (await wire.error(method))["code"] == -32602
        assert (await wire.ask("ping"))["result"] == {}
        await opened(wire)
        assert "result" in await wire.ask("tools/list")


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("lifecycle.server-waits")
async def test_nothing_is_told_before_the_client_says_that_it_is_ready(revision: str) -> None:
    server = demo()
    async with unopened(server, revision) as wire:
        info = {"name": "slow", "version": "1"}
        await wire.ask("initialize", {"protocolVersion": revision, "capabilities": {}, "clientInfo": info})
        server.notify_tools_changed()
        server.notify_resources_changed()
        assert (await wire.ask("ping"))["result"] == {}
        await wire.silent()
        wire.notify("notifications/initialized")
        await wire.silent()
        server.notify_tools_changed()
        assert (await wire.read())["method"] == "notifications/tools/list_changed"


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.requirement("ping.answered-promptly")
async def test_ping_is_answered_at_once_even_before_initialize_and_while_tools_run(revision: str) -> None:
    server, go = demo(), anyio.Event()

    @server.tool
    async def wait() -> None:
        await go.wait()

    async with unopened(server, revision) as wire:
        assert (await wire.ask("ping"))["result"] == {}
        await opened(wire)
        wire.request("tools/call", {"name": "wait"})
        assert (await wire.ask("ping"))["result"] == {}
        go.set()
        await wire.read()


@pytest.mark.parametrize("revision", OLD)
async def test_a_second_initialize_is_refused_and_changes_nothing(revision: str) -> None:
    async with serving(demo(), revision) as wire:
        params = {"protocolVersion": "2024-11-05", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}
        assert (await wire.error("initialize", params))["code"] == -32600
        assert f'"revision":"{revision}"' in await wire.text("who")


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.parametrize(
    "params",
    [
        {},
        {"protocolVersion": 5, "capabilities": {}, "clientInfo": {}},
        {"protocolVersion": "2025-06-18", "capabilities": [], "clientInfo": {}},
        {"protocolVersion": "2025-06-18", "capabilities": {}},
    ],
)
async def test_initialize_without_its_parameters_is_refused_and_may_be_tried_again(revision: str, params: Json) -> None:
    async with unopened(demo(), revision) as wire:
        assert (await wire.error("initialize", params))["code"] == -32602
        assert (await opened(wire))["protocolVersion"] == revision


@pytest.mark.parametrize("name", OLD)
@pytest.mark.requirement("era.server.initialize-selects-legacy")
async def test_after_initialize_the_conversation_follows_that_revision(name: str) -> None:
    async with serving(demo(), name) as wire:
        assert f'"revision":"{name}"' in await wire.text("who")
        listed = (await wire.ask("tools/list"))["result"]
        assert "resultType" not in listed
        assert (await wire.error("server/discover"))["code"] == -32601


# ---- the stateless era


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("version.no-handshake")
async def test_any_request_may_be_the_first(revision: str) -> None:
    async with unopened(demo(), revision) as wire:
        assert f'"revision":"{revision}"' in await wire.text("who")


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("discover.implemented", "discover.result-fields")
async def test_discover_tells_versions_capabilities_and_instructions(revision: str) -> None:
    async with unopened(demo(), revision) as wire:
        result = (await wire.ask("server/discover"))["result"]
        assert result["supportedVersions"] == sorted(ALL, reverse=True)
        assert result["capabilities"] == {"logging": {}, "tools": {"listChanged": True}}
        assert result["instructions"] == "Add things."
        assert "serverInfo" not in result
        assert result["_meta"][SERVER_INFO]["name"] == "demo"
    async with unopened(Server("bare"), revision) as wire:
        bare = (await wire.ask("server/discover"))["result"]
        assert bare["capabilities"] == {"logging": {}}
        assert "instructions" not in bare


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("era.server.modern-only-rejects-initialize")
async def test_a_server_of_the_stateless_era_alone_refuses_initialize_and_names_its_versions(revision: str) -> None:
    async with unopened(demo(revisions=[revision]), revision) as wire:
        wire.send({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-06-18"}})
        answer = await wire.read()
        assert answer["error"]["code"] == -32600
        assert revision in answer["error"]["message"]
        assert f'"revision":"{revision}"' in await wire.text("who")


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("meta.request.missing-field-error")
@pytest.mark.parametrize("both_eras", [True, False])
async def test_a_request_without_version_or_capabilities_is_refused(revision: str, both_eras: bool) -> None:
    async with unopened(demo(None if both_eras else [revision]), revision) as wire:
        metas: list[Json] = [{}, {VERSION: revision}, {CAPABILITIES: {}}, {VERSION: 5, CAPABILITIES: {}}]
        for meta in metas:
            for method in ("tools/list", "server/discover", "tools/call"):
                wire.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta}})
                assert (await wire.read())["error"]["code"] == -32602, (method, meta)
        wire.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert (await wire.read())["error"]["code"] == -32602


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("version.unsupported-error", "version.unsupported-error-data")
@pytest.mark.parametrize("method", ["tools/list", "server/discover", "nothing"])
async def test_a_version_that_is_not_served_is_refused_with_those_that_are(revision: str, method: str) -> None:
    async with unopened(demo(revisions=[revision, "2025-06-18"]), revision) as wire:
        for asked in ("3000-01-01", "2025-11-25", "2025-06-18", ""):
            meta: Json = {VERSION: asked, CAPABILITIES: {}}
            wire.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta}})
            error = (await wire.read())["error"]
            assert error["code"] == -32022
            assert error["data"] == {"supported": [revision, "2025-06-18"], "requested": asked}
    async with unopened(demo(revisions=["2025-06-18"]), "2025-06-18") as wire:
        other: Json = {VERSION: revision, CAPABILITIES: {}}
        wire.send({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": other}})
        assert (await wire.read())["error"]["code"] == -32022


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("stateless.no-context-from-prior-requests")
async def test_each_request_speaks_for_itself_alone(revision: str) -> None:
    async with unopened(demo(), revision) as wire:
        first = await wire.call("who", **{CLIENT_INFO: {"name": "ann", "version": "1"}, CAPABILITIES: {"roots": {}}})
        assert (
            first["content"][0]["text"] == f'{{"revision":"{revision}","client":"ann","capabilities":{{"roots":{{}}}}}}'
        )
        second = await wire.call("who")
        assert second["content"][0]["text"] == f'{{"revision":"{revision}","client":null,"capabilities":{{}}}}'
        wire.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
        assert (await wire.read())["error"]["code"] == -32602


CONTEXT = {
    "ask_all",
    "blocking",
    "cancel_reason",
    "cancelled",
    "close_stream",
    "client_capabilities",
    "client_info",
    "debug",
    "elicit",
    "elicit_url",
    "error",
    "headers",
    "info",
    "input_responses",
    "lifespan",
    "list_roots",
    "log",
    "meta",
    "once",
    "principal",
    "read_resource",
    "replaying",
    "report_progress",
    "request_id",
    "request_state",
    "revision",
    "sample",
    "warning",
}


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("stateless.explicit-state-identifier")
async def test_two_connections_and_two_requests_share_nothing_but_what_the_author_shares(revision: str) -> None:
    server = Server("carts")
    carts: dict[str, list[str]] = {}

    @server.tool
    async def put(cart: str, ctx: Context, what: str = "nothing") -> list[str]:
        # Nothing of a context outlives the request: every public name of it is known here, and what it is.
        assert {name for name in dir(ctx) if not name.startswith("_")} == CONTEXT
        carts.setdefault(cart, []).append(what)
        return carts[cart]

    async with unopened(server, revision) as one, unopened(server, revision) as other:
        assert await one.text("put", {"cart": "a", "what": "x"}) == '["x"]'
        assert await one.text("put", {"cart": "b", "what": "y"}) == '["y"]'
        assert await other.text("put", {"cart": "a", "what": "z"}) == '["x","z"]'
        assert await one.text("put", {"cart": "b"}) == '["y","nothing"]'


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("era.server.modern-meta-stateless")
@pytest.mark.parametrize("before", OLD)
async def test_stateless_meta_is_served_statelessly_even_after_initialize(revision: str, before: str) -> None:
    async with unopened(demo(), before) as wire:
        await opened(wire)
        wire.revision = revision
        result = await wire.call("who")
        assert result["resultType"] == "complete"
        assert f'"revision":"{revision}","client":null' in result["content"][0]["text"]
        wire.revision = before
        assert f'"revision":"{before}","client":"tester"' in await wire.text("who")


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("transport.directions", "patterns.server-no-requests")
async def test_methods_of_the_other_era_and_of_servers_are_not_there(revision: str) -> None:
    gone = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"]
    servers = ["sampling/createMessage", "elicitation/create", "roots/list"]
    async with unopened(demo(), revision) as wire:
        for method in gone + servers:
            assert (await wire.error(method))["code"] == -32601, method
        assert not [line for line in wire.raw if b'"method"' in line]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("meta.reserved-no-assumptions", revisions=["2025-06-18", "2025-11-25", *NEW])
async def test_reserved_members_of_meta_may_have_any_shape(revision: str) -> None:
    shapes: list[Json] = [None, 5, "x", [], {}, {"name": []}, True]
    async with serving(demo(), revision) as wire:
        for shape in shapes:
            for key in (CLIENT_INFO, LOG_LEVEL, SERVER_INFO, "traceparent", "progressToken"):
                answer = await wire.ask("tools/call", {"name": "who"}, **{key: shape})
                refused = key == "progressToken" and type(shape) is not str and type(shape) is not int
                refused |= key == LOG_LEVEL and revision in NEW  # the one key whose value is judged
                assert ("error" in answer) == refused, (key, shape)
        for shape in shapes:
            if not isinstance(shape, dict):
                wire.send({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": shape}})
                answer = await wire.read()
                assert answer["error"]["code"] == -32602 if shape is not None or revision in NEW else True


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("error-codes.method-not-found", revisions=NEW)
async def test_methods_that_are_not_offered_are_not_found(revision: str) -> None:
    async with serving(demo(), revision) as wire:
        for method in ("nothing", "resources/list", "resources/read", "prompts/list", "prompts/get", "tools/List", ""):
            error = await wire.error(method)
            assert error["code"] == -32601
            assert error["message"].startswith("Method not found")
