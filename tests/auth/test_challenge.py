"""Challenges of servers: every form that RFC 9110 knows is read, and what is written is read as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.auth.challenge import Challenge, find, read, write

NAMES = st.text("!#$%&'*+-.^_`|~abcXYZ019", min_size=1, max_size=12)
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)
PARAMS = st.dictionaries(NAMES.map(str.lower), PRINTABLE, min_size=1, max_size=5)

READ = {
    'Bearer realm="mcp"': [Challenge("bearer", {"realm": "mcp"})],
    "Bearer": [Challenge("bearer")],
    "BEARER Scope=a": [Challenge("bearer", {"scope": "a"})],
    'Bearer scope = "a b" ,error\t=\tinvalid_token': [Challenge("bearer", {"scope": "a b", "error": "invalid_token"})],
    'Bearer realm="a, Digest b=c"': [Challenge("bearer", {"realm": "a, Digest b=c"})],
    r'Bearer realm="say \"yes\" \\ no"': [Challenge("bearer", {"realm": r'say "yes" \ no'})],
    'Bearer scope="first", scope="second"': [Challenge("bearer", {"scope": "first"})],
    "Negotiate, Bearer a=b": [Challenge("negotiate"), Challenge("bearer", {"a": "b"})],
    "Negotiate YWJj==, Bearer a=b": [Challenge("negotiate", token="YWJj=="), Challenge("bearer", {"a": "b"})],
    'Digest a=b, c="d", Bearer e=f': [Challenge("digest", {"a": "b", "c": "d"}), Challenge("bearer", {"e": "f"})],
    ", ,Bearer ,a=b,, ,c=d,": [Challenge("bearer", {"a": "b", "c": "d"})],
    "Bearer a=": [Challenge("bearer", token="a=")],
    'Bearer a=""': [Challenge("bearer", {"a": ""})],
    "Bearer resource_metadata=https://a.example/b?c=d": [
        Challenge("bearer", {"resource_metadata": "https://a.example/b?c=d"})
    ],
    "": [],
    "  ": [],
    "=": [],
    '"Bearer"': [],
    'Bearer a="b': [Challenge("bearer")],
    'Bearer a="b" c="d"': [Challenge("bearer")],
    'Bearer a=b, c="d\x00"': [Challenge("bearer", {"a": "b"})],
    'Basic a=b, c="d, Bearer e=f': [Challenge("basic", {"a": "b"})],
}


@pytest.mark.parametrize("header", READ)
@pytest.mark.requirement("auth.www-authenticate.parsed")
def test_a_header_is_read_as_the_grammar_has_it(header: str) -> None:
    assert read([header]) == READ[header]


def test_challenges_of_several_headers_stand_in_their_order_and_are_found_by_scheme() -> None:
    found = read(["Basic realm=a", "broken==x, never", "Bearer scope=b, DPoP algs=ES256"])
    assert [each.scheme for each in found] == ["basic", "bearer", "dpop"]
    assert find(found, "BEARER") == Challenge("bearer", {"scope": "b"})
    assert find(found, "Digest") is None


@given(st.lists(st.tuples(NAMES, PARAMS), max_size=4), st.booleans())
def test_what_is_written_is_read_as_it_was(said: list[tuple[str, dict[str, str]]], together: bool) -> None:
    written = [write(scheme, params) for scheme, params in said]
    found = read([", ".join(written)] if together else written)
    assert found == [Challenge(scheme.lower(), params) for scheme, params in said]


@given(st.text() | st.text('Bearer =,"\\\t a1'))
def test_nothing_that_a_server_can_say_breaks_the_reader(header: str) -> None:
    for challenge in read([header]):
        assert challenge.scheme


@given(st.text('aB=,"\\ ', max_size=40))
def test_what_was_read_before_something_unreadable_is_read_the_same_without_it(rest: str) -> None:
    assert read(['Bearer a="b", ' + rest])[0].params["a"] == "b"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0b", "a\x7fb", "a\tb", "caf\u00e9", "a\u2028b"])
def test_a_value_that_could_leave_its_header_is_not_written(value: str) -> None:
    with pytest.raises(ValueError, match=r"^error_description: a challenge can only carry printable ASCII$"):
        write("Bearer", {"error": "invalid_token", "error_description": value})


@pytest.mark.parametrize(("scheme", "name"), [("Bea rer", "a"), ("Bearer", "a b"), ("Bearer", ""), ("Bearer", 'a"')])
def test_a_name_that_is_no_token_is_not_written(scheme: str, name: str) -> None:
    with pytest.raises(ValueError, match="no name that a challenge can have"):
        write(scheme, {name: "b"})


def test_quotes_and_backslashes_are_escaped() -> None:
    assert write("Bearer", {"realm": 'a"b\\c'}) == r'Bearer realm="a\"b\\c"'
    assert write("Bearer", {}) == "Bearer"
