"""A session: tasks for what the other side asks, bounds, isolation of faults (T-20), cancellation, and its end."""

from __future__ import annotations

import math
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from mcport.core.framing import Oversized
from mcport.core.limits import SERVER_LIMITS
from mcport.errors import InvalidParams
from mcport.session.exchange import Exchange
from tests.session.scripted import Played, cancel, request

settle = anyio.wait_all_tasks_blocked


class Gate:
    """Handlers that wait until the test lets them through."""

    def __init__(self) -> None:
        self.began: list[Any] = []
        self.stopped: list[Any] = []
        self.open = anyio.Event()

    async def answer(self, exchange: Exchange) -> object:
        id = exchange.asked.id
        self.began.append(id)
        with exchange.outlet.loop.scope() as scope:
            exchange.stop = scope.cancel
            await self.open.wait()
            return {"done": id}
        self.stopped.append(id)
        return None


async def echo(exchange: Exchange) -> object:
    return exchange.asked.params


async def test_an_answer_repeats_id_and_type() -> None:
    played = Played(echo)
    played.channel.say(request(7, params='{"a":1}'), request("7", params='{"b":2}'))
    await settle()
    sent = sorted(played.channel.sent, key=repr)
    assert sent == [
        {"jsonrpc": "2.0", "id": "7", "result": {"b": 2}},
        {"jsonrpc": "2.0", "id": 7, "result": {"a": 1}},
    ]


async def test_a_protocol_error_is_answered_with_code_message_and_data() -> None:
    async def answer(exchange: Exchange) -> object:
        raise InvalidParams("a is missing", data={"name": "a"})

    played = Played(answer)
    played.channel.say(request(1))
    await settle()
    error = {"code": -32602, "message": "a is missing", "data": {"name": "a"}}
    assert played.channel.sent == [{"jsonrpc": "2.0", "id": 1, "error": error}]


async def test_an_unexpected_exception_fails_its_own_request_only(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(exchange: Exchange) -> object:
        if exchange.asked.id == 1:
            raise ZeroDivisionError("secret")
        return {}

    played = Played(answer)
    played.channel.say(request(1), request(2))
    await settle()
    failed, answered = sorted(played.channel.sent, key=lambda message: "result" in message)
    assert failed["error"] == {"code": -32603, "message": "Internal error"}
    assert answered["result"] == {}
    assert "ZeroDivisionError" in caplog.text


async def test_a_result_that_is_no_json_fails_its_own_request_only(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(exchange: Exchange) -> object:
        return {"value": math.nan}

    played = Played(answer)
    played.channel.say(request(1))
    await settle()
    assert played.channel.sent[0]["error"]["code"] == -32603
    assert played.session.over is None


async def test_a_cancelled_request_is_stopped_and_never_answered() -> None:
    gate = Gate()
    played = Played(gate.answer)
    played.channel.say(request(1), request(2))
    await settle()
    played.channel.say(cancel(1))
    await settle()
    gate.open.set()
    await settle()
    assert gate.stopped == [1]
    assert [message["id"] for message in played.channel.sent] == [2]


async def test_a_request_cancelled_in_the_same_batch_is_not_answered() -> None:
    gate = Gate()
    played = Played(gate.answer)
    played.channel.say(request(1), cancel(1))
    gate.open.set()
    await settle()
    assert played.channel.sent == []


async def test_a_cancellation_that_comes_too_late_harms_nobody() -> None:
    played = Played(echo)
    played.channel.say(request(1))
    await settle()
    played.channel.say(cancel(1), cancel(99), request(2))
    await settle()
    assert sorted(message["id"] for message in played.channel.sent) == [1, 2]


async def test_an_id_in_flight_twice_is_refused_and_the_first_goes_on() -> None:
    gate = Gate()
    played = Played(gate.answer)
    played.channel.say(request(1), request(1))
    gate.open.set()
    await settle()
    first, second = sorted(played.channel.sent, key=lambda message: "result" in message)
    assert first["error"]["code"] == -32600
    assert second["result"] == {"done": 1}


async def test_requests_over_the_bound_wait_their_turn() -> None:
    gate = Gate()
    played = Played(gate.answer, SERVER_LIMITS.but(requests_in_flight=2))
    played.channel.say(*(request(id) for id in range(5)))
    await settle()
    assert sorted(gate.began) == [0, 1]
    gate.open.set()
    await settle()
    assert sorted(message["id"] for message in played.channel.sent) == [0, 1, 2, 3, 4]


async def test_requests_over_the_second_bound_are_refused_and_a_cancellation_still_gets_through() -> None:
    gate = Gate()
    played = Played(gate.answer, SERVER_LIMITS.but(requests_in_flight=1, requests_queued=1))
    played.channel.say(request(1), request(2), request(3))
    await settle()
    assert [message["id"] for message in played.channel.sent] == [3]
    assert "Too many requests" in played.channel.sent[0]["error"]["message"]
    played.channel.say(cancel(1))
    await settle()
    assert gate.stopped == [1]
    assert gate.began == [1, 2]


async def test_a_queued_request_that_is_cancelled_never_begins() -> None:
    gate = Gate()
    played = Played(gate.answer, SERVER_LIMITS.but(requests_in_flight=1))
    played.channel.say(request(1), request(2), request(3))
    await settle()
    played.channel.say(cancel(2))
    gate.open.set()
    await settle()
    assert gate.began == [1, 3]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", -32700),
        (b"\xff\xfe", -32700),
        (b"[]", -32600),
        (b'"text"', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"work"}', -32600),
        (b'[{"jsonrpc":"2.0","id":1,"method":"work"}]', -32600),
    ],
)
async def test_what_is_no_message_is_answered_and_the_connection_lives_on(line: bytes, code: int) -> None:
    played = Played(echo)
    played.channel.say(line, request(2))
    await settle()
    assert sorted(message.get("error", {}).get("code", 0) for message in played.channel.sent) == [code, 0]
    assert len(played.malformed) == 1


async def test_a_side_that_does_not_reply_to_nonsense_stays_silent() -> None:
    played = Played(echo, replies=False)
    played.channel.say(b"a banner", request(1))
    await settle()
    assert [message["id"] for message in played.channel.sent] == [1]


async def test_a_side_that_serves_nothing_drops_requests_without_a_word() -> None:
    played = Played(serves=False)
    played.channel.say(request(1))
    await settle()
    assert played.channel.sent == []
    assert played.session.peer.asked == {}


async def test_a_batch_is_served_member_by_member_where_the_revision_has_batches() -> None:
    played = Played(echo, batches=True)
    played.channel.say(b"[" + request(1) + b"," + request(2) + b',{"jsonrpc":"2.0","method":"note"},17]')
    await settle()
    assert sorted(message.get("id", -1) for message in played.channel.sent) == [-1, 1, 2]
    assert [told.method for told in played.told] == ["note"]


@pytest.mark.requirement("batch.initialize-alone", revisions=["2025-03-26"])
async def test_a_batch_with_initialize_is_refused_and_the_connection_lives_on() -> None:
    played = Played(echo, batches=True)
    note = b'{"jsonrpc":"2.0","method":"initialize"}'
    played.channel.say(b"[" + request(1, "initialize") + b"," + request(2) + b"]", b"[" + note + b"]", request(3))
    await settle()
    by_id = {message["id"]: message for message in played.channel.sent}
    assert by_id[1]["error"]["code"] == by_id[2]["error"]["code"] == -32600
    assert by_id[3]["result"] == {}
    assert played.told == []


@pytest.mark.requirement("base.error.same-id")
async def test_an_answer_that_cannot_be_written_is_an_error_with_the_same_id(caplog: pytest.LogCaptureFixture) -> None:
    async def answer(exchange: Exchange) -> object:
        return {"value": object()}

    played = Played(answer)
    played.channel.say(request("seven"))
    await settle()
    assert [message["id"] for message in played.channel.sent] == ["seven"]
    assert played.channel.sent[0]["error"]["code"] == -32603


async def test_an_oversized_request_is_refused_by_its_id() -> None:
    played = Played(echo, SERVER_LIMITS.but(message_bytes=100))
    head = b'{"jsonrpc":"2.0","id":"big","method":"work","params":{"text":"xxxx'
    played.channel.say(Oversized(5_000_000, head, b'xxxx"}}'), request(2))
    await settle()
    refused, answered = sorted(played.channel.sent, key=lambda message: "result" in message)
    assert refused["id"] == "big"
    assert "100 bytes" in refused["error"]["message"]
    assert answered["id"] == 2


async def test_the_end_is_heard_once_and_what_runs_may_finish() -> None:
    gate = Gate()
    played = Played(gate.answer)
    played.channel.say(request(1))
    await settle()
    played.channel.end("gone")
    played.channel.end("gone again")
    assert played.ended == ["gone"]
    gate.open.set()
    await played.session.finish(grace=1, cleanup=1)
    assert [message["id"] for message in played.channel.sent] == [1]
    assert played.channel.closed == 1


async def test_what_does_not_finish_in_time_is_stopped() -> None:
    gate = Gate()
    played = Played(gate.answer)
    played.channel.say(request(1))
    await settle()
    played.channel.end()
    await played.session.finish(grace=0, cleanup=1)
    assert gate.stopped == [1]
    assert played.channel.sent == []
    assert played.session.running == 0


async def test_a_peer_that_does_not_read_is_given_up() -> None:
    gate = Gate()
    played = Played(gate.answer, SERVER_LIMITS.but(outbox_hard_bytes=1000))
    played.channel.say(request(1), request(2, "other"))
    await settle()
    played.channel.backlog = 1001
    played.channel.say(b"{")
    await settle()
    assert played.ended == ["the other side does not read what it is sent"]
    assert sorted(gate.stopped) == [1, 2]


async def test_who_waits_for_a_slow_reader_goes_on_when_it_has_read() -> None:
    played = Played(echo, SERVER_LIMITS.but(outbox_bytes=10))
    await played.session.drained()
    played.channel.backlog = 11
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(played.session.drained)
        await settle()
        assert tasks.cancel_scope.cancel_called is False
        played.channel.drained.set()
    await checkpoint()


async def test_closing_twice_is_harmless_and_nothing_is_sent_afterwards() -> None:
    played = Played(echo)
    await played.session.aclose()
    await played.session.aclose()
    played.channel.say(request(1))
    await settle()
    assert played.channel.sent == []
    assert played.ended == ["closed here"]
