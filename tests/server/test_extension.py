"""Extensions: what they add behind an identifier that both sides declare, and what is there without any."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from mcport import (
    Client,
    ClientExtension,
    Context,
    Depends,
    Extension,
    ExtensionResult,
    Middleware,
    Next,
    Server,
    ToolCall,
)
from mcport.core.dialects.contract import META_SUBSCRIPTION
from mcport.core.jsonrpc import JsonObject
from mcport.errors import RemoteError
from mcport.spec.types import CallToolResult
from tests.server.jobs import JOBS, JobId, Jobs, declared, made, server
from tests.server.wire import ALL, NEW, OLD, serving

REVISION = NEW[0]
EACH = pytest.mark.parametrize("revision", ALL)
STATELESS = pytest.mark.parametrize("revision", NEW)
SPOKEN = pytest.mark.parametrize("spoken", NEW)
"""Where a requirement of extensions is shown, which the ledger counts in no revision of the protocol."""


@SPOKEN
@pytest.mark.requirement("ext.server-advertises-in-discover")
async def test_a_server_declares_its_extensions_with_their_settings_when_it_is_discovered(spoken: str) -> None:
    async with serving(server(), spoken) as wire:
        found = (await wire.ask("server/discover"))["result"]["capabilities"]
    assert found["extensions"] == {JOBS: {"most": 3}}


@pytest.mark.requirement("ext.off-by-default", "ext.optional-in-sdk")
@pytest.mark.parametrize("spoken", ALL)
async def test_a_server_without_extensions_declares_none(spoken: str) -> None:
    async with serving(Server("plain"), spoken) as wire:
        if spoken in NEW:
            assert "extensions" not in (await wire.ask("server/discover"))["result"]["capabilities"]
        assert (await wire.error("com.example/jobs.get", {"jobId": "x"}))["code"] == -32601


@SPOKEN
@pytest.mark.requirement("extension.fallback-or-reject", "meta.capabilities.missing-error", revisions=[REVISION])
@pytest.mark.requirement("ext.fallback-or-reject")
@pytest.mark.requirement("ext.server-checks-client")
async def test_a_request_that_does_not_declare_an_extension_is_refused_or_served_without_it(spoken: str) -> None:
    async with serving(server(), spoken) as wire:
        refused = await wire.error("com.example/jobs.get", {"jobId": "j1"})
        assert refused["code"] == -32021
        assert refused["data"] == {"requiredCapabilities": {"extensions": {JOBS: {}}}}
        assert refused["message"] == f"this needs the extension {JOBS}, which the request does not declare"
        assert await wire.text("work") == "done at once"
        assert (await wire.error("tools/call", {"name": "must"}))["data"] == refused["data"]
        # What one request declared counts for no other one.
        assert (await wire.ask("tools/call", {"name": "work"}, **declared()))["result"]["jobId"] == "j1"
        assert await wire.text("work") == "done at once"
        other = await wire.error("tools/call", {"name": "must"}, **declared("com.example/other"))
        assert other["code"] == -32021


@STATELESS
@pytest.mark.requirement("extension.empty-settings", revisions=[REVISION])
@pytest.mark.requirement("result-type.extensions-may-add", revisions=[REVISION])
@pytest.mark.requirement("base.result.result-type-required", revisions=[REVISION])
async def test_a_request_that_declares_an_extension_with_empty_settings_gets_its_methods_and_results(
    revision: str,
) -> None:
    async with serving(server(), revision) as wire:
        result = (await wire.ask("tools/call", {"name": "work"}, **declared()))["result"]
        assert (result["resultType"], result["jobId"], result["most"]) == ("com.example/job", "j1", 3)
        assert "content" not in result
        got = (await wire.ask("com.example/jobs.get", {"jobId": "j1"}, **declared()))["result"]
        assert (got["resultType"], got["text"], got["revision"]) == ("complete", "done later", revision)
        wrong = await wire.error("com.example/jobs.get", {"jobId": 5}, **declared())
        assert wrong["code"] == -32602
        assert wrong["message"].startswith("com.example/jobs.get: argument 'params.jobId' must be a string, got 5")
        assert (await wire.error("com.example/jobs.get", {"jobId": "no"}, **declared()))["message"] == "no job 'no'"
        not_settings: list[object] = [True, [], "yes"]
        for nonsense in not_settings:
            error = await wire.error("com.example/jobs.get", {"jobId": "j1"}, **declared(settings=nonsense))
            assert error["code"] == -32021


@pytest.mark.parametrize("revision", OLD)
async def test_extensions_do_not_exist_in_the_handshake_era(revision: str) -> None:
    async with serving(server(), revision) as wire:
        assert (await wire.error("com.example/jobs.get", {"jobId": "j1"}))["code"] == -32601
        assert await wire.text("work") == "done at once"


@pytest.mark.parametrize("revision", OLD)
@pytest.mark.parametrize("client_declares", [False, True])
async def test_an_extension_may_exist_in_the_handshake_era_as_well(revision: str, client_declares: bool) -> None:
    panels, served = Extension("com.example/panels", {"a": 1}, handshake=True), Server("demo")

    @panels.method("com.example/panels.list")
    async def all_panels() -> JsonObject:
        return {"panels": []}

    served.add_extension(panels)
    extension = ClientExtension("com.example/panels", handshake=True)
    async with Client(served, revision=revision, extensions=[extension] if client_declares else []) as client:
        assert client.capabilities["extensions"] == {"com.example/panels": {"a": 1}}
        if client_declares:
            assert await client.request("com.example/panels.list") == {"panels": []}
        else:
            with pytest.raises(RemoteError) as caught:
                await client.request("com.example/panels.list")
            assert caught.value.code == -32600  # the code of the newer era means nothing there


@STATELESS
async def test_listening_has_a_filter_of_the_extension_which_decides_who_hears_what(revision: str) -> None:
    method = "notifications/com.example/jobs"
    served = server()
    async with serving(served, revision) as wire:
        wanted = {"notifications": {"jobIds": ["mine1", "theirs", "mine2"]}}
        assert (await wire.error("subscriptions/listen", wanted))["code"] == -32021
        id = wire.request("subscriptions/listen", wanted, **declared())
        acknowledged = await wire.read()
        assert acknowledged["params"]["notifications"] == {"jobIds": ["mine1", "mine2"]}
        served.notify(method, {"jobId": "theirs", "text": "a"})
        served.notify(method, {"jobId": "mine2", "text": "b"})
        told = await wire.read()
        assert (told["method"], told["params"]["jobId"], told["params"]["text"]) == (method, "mine2", "b")
        assert told["params"]["_meta"][META_SUBSCRIPTION] == id


@EACH
async def test_notifications_of_clients_reach_the_extension_where_it_exists(revision: str) -> None:
    served, jobs = made()
    async with serving(served, revision) as wire:
        wire.notify("notifications/com.example/nudge", {"jobId": "j1", "_meta": {"a": 1}})
        if revision in NEW:
            with anyio.fail_after(5):
                await jobs.hears.wait()
        await wire.silent()
    assert jobs.heard == ([{"jobId": "j1"}] if revision in NEW else [])


@STATELESS
async def test_metadata_keys_of_official_extensions_may_stand_where_the_extension_is(revision: str) -> None:
    key = "io.modelcontextprotocol/example.owner"
    official = Extension("io.modelcontextprotocol/example")
    official.meta_key(key)

    def owned(server: Server) -> Server:
        @server.tool
        async def owned() -> CallToolResult:
            return CallToolResult(content=[], meta={key: "me"})

        return server

    async with serving(owned(Server("with", extensions=[official])), revision) as wire:
        assert (await wire.call("owned"))["_meta"][key] == "me"
    async with serving(owned(Server("without")), revision) as wire:
        assert key not in (await wire.call("owned"))["_meta"]
    Server("with", extensions=[official]).tool(meta={key: 1}, name="x")(made)
    with pytest.raises(ValueError, match="reserved for the protocol"):
        Server("without").tool(meta={key: 1}, name="x")(made)


@STATELESS
async def test_middleware_of_an_extension_answers_calls_in_its_own_way(revision: str) -> None:
    class Deferring(Middleware):
        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            return (
                jobs.start(request.context, "j9")
                if jobs.declared_by(request.context) is not None
                else await next(request)
            )

    class Watching(Middleware):
        seen: Any = None

        async def on_call_tool(self, request: ToolCall, next: Next[ToolCall, Any]) -> Any:
            self.seen = await next(request)
            return self.seen

    jobs, watching = Jobs(), Watching()
    jobs.middleware = (Deferring(),)
    served = Server("demo", middleware=[watching], extensions=[jobs])

    @served.tool
    async def plain() -> str:
        return "plain"

    async with serving(served, revision) as wire:
        assert (await wire.ask("tools/call", {"name": "plain"}, **declared()))["result"]["jobId"] == "j9"
        assert isinstance(watching.seen, ExtensionResult)
        assert await wire.text("plain") == "plain"


# ---- methods without an extension


def prefix() -> str:
    return "> "


@EACH
async def test_a_method_of_the_servers_own_is_there_for_everybody(revision: str) -> None:
    served = Server("raw")

    @served.method("com.example/echo")
    async def echo(params: JsonObject, ctx: Context, before: str = Depends(prefix)) -> JsonObject:
        return {"echo": params, "before": before, "id": ctx.request_id}

    @served.method("com.example/typed")
    def typed(params: JobId) -> JobId:
        return JobId(params.jobId * 2)

    @served.method("com.example/nothing")
    async def nothing() -> None: ...

    @served.method("com.example/wrong")
    async def wrong() -> list[int]:
        return [1]

    async with serving(served, revision) as wire:
        result = (await wire.ask("com.example/echo", {"a": [1]}, "id1"))["result"]
        assert (result["echo"], result["before"], result["id"]) == ({"a": [1]}, "> ", "id1")
        assert (await wire.ask("com.example/typed", {"jobId": "x"}))["result"]["jobId"] == "xx"
        assert "result" in await wire.ask("com.example/nothing", {"any": 1})
        assert (await wire.error("com.example/typed", {}))["code"] == -32602
        error = await wire.error("com.example/wrong")
        assert error["code"] == -32603
        assert error["message"].startswith("Method 'com.example/wrong' failed unexpectedly (error ")


async def test_a_result_type_that_no_extension_added_for_a_method_never_leaves() -> None:
    served, jobs = made()

    @served.prompt
    async def ask() -> str:
        return "x"

    @served.method("com.example/other")
    async def other() -> Any:
        return jobs.result("com.example/job", {})

    async with serving(served, REVISION) as wire:
        assert (await wire.error("com.example/other", **declared()))["code"] == -32603
    with pytest.raises(ValueError, match="has no result type 'other'"):
        jobs.result("other", {})


# ---- what is refused


@pytest.mark.requirement("extension.identifier-format", revisions=[REVISION])
@pytest.mark.parametrize(
    "identifier", ["jobs", "", "/jobs", "com.example", "com..example/x", "9com/x", "com.example/-x", 5]
)
@pytest.mark.parametrize("make", [Extension, ClientExtension])
def test_an_identifier_without_prefix_or_of_another_form_is_refused(
    make: Callable[[Any], object], identifier: Any
) -> None:
    with pytest.raises(ValueError, match="extension "):
        make(identifier)


@pytest.mark.parametrize("identifier", ["com.example/x", "io.modelcontextprotocol/ui", "a/b.c_d-e"])
def test_identifiers_follow_the_rules_of_metadata_keys(identifier: str) -> None:
    assert Extension(identifier).identifier == ClientExtension(identifier).identifier == identifier


def test_what_an_extension_cannot_add_is_refused_in_one_line() -> None:
    jobs = Extension(JOBS)
    with pytest.raises(ValueError, match="'tools/call' is a method of the protocol itself"):
        jobs.method("tools/call")
    with pytest.raises(ValueError, match="'complete' cannot be a result type of its own"):
        jobs.result_type("complete")
    with pytest.raises(ValueError, match="is reserved for the protocol"):
        jobs.meta_key("io.modelcontextprotocol/x")
    with pytest.raises(ValueError, match="settings are an object, not list"):
        Extension(JOBS, [])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="settings cannot be JSON"):
        Extension(JOBS, {"a": float("nan")})
    with pytest.raises(ValueError, match="'ping' is a method of the protocol itself"):
        Server("demo").method("ping")

    @jobs.method("com.example/x")
    async def x(a: int) -> None: ...

    with pytest.raises(TypeError, match="it is called with 'params' and nothing else, not with 'a'"):
        Server("demo", extensions=[jobs])


def test_an_extension_is_there_once_and_is_not_changed_any_more() -> None:
    jobs = Jobs()
    served = Server("demo", extensions=[jobs])
    with pytest.raises(ValueError, match="is there already"):
        served.add_extension(jobs)
    with pytest.raises(RuntimeError, match="a server has it already"):
        jobs.method("com.example/late")
    other = Extension("com.example/other")
    other.result_type("com.example/job")
    with pytest.raises(ValueError, match=r"result type .* belongs to .* already"):
        served.add_extension(other)


def test_mcp_names_of_extension_methods_are_known() -> None:
    assert server()._extensions.names_of_methods() == {"com.example/jobs.get": "jobId"}
