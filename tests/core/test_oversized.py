"""A line that cannot be kept still says whom to tell: the sender of a request, or the call that waits."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core import glimpse
from mcport.core.framing import EDGE, Framer, Oversized
from mcport.core.glimpse import Glimpse
from mcport.core.jsonrpc import Malformed
from mcport.core.oversized import read_oversized
from mcport.core.peer import Peer
from mcport.errors import INVALID_REQUEST

LIMIT = 10_000
LONG = "x" * 3 * EDGE
BODY = f'{{"text":"{LONG}","id":99,"list":[{{"id":98}}]}}'


def read(text: str | bytes) -> Malformed:
    """What is said of a text whose middle was not kept."""
    data = text.encode() if isinstance(text, str) else text
    return read_oversized(Oversized(len(data), data[:EDGE], data[-EDGE:]), LIMIT)


def said(text: str | bytes) -> tuple[object, object, bool]:
    found = read(text)
    return found.id, found.answers, found.wants_reply


def test_it_says_how_large_the_message_was_and_where_the_limit_is_set() -> None:
    found = read("x" * 12_345)
    assert found.code == INVALID_REQUEST
    assert found.reason == "a message of 12345 bytes is over the limit of 10000 bytes (Limits.message_bytes)"


ORDERS = [
    '{"jsonrpc":"2.0","id":ID,"method":"m","params":BODY}',
    '{"id":ID,"jsonrpc":"2.0","method":"m","params":BODY}',
    '{"method":"m","params":BODY,"jsonrpc":"2.0","id":ID}',
    '{"params":BODY,"method":"m","id":ID}',
    '{"params":BODY,"id":ID,"method":"m","jsonrpc":"2.0"}',
    '\t{ "method" : "m" , "params" : BODY , "id" : ID , "jsonrpc" : "2.0" } \r',
]


@pytest.mark.requirement("base.error.same-id")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("id", ["5", "-1", '"five"', '""', '"é"', "9007199254740993"])
def test_an_oversized_request_is_answered_by_its_id(order: str, id: str) -> None:
    assert said(order.replace("ID", id).replace("BODY", BODY)) == (json.loads(id), None, True)


def test_an_id_with_escapes_is_read_where_it_stands_first() -> None:
    assert said(ORDERS[0].replace("ID", '"a\\"\\u00e9"').replace("BODY", BODY)) == ('a"é', None, True)
    assert said(ORDERS[2].replace("ID", '"a\\"\\u00e9"').replace("BODY", BODY)) == (None, None, False)


def test_a_method_makes_a_request_of_it_whatever_else_it_has() -> None:
    assert said(f'{{"method":"m","result":{BODY},"id":5}}') == (5, None, True)


def test_nothing_in_the_body_hides_the_id_before_it() -> None:
    assert said(b'{"jsonrpc":"2.0","id":5,"result":{"x":"\xff"' + LONG.encode()) == (None, 5, False)


@pytest.mark.parametrize("outcome", ["result", "error"])
@pytest.mark.parametrize(
    "order",
    [
        '{"jsonrpc":"2.0","id":5,"OUTCOME":BODY}',
        '{"OUTCOME":BODY,"jsonrpc":"2.0","id":5}',
        '{"jsonrpc":"2.0","OUTCOME":BODY,"id":5}',
        '{"OUTCOME":BODY,"id":5,"jsonrpc":"2.0"}',
    ],
)
def test_an_oversized_answer_names_its_call_and_gets_no_reply(order: str, outcome: str) -> None:
    assert said(order.replace("OUTCOME", outcome).replace("BODY", BODY)) == (None, 5, False)


@pytest.mark.requirement("base.notification.no-response")
@pytest.mark.parametrize(
    "text",
    [
        '{"jsonrpc":"2.0","method":"n","params":BODY}',
        '{"method":"n","params":BODY,"jsonrpc":"2.0"}',
        '{"method":"n","params":{"result":1,"id":7,"x":BODY}}',
    ],
)
def test_an_oversized_notification_gets_no_reply(text: str) -> None:
    assert said(text.replace("BODY", BODY)) == (None, None, False)


@pytest.mark.parametrize(
    "text",
    [
        LONG,
        f'"{LONG}"',
        f"[{BODY}]",
        f'{{"text":"{LONG}"}}',
        f'{{"text":{BODY}}}',
        f'{{"{LONG}":1,"id":007}}',
        f'{{"{LONG}":1,"id":true}}',
        f'{{"{LONG}":1,"id":1.5}}',
        f'{{"{LONG}":1,"id":{{"id":5}}}}',
        b'{"' + b"\xff" * 3 * EDGE + b'":1,"id":"\xff"}',
    ],
)
def test_what_names_neither_an_id_nor_a_method_is_answered_without_one(text: str | bytes) -> None:
    assert said(text) == (None, None, True)


def test_an_id_that_is_cut_off_is_not_taken_for_a_whole_one() -> None:
    for cut in range(1, 12):
        start = '{"method":"' + "m" * (EDGE - 18 - cut) + '","id":1234567,'
        assert said(start + f'"x":"{LONG}"}}')[0] in (None, 1234567)
    assert said('{"id":"' + "i," * EDGE + f'","method":"m","params":{BODY}}}') == (None, None, True)


def test_an_oversized_answer_settles_the_call_that_waits_for_it() -> None:
    peer = Peer()
    call, _ = peer.request("tools/list")
    framer = Framer(LIMIT)
    [line] = framer.feed(f'{{"jsonrpc":"2.0","id":{call.id},"result":{{"x":"{LONG * 2}"}}}}\n'.encode())
    assert isinstance(line, Oversized)
    event = peer.receive(read_oversized(line, LIMIT))
    assert getattr(event, "call", None) is call
    assert peer.calls == 0


@pytest.mark.parametrize(
    "unit", [b'"id":1 ', b'"id"', b'"id":1,"method":"', b"}", b'"id":1}', b"\\ud800", b'"', b'\\"']
)
def test_hostile_ends_take_no_longer_than_plain_ones(unit: bytes) -> None:
    head, line = unit * (EDGE // len(unit)), unit * (400_000 // len(unit))
    began = time.process_time()
    glimpse.of_ends(head, head)
    glimpse.of_line(line)
    assert time.process_time() - began < 1


@given(st.binary(max_size=80), st.binary(max_size=80))
@settings(max_examples=100)
def test_no_bytes_raise(head: bytes, tail: bytes) -> None:
    assert isinstance(glimpse.of_ends(head, tail), Glimpse)
    assert isinstance(glimpse.of_line(head), Glimpse)
