"""What a served server does with messages, whatever they ask: shapes, ids, batches, bytes. In every revision."""

from __future__ import annotations

import json

import anyio
import pytest

from mcport import Server
from tests.server.wire import ALL, NEW, OLD, Json, opened, serving, unopened

IDS: list[Json] = [0, 7, -3, 2**53, "a", "", "7", 10**30]


def demo() -> Server:
    server = Server("demo", "1.2")

    @server.tool
    async def add(a: int, b: int) -> int:
        return a + b

    @server.tool
    async def fail() -> str:
        raise ValueError("no")

    return server


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("id", IDS)
@pytest.mark.requirement("base.result.same-id", "base.error.same-id")
async def test_results_and_errors_repeat_the_id_with_its_json_type(revision: str, id: Json) -> None:
    async with serving(demo(), revision) as wire:
        good = await wire.ask("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}}, id=id)
        bad = await wire.ask("nothing/like/it", id=id)
        assert (good["id"], type(good["id"])) == (bad["id"], type(bad["id"])) == (id, type(id))
        assert "result" in good
        assert "error" in bad


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("base.result.has-result-member", revisions=["2025-11-25", *NEW])
@pytest.mark.requirement("base.response.result-or-error", "base.response.not-both", revisions=OLD[:3])
async def test_an_answer_has_a_result_even_an_empty_one_or_an_error(revision: str) -> None:
    server = demo()
    server.resource("file:///a")(lambda_like)
    async with serving(server, revision) as wire:
        if revision in OLD:
            assert (await wire.ask("ping"))["result"] == {}
        assert isinstance((await wire.ask("resources/templates/list"))["result"], dict)
        for method in ("tools/list", "nothing"):
            answer = await wire.ask(method)
            assert ("result" in answer) != ("error" in answer)


def lambda_like() -> str:
    return ""


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("base.error.code-and-message", "base.error.integer-code")
async def test_errors_have_an_integer_code_and_a_message(revision: str) -> None:
    async with serving(demo(), revision) as wire:
        for method, params in [("nothing", {}), ("tools/call", {}), ("tools/list", {"cursor": 5})]:
            error = await wire.error(method, params)
            assert type(error["code"]) is int
            assert error["message"]
            assert isinstance(error["message"], str)


@pytest.mark.parametrize("revision", NEW)
@pytest.mark.requirement("base.result.result-type-required")
async def test_every_result_says_its_type(revision: str) -> None:
    server = demo()
    server.resource("file:///a")(lambda_like)
    server.resource("file:///{b}")(echo)
    server.prompt(echo)
    asked = [
        ("server/discover", {}),
        ("tools/list", {}),
        ("tools/call", {"name": "add", "arguments": {"a": 1, "b": 2}}),
        ("tools/call", {"name": "fail"}),
        ("tools/call", {"name": "add", "arguments": {}}),
        ("resources/list", {}),
        ("resources/templates/list", {}),
        ("resources/read", {"uri": "file:///a"}),
        ("prompts/list", {}),
        ("prompts/get", {"name": "echo", "arguments": {"b": "x"}}),
    ]
    async with serving(server, revision) as wire:
        for method, params in asked:
            assert (await wire.ask(method, params))["result"]["resultType"] == "complete", method


def echo(b: str) -> str:
    return b


MALFORMED: list[tuple[Json, int, Json]] = [
    ({"id": 1, "method": "ping"}, -32600, 1),
    ({"jsonrpc": "1.0", "id": 2, "method": "ping"}, -32600, 2),
    ({"jsonrpc": 2.0, "id": 3, "method": "ping"}, -32600, 3),
    ({"jsonrpc": "2.0", "id": 4, "method": 5}, -32600, 4),
    ({"jsonrpc": "2.0", "id": 5, "method": "ping", "params": []}, -32600, 5),
    ("ping", -32600, None),
    (5, -32600, None),
    (None, -32600, None),
]


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("base.jsonrpc-2.0", "error-codes.parse-error")
async def test_what_is_no_message_is_refused_and_the_connection_lives(revision: str) -> None:
    async with serving(demo(), revision) as wire:
        for message, code, id in MALFORMED:
            wire.send(message)
            answer = await wire.read()
            assert (answer["error"]["code"], answer.get("id")) == (code, id), message
        await wire.silent()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize(
    "line",
    [b"{", b"nonsense", b'{"jsonrpc":"2.0","id":1,"method":"ping"', b'{"a":1,"a":1}', b'{"jsonrpc":"2.0","id":NaN}'],
)
@pytest.mark.requirement("error-codes.parse-error")
async def test_text_that_is_no_json_is_answered_without_an_id(revision: str, line: bytes) -> None:
    async with serving(demo(), revision) as wire:
        wire.send(line)
        answer = await wire.read()
        assert answer["error"]["code"] == -32700
        assert "id" not in answer
        await wire.silent()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("transport.utf-8", revisions=[*OLD[1:], *NEW])
async def test_messages_are_utf_8_and_other_bytes_are_a_parse_error(revision: str) -> None:
    server = Server("ünïcode")
    server.tool(echo)
    async with serving(server, revision) as wire:
        assert await wire.text("echo", {"b": "日本 🎈 \n"}) == "日本 🎈 \n"
        assert "日本 🎈".encode() in wire.raw[-1]
        for line in ('{"jsonrpc":"2.0","id":1,"method":"é"}'.encode("latin-1"), '{"a":1}'.encode("utf-16")):
            wire.send(line)
            assert (await wire.read())["error"]["code"] == -32700
        await wire.silent()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.parametrize("id", [None, True, 1.5, [], {}, [1]])
@pytest.mark.requirement("base.request.id-not-null", "base.request.id-string-or-integer")
async def test_a_request_with_another_kind_of_id_is_refused(revision: str, id: Json) -> None:
    async with serving(demo(), revision) as wire:
        method = "ping" if revision in OLD else "server/discover"
        wire.send({"jsonrpc": "2.0", "id": id, "method": method, "params": wire.params()})
        answer = await wire.read()
        assert answer["error"]["code"] == -32600
        assert "id" not in answer
        await wire.silent()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("base.notification.no-response")
async def test_notifications_are_never_answered(revision: str) -> None:
    async with serving(demo(), revision) as wire:
        for method in ("notifications/initialized", "notifications/cancelled", "notifications/progress", "tools/list"):
            wire.notify(method, wire.params())
        wire.notify("nothing/like/it", {"x": 1})
        wire.send(
            {"jsonrpc": "2.0", "method": "notifications/initialized", "params": []},
            {"jsonrpc": "1.0", "method": "notifications/initialized"},
            {"method": "x"},
            {"jsonrpc": "2.0", "method": "initialize"},
        )
        await wire.silent()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("base.notification.no-id")
async def test_a_method_with_an_id_is_a_request_whatever_its_name(revision: str) -> None:
    async with serving(demo(), revision) as wire:
        assert (await wire.error("notifications/initialized"))["code"] == -32601


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("transport.directions", revisions=NEW)
async def test_answers_that_come_to_a_server_that_asked_nothing_are_ignored(revision: str) -> None:
    strays: list[Json] = [
        {"result": {}},
        {"error": {"code": -1, "message": "no"}},
        {"result": {}, "error": {"code": -1, "message": "no"}},
        {"error": {"code": "x"}},
    ]
    async with serving(demo(), revision) as wire:
        for stray in strays:
            wire.send({"jsonrpc": "2.0", "id": 0, **stray})
        await wire.silent()


@pytest.mark.parametrize("revision", OLD[:3])
@pytest.mark.requirement("base.response.not-both")
async def test_a_response_with_result_and_error_is_refused_without_a_word(revision: str) -> None:
    async with serving(demo(), revision) as wire:
        wire.send({"jsonrpc": "2.0", "id": 0, "result": {}, "error": {"code": 1, "message": "x"}})
        await wire.silent()


@pytest.mark.parametrize("revision", ALL)
@pytest.mark.requirement("base.request.id-unique-in-session", revisions=OLD)
async def test_an_id_that_is_in_flight_cannot_be_used_again_meanwhile(revision: str) -> None:
    server, go = Server("demo"), anyio.Event()

    @server.tool
    async def wait() -> str:
        await go.wait()
        return "done"

    async with serving(server, revision) as wire:
        wire.request("tools/call", {"name": "wait"}, id=5)
        wire.request("tools/call", {"name": "wait"}, id=5)
        assert (await wire.read())["error"]["code"] == -32600
        go.set()
        assert (await wire.read())["result"]["content"][0]["text"] == "done"
        await wire.silent()


# ---- batches, which one revision has


def batch(*messages: Json) -> bytes:
    return json.dumps(messages).encode()


def asked(id: Json, method: str = "ping") -> Json:
    return {"jsonrpc": "2.0", "id": id, "method": method}


@pytest.mark.requirement("batch.receive", "batch.stdio-line", revisions=["2025-03-26"])
async def test_each_member_of_a_batch_is_handled_as_if_it_came_alone() -> None:
    async with serving(demo(), "2025-03-26") as wire:
        told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        wire.send(
            batch(asked(1), told, asked("two", "tools/list"), {"jsonrpc": "2.0", "id": 3}, asked(4, "nothing"), 5)
        )
        answers = [await wire.read() for _ in range(5)]
        assert {answer.get("id") for answer in answers} == {1, "two", 3, 4, None}
        wire.send(batch(told))
        wire.send(batch())
        assert (await wire.read())["error"]["code"] == -32600
        await wire.silent()


@pytest.mark.requirement("batch.initialize-alone", revisions=["2025-03-26"])
async def test_initialize_is_refused_inside_a_batch() -> None:
    async with unopened(demo(), "2025-03-26") as wire:
        wire.send(batch(asked(1, "initialize"), asked(2)))
        assert (await wire.read())["error"]["code"] == -32600
        await opened(wire)
        wire.send(batch(asked(3, "initialize"), asked(4)))
        answers = {answer["id"]: answer for answer in (await wire.read(), await wire.read())}
        assert answers[3]["error"]["code"] == answers[4]["error"]["code"] == -32600
        wire.send(batch(asked(5)))
        assert (await wire.read())["result"] == {}


@pytest.mark.parametrize("revision", [revision for revision in ALL if revision != "2025-03-26"])
async def test_batches_are_refused_where_the_revision_has_none(revision: str) -> None:
    async with serving(demo(), revision) as wire:
        wire.send(batch(asked(1), asked(2)))
        answer = await wire.read()
        assert answer["error"]["code"] == -32600
        assert "id" not in answer
        await wire.silent()
