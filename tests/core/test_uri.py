"""What is a URI, and which `file:` URIs climb out of a directory."""

import pytest

from mcport.core.uri import climbs, is_uri

URIS = [
    *("a:", "a://", "a://b", "urn:isbn:0451450523", "file:///a/b%20c", "data://it?x=1&y=/2#part", "git+ssh://u@h:22/x"),
    *("http://[::1]:80/a", "mailto:a@b", "x-y.z+1:rest", "file:///münchen", "note://今日"),
]
NONE = [
    *(
        "",
        "noscheme",
        "1a:b",
        ":b",
        "a b:c",
        "a://b c",
        "a://b\n",
        "a:\\b",
        "a:%zz",
        "a:%4",
        "a:b#c#d",
        "a://[x",
        "a:[1]",
    ),
    *("a://[x", "a:[1]", "a:<b>", 'a:"b"', "a:{b}", "a:b|c", "a:b^c", "a:`b`", "a:\x00", "a:\x7f", "a:\ud800", "ä:b"),
]


@pytest.mark.parametrize("text", URIS)
def test_a_scheme_and_allowed_characters_make_a_uri(text: str) -> None:
    assert is_uri(text)


@pytest.mark.parametrize("text", NONE)
def test_what_rfc_3986_does_not_allow_is_no_uri(text: str) -> None:
    assert not is_uri(text)


UPWARDS = ["/..", "/../b", "/a/../b", "/a/%2e%2e/b", "/a/..%2fb", "/a/.%2E%5cb", "/a\\..\\b", "/a%00", "/..?x", "/..#x"]


@pytest.mark.parametrize("path", UPWARDS)
def test_a_file_uri_that_steps_upwards_climbs_in_any_disguise(path: str) -> None:
    assert climbs("file://" + path)
    assert climbs("FILE:" + path)


@pytest.mark.parametrize("uri", ["file:///a/..b", "file:///a..", "file:///a?x=/../", "x:///../a", "file:"])
def test_other_uris_do_not_climb(uri: str) -> None:
    assert not climbs(uri)


def test_time_does_not_explode_with_the_length() -> None:
    for odd in ("a://" + "x@" * 20_000 + "[", "a:" + "%41" * 50_000 + " ", "a://" + "[" * 50_000):
        assert not is_uri(odd)
