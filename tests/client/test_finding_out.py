"""How a client finds out what it faces, and what it does with a server that it cannot speak to."""

import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from mcport import Client, ConnectFailed, NotDeclared, Timeout
from tests.client.counterpart import ALL, HANDSHAKE, STATELESS, error, request, result, usual
from tests.client.playing import Wire, child_command, child_lines, client_of, of

OLD = "2025-06-18"
QUICK = 0.05

Table = dict[str, list[Any]]
CHANNELS = ["memory", "stdio"]


async def opened(table: Table, channel: str, folder: Path, **options: Any) -> tuple[Any, list[Any]]:
    """Connect; return the revision that is spoken or the error, and what the client wrote."""
    wire = Wire(table) if channel == "memory" else None
    client = Client(wire or child_command(folder / "log", table), **options)
    try:
        async with client:
            outcome: Any = client.revision
            await client.list_tools()
    except ConnectFailed as fault:
        outcome = fault
    return outcome, wire.messages if wire else [json.loads(line) for line in child_lines(folder / "log")]


def methods(messages: list[Any]) -> list[str]:
    return [message["method"] for message in messages if "method" in message]


# ---- what comes back from the probe


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("lifecycle.version.client-latest", revisions=HANDSHAKE)
@pytest.mark.requirement("transport.client-supports-stdio", revisions=HANDSHAKE)
@pytest.mark.requirement("discover.optional-for-clients", revisions=STATELESS)
@pytest.mark.requirement("era.stdio.probe-discover", revisions=STATELESS)
async def test_without_a_word_the_client_speaks_what_the_server_speaks(
    revision: str, channel: str, tmp_path: Path
) -> None:
    spoken, messages = await opened(usual(revision), channel, tmp_path)
    assert spoken == revision
    assert methods(messages)[0] == "server/discover"
    assert methods(messages)[-1] == "tools/list"
    assert {each["params"]["protocolVersion"] for each in of(messages, "initialize")} <= {HANDSHAKE[0]}


@pytest.mark.parametrize("revision", HANDSHAKE)
@pytest.mark.requirement("lifecycle.client-waits")
async def test_until_it_is_answered_nothing_is_asked_but_initialize(revision: str) -> None:
    wire = Wire({**usual(revision), "initialize": []})
    client = client_of(wire, revision)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.connect)
        [opening] = await wire.wrote("initialize")
        with pytest.raises(ConnectFailed, match="not connected"):
            await client.list_tools()
        await anyio.wait_all_tasks_blocked()
        assert methods(wire.messages) == ["initialize"]
        answer = usual(revision)["initialize"][0] | {"id": opening["id"]}
        wire.push(answer)
    await client.list_tools()
    assert methods(wire.messages) == ["initialize", "notifications/initialized", "tools/list"]
    await client.aclose()


@pytest.mark.parametrize("revision", HANDSHAKE)
@pytest.mark.requirement("lifecycle.error-cases")
async def test_no_common_version_silence_and_what_is_not_declared_are_told_apart(revision: str) -> None:
    foreign = usual(revision)["initialize"][0]
    foreign = {**foreign, "result": {**foreign["result"], "protocolVersion": "1999-12-31"}}
    with pytest.raises(ConnectFailed, match="1999-12-31") as version:
        await client_of(Wire({"initialize": [foreign]}), revision).connect()
    with pytest.raises(Timeout, match="no answer to initialize") as silence:
        await client_of(Wire({"initialize": []}), revision, connect_timeout=0.02).connect()
    async with client_of(Wire(usual(revision, {})), revision) as client:
        with pytest.raises(NotDeclared, match="tools") as undeclared:
            await client.list_tools()
    assert len({type(each.value) for each in (version, silence, undeclared)}) == 3


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("lifecycle.version.client-supported", revisions=HANDSHAKE)
async def test_a_revision_that_was_given_is_used_without_finding_out(
    revision: str, channel: str, tmp_path: Path
) -> None:
    spoken, messages = await opened(usual(revision), channel, tmp_path, revision=revision)
    opening = ["initialize", "notifications/initialized"] if revision in HANDSHAKE else ["server/discover"]
    assert (spoken, methods(messages)) == (revision, [*opening, "tools/list"])
    if revision in HANDSHAKE:
        assert messages[0]["params"]["protocolVersion"] == revision


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("code", [-32601, -32602, -32600, -32603, -32000, -32004, 0, 1])
@pytest.mark.requirement("era.client.other-means-legacy")
@pytest.mark.requirement("era.stdio.fallback-not-one-code")
async def test_any_other_error_leads_to_initialize(code: int, channel: str, tmp_path: Path) -> None:
    table = {**usual(OLD), "server/discover": [error(code, "What is this?")]}
    spoken, messages = await opened(table, channel, tmp_path)
    assert spoken == OLD
    assert methods(messages) == ["server/discover", "initialize", "notifications/initialized", "tools/list"]
    assert messages[1]["params"]["protocolVersion"] == HANDSHAKE[0]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    "answer", [[], [result({})], [result({"tools": []})], ['{"jsonrpc":"2.0","id":$id,"result":7}']]
)
@pytest.mark.requirement("era.client.other-means-legacy")
@pytest.mark.requirement("era.stdio.fallback-not-one-code")
async def test_silence_and_results_that_are_none_lead_to_initialize(
    answer: list[Any], channel: str, tmp_path: Path
) -> None:
    table = {**usual(OLD), "server/discover": answer}
    spoken, messages = await opened(table, channel, tmp_path, probe_timeout=QUICK)
    assert spoken == OLD
    assert methods(messages) == ["server/discover", "initialize", "notifications/initialized", "tools/list"]


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize(
    ("code", "data"),
    [
        (-32022, {"supported": ["2099-01-01"], "requested": "2026-07-28"}),
        (-32022, {"supported": []}),
        (-32021, {"requiredCapabilities": {"sampling": {}}}),
        (-32020, None),
    ],
)
@pytest.mark.requirement("era.client.modern-error-no-fallback")
async def test_after_an_error_of_the_stateless_era_initialize_is_never_tried(
    code: int, data: Any, channel: str, tmp_path: Path
) -> None:
    table = {**usual(OLD), "server/discover": [error(code, "No", data)]}
    outcome, messages = await opened(table, channel, tmp_path)
    assert isinstance(outcome, ConnectFailed)
    assert methods(messages) == ["server/discover"]
    assert str(outcome).startswith(f"Cannot connect to server '{outcome.server}': server/discover: ")


async def test_a_late_answer_to_the_probe_still_wins() -> None:
    wire = Wire({**usual("2026-07-28"), "server/discover": [], "initialize": []})
    found = usual("2026-07-28")["server/discover"][0]

    class Late(Wire):
        async def send(self, message: bytes) -> None:
            await super().send(message)
            if b'"initialize"' in message:
                [probe] = of(self.messages, "server/discover")
                self.push({**found, "id": probe["id"]})

    wire = Late(wire.counterpart.table)
    async with Client(wire, probe_timeout=QUICK) as client:
        assert client.revision == "2026-07-28"
        await client.list_tools()
    assert methods(wire.messages) == ["server/discover", "initialize", "tools/list"]


async def test_a_server_that_dies_of_the_probe_is_started_again(tmp_path: Path) -> None:
    table = {**usual(OLD), "server/discover": [{"stderr": "no such method\n"}, {"exit": 1}]}
    spoken, messages = await opened(table, "stdio", tmp_path)
    assert (spoken, methods(messages)) == (OLD, ["initialize", "notifications/initialized", "tools/list"])


# ---- what cannot be spoken


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.parametrize("revision", HANDSHAKE)
@pytest.mark.parametrize("theirs", ["1999-12-31", "2026-07-28", 7])
@pytest.mark.requirement("lifecycle.version.client-disconnects")
async def test_a_version_that_the_client_cannot_speak_ends_the_connection(
    revision: str, theirs: Any, channel: str, tmp_path: Path
) -> None:
    answer = {"protocolVersion": theirs, "capabilities": {}, "serverInfo": {"name": "x", "version": "1"}}
    wire = Wire({"initialize": [result(answer)]})
    table = wire.counterpart.table
    if channel == "memory":
        with pytest.raises(ConnectFailed) as caught:
            await client_of(wire, revision).connect()
        assert wire.closed
        messages = wire.messages
    else:
        outcome, messages = await opened(table, "stdio", tmp_path, revision=revision)  # its log says that it has ended
        assert isinstance(outcome, ConnectFailed)
    assert methods(messages) == ["initialize"]
    if channel == "memory" and isinstance(theirs, str):
        assert f"the server speaks {theirs}; this client is to speak only {revision}" in str(caught.value)


@pytest.mark.parametrize("revision", HANDSHAKE)
@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.requirement("ping.answered-promptly")
async def test_a_ping_before_the_opening_is_over_is_answered(revision: str, channel: str, tmp_path: Path) -> None:
    table = {**usual(revision), "initialize": [request("ping", "early"), *usual(revision)["initialize"]]}
    spoken, messages = await opened(table, channel, tmp_path, revision=revision)
    assert spoken == revision
    assert {"jsonrpc": "2.0", "id": "early", "result": {}} in messages


# ---- what comes in one read with the answer that opens the conversation


def together(opening: Any, *more: Any) -> str:
    """Several messages, written at once."""
    return "\n".join(json.dumps(each).replace('"$id"', "$id") for each in (opening, *more))


@pytest.mark.requirement("batch.receive", revisions=["2025-03-26"])
async def test_a_batch_right_behind_the_answer_to_initialize_is_taken(tmp_path: Path) -> None:
    revision = "2025-03-26"
    batch = [request("ping", "b-1"), request("ping", "b-2")]
    table = {**usual(revision), "initialize": [together(usual(revision)["initialize"][0], batch)]}
    _, messages = await opened(table, "stdio", tmp_path, revision=revision)
    assert [message["id"] for message in messages if message.get("result") == {}] == ["b-1", "b-2"]


@pytest.mark.requirement("stdio.client-no-responses")
async def test_a_request_right_behind_the_answer_to_the_probe_is_not_answered(tmp_path: Path) -> None:
    revision = "2026-07-28"
    table = {
        **usual(revision),
        "server/discover": [together(usual(revision)["server/discover"][0], request("ping", 1))],
    }
    _, messages = await opened(table, "stdio", tmp_path)
    assert methods(messages) == ["server/discover", "tools/list"]
    assert len(messages) == 2
