"""The books of a peer: every message in every state, the races of cancellation, and what progress may say."""

from __future__ import annotations

from typing import Any

import pytest

from mcport.core.events import Answered, Asked, Call, Stray, Told, Withdrawn
from mcport.core.jsonrpc import ErrorResponse, Malformed, Notification, Request, Response, decode
from mcport.core.peer import CANCELLED, PROGRESS, Peer, progress_of
from mcport.errors import INVALID_PARAMS, INVALID_REQUEST, PARSE_ERROR

Params = dict[str, Any]


def asked_by(peer: Peer, id: Any = 1, method: str = "tools/call", params: Params | None = None) -> Asked:
    event = peer.receive(Request(id, method, params))
    assert isinstance(event, Asked)
    return event


def cancelled(id: object, **more: object) -> Notification:
    return Notification(CANCELLED, {"requestId": id, **more})


def with_token(token: object) -> Params:
    return {"_meta": {"progressToken": token}}


def reply_to(peer: Peer, message: Request | Malformed) -> ErrorResponse | None:
    event = peer.receive(message)
    assert isinstance(event, Stray)
    return event.reply


# ---- requests of the other side


def test_a_request_opens_the_book_until_it_is_answered() -> None:
    peer = Peer()
    asked = asked_by(peer, 1, "ping")
    assert (asked.id, asked.method, asked.params, asked.token, asked.open) == (1, "ping", {}, None, True)
    assert peer.asked == {1: asked}
    assert peer.answer(asked, {}) == Response(1, {})
    assert (peer.asked, asked.open, asked.forgiving) == ({}, False, False)


@pytest.mark.requirement("base.result.same-id", "base.error.same-id")
@pytest.mark.parametrize("id", [1, "1", 1.0, -5, "", 2**60])
def test_an_answer_repeats_the_id_with_its_type(id: Any) -> None:
    peer = Peer()
    answer = peer.answer(asked_by(peer, id), {})
    error = peer.refuse(asked_by(peer, id), -1, "no", [1])
    assert answer is not None
    assert (answer.id, type(answer.id)) == (id, type(id))
    assert error == ErrorResponse(id, -1, "no", [1])
    assert type(error.id) is type(id)


@pytest.mark.requirement("base.error.same-id")
@pytest.mark.parametrize(("first", "second"), [(1, 1), ("a", "a"), (1, 1.0), (1.0, 1)])
def test_an_id_in_flight_is_not_taken_a_second_time(first: Any, second: Any) -> None:
    peer = Peer()
    asked = asked_by(peer, first)
    reply = reply_to(peer, Request(second, "ping"))
    assert reply is not None
    assert (reply.id, reply.code) == (second, INVALID_REQUEST)
    assert peer.asked == {first: asked}
    assert peer.answer(asked, {}) is not None


def test_a_number_and_a_text_are_two_ids() -> None:
    peer = Peer()
    number, text = asked_by(peer, 1), asked_by(peer, "1")
    assert peer.answer(number, {}) is not None
    assert text.open


def test_an_answered_id_may_come_again() -> None:
    peer = Peer()
    peer.answer(asked_by(peer, 1), {})
    assert asked_by(peer, 1).open


@pytest.mark.parametrize("way", ["answer", "refuse"])
def test_answering_twice_is_an_error_of_ours(way: str) -> None:
    peer = Peer()
    asked = asked_by(peer)
    assert peer.answer(asked, {}) if way == "answer" else peer.refuse(asked, 1, "no")
    with pytest.raises(RuntimeError, match="answered twice"):
        peer.answer(asked, {})
    with pytest.raises(RuntimeError, match="answered twice"):
        peer.refuse(asked, 1, "no")


@pytest.mark.requirement("meta.reserved-no-assumptions")
@pytest.mark.parametrize("meta", [[], "x", 0, False, 1.5])
def test_meta_that_is_no_object_is_refused(meta: object) -> None:
    peer = Peer()
    reply = reply_to(peer, Request(3, "tools/call", {"_meta": meta}))
    assert reply is not None
    assert (reply.id, reply.code) == (3, INVALID_PARAMS)
    assert peer.asked == {}


def test_null_meta_counts_as_none() -> None:
    assert asked_by(Peer(), params={"_meta": None}).token is None


@pytest.mark.requirement("stdio.client-no-responses", "transport.directions", revisions=["2026-07-28"])
def test_a_peer_that_does_not_serve_takes_no_request_and_answers_nothing() -> None:
    peer = Peer()
    peer.serves = False
    for message in (
        Request(1, "ping"),
        Request(1, "tools/call", with_token([])),
        Malformed(PARSE_ERROR, "Parse error"),
        Malformed(INVALID_REQUEST, "broken", 1),
    ):
        assert reply_to(peer, message) is None
    assert peer.asked == {}
    call, _ = peer.request("tools/list")
    assert peer.receive(Response(call.id, {})) == Answered(call, Response(call.id, {}))


# ---- cancellation by the other side


@pytest.mark.requirement("cancel.races", "cancel.no-further-messages")
@pytest.mark.parametrize("reason", ["changed my mind", None, "", 5, ["x"]])
def test_a_withdrawn_request_gets_nothing_more(reason: object) -> None:
    peer = Peer()
    asked = asked_by(peer, 1, params=with_token("t"))
    event = peer.receive(cancelled(1, reason=reason))
    assert isinstance(event, Withdrawn)
    assert event.asked is asked
    assert event.reason == (reason if isinstance(reason, str) else None)
    assert peer.asked == {}
    assert peer.answer(asked, {}) is None
    assert peer.refuse(asked, 1, "no") is None
    assert progress_of(asked, 1) is None


@pytest.mark.requirement("cancel.races")
def test_a_cancellation_that_crosses_the_answer_changes_nothing() -> None:
    peer = Peer()
    asked = asked_by(peer)
    peer.answer(asked, {})
    assert isinstance(peer.receive(cancelled(1)), Told)
    assert not asked.forgiving


@pytest.mark.requirement("cancel.races")
def test_an_old_cancellation_does_not_reach_a_new_request_of_another_type_of_id() -> None:
    peer = Peer()
    asked = asked_by(peer, "1")
    peer.receive(cancelled(1))
    assert asked.open


@pytest.mark.parametrize("id", [2, "1", True, None, [], {}, [1], 1.5, float("nan")])
def test_a_cancellation_of_nothing_in_flight_is_passed_on(id: object) -> None:
    peer = Peer()
    asked = asked_by(peer, 1)
    event = peer.receive(cancelled(id))
    assert isinstance(event, Told)
    assert event.method == CANCELLED
    assert asked.open


def test_a_cancellation_without_an_id_is_passed_on() -> None:
    assert Peer().receive(Notification(CANCELLED)) == Told(CANCELLED, {})


def test_one_and_one_point_nought_are_the_same_request() -> None:
    peer = Peer()
    asked_by(peer, 1)
    assert isinstance(peer.receive(cancelled(1.0)), Withdrawn)


@pytest.mark.requirement(
    "cancel.initialize-not-cancelled", revisions=["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
)
def test_initialize_is_cancelled_by_neither_side() -> None:
    peer = Peer()
    asked = asked_by(peer, 1, "initialize")
    assert isinstance(peer.receive(cancelled(1)), Stray)
    assert peer.answer(asked, {}) is not None
    call, _ = peer.request("initialize")
    assert peer.withdraw(call) is None
    assert peer.calls == 0


def test_a_dropped_request_is_not_answered() -> None:
    peer = Peer()
    first, second, third = (asked_by(peer, id) for id in range(3))
    peer.answer(first, {})
    peer.drop(second)
    peer.drop(second)
    peer.close_asked()
    assert peer.asked == {}
    assert [asked.forgiving for asked in (first, second, third)] == [False, True, True]
    assert peer.answer(second, {}) is None
    assert peer.answer(third, {}) is None


# ---- calls of this side


@pytest.mark.requirement(
    "base.request.id-unique-in-session", revisions=["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]
)
@pytest.mark.requirement("base.request.id-unique-in-flight", revisions=["2026-07-28"])
def test_no_id_of_ours_is_ever_used_twice() -> None:
    peer = Peer()
    ids = []
    for turn in range(30):
        call, message = peer.request("m")
        assert message.id == call.id
        ids.append(message.id)
        if turn % 3 == 0:
            peer.receive(Response(call.id, {}))
        elif turn % 3 == 1:
            peer.withdraw(call)
    assert ids == [*range(30)]


@pytest.mark.parametrize(
    "answer",
    [Response(0, {}), Response(0.0, None), ErrorResponse(0, 1, "no"), Malformed(INVALID_REQUEST, "bad", answers=0)],
)
def test_an_answer_settles_its_call_once(answer: Response | ErrorResponse | Malformed) -> None:
    peer = Peer()
    call, _ = peer.request("m", context="mine")
    event = peer.receive(answer)
    assert isinstance(event, Answered)
    assert (event.call, event.answer) == (call, answer)
    assert event.call.context == "mine"
    assert isinstance(peer.receive(answer), Stray)
    assert peer.calls == 0


@pytest.mark.requirement("error-codes.legacy-range-no-meaning", revisions=["2026-07-28"])
@pytest.mark.parametrize("code", [-32000, -32001, -32003, -32019, -32042, 0, 7])
def test_an_error_is_handed_on_whatever_its_code(code: int) -> None:
    peer = Peer()
    call, _ = peer.request("m")
    error = ErrorResponse(call.id, code, "no", {"x": None})
    assert peer.receive(error) == Answered(call, error)


@pytest.mark.parametrize(
    "message",
    [
        Response(1, {}),
        Response("0", {}),
        Response("a", {}),
        ErrorResponse(None, 1, "no"),
        ErrorResponse(5, 1, "no"),
        Malformed(INVALID_REQUEST, "bad", answers=1, wants_reply=False),
        Malformed(INVALID_REQUEST, "bad", answers="0", wants_reply=False),
        Malformed(INVALID_REQUEST, "bad", wants_reply=False),
    ],
)
def test_an_answer_to_nothing_settles_nothing_and_gets_no_reply(message: Response | ErrorResponse | Malformed) -> None:
    peer = Peer()
    peer.request("m")
    event = peer.receive(message)
    assert isinstance(event, Stray)
    assert event.reply is None
    assert peer.calls == 1


@pytest.mark.requirement("cancel.stdio.notification", revisions=["2026-07-28"])
@pytest.mark.requirement("cancel.request-id-present")
def test_giving_up_a_call_names_its_id() -> None:
    peer = Peer()
    call, _ = peer.request("m")
    other, _ = peer.request("m")
    assert peer.withdraw(call, "too slow") == Notification(CANCELLED, {"requestId": 0, "reason": "too slow"})
    assert peer.withdraw(other) == Notification(CANCELLED, {"requestId": 1})


@pytest.mark.requirement("cancel.only-own-in-flight", "cancel.races")
def test_only_a_call_in_flight_is_given_up_and_only_once() -> None:
    peer = Peer()
    settled, _ = peer.request("m")
    peer.receive(Response(settled.id, {}))
    assert peer.withdraw(settled) is None
    call, _ = peer.request("m")
    assert peer.withdraw(call) is not None
    assert peer.withdraw(call) is None
    assert peer.receive(Response(call.id, {})) == Stray("answer to unknown request 1")
    assert isinstance(peer.receive(Notification(PROGRESS, {"progressToken": call.id, "progress": 1})), Stray)


def test_lost_calls_are_returned_once() -> None:
    peer = Peer()
    calls = [peer.request("m")[0] for _ in range(3)]
    peer.receive(Response(calls[1].id, {}))
    assert peer.lose_calls() == [calls[0], calls[2]]
    assert (peer.lose_calls(), peer.calls) == ([], 0)
    assert peer.withdraw(calls[0]) is None


# ---- what is no message


@pytest.mark.requirement("error-codes.parse-error", "base.error.same-id")
def test_a_broken_request_is_answered_with_its_fault() -> None:
    assert reply_to(Peer(), Malformed(PARSE_ERROR, "Parse error")) == ErrorResponse(None, PARSE_ERROR, "Parse error")
    assert reply_to(Peer(), Malformed(INVALID_REQUEST, "bad", 4)) == ErrorResponse(4, INVALID_REQUEST, "bad")


@pytest.mark.requirement("base.notification.no-response")
def test_a_broken_notification_is_not_answered() -> None:
    assert reply_to(Peer(), Malformed(INVALID_REQUEST, "bad", wants_reply=False)) is None


@pytest.mark.parametrize(
    ("id", "issued", "answered"), [(0, 1, False), (1, 1, True), (0, 0, True), ("a", 1, True), (-1, 1, True)]
)
def test_what_may_be_a_late_answer_is_not_answered_as_a_request(id: object, issued: int, answered: bool) -> None:
    peer = Peer()
    for _ in range(issued):
        peer.receive(Response(peer.request("m")[0].id, {}))
    message = decode(f'{{"jsonrpc":"2.0","id":{id if isinstance(id, int) else chr(34) + str(id) + chr(34)}}}'.encode())
    assert isinstance(message, Malformed)
    reply = reply_to(peer, message)
    assert (reply is not None) == answered
    assert reply is None or reply.id == id


def test_two_peers_do_not_throw_errors_at_each_other() -> None:
    here, there = Peer(), Peer()
    reply = reply_to(here, Malformed(PARSE_ERROR, "Parse error"))
    assert reply is not None
    assert there.receive(reply) == Stray("answer to unknown request None")


@pytest.mark.requirement("base.notification.no-response")
@pytest.mark.parametrize("method", ["notifications/initialized", "tools/call", "", "nothing/like/it"])
def test_a_notification_is_told_and_opens_nothing(method: str) -> None:
    peer = Peer()
    assert peer.receive(Notification(method, {"x": 1})) == Told(method, {"x": 1})
    assert peer.receive(Notification(method)) == Told(method, {})
    assert peer.asked == {}


def test_events_say_what_they_are_in_a_log() -> None:
    assert repr(Call(3, "tools/call")).startswith("Call(id=3, method='tools/call'")
    assert repr(asked_by(Peer())).startswith("Asked(id=1, method='tools/call'")
    long = Peer().receive(Response("x" * 10_000, {}))
    assert len(repr(long)) < 200
