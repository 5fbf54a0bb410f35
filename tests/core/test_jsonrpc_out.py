"""What leaves through the JSON door: whole messages on one line, and nothing that is not strict JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.jsonrpc import (
    ErrorResponse,
    Message,
    Notification,
    Raw,
    Request,
    Response,
    decode,
    dump,
    encode,
    parse_json,
)
from tests.spec.instances import JSON, same


@pytest.mark.requirement("base.result.has-result-member")
def test_an_answer_always_has_its_result() -> None:
    assert encode(Response(1, {})) == b'{"jsonrpc":"2.0","id":1,"result":{}}'
    assert encode(Response("a", Raw(b'{"x":1}'))) == b'{"jsonrpc":"2.0","id":"a","result":{"x":1}}'


@pytest.mark.requirement("base.error.code-and-message", "base.notification.no-id")
def test_each_kind_of_message_is_written_with_its_own_members() -> None:
    assert encode(ErrorResponse(1, -1, "no")) == b'{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}'
    assert encode(ErrorResponse(None, 1, "no", 0)) == b'{"jsonrpc":"2.0","error":{"code":1,"message":"no","data":0}}'
    assert encode(Notification("n")) == b'{"jsonrpc":"2.0","method":"n"}'
    assert encode(Notification("n", {})) == b'{"jsonrpc":"2.0","method":"n","params":{}}'
    assert encode(Request(0, "m", Raw(b"{}"))) == b'{"jsonrpc":"2.0","id":0,"method":"m","params":{}}'


@pytest.mark.requirement("base.request.id-not-null", "base.error.integer-code", "base.error.code-and-message")
@pytest.mark.parametrize(
    "message",
    [
        Request(None, "m"),  # type: ignore[arg-type]
        Request(True, "m"),
        Request(1.5, "m"),
        Request(1, "m", [1]),  # type: ignore[arg-type]
        Notification("n", "x"),  # type: ignore[arg-type]
        Response(None, {}),  # type: ignore[arg-type]
        Response(float("nan"), {}),
        ErrorResponse(1, 1.0, "no"),  # type: ignore[arg-type]
        ErrorResponse(1, "1", "no"),  # type: ignore[arg-type]
        ErrorResponse(1, True, "no"),
        ErrorResponse(1, 1, None),  # type: ignore[arg-type]
    ],
)
def test_what_would_be_no_message_does_not_leave(message: Message) -> None:
    with pytest.raises(ValueError, match=r"an (id|error)|params"):
        encode(message)


class Odd:
    pass


def circular() -> list[object]:
    found: list[object] = []
    found.append(found)
    return found


@pytest.mark.requirement("transport.utf-8")
@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        {"a": [-float("inf")]},
        ["NaN", float("nan")],
        "\ud83d",
        {"\ude00": 1},
        b"\xff",
        Odd(),
        Odd,
        circular(),
    ],
)
def test_what_is_no_json_does_not_leave(value: object) -> None:
    for message in (Response(1, value), Request(1, "m", {"a": value}), ErrorResponse(1, 1, "no", [value])):
        with pytest.raises(ValueError, match=r"."):
            encode(message)


@pytest.mark.parametrize("text", ["\ud83d", "NaN", "a\nb"])
def test_methods_and_error_messages_are_written_as_json_too(text: str) -> None:
    for message in (Notification(text), ErrorResponse(1, 1, text)):
        if text == "\ud83d":
            with pytest.raises(ValueError, match="surrogates"):
                encode(message)
        else:
            assert decode(encode(message)) == message


@pytest.mark.requirement("stdio.no-embedded-newlines")
@given(
    value=st.recursive(
        st.text("\n\r\u2028\u0085a"), lambda inner: st.lists(inner) | st.dictionaries(st.text("\n"), inner)
    )
)
@settings(max_examples=30)
def test_no_message_has_a_newline_inside(value: Any) -> None:
    params = {"a\nb": value}
    for message in (
        Request("\n", "m\n", params),
        Notification("\n", params),
        Response(1, params),
        ErrorResponse(1, 1, "\n", value),
    ):
        assert b"\n" not in encode(message)
        assert decode(encode(message)) == message


@given(value=JSON)
@settings(max_examples=100)
def test_dump_writes_what_parse_reads(value: Any) -> None:
    assert same(parse_json(dump(value)), value)
