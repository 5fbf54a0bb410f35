"""URI templates, from URI back to values: the subset that is matched, and its cost."""

from __future__ import annotations

import re
from typing import SupportsIndex

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mcport.core.uri_template import URI_BYTES, VARIABLES, TemplateError, UriError, UriTemplate


def match(template: str, uri: str) -> dict[str, str] | None:
    return UriTemplate.parse(template, matchable=True).match(uri)


MATCHED: list[tuple[str, str, dict[str, str] | None]] = [
    # literals
    ("config://app", "config://app", {}),
    ("config://app", "config://app/", None),
    ("config://app", "config://ap", None),
    ("config://app", "CONFIG://app", None),
    ("", "", {}),
    ("", "x", None),
    # one segment
    ("x://{id}", "x://7", {"id": "7"}),
    ("x://{id}", "x://", None),
    ("x://{id}", "x:/7", None),
    ("x://{id}", "x://a/b", None),
    ("x://{id}", "x://a?b", None),
    ("x://{id}", "x://a#b", None),
    ("x://{id}", "x://a@b:c,d;e=f&g", {"id": "a@b:c,d;e=f&g"}),
    ("x://{id}/y", "x://7/y", {"id": "7"}),
    ("x://{id}/y", "x:///y", None),
    ("x://{id}/y", "x://7/y/", None),
    ("x://{id}/y", "x://7/z", None),
    ("x://{id}/y", "x://y", None),
    ("{id}", "a", {"id": "a"}),
    ("{id}", "", None),
    ("x{/a,b}", "x/1/2", {"a": "1", "b": "2"}),
    ("x{/a,b}", "x/1", None),
    ("x{/a}{/b}", "x/1/2", {"a": "1", "b": "2"}),
    ("{name}{.ext}", "a.b.c", {"name": "a", "ext": "b.c"}),
    ("{name}.json", "a.json.json", {"name": "a.json"}),
    ("{y}-{m}-{d}", "2026-07-28", {"y": "2026", "m": "07", "d": "28"}),
    ("{a}-{b}", "x-y-z", {"a": "x", "b": "y-z"}),
    ("{a}-{b}", "x-", None),
    ("{a}-{b}", "-x", None),
    ("{a}-{b}", "--x", {"a": "-", "b": "x"}),
    ("{a,b}", "1,2", {"a": "1", "b": "2"}),
    ("{a}/x/{b}", "1/x/2", {"a": "1", "b": "2"}),
    ("{a}/x/{b}", "1/x/x/2", None),
    # percent-encoding
    ("{a}", "%41%20b", {"a": "A b"}),
    ("{a}", "50%2525", {"a": "50%25"}),
    ("{a}", "Stra%C3%9Fe", {"a": "Straße"}),
    ("{a}", "Straße", {"a": "Straße"}),
    ("é/{a}", "é/1", {"a": "1"}),
    ("é/{a}", "%C3%A9/1", {"a": "1"}),
    ("{a}", "a+b", {"a": "a+b"}),
    ("{a}", "100%", None),
    ("{a}", "%4", None),
    ("{a}", "%zz", None),
    ("{a}", "%FF", None),
    ("{a}", "%C3", None),
    ("{a}", "\ud800", None),
    # what is no single segment
    ("{a}", "a%2Fb", None),
    ("{a}", "a%5Cb", None),
    ("{a}", "a\\b", None),
    ("{a}", "a%00", None),
    ("{a}", "a\0", None),
    ("{a}", ".", None),
    ("{a}", "..", None),
    ("{a}", "%2e%2E", None),
    ("{a}", "%2e", None),
    ("{a}", "...", {"a": "..."}),
    ("{a}", "a..", {"a": "a.."}),
    ("{a}", "%252F", {"a": "%2F"}),
    ("x/{a}/y", "x/../y", None),
    # what spans
    ("file:///{+path}", "file:///a/b/c", {"path": "a/b/c"}),
    ("file:///{+path}", "file:///", None),
    ("file:///{+path}", "file:///..%2F../x", {"path": "../../x"}),
    ("file:///{+path}", "file:///a%00", None),
    ("file:///{+path}", "file:///%", None),
    ("proxy:{+url}", "proxy:http://x/y?z=1#f", {"url": "http://x/y?z=1#f"}),
    ("x{#part}", "x#a/b", {"part": "a/b"}),
    ("{+p}/end", "a/end/end", {"p": "a/end"}),
    ("{a}/{+p}/{b}", "1/2/3/4", {"a": "1", "p": "2/3", "b": "4"}),
    ("{a}/{+p}/{b}", "1/2", None),
    ("{+p}/{c}-{d}", "a/x-y-z", {"p": "a", "c": "x-y", "d": "z"}),
    ("{+p}/end/{id}", "a/end/b/end/c", {"p": "a/end/b", "id": "c"}),
    ("{+p}/{a}?q={q}", "x/y?q=1?q=2", None),
    # parameters in any order
    ("x{?a,b}", "x", {}),
    ("x{?a,b}", "x?a=1", {"a": "1"}),
    ("x{?a,b}", "x?b=2&a=1", {"a": "1", "b": "2"}),
    ("x{?a,b}", "x?a=", {"a": ""}),
    ("x{?a,b}", "x?a=1%262%3D/%2F?", {"a": "1&2=//?"}),
    ("x{?a,b}", "x?a=1=2", {"a": "1=2"}),
    ("x{?a,b}", "x?", None),
    ("x{?a,b}", "x?a", None),
    ("x{?a,b}", "x?a=1&", None),
    ("x{?a,b}", "x?a=1&a=2", None),
    ("x{?a,b}", "x?a=1&b=2&c=3", None),
    ("x{?a,b}", "x?c=3", None),
    ("x{?a,b}", "x?A=3", None),
    ("x{?a,b}", "x?a=1#f", None),
    ("x{?a,b}", "x?a=%00", None),
    ("x{?a,b}", "x?a=%FF", None),
    ("x{?a,b}", "y?a=1", None),
    ("x/{id}{?a}", "x/7?a=1", {"id": "7", "a": "1"}),
    ("x/{+p}{?a}", "x/y/z?a=1", {"p": "y/z", "a": "1"}),
    ("x{?a}{&b,c}", "x?c=3&a=1", {"a": "1", "c": "3"}),
    ("x?v=1{&a}", "x?v=1", {}),
    ("x?v=1{&a}", "x?v=1&a=2", {"a": "2"}),
    ("x?v=1&w=2{&a,b}", "x?v=1&w=2&b=3&a=4", {"a": "4", "b": "3"}),
    ("x?v=1{&a}", "x?a=2&v=1", None),
    ("x?v=1{&a}", "x&a=2", None),
    ("x?v=1{&a}", "x", None),
    ("x{?a%20b}", "x?a%20b=1", {"a%20b": "1"}),
    # a query that is written out
    ("x?q={q}", "x?q=1", {"q": "1"}),
    ("x?q={q}", "x?q=a%2Fb/c", {"q": "a/b/c"}),
    ("x?q={q}", "x?q=..", {"q": ".."}),
    ("x?q={q}", "x?q=1&r=2", None),
    ("x?q={q}", "x?q=", None),
    ("x?q={q}&r={r}", "x?q=1&r=2", {"q": "1", "r": "2"}),
    ("x?q={q}&r={r}", "x?r=2&q=1", None),
    ("x/{id}?q={q}{&a}", "x/1?q=2&a=3", {"id": "1", "q": "2", "a": "3"}),
    ("x/{id}?q={q}{&a}", "x/1?q=2", {"id": "1", "q": "2"}),
]


@pytest.mark.parametrize(("template", "uri", "values"), MATCHED)
def test_a_uri_has_these_values(template: str, uri: str, values: dict[str, str] | None) -> None:
    assert match(template, uri) == values


UNMATCHABLE = [
    ("{a}{b}", "nothing stands between 'a' and 'b'"),
    ("{+a,b}", "only one of its variables can span"),
    ("{+a}/{+b}", "only one of its variables can span"),
    ("{a}/{a}", "'a' stands in it twice"),
    ("{a}{?a}", "'a' stands in it twice"),
    ("{?a,a}", "'a' stands in it twice"),
    ("{a*}", "{a*} has a modifier; a variable that spans segments is written {+a}"),
    ("{a:3}", "{a:3} has a modifier"),
    ("{?a*}", "{?a*} has a modifier"),
    ("x{;a}", "{;a} is not supported"),
    ("x{?a}/y", "{?a} is not supported before the end"),
    ("x{?a}{#f}", "{?a} is not supported before the end"),
    ("x{&a}", "its query does not begin"),
    ("x?v=1{?a}", "its query begins twice"),
    ("x{?a}{?b}", "its query begins twice"),
    ("{+p}?v=1{&a}", "a variable that spans segments cannot stand before {&...}"),
]


@pytest.mark.parametrize(("template", "why"), UNMATCHABLE)
def test_what_cannot_be_matched_is_refused_in_one_line_that_names_it(template: str, why: str) -> None:
    UriTemplate.parse(template)
    with pytest.raises(TemplateError) as early:
        UriTemplate.parse(template, matchable=True)
    with pytest.raises(TemplateError) as late:
        UriTemplate.parse(template).match("x")
    assert str(early.value) == str(late.value)
    assert str(early.value).startswith(f"URI template {template!r} cannot be matched: {why}")


def test_a_uri_that_is_too_long_is_a_clear_error() -> None:
    template = UriTemplate.parse("x{+p}")
    assert template.match("x" * URI_BYTES) is not None
    with pytest.raises(UriError, match=f"URI of {URI_BYTES + 1} bytes: at most {URI_BYTES} are allowed"):
        template.match("x" * (URI_BYTES + 1))
    with pytest.raises(UriError, match="URI of 12 bytes: at most 11"):
        template.match("x" * 10 + "é", limit=11)
    assert template.match("x" * 10 + "é", limit=12) == {"p": "x" * 9 + "é"}


# ---- laws

plain = st.sampled_from("ab-.~/@:%é ")
segment = st.text(plain, min_size=1, max_size=5).filter(lambda value: "/" not in value and value not in (".", ".."))
spanning = st.text(st.sampled_from("ab-.~/@:é "), min_size=1, max_size=7)
parameter = st.text(st.sampled_from("ab-.~/@:%é&=+?# "), max_size=5)
literal = st.text(st.sampled_from("ab-/:"), min_size=1, max_size=3)


@st.composite
def templates(draw: st.DrawFn) -> tuple[str, dict[str, str], list[tuple[str, str]]]:
    """A matchable template, values for it, and each value of its path with the literal that bounds it."""
    count = draw(st.integers(0, 3))
    span = draw(st.integers(-1, count - 1)) if count else -1
    literals = [draw(literal) for _ in range(count + 1)]
    values = {f"v{i}": draw(spanning if i == span else segment) for i in range(count)}
    text = literals[0] + "".join(
        ("{+v%d}" if i == span else "{v%d}") % i + after for i, after in enumerate(literals[1:])
    )
    bounds: list[tuple[str, str]] = []
    rest = span if span >= 0 else count - 1
    for i in range(count):
        value = UriTemplate.parse("{v}").expand({"v": values[f"v{i}"]})
        if i < rest:
            bounds.append((value, literals[i + 1]))
        elif i > rest:
            bounds.append((value[::-1], literals[i][::-1]))
    names = draw(st.lists(st.sampled_from(["p", "q", "r"]), unique=True, max_size=3))
    if names:
        text += "{?" + ",".join(names) + "}"
        values |= {name: draw(parameter) for name in names if draw(st.booleans())}
    return text, values, bounds


@settings(max_examples=200, deadline=None)
@given(templates())
def test_what_was_expanded_is_matched_again(case: tuple[str, dict[str, str], list[tuple[str, str]]]) -> None:
    text, values, bounds = case
    assume(all((value + bound).find(bound) == len(value) for value, bound in bounds))
    template = UriTemplate.parse(text, matchable=True)
    assert template.match(template.expand(values)) == values


characters = st.text(st.sampled_from("a-/?&"), max_size=6)


@st.composite
def puzzles(draw: st.DrawFn) -> tuple[str, str, str]:
    """A template, a backtracking pattern that means the same, and a URI of the same few characters."""
    names = iter("stuvw")
    text = pattern = ""
    spans = in_query = False
    for _ in range(draw(st.integers(0, 4))):
        word = draw(st.text(st.sampled_from("a-/?&"), min_size=1, max_size=2))
        in_query = in_query or "?" in word
        spanning_here = not spans and draw(st.booleans())
        spans = spans or spanning_here
        text += "{" + "+" * spanning_here + next(names) + "}" + word
        pattern += "(.+)" if spanning_here else "([^?&#]+)" if in_query and "?" not in word else "([^/?#]+)"
        pattern += re.escape(word)
        if "?" in word:
            assume("?" not in text[: -len(word)])
    made = "".join(draw(characters) if part[0] == "{" else part for part in re.findall(r"{.*?}|[^{]+", text))
    return text, pattern, made if draw(st.booleans()) else draw(characters)


@settings(max_examples=250, deadline=None)
@given(puzzles())
def test_a_uri_is_matched_whenever_trying_everything_would_match_it(case: tuple[str, str, str]) -> None:
    text, pattern, uri = case
    found = match(text, uri)
    assert (found is not None) == (re.fullmatch(pattern, uri, re.DOTALL) is not None)
    if found is not None:
        rebuilt = re.sub(r"{\+?(\w)}", lambda name: found[name[1]], text)
        assert rebuilt == uri


# ---- cost


class Counted(str):
    """A URI that counts how many of its characters are looked at or copied."""

    looked: list[int]

    def __new__(cls, text: str, looked: list[int]) -> Counted:
        made = super().__new__(cls, text)
        made.looked = looked
        return made

    def __getitem__(self, key: SupportsIndex | slice) -> Counted:
        part = str.__getitem__(self, key)
        self.looked[0] += len(part)
        return Counted(part, self.looked)

    def __contains__(self, part: str) -> bool:  # type: ignore[override]
        self.looked[0] += len(self)
        return str.__contains__(self, part)

    def find(self, part: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        end = len(self) if end is None else end
        at = str.find(self, part, start, end)
        self.looked[0] += (at if at >= 0 else max(end, start)) - start + len(part)
        return at

    def rfind(self, part: str, start: int = 0, end: int | None = None) -> int:  # type: ignore[override]
        end = len(self) if end is None else end
        at = str.rfind(self, part, start, end)
        self.looked[0] += end - (at if at >= 0 else min(start, end)) + len(part)
        return at

    def split(self, separator: str | None = None, limit: int = -1) -> list[str]:  # type: ignore[override]
        self.looked[0] += len(self)
        return [Counted(part, self.looked) for part in str.split(self, separator, limit)]

    def partition(self, separator: str) -> tuple[str, str, str]:
        self.looked[0] += len(self)
        before, mark, after = str.partition(self, separator)
        return Counted(before, self.looked), mark, Counted(after, self.looked)


HARD = [
    ("{a}" + "".join(f"-{{b{i}}}" for i in range(VARIABLES - 1)), "-", "/"),
    ("{a}" + "".join(f"-{{b{i}}}" for i in range(VARIABLES - 1)), "a-", ""),
    ("{a}" + "".join(f"aa{{b{i}}}" for i in range(VARIABLES - 1)), "a", "!"),
    ("{+p}" + "".join(f"-{{b{i}}}" for i in range(VARIABLES - 1)), "-", "/"),
    ("{a}/{+p}/{b}", "/", ""),
    ("{a}/{b}/{+p}/{c}/{d}", "a/", "x"),
    ("x{?" + ",".join(f"p{i}" for i in range(VARIABLES)) + "}", "&", ""),
    ("x{?" + ",".join(f"p{i}" for i in range(VARIABLES)) + "}", "%41", ""),
    ("{+p}", "%C3%9F", "%C3"),
]


@pytest.mark.parametrize(("template", "unit", "end"), HARD)
def test_the_cost_of_matching_grows_like_the_uri(template: str, unit: str, end: str) -> None:
    matcher = UriTemplate.parse(template, matchable=True)

    def cost(count: int) -> int:
        looked = [0]
        start = "x?p0=" if template.startswith("x{?") else ""
        matcher.match(Counted(start + unit * count + end, looked), limit=1_000_000)
        return looked[0]

    assert cost(5_000) <= 12 * cost(500) + 1_000
    assert cost(5_000) <= 16 * 5_000 * len(unit) + 10_000


@settings(max_examples=200, deadline=None)
@given(
    st.text(st.sampled_from("{}ab+?&,/%-é#."), max_size=16), st.text(st.sampled_from("ab/?&=%41-é#.\\"), max_size=16)
)
def test_any_template_and_any_uri_give_values_or_a_clear_error(text: str, uri: str) -> None:
    try:
        template = UriTemplate.parse(text, matchable=True)
    except TemplateError:
        return
    values = template.match(uri)
    assert values is None or set(values) <= set(template.variables)
