"""Extensions on the client's side: declared in every request, and read where they were declared."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcport import Client, ClientExtension, Context, Extension, ExtensionAnswered, Server
from mcport.errors import InvalidAnswer, RemoteError
from tests.server.jobs import JOBS, server
from tests.server.wire import ALL, CAPABILITIES, NEW, OLD, Json

REVISION = NEW[0]
EACH = pytest.mark.parametrize("revision", ALL)
STATELESS = pytest.mark.parametrize("revision", NEW)
SPOKEN = pytest.mark.parametrize("spoken", NEW)
"""Where a requirement of extensions is shown, which the ledger counts in no revision of the protocol."""


@pytest.mark.requirement("ext.client-advertises-per-request")
@SPOKEN
async def test_a_client_declares_its_extensions_in_every_request(spoken: str) -> None:
    sent: list[Json] = []

    def trace(arrow: str, line: bytes) -> None:
        if arrow == "->":
            sent.append(json.loads(line))

    async with Client(server(), revision=spoken, extensions={JOBS: {"a": 1}}, trace=trace) as client:
        await client.list_tools()
        assert (await client.call_tool("owned")).meta
    stamped = [message["params"]["_meta"][CAPABILITIES]["extensions"] for message in sent if "id" in message]
    assert len(stamped) >= 2
    assert all(each == {JOBS: {"a": 1}} for each in stamped)


@pytest.mark.requirement("ext.off-by-default")
@pytest.mark.parametrize("spoken", ALL)
async def test_a_client_declares_no_extension_unless_told_to(spoken: str) -> None:
    sent: list[bytes] = []

    def trace(arrow: str, line: bytes) -> None:
        if arrow == "->":
            sent.append(line)

    async with Client(server(), revision=spoken, trace=trace) as client:
        assert (await client.call_tool("work")).text() == "done at once"
    assert len(sent) >= 2
    assert b"extensions" not in b"".join(sent)


@SPOKEN
@pytest.mark.requirement("extension.fallback-or-reject", revisions=[REVISION])
@pytest.mark.requirement("ext.fallback-or-reject")
async def test_a_server_without_an_extension_answers_a_client_that_has_it_without(spoken: str) -> None:
    plain = Server("plain")

    @plain.tool
    async def work() -> str:
        return "done at once"

    extension = ClientExtension(JOBS, result_types={"com.example/job": ["tools/call"]})
    async with Client(plain, revision=spoken, extensions=[extension]) as client:
        assert (await client.call_tool("work")).text() == "done at once"
        with pytest.raises(RemoteError) as caught:
            await client.request("com.example/jobs.get", {"jobId": "j1"})
    assert caught.value.code == -32601


@pytest.mark.parametrize("revision", OLD)
async def test_a_client_declares_no_extensions_in_the_handshake_era(revision: str) -> None:
    sent: list[bytes] = []
    async with Client(
        server(), revision=revision, extensions={JOBS: {}}, trace=lambda arrow, line: sent.append(line)
    ) as client:
        assert (await client.call_tool("work")).content[0].text == "done at once"  # type: ignore[union-attr]
    assert JOBS.encode() not in b"".join(sent)


@pytest.mark.requirement("result-type.accepted-set", "extension.empty-settings", revisions=[REVISION])
@pytest.mark.requirement("result-type.unrecognized-invalid", revisions=[REVISION])
@STATELESS
async def test_a_client_reads_result_types_of_extensions_that_it_declares_and_no_others(revision: str) -> None:
    extension = ClientExtension(JOBS, result_types={"com.example/job": ["tools/call"]})
    async with Client(server(), revision=revision, extensions=[extension]) as client:
        result = await client.request("tools/call", {"name": "work"})
        assert (result["resultType"], result["jobId"]) == ("com.example/job", "j1")
        got = await client.request("com.example/jobs.get", {"jobId": "j1"})
        assert got["text"] == "done later"
    elsewhere = ClientExtension(JOBS, result_types={"com.example/job": ["prompts/get"]})
    for other in (ClientExtension(JOBS), elsewhere):
        async with Client(server(), revision=revision, extensions=[other]) as client:
            with pytest.raises(InvalidAnswer, match="unknown resultType"):
                await client.request("tools/call", {"name": "work"})
    async with Client(server(), revision=revision) as client:
        assert (await client.request("tools/call", {"name": "work"}))["resultType"] == "complete"


def test_a_client_declares_an_extension_once() -> None:
    with pytest.raises(ValueError, match="an extension is declared twice"):
        Client(server(), extensions=[ClientExtension(JOBS), ClientExtension(JOBS)])
    with pytest.raises(ValueError, match="settings are an object"):
        Client(server(), extensions={JOBS: 5})  # type: ignore[arg-type]


@STATELESS
async def test_a_typed_call_that_an_extension_answered_raises_what_it_answered(revision: str) -> None:
    extension = ClientExtension(JOBS, result_types={"com.example/job": ["tools/call"]})
    async with Client(server(), revision=revision, extensions=[extension]) as client:
        with pytest.raises(ExtensionAnswered) as caught:
            await client.call_tool("work")
        line = "tools/call work on server 'demo': the result is of type 'com.example/job', which an extension added"
        assert str(caught.value) == line
        assert caught.value.kind == "com.example/job"
        assert (caught.value.members["jobId"], caught.value.members["most"]) == ("j1", 3)
        assert "resultType" not in caught.value.members
        got = await client.request("com.example/jobs.get", {"jobId": caught.value.members["jobId"]})
        assert got["text"] == "done later"
        assert (await client.call_tool("owned")).text() == "x"


OFFICIAL = "io.modelcontextprotocol/example"
KEY = "io.modelcontextprotocol/example-of"


@STATELESS
async def test_metadata_of_a_declared_extension_may_be_given_and_no_other_reserved_key(revision: str) -> None:
    demo = Server("demo")

    @demo.tool
    async def seen(ctx: Context) -> list[int | None]:
        return [ctx.meta.get(OFFICIAL), ctx.meta.get(KEY)]

    async def said(client: Client, key: str) -> object:
        return (await client.call_tool("seen", meta={key: 1})).data

    async with Client(demo, revision=revision, extensions=[ClientExtension(OFFICIAL, meta_keys=[KEY])]) as client:
        assert await said(client, OFFICIAL) == [1, None]
        assert await said(client, KEY) == [None, 1]
        with pytest.raises(ValueError, match="the prefix is reserved for the protocol"):
            await said(client, "io.modelcontextprotocol/other")
    async with Client(demo, revision=revision, extensions={OFFICIAL: {}}) as client:
        assert await said(client, OFFICIAL) == [1, None]
        with pytest.raises(ValueError, match="the prefix is reserved for the protocol"):
            await said(client, KEY)
    async with Client(demo, revision=revision) as client:
        with pytest.raises(ValueError, match="the prefix is reserved for the protocol"):
            await said(client, OFFICIAL)
    with pytest.raises(ValueError, match="is reserved for the protocol"):
        ClientExtension(JOBS, meta_keys=[KEY])


@pytest.mark.parametrize("methods", [dict, "tools/call", [5], {"tools/call": True}, None])
def test_the_methods_of_a_result_type_are_a_list_of_names(methods: Any) -> None:
    line = r"^extension 'com.example/jobs': the methods of result type 'x' are a list such as \['tools/call'\]$"
    with pytest.raises(ValueError, match=line):
        ClientExtension("com.example/jobs", result_types={"x": methods})
    with pytest.raises(ValueError, match=line):
        Extension("com.example/jobs").result_type("x", methods)


@pytest.mark.parametrize(
    ("named", "line"),
    [
        (["com.example/get"], "named maps methods to names of parameters"),
        ({"com.example/get": 1}, "named maps methods to names of parameters"),
        ({"tools/list": "cursor"}, "named: tools/list is a method of the protocol"),
    ],
)
def test_what_http_is_to_repeat_of_the_methods_of_an_extension_is_checked(named: Any, line: str) -> None:
    with pytest.raises(ValueError, match=f"^extension 'com.example/jobs': {line}$"):
        ClientExtension(JOBS, named=named)


@pytest.mark.requirement("ext.vendor-prefix")
@SPOKEN
@pytest.mark.parametrize(
    ("identifier", "is_poor"),
    [
        (JOBS, False),
        (OFFICIAL, False),
        ("de.example.team/x", False),
        ("io.example/x", False),
        ("mine/x", True),
        ("example.com/x", True),
        ("team.example.COM/x", True),
    ],
)
def test_a_prefix_that_is_no_reversed_domain_is_warned_of(
    spoken: str, identifier: str, is_poor: bool, caplog: pytest.LogCaptureFixture
) -> None:
    Extension(identifier)
    ClientExtension(identifier)
    line = f"extension {identifier!r}: its prefix is no reversed domain name, as in 'com.example/name'"
    assert [record.getMessage() for record in caplog.records] == ([line, line] if is_poor else [])
