"""The JSON door: what bytes become a message, what becomes of the others, and what may leave.

(T-13 of the security notes: bombs and ambiguities.)
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.jsonrpc import (
    Batch,
    ErrorResponse,
    Malformed,
    Message,
    Notification,
    Request,
    Response,
    decode,
    encode,
)
from mcport.errors import INVALID_REQUEST, PARSE_ERROR

DEEPEST = 201
"""How many arrays may stand in one another, the parser's own bound."""


def read(text: str) -> Message | Malformed | Batch:
    return decode(text.encode())


def refused(data: bytes | str) -> Malformed:
    found = decode(data.encode() if isinstance(data, str) else data)
    assert isinstance(found, Malformed), found
    return found


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


# ---- messages


@pytest.mark.requirement("base.jsonrpc-2.0")
def test_each_kind_of_message_is_told_by_its_members() -> None:
    assert read('{"jsonrpc":"2.0","id":1,"method":"ping"}') == Request(1, "ping", None)
    assert read('{"jsonrpc":"2.0","id":"1","method":"m","params":{"a":[]}}') == Request("1", "m", {"a": []})
    assert read('{"jsonrpc":"2.0","method":"n","params":{}}') == Notification("n", {})
    assert read('{"jsonrpc":"2.0","id":1,"result":{}}') == Response(1, {})
    assert read('{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no","data":[0]}}') == ErrorResponse(
        1, -1, "no", [0]
    )
    assert read('{"jsonrpc":"2.0","error":{"code":-32700,"message":"no"}}') == ErrorResponse(None, -32700, "no")


@pytest.mark.requirement("base.notification.no-id")
def test_a_method_with_an_id_is_a_request_whatever_else_it_has() -> None:
    found = read('{"jsonrpc":"2.0","id":0,"method":"notifications/initialized","result":{},"error":{}}')
    assert found == Request(0, "notifications/initialized", None)


@given(data=st.data())
@settings(max_examples=60)
def test_the_order_of_members_means_nothing(data: st.DataObject) -> None:
    whole = {"jsonrpc": "2.0", "id": 7, "method": "m", "params": {"id": 8, "method": "inner"}, "x": None}
    shuffled = data.draw(st.permutations(list(whole.items())))
    assert decode(json.dumps(dict(shuffled)).encode()) == Request(7, "m", whole["params"])  # type: ignore[arg-type]


@pytest.mark.parametrize("white", [" ", "\t", "\r", "\n", "\r\n"])
def test_white_space_around_a_message_means_nothing(white: str) -> None:
    assert read(f'{white}{{"jsonrpc":"2.0","method":"n"}}{white}') == Notification("n", None)


def test_null_params_count_as_none_and_a_null_id_of_an_error_as_left_out() -> None:
    assert read('{"jsonrpc":"2.0","id":1,"method":"m","params":null}') == Request(1, "m", None)
    assert read('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"no"}}') == ErrorResponse(None, 1, "no")


@pytest.mark.requirement("base.request.id-string-or-integer", "base.request.id-not-null")
@pytest.mark.parametrize(
    "id", ["null", "true", "false", "1.5", "[]", "{}", "[1]", "1e400", "-1e400", "9007199254740992.0", "1e300"]
)
def test_an_id_that_is_no_string_and_no_integer_is_refused(id: str) -> None:
    request = refused(f'{{"jsonrpc":"2.0","id":{id},"method":"m"}}')
    assert (request.code, request.id, request.wants_reply) == (INVALID_REQUEST, None, True)
    response = refused(f'{{"jsonrpc":"2.0","id":{id},"result":{{}}}}')
    assert (response.code, response.answers, response.wants_reply) == (INVALID_REQUEST, None, False)


@pytest.mark.requirement("base.result.same-id", "base.request.id-string-or-integer")
@pytest.mark.parametrize(
    "id",
    [
        "0",
        "1",
        "-1",
        '"1"',
        '""',
        '"\\u0000"',
        '"é"',
        "1.0",
        "-0.0",
        "9007199254740993",
        pytest.param("1" * 4300, id="longest"),
        '"1.0"',
    ],
)
def test_an_id_goes_back_as_it_came(id: str) -> None:
    request = read(f'{{"jsonrpc":"2.0","id":{id},"method":"m"}}')
    assert isinstance(request, Request)
    sent = encode(Response(request.id, {})).decode()
    assert json.loads(sent, parse_int=str, parse_float=str) == json.loads(
        f'{{"jsonrpc":"2.0","id":{id},"result":{{}}}}', parse_int=str, parse_float=str
    )


# ---- what is no message


@pytest.mark.requirement("error-codes.parse-error", "base.jsonrpc-2.0")
@pytest.mark.parametrize(
    ("text", "id", "answers", "wants_reply"),
    [
        ('{"id":1,"method":"m"}', 1, None, True),
        ('{"jsonrpc":"1.0","id":1,"method":"m"}', 1, None, True),
        ('{"jsonrpc":2.0,"id":"a","method":"m"}', "a", None, True),
        ('{"jsonrpc":"2.0","id":1,"method":5}', 1, None, True),
        ('{"jsonrpc":"2.0","id":1,"method":null}', 1, None, True),
        ('{"jsonrpc":"2.0","id":1,"method":"m","params":[]}', 1, None, True),
        ('{"jsonrpc":"2.0","id":1,"method":"m","params":"x"}', 1, None, True),
        ('{"JSONRPC":"2.0","Id":1,"Method":"m"}', None, None, True),
        ('{"jsonrpc":"2.0","method":["m"]}', None, None, True),
        ('{"jsonrpc":"2.0","params":{}}', None, None, True),
        ("{}", None, None, True),
        ("[[]]", None, None, True),
        ("[]", None, None, True),
        ("null", None, None, True),
        ("1", None, None, True),
        ('"m"', None, None, True),
        # Neither a method nor an outcome: a broken request, or a broken answer to a call with this id.
        ('{"jsonrpc":"2.0","id":1}', 1, 1, True),
        ('{"jsonrpc":"2.0","id":1,"params":{}}', 1, 1, True),
        ('{"id":1}', 1, 1, True),
    ],
)
def test_json_that_is_no_request_is_an_invalid_request(
    text: str, id: object, answers: object, wants_reply: bool
) -> None:
    found = refused(text) if not text.startswith("[[") else _only(text)
    assert (found.code, found.id, found.answers, found.wants_reply) == (INVALID_REQUEST, id, answers, wants_reply)


def _only(text: str) -> Malformed:
    batch = read(text)
    assert isinstance(batch, Batch)
    [member] = batch.members
    assert isinstance(member, Malformed)
    return member


@pytest.mark.requirement("base.notification.no-response")
@pytest.mark.parametrize(
    "text",
    [
        '{"method":"n"}',
        '{"jsonrpc":"1.0","method":"n"}',
        '{"jsonrpc":"2.0","method":"n","params":[1]}',
        '{"jsonrpc":"2.0","method":"n","params":7}',
    ],
)
def test_a_broken_notification_wants_no_reply(text: str) -> None:
    assert not refused(text).wants_reply


@pytest.mark.requirement("base.response.not-both", "base.response.result-or-error", "base.error.code-and-message")
@pytest.mark.parametrize(
    "members",
    [
        '"result":{},"error":{"code":1,"message":"no"}',
        '"result":{},"error":null',
        '"error":null',
        '"error":[]',
        '"error":"no"',
        '"error":{}',
        '"error":{"code":1}',
        '"error":{"message":"no"}',
        '"error":{"code":1,"message":null}',
        '"error":{"code":1,"message":["no"]}',
    ],
)
def test_a_broken_answer_names_its_call_and_wants_no_reply(members: str) -> None:
    found = refused(f'{{"jsonrpc":"2.0","id":3,{members}}}')
    assert (found.code, found.id, found.answers, found.wants_reply) == (INVALID_REQUEST, None, 3, False)


@pytest.mark.requirement("base.error.integer-code")
@pytest.mark.parametrize("code", ['"1"', "1.5", "null", "true", "1e400", "[1]"])
def test_an_error_whose_code_is_no_integer_is_refused(code: str) -> None:
    assert refused(f'{{"jsonrpc":"2.0","id":3,"error":{{"code":{code},"message":"no"}}}}').answers == 3


def test_an_error_code_may_be_written_with_a_point() -> None:
    assert read('{"jsonrpc":"2.0","id":3,"error":{"code":-32601.0,"message":"no"}}') == ErrorResponse(3, -32601, "no")


# ---- text that is not JSON, or not JSON that is let in

HEAD = b'{"jsonrpc":"2.0","id":1,"method":"m","params":'


@pytest.mark.requirement("error-codes.parse-error")
@pytest.mark.parametrize(
    "value",
    [
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b'"\\ud83d"',
        b'"\\ude00\\ud83d"',
        b"[01]",
        b"[1.]",
        b"[.5]",
        b"[+1]",
        b"[1,]",
        b"{'a':1}",
        b"{a:1}",
        b'"\x00"',
        b'"\t"',
        b'"\\x"',
        b"\x0b{}",
        b"tru",
        b"",
        pytest.param(b"1" * 4301, id="too long"),
        pytest.param(nested(DEEPEST).encode(), id="too deep"),
    ],
)
def test_what_is_no_strict_json_is_a_parse_error_without_an_id(value: bytes) -> None:
    found = refused(HEAD + value + b"}")
    assert (found.code, found.id, found.wants_reply) == (PARSE_ERROR, None, True)
    assert found.reason.startswith("Parse error: ")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "Starting server...",
        '{"jsonrpc":"2.0"',
        "{} {}",
        "{}\0",
        pytest.param(nested(10_000), id="too deep"),
    ],
)
def test_what_is_no_json_at_all_is_a_parse_error(text: str) -> None:
    assert refused(text).code == PARSE_ERROR


@pytest.mark.requirement("transport.utf-8")
@pytest.mark.parametrize(
    "data", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", "é".encode("latin-1")]
)
def test_bytes_that_are_not_utf8_are_a_parse_error(data: bytes) -> None:
    assert refused(HEAD + b'{"a":"' + data + b'"}}').code == PARSE_ERROR


@pytest.mark.requirement("transport.utf-8")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings_are_refused_in_words(encoding: str) -> None:
    found = refused('{"jsonrpc":"2.0","method":"n"}'.encode(encoding))
    assert found.code == PARSE_ERROR
    assert "UTF-8" in found.reason


@pytest.mark.requirement("transport.utf-8")
def test_utf8_comes_in_and_goes_out_as_utf8() -> None:
    text = 'é€😀\u2028\u2029\x7f"\\/'
    request = decode(HEAD + b'{"a":' + json.dumps(text, ensure_ascii=False).encode() + b"}}")
    assert isinstance(request, Request)
    assert request == Request(1, "m", {"a": text})
    assert encode(request) == HEAD + json.dumps({"a": text}, ensure_ascii=False, separators=(",", ":")).encode() + b"}"


def test_words_that_look_like_numbers_pass_inside_strings() -> None:
    values = ["NaN", "Infinity", "-Infinity", {"NaN": "Infinity"}]
    request = decode(HEAD + json.dumps({"a": values}).encode() + b"}")
    assert isinstance(request, Request)
    assert request == Request(1, "m", {"a": values})
    assert decode(encode(request)) == request


def test_depth_is_bounded_and_the_bound_is_generous() -> None:
    assert isinstance(decode(HEAD + b'{"a":' + nested(DEEPEST - 2).encode() + b"}}"), Request)


def test_numbers_keep_their_value_and_their_type() -> None:
    numbers = "[9007199254740993,-0.0,1e5,123456789012345678901234567890,0.1,1.0]"
    request = decode(HEAD + b'{"a":' + numbers.encode() + b"}}")
    assert isinstance(request, Request)
    assert isinstance(request.params, dict)
    assert [*map(repr, request.params["a"])] == [
        "9007199254740993",
        "-0.0",
        "100000.0",
        "123456789012345678901234567890",
        "0.1",
        "1.0",
    ]


def test_a_number_too_great_for_a_float_never_leaves_again() -> None:
    request = decode(HEAD + b'{"a":1e400}}')
    assert isinstance(request, Request)
    with pytest.raises(ValueError, match="NaN or infinite"):
        encode(request)


def test_the_beginning_of_what_is_no_json_is_kept_printable() -> None:
    assert refused(b"\x1b[31mStarting\xff\x07 up" + b"x" * 1000).excerpt == repr(
        "\x1b[31mStarting\ufffd\x07 up" + "x" * 62
    )
    assert refused(b"\x1b[31mStarting").excerpt.isprintable()


@given(st.binary(max_size=60))
@settings(max_examples=200)
def test_no_bytes_raise(data: bytes) -> None:
    decode(data)


# ---- answers that cannot be read still say which call they answer


@pytest.mark.parametrize(
    "data",
    [
        b'{"jsonrpc":"2.0","id":5,"result":{"x":NaN}}',
        b'{"jsonrpc":"2.0","result":{"x":-Infinity},"id":5}',
        b'{"result":{"a":1,"a":2},"jsonrpc":"2.0","id":5}',
        b'{"result":{"text":"half \\ud83d"},"jsonrpc":"2.0","id":5}',
        b'{"result":{"text":"\xff\xfe"},"jsonrpc":"2.0","id":5}',
        b'{"jsonrpc":"2.0","id":5,"error":{"code":1,"message":"no","data":NaN}}',
        b'{"jsonrpc":"2.0","id":5,"result":' + nested(300).encode() + b"}",
        b'{"jsonrpc":"2.0","id":5,"result":{"big":' + b"1" * 5000 + b"}}",
        b'{"jsonrpc":"2.0","id":5,"result":{"cut":"of',
    ],
)
def test_an_answer_that_is_no_strict_json_names_its_call(data: bytes) -> None:
    found = refused(data)
    assert (found.code, found.answers, found.id) == (PARSE_ERROR, 5, None)


@pytest.mark.parametrize(
    "data",
    [
        b'{"jsonrpc":"2.0","id":5,"method":"m","params":{"result":NaN}}',
        b'{"jsonrpc":"2.0","id":5,"method":"m","params":{"result":',
        b'{"jsonrpc":"2.0","id":5,"params":{"result":',
        b'{"id":true,"result":NaN}',
        b'{"id":5.5,"result":NaN}',
        b'[{"id":5,"result":NaN}]',
        b'{"x":{"id":5,"result":NaN}}',
    ],
)
def test_nothing_else_that_cannot_be_read_counts_as_an_answer(data: bytes) -> None:
    assert refused(data).answers is None


# ---- batches


@pytest.mark.requirement("batch.receive", revisions=["2025-03-26"])
def test_each_member_of_a_batch_is_judged_alone() -> None:
    batch = read('[{"jsonrpc":"2.0","method":"n"},1,{"jsonrpc":"2.0","id":1,"result":{}},[],{"jsonrpc":"2.0","id":2}]')
    assert isinstance(batch, Batch)
    assert [type(member) for member in batch.members] == [Notification, Malformed, Response, Malformed, Malformed]


@pytest.mark.requirement("batch.receive", revisions=["2025-03-26"])
def test_an_empty_batch_is_an_invalid_request() -> None:
    assert refused("[]").code == INVALID_REQUEST
