"""Values of the body that are repeated in HTTP headers, and how they are compared."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.core.http.headers import METHOD, NAME, check_mirrored, decode_value, encode_value, mirrored
from mcport.errors import HeaderMismatch

CALL: dict[str, Any] = {"name": "get_weather", "arguments": {}}


@pytest.mark.requirement("header-encoding.unsafe-base64")
@pytest.mark.requirement("header-encoding.escape-lookalike")
@pytest.mark.requirement("header-encoding.sentinel-exact")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("us-west1", "us-west1"),
        ("", ""),
        ("two words\tand a tab", "two words\tand a tab"),
        ("Grüße", "=?base64?R3LDvMOfZQ==?="),
        (" padded", "=?base64?IHBhZGRlZA==?="),
        ("padded\t", "=?base64?cGFkZGVkCQ==?="),
        ("a\r\nX-Evil: 1", "=?base64?YQ0KWC1FdmlsOiAx?="),
        ("\x7f", "=?base64?fw==?="),
        ("=?base64?abc?=", "=?base64?PT9iYXNlNjQ/YWJjPz0=?="),
        ("=?base64?abc", "=?base64?abc"),
        ("=?BASE64?YQ==?=", "=?BASE64?YQ==?="),
    ],
)
def test_a_value_goes_as_it_is_or_as_base64(text: str, value: str) -> None:
    assert encode_value(text) == value
    assert decode_value(value) == text


@given(st.text())
def test_every_text_survives_the_way_through_a_header(text: str) -> None:
    value = encode_value(text)
    assert value.isascii()
    assert value == value.strip()
    assert "\r" not in value
    assert "\n" not in value
    assert decode_value(value) == text


@pytest.mark.requirement("http.headers.invalid-chars-rejected")
@pytest.mark.parametrize("value", ["=?base64?SGVsbG8?=", "=?base64?SGVs!G8=?=", "=?base64?/w==?=", "a\nb", "ü", "\x00"])
def test_what_no_client_can_have_meant_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"characters|Base64"):
        decode_value(value)


@pytest.mark.requirement("http.headers.mcp-method")
@pytest.mark.requirement("http.headers.mcp-name")
@pytest.mark.requirement("http.headers.mcp-name-encoded")
@pytest.mark.parametrize(
    ("method", "params", "headers"),
    [
        ("tools/list", {}, {METHOD: "tools/list"}),
        ("tools/call", CALL, {METHOD: "tools/call", NAME: "get_weather"}),
        ("prompts/get", {"name": "größer"}, {METHOD: "prompts/get", NAME: "=?base64?Z3LDtsOfZXI=?="}),
        ("resources/read", {"uri": "file:///a"}, {METHOD: "resources/read", NAME: "file:///a"}),
        ("tools/call", {}, {METHOD: "tools/call"}),
        ("tools/call", {"name": 5}, {METHOD: "tools/call"}),
    ],
)
def test_headers_repeat_the_method_and_the_name(method: str, params: dict[str, Any], headers: dict[str, str]) -> None:
    assert mirrored(method, params) == headers
    check_mirrored(headers, method, params)


@pytest.mark.requirement("http.headers.mismatch-rejected")
@pytest.mark.requirement("http.headers.missing-rejected")
@pytest.mark.requirement("http.headers.values-case-sensitive")
@pytest.mark.parametrize(
    ("headers", "says"),
    [
        ({}, "Mcp-Method is missing"),
        ({METHOD: "tools/list", NAME: "get_weather"}, "Mcp-Method is 'tools/list'"),
        ({METHOD: "Tools/Call", NAME: "get_weather"}, "Mcp-Method is 'Tools/Call'"),
        ({METHOD: "tools/call"}, "Mcp-Name is missing"),
        ({METHOD: "tools/call", NAME: "Get_weather"}, "Mcp-Name is 'Get_weather'"),
        ({METHOD: "tools/call", NAME: "=?base64?Zm9v?="}, "Mcp-Name is '=[?]base64[?]Zm9v[?]='"),
        ({METHOD: "tools/call", NAME: "=?base64?Zm9?="}, "Mcp-Name is marked as Base64 and is none"),
    ],
)
def test_headers_that_do_not_repeat_the_body_are_refused(headers: dict[str, str], says: str) -> None:
    with pytest.raises(HeaderMismatch, match=says) as raised:
        check_mirrored(headers, "tools/call", CALL)
    assert (raised.value.code, raised.value.http_status) == (-32020, 400)


@pytest.mark.requirement("header-encoding.servers-decode")
@pytest.mark.requirement("header-encoding.decode-before-compare")
@pytest.mark.parametrize("value", ["=?base64?Z2V0X3dlYXRoZXI=?=", " get_weather\t"])
def test_a_name_is_decoded_before_it_is_compared(value: str) -> None:
    check_mirrored({METHOD: "tools/call", NAME: value}, "tools/call", CALL)


def test_a_name_in_the_header_alone_is_refused_and_none_at_all_is_left_to_the_method() -> None:
    check_mirrored({METHOD: "tools/call"}, "tools/call", {})
    with pytest.raises(HeaderMismatch, match="the body says None"):
        check_mirrored({METHOD: "tools/call", NAME: "x"}, "tools/call", {})


def test_methods_of_extensions_name_their_own_member() -> None:
    named = {"tasks/get": "taskId"}
    assert mirrored("tasks/get", {"taskId": "7"}, named)[NAME] == "7"
    with pytest.raises(HeaderMismatch, match="Mcp-Name is '8'"):
        check_mirrored({METHOD: "tasks/get", NAME: "8"}, "tasks/get", {"taskId": "7"}, named)
