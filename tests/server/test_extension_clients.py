"""Extensions on the client's side: declared in every request, and read where they were declared."""

from __future__ import annotations

import json

import pytest

from mcport import (
    Client,
    ClientExtension,
)
from mcport.errors import InvalidAnswer
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


@pytest.mark.parametrize("revision", OLD)
async def test_a_client_declares_no_extensions_in_the_handshake_era(revision: str) -> None:
    sent: list[bytes] = []
    async with Client(
        server(), revision=revision, extensions={JOBS: {}}, trace=lambda arrow, line: sent.append(line)
    ) as client:
        assert (await client.call_tool("work")).content[0].text == "done at once"  # type: ignore[union-attr]
    assert JOBS.encode() not in b"".join(sent)


@pytest.mark.requirement("result-type.accepted-set", revisions=[REVISION])
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
