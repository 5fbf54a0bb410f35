"""The text of a child: its tail, its lines, and what makes it harmless to show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.transports.printable import printable, printable_line
from mcport.transports.stderr import LINE_CHARACTERS, Lines, Tail

# ---- the tail


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_the_tail_is_the_end_of_all_that_was_added(chunks: list[bytes], limit: int) -> None:
    tail = Tail(limit)
    for chunk in chunks:
        tail.add(chunk)
    whole = b"".join(chunks)
    end = whole[-limit:]
    if len(whole) > limit:
        end = end.partition(b"\n")[2] or end
    assert tail.text() == printable(end.decode("utf-8", "replace").replace("\r\n", "\n"))


def test_a_tail_that_was_cut_begins_with_a_whole_line() -> None:
    tail = Tail(10)
    tail.add(b"first line\nsecond\nthird\n")
    assert tail.text() == "third\n"


def test_a_tail_holds_little_more_than_it_keeps() -> None:
    tail = Tail(100)
    for _ in range(1000):
        tail.add(b"x" * 50)
        assert len(tail._kept) <= 200


# ---- lines


@given(st.lists(st.text(alphabet="aä\n\r€", max_size=8)))
def test_lines_are_the_same_however_the_bytes_are_chopped(texts: list[str]) -> None:
    whole = "".join(texts).encode()
    at_once, bytewise = list[str](), list[str]()
    for into, size in ((at_once, len(whole) or 1), (bytewise, 1)):
        lines = Lines(into.append)
        for start in range(0, len(whole), size):
            lines.add(whole[start : start + size])
        lines.add(b"", final=True)
    assert at_once == bytewise


def test_a_last_line_without_a_newline_is_told_at_the_end() -> None:
    told: list[str] = []
    lines = Lines(told.append)
    lines.add(b"one\r\ntw")
    assert told == ["one"]
    lines.add(b"o", final=True)
    assert told == ["one", "two"]


def test_a_line_without_end_comes_in_bounded_pieces() -> None:
    told: list[str] = []
    lines = Lines(told.append)
    for _ in range(10):
        lines.add(b"x" * 5000)
    lines.add(b"x" * 50_000 + b"\n\n", final=True)
    assert "".join(told) == "x" * 100_000
    assert max(map(len, told)) <= LINE_CHARACTERS
    assert told[-1] == ""


# ---- printable text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ä € 🚀\twith\nlines", "plain ä € 🚀\twith\nlines"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x9b31m", "\\x9b31m"),
        ("title\x07", "title\\x07"),
        ("50%\r60%", "50%\\r60%"),
        ("\x00\x7f", "\\x00\\x7f"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("a\u2028b", "a\\u2028b"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_are_shown_and_never_sent_on(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=[])), st.integers(10, 100))
def test_a_printable_line_is_one_short_line_that_any_stream_takes(text: str, longest: int) -> None:
    line = printable_line(text, longest=longest)
    assert len(line) <= longest
    assert len(line.splitlines()) <= 1
    assert "\x1b" not in line
    line.encode()


def test_a_long_line_is_cut_in_the_middle() -> None:
    assert printable_line("0123456789", longest=6) == "01…789"
