"""URI templates, from text to URI: RFC 6570 in a table of our own."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.uri_template import TEMPLATE_BYTES, VARIABLES, TemplateError, UriTemplate, Value

VALUES: dict[str, Value] = {
    "city": "Lyon",
    "greeting": "Salut, tous!",
    "rate": "20%",
    "done": "a%2Fb",
    "nearly": "%zz%4",
    "slash": "a/b",
    "root": "/var/log",
    "site": "https://x.org/a?b=c#d",
    "empty": "",
    "nothing": None,
    "street": "Straße",
    "triplets": "%C3%9F%E2%82%ACz%41%C3z",
    "torn": "%41%80%E2%82z",
    "seven": 7,
    "half": 0.5,
    "yes": True,
    "list": ["ab", "c d", ""],
    "holes": [None, "x", None],
    "none": [],
    "blanks": [None],
    "map": {"k": "1", "k&l": "=;"},
    "gaps": {"a": None, "b": ""},
    "bare": {},
    "a.b": "dotted",
    "x%20y": "blank",
    "_": "under",
}

ROWS = [
    # literals
    ("", ""),
    ("plain", "plain"),
    ("it's", "it's"),
    ("file:///a%20b/c?d=e&f#g[]@!$()*+,;", "file:///a%20b/c?d=e&f#g[]@!$()*+,;"),
    ("größe", "gr%C3%B6%C3%9Fe"),
    # simple
    ("{city}", "Lyon"),
    ("{greeting}", "Salut%2C%20tous%21"),
    ("{rate}", "20%25"),
    ("{done}", "a%252Fb"),
    ("{slash}", "a%2Fb"),
    ("{site}", "https%3A%2F%2Fx.org%2Fa%3Fb%3Dc%23d"),
    ("{street}", "Stra%C3%9Fe"),
    ("a{empty}b{nothing}c{unknown}d", "abcd"),
    ("{city,empty,seven}", "Lyon,,7"),
    ("{nothing,city,unknown}", "Lyon"),
    ("{seven}{half}{yes}", "70.5true"),
    ("{city:2}{city:4}{city:9999}", "LyLyonLyon"),
    ("{street:5}", "Stra%C3%9F"),
    ("{rate:3}", "20%25"),
    ("{seven:1}", "7"),
    ("{list}", "ab,c%20d,"),
    ("{list*}", "ab,c%20d,"),
    ("{holes}", "x"),
    ("{none}{blanks}{bare}{none*}{bare*}", ""),
    ("{map}", "k,1,k%26l,%3D%3B"),
    ("{map*}", "k=1,k%26l=%3D%3B"),
    ("{a.b}{x%20y}{_}", "dottedblankunder"),
    # reserved
    ("{+city}", "Lyon"),
    ("{+greeting}", "Salut,%20tous!"),
    ("{+rate}", "20%25"),
    ("{+done}", "a%2Fb"),
    ("{+nearly}", "%25zz%254"),
    ("{+root}/x", "/var/log/x"),
    ("{+site}", "https://x.org/a?b=c#d"),
    ("{+street}", "Stra%C3%9Fe"),
    ("{+root:4}", "/var"),
    ("{+triplets:1}", "%C3%9F"),
    ("{+triplets:2}", "%C3%9F%E2%82%AC"),
    ("{+triplets:4}", "%C3%9F%E2%82%ACz%41"),
    ("{+triplets:6}", "%C3%9F%E2%82%ACz%41%C3z"),
    ("{+torn:1}", "%41"),
    ("{+torn:3}", "%41%80%E2"),
    ("{+torn:5}", "%41%80%E2%82z"),
    ("{+nearly:2}", "%25z"),
    ("{+rate:3}", "20%25"),
    ("{+city,root}", "Lyon,/var/log"),
    ("{+list}", "ab,c%20d,"),
    ("{+map}", "k,1,k&l,=;"),
    ("{+map*}", "k=1,k&l==;"),
    ("{+empty}{+nothing}{+none}", ""),
    # fragment
    ("x{#city}", "x#Lyon"),
    ("x{#root,greeting}", "x#/var/log,Salut,%20tous!"),
    ("x{#empty}", "x#"),
    ("x{#nothing}{#none}", "x"),
    ("x{#root:4}", "x#/var"),
    ("x{#list*}", "x#ab,c%20d,"),
    # label
    ("x{.city}", "x.Lyon"),
    ("x{.city,rate}", "x.Lyon.20%25"),
    ("x{.list}", "x.ab,c%20d,"),
    ("x{.list*}", "x.ab.c%20d."),
    ("x{.map*}", "x.k=1.k%26l=%3D%3B"),
    ("x{.empty}{.nothing}", "x."),
    ("x{.city:1}", "x.L"),
    # path
    ("{/city}", "/Lyon"),
    ("{/city,slash}/x", "/Lyon/a%2Fb/x"),
    ("{/empty}{/nothing}", "/"),
    ("{/city:1,city}", "/L/Lyon"),
    ("{/list}", "/ab,c%20d,"),
    ("{/list*}", "/ab/c%20d/"),
    ("{/list*,city:2}", "/ab/c%20d//Ly"),
    ("{/map}", "/k,1,k%26l,%3D%3B"),
    # path parameters
    ("x{;city}", "x;city=Lyon"),
    ("x{;city,empty,nothing,rate}", "x;city=Lyon;empty;rate=20%25"),
    ("x{;city:1}", "x;city=L"),
    ("x{;list}", "x;list=ab,c%20d,"),
    ("x{;list*}", "x;list=ab;list=c%20d;list"),
    ("x{;map}", "x;map=k,1,k%26l,%3D%3B"),
    ("x{;map*}", "x;k=1;k%26l=%3D%3B"),
    ("x{;gaps*}", "x;b"),
    # query
    ("x{?city}", "x?city=Lyon"),
    ("x{?city,empty,nothing,site}", "x?city=Lyon&empty=&site=https%3A%2F%2Fx.org%2Fa%3Fb%3Dc%23d"),
    ("x{?nothing,none,bare}", "x"),
    ("x{?city:3}", "x?city=Lyo"),
    ("x{?list}", "x?list=ab,c%20d,"),
    ("x{?list*}", "x?list=ab&list=c%20d&list="),
    ("x{?map}", "x?map=k,1,k%26l,%3D%3B"),
    ("x{?map*}", "x?k=1&k%26l=%3D%3B"),
    ("x{?gaps*}", "x?b="),
    ("x{?holes}", "x?holes=x"),
    ("x{?a.b,x%20y}", "x?a.b=dotted&x%20y=blank"),
    # continuation
    ("x?a=b{&city}", "x?a=b&city=Lyon"),
    ("x{?city}{&seven,empty}", "x?city=Lyon&seven=7&empty="),
    ("x{&list*}", "x&list=ab&list=c%20d&list="),
    ("x{&map*}", "x&k=1&k%26l=%3D%3B"),
]


@pytest.mark.parametrize(("template", "uri"), ROWS)
def test_a_template_expands_to_this_uri(template: str, uri: str) -> None:
    assert UriTemplate.parse(template).expand(VALUES) == uri


REFUSED = [
    ("{", "position 0 is never closed"),
    ("a{b", "position 1 is never closed"),
    ("a}", "'}' cannot stand there"),
    ("{}", "{} names no variable"),
    ("{+}", "{+} names no variable"),
    ("{a,}", "'' is no variable"),
    ("{a{b}", "'a{b' is no variable"),
    ("{user-id}", "'user-id' is no variable"),
    ("{ a}", "' a' is no variable"),
    ("{=a}", "'=a' is no variable"),
    ("{!a}", "'!a' is no variable"),
    ("{@a}", "'@a' is no variable"),
    ("{|a}", "'|a' is no variable"),
    ("{a.}", "'a.' is no variable"),
    ("{a..b}", "'a..b' is no variable"),
    ("{a%2}", "'a%2' is no variable"),
    ("{é}", "'é' is no variable"),
    ("{a:}", "'a:' asks for no length"),
    ("{a:0}", "'a:0' asks for no length"),
    ("{a:01}", "'a:01' asks for no length"),
    ("{a:10000}", "'a:10000' asks for no length"),
    ("{a:²}", "'a:²' asks for no length"),
    ("{a:3*}", "'a:3*' asks for no length"),
    ("{a*:3}", "'a*:3' is no variable"),
    ("{a**}", "'a**' is no variable"),
    ("a b", "' ' cannot stand there"),
    ("a\nb", "'\\n' cannot stand there"),
    ("a\x80b", "'\\x80' cannot stand there"),
    ('"', "cannot stand there"),
    ("<", "cannot stand there"),
    ("c:\\x", "cannot stand there"),
    ("100%", "two hexadecimal digits"),
    ("%4", "two hexadecimal digits"),
    ("%4g", "two hexadecimal digits"),
    ("\ud800", "surrogate"),
]


@pytest.mark.parametrize(("template", "why"), REFUSED)
def test_what_is_no_template_is_refused_in_one_line(template: str, why: str) -> None:
    with pytest.raises(TemplateError) as caught:
        UriTemplate.parse(template)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_longest_template_and_the_most_variables_pass_and_more_do_not() -> None:
    UriTemplate.parse("é" * (TEMPLATE_BYTES // 2))
    with pytest.raises(TemplateError, match=f"{TEMPLATE_BYTES + 1} bytes: at most {TEMPLATE_BYTES}"):
        UriTemplate.parse("é" * (TEMPLATE_BYTES // 2) + "x")
    UriTemplate.parse("{a}" * VARIABLES)
    with pytest.raises(TemplateError, match=f"{VARIABLES + 1} variables: at most {VARIABLES}"):
        UriTemplate.parse("{a}" * (VARIABLES - 1) + "{a,b}")


@pytest.mark.parametrize("name", ["list", "map"])
def test_a_prefix_of_what_is_no_single_value_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"prefix of '{name}'"):
        UriTemplate.parse(f"{{{name}:3}}").expand(VALUES)


def test_half_of_a_surrogate_pair_in_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="surrogates"):
        UriTemplate.parse("{a}").expand({"a": "\ud800"})


def test_variables_are_named_once_in_order_of_appearance() -> None:
    assert UriTemplate.parse("{b}/{a,b}{?c*,a:3}").variables == ("b", "a", "c")
    assert UriTemplate.parse("none").variables == ()


def test_a_template_shows_its_text_and_is_equal_by_it() -> None:
    template = UriTemplate.parse("x{?a}")
    assert (str(template), repr(template)) == ("x{?a}", "UriTemplate.parse('x{?a}')")
    assert template == UriTemplate.parse("x{?a}")
    assert len({template, UriTemplate.parse("x{?a}"), UriTemplate.parse("x")}) == 2
    assert template != "x{?a}"


scalars = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
variables: st.SearchStrategy[dict[str, Value]] = st.dictionaries(
    st.sampled_from("abc"), scalars | st.lists(scalars, max_size=3) | st.dictionaries(scalars, scalars, max_size=2)
)
expressions = st.builds(
    lambda sign, names: "{" + sign + ",".join(names) + "}",
    st.sampled_from(["", "+", "#", ".", "/", ";", "?", "&"]),
    st.lists(st.sampled_from(["a", "b", "c", "a*", "b*"]), min_size=1, max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(expressions | st.sampled_from(["x", "/", "é"]), max_size=6), variables)
def test_every_uri_is_made_of_the_characters_of_uris(parts: list[str], values: Mapping[str, Value]) -> None:
    uri = UriTemplate.parse("".join(parts)).expand(values)
    assert set(uri) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/?#[]@!$&'()*+,;=%")
    assert UriTemplate.parse(uri).expand({}) == uri


@settings(max_examples=150, deadline=None)
@given(scalars.filter(bool), st.sampled_from(["", ".", "/", ";", "?", "&"]))
def test_a_value_never_breaks_out_of_its_place(value: str, sign: str) -> None:
    expanded = UriTemplate.parse(f"{{{sign}v}}").expand({"v": value})
    safe = UriTemplate.parse(f"{{{sign}v}}").expand({"v": "x"}).removesuffix("x")
    assert not set(expanded.removeprefix(safe)) & set(":/?#[]@!$&'()*+,;=")


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("{}ab+?&*:,/%41é "), max_size=14))
def test_any_text_is_a_template_or_a_clear_error(text: str) -> None:
    try:
        template = UriTemplate.parse(text)
    except TemplateError:
        return
    assert isinstance(template.expand({"a": "1"}), str)
