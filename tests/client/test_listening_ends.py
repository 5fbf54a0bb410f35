"""Listening: whose a notification is, how a subscription begins and ends, and what a lost connection means."""

import json
from pathlib import Path

import anyio
import pytest

from mcport import (
    Client,
    ConnectFailed,
    ConnectionLost,
    InvalidAnswer,
    PromptsChanged,
    RemoteError,
    ResourcesChanged,
    ResourceUpdated,
    Timeout,
    ToolsChanged,
)
from tests.client.counterpart import ALL, HANDSHAKE, STATELESS, error, notification, result
from tests.client.notifying import (
    ACKNOWLEDGED,
    CANCELLED,
    LISTEN,
    NEW,
    PROMPTS,
    RESOURCES,
    TOOLS,
    ending,
    stamped,
    table,
    take,
    tell,
)
from tests.client.playing import Wire, child_command, child_lines, child_pid, client_of, of

# ---- demultiplexing


@pytest.mark.parametrize("wrong", ["string", "float", "other", "none"])
async def test_a_notification_reaches_only_the_listener_whose_id_it_bears_in_its_json_type(wrong: str) -> None:
    wire = Wire(table(NEW))
    async with client_of(wire, NEW) as client, client.listen(tools=True, prompts=True) as changes:
        id = of(wire.messages, LISTEN)[0]["id"]
        foreign = {"string": str(id), "float": float(id), "other": id + 1, "none": None}[wrong]
        wire.push(stamped(TOOLS, foreign), notification(TOOLS), stamped(PROMPTS, id))
        assert await anext(changes) == PromptsChanged()


async def test_true_is_not_the_id_one() -> None:
    wire = Wire(table(NEW))
    async with client_of(wire, NEW) as client:
        while True:
            async with client.listen(tools=True, prompts=True) as changes:
                id = of(wire.messages, LISTEN)[-1]["id"]
                if id == 1:
                    wire.push(stamped(TOOLS, True), stamped(PROMPTS, 1))
                    assert await anext(changes) == PromptsChanged()
                assert id <= 1
                if id == 1:
                    return


async def test_entering_waits_for_the_acknowledgment() -> None:
    wire = Wire(table(NEW, listen=[]))
    async with client_of(wire, NEW) as client, anyio.create_task_group() as tasks:
        entered = anyio.Event()

        async def listen() -> None:
            async with client.listen(tools=True) as changes:
                entered.set()
                assert await anext(changes) == ToolsChanged()

        tasks.start_soon(listen)
        [request] = await wire.wrote(LISTEN)
        await client.request("tools/list")
        assert not entered.is_set()
        wire.push(stamped(ACKNOWLEDGED, request["id"], notifications={"toolsListChanged": True}))
        await entered.wait()
        tell(wire, NEW, TOOLS)


async def test_a_server_that_never_acknowledges_is_given_up_and_told_so() -> None:
    wire = Wire(table(NEW, listen=[]))
    async with client_of(wire, NEW) as client:
        with pytest.raises(Timeout, match=r"not acknowledged within 0\.01 s"):
            await client.listen(tools=True, timeout=0.01).__aenter__()
        [cancelled] = await wire.wrote(CANCELLED)
        assert cancelled["params"]["requestId"] == of(wire.messages, LISTEN)[0]["id"]


# ---- ends


async def test_leaving_cancels_the_request_once() -> None:
    wire = Wire(table(NEW))
    async with client_of(wire, NEW) as client:
        async with client.listen(tools=True) as changes:
            pass
        await changes.aclose()
        await client.request("tools/list")
        assert [each["params"]["requestId"] for each in of(wire.messages, CANCELLED)] == [
            of(wire.messages, LISTEN)[0]["id"]
        ]
        tell(wire, NEW, TOOLS)
        assert [change async for change in changes] == []


async def test_whoever_is_cancelled_while_entering_withdraws_the_request() -> None:
    wire = Wire(table(NEW, listen=[]))
    async with client_of(wire, NEW) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.listen(tools=True).__aenter__)
            await wire.wrote(LISTEN)
            tasks.cancel_scope.cancel()
        await wire.wrote(CANCELLED)


@pytest.mark.parametrize("order", ["answer", "cancellation", "both", "both, turned around"])
async def test_a_server_may_end_a_subscription_by_answer_and_cancellation_in_any_order(order: str) -> None:
    wire = Wire(table(NEW))
    async with client_of(wire, NEW) as client, client.listen(tools=True) as changes:
        id = of(wire.messages, LISTEN)[0]["id"]
        tell(wire, NEW, TOOLS)
        words = [ending(id), notification(CANCELLED, {"requestId": id})]
        wire.push(*{"answer": words[:1], "cancellation": words[1:], "both": words}.get(order, words[::-1]))
        assert [change async for change in changes] == [ToolsChanged()]
        await client.request("tools/list")
        assert not of(wire.messages, CANCELLED)


async def test_one_ended_subscription_does_not_end_another() -> None:
    wire = Wire(table(NEW))
    async with client_of(wire, NEW) as client, client.listen(tools=True) as one, client.listen(tools=True) as other:
        wire.push(ending(of(wire.messages, LISTEN)[0]["id"]))
        assert [change async for change in one] == []
        tell(wire, NEW, TOOLS, 1)
        assert await anext(other) == ToolsChanged()


async def test_a_refused_subscription_is_raised_where_it_is_entered() -> None:
    wire = Wire(table(NEW, listen=[error(-32603, "No room")]))
    async with client_of(wire, NEW) as client:
        with pytest.raises(RemoteError, match="No room"):
            await client.listen(tools=True).__aenter__()


@pytest.mark.parametrize("answer", [b'{"jsonrpc":"2.0","id":$id,"result":{},"error":{"code":1,"message":"m"}}'])
async def test_an_end_that_is_no_answer_is_raised_in_the_loop(answer: bytes) -> None:
    wire = Wire(table(NEW))
    async with client_of(wire, NEW) as client, client.listen(tools=True) as changes:
        wire.push(answer.replace(b"$id", str(of(wire.messages, LISTEN)[0]["id"]).encode()))
        with pytest.raises(InvalidAnswer):
            await anext(changes)


@pytest.mark.parametrize("revision", ALL)
async def test_p3_a_lost_connection_comes_out_of_the_loop_after_what_came_before(revision: str) -> None:
    wire = Wire(table(revision))
    async with client_of(wire, revision) as client, client.listen(tools=True) as changes:
        tell(wire, revision, TOOLS)
        wire.push(None)
        assert await anext(changes) == ToolsChanged()
        with pytest.raises(ConnectionLost, match="connection lost"):
            await anext(changes)


@pytest.mark.parametrize("revision", ALL)
async def test_closing_the_client_wakes_whoever_listens(revision: str) -> None:
    wire = Wire(table(revision, "x://a"))
    client = client_of(wire, revision)
    await client.connect()
    async with client.listen(tools=True, uris=["x://a"]) as changes:
        await client.aclose()
        with pytest.raises(ConnectionLost):
            await anext(changes)


@pytest.mark.parametrize("revision", ALL)
async def test_listening_without_a_connection_is_told_in_one_line(revision: str) -> None:
    client = client_of(Wire(table(revision)), revision)
    with pytest.raises(ConnectFailed, match="not connected"):
        await client.listen(tools=True).__aenter__()
    await client.connect()
    await client.aclose()
    with pytest.raises(ConnectionLost, match="closed"):
        await client.listen(tools=True).__aenter__()


@pytest.mark.requirement("stdio.client-correlates-subscriptions")
async def test_over_stdio_each_notification_goes_to_the_listening_request_whose_id_it_bears(tmp_path: Path) -> None:
    kinds = {"example/tools": TOOLS, "example/prompts": PROMPTS, "example/resources": RESOURCES}
    nobodys = [stamped(kind, "nobody") for kind in kinds.values()]
    done = [*nobodys, notification(TOOLS), result({"resultType": "complete"})]
    tells = {method: [stamped(kind, "$requestId"), *done] for method, kind in kinds.items()}
    log = tmp_path / "log"
    async with (
        Client(child_command(log, {**table(NEW), **tells}), revision=NEW) as client,
        client.listen(tools=True, prompts=True, resources=True) as one,
        client.listen(tools=True, prompts=True, resources=True) as other,
    ):
        first, second = (line["id"] for line in of([*map(json.loads, child_lines(log, ended=False))], LISTEN))
        await client.request("example/tools", {"requestId": second})
        await client.request("example/resources", {"requestId": first})
        await client.request("example/prompts", {"requestId": second})
        await client.request("example/prompts", {"requestId": first})
        assert await take(one, 2) == [ResourcesChanged(), PromptsChanged()]
        assert await take(other, 2) == [ToolsChanged(), PromptsChanged()]


@pytest.mark.requirement("subscriptions.stdio-relisten", "subscriptions.reconnect-on-drop", revisions=STATELESS)
@pytest.mark.parametrize("revision", ALL)
async def test_going_on_after_a_new_connection_subscribes_anew_and_tells_what_may_have_changed(revision: str) -> None:
    wires = [Wire(table(revision, "x://a")), Wire(table(revision, "x://a"))]
    coming = iter(wires)

    async def dial() -> Wire:
        return next(coming)

    client = Client(dial, revision=revision)
    await client.connect()
    async with client.listen(tools=True, uris=["x://a"]) as changes:
        wires[0].push(None)
        with pytest.raises(ConnectionLost):
            await anext(changes)
        await client.connect()
        assert await take(changes, 2) == [ToolsChanged(), ResourceUpdated("x://a")]
        asked = LISTEN if revision in STATELESS else "resources/subscribe"
        assert len(of(wires[1].messages, asked)) == 1
        tell(wires[1], revision, TOOLS)
        assert await anext(changes) == ToolsChanged()
    await client.aclose()


@pytest.mark.requirement("subscriptions.stdio-relisten", revisions=STATELESS)
@pytest.mark.parametrize("revision", [HANDSHAKE[0], NEW])
async def test_going_on_after_the_death_of_a_server_starts_it_again_and_subscribes_anew(
    revision: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    dying = {**table(revision, "x://a"), "tools/call": [{"exit": 3}]}
    client = Client(child_command(log, dying), revision=revision, restart=True)
    async with client, client.listen(uris=["x://a"]) as changes:
        with pytest.raises(ConnectionLost):
            await client.call_tool("die")
        with pytest.raises(ConnectionLost, match="exited with code 3"):
            await anext(changes)
        first = child_pid(log)
        assert await anext(changes) == ResourceUpdated("x://a")
        assert child_pid(log) != first
    asked = LISTEN if revision in STATELESS else "resources/subscribe"
    assert sum(asked.encode() in line for line in child_lines(log)) == 1
