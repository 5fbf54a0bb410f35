"""Lines out of bytes, however they are chopped, and what becomes of lines that are too long."""

from __future__ import annotations

import sys
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.framing import CRUMBS, EDGE, Framer, Line, Oversized

LIMIT = 1 << 20
KIB64 = 64 * 1024
SIZE = 60_000


def cut(*chunks: bytes, limit: int = LIMIT, end: bool = False) -> list[Line]:
    framer = Framer(limit)
    lines = [line for chunk in chunks for line in framer.feed(chunk)]
    return lines + framer.end() if end else lines


def chopped(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(places), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


# ---- lines


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        ([b"a\n"], [b"a"]),
        ([b"a\nb\n"], [b"a", b"b"]),
        ([b"a", b"b\n"], [b"ab"]),
        ([b"a", b"\n"], [b"a"]),
        ([b"", b"a\n", b""], [b"a"]),
        ([b"a\nb"], [b"a"]),
        ([b"a\nb", b"c\nd", b"\n"], [b"a", b"bc", b"d"]),
        ([b"\n\n\na\n\n"], [b"a"]),
        ([b"\r\n\r\na\r\n"], [b"a\r"]),
        ([b"\r", b"\na", b"\r", b"\n", b"\r", b"\n"], [b"a\r"]),
        ([b"a\rb\n"], [b"a\rb"]),
        ([b"\0\xff\x1a\n"], [b"\0\xff\x1a"]),
        ([" \u2028\u2029\u0085\x0b\x0c\n".encode()], [" \u2028\u2029\u0085\x0b\x0c".encode()]),
        ([b" \n"], [b" "]),
    ],
)
@pytest.mark.requirement("stdio.no-embedded-newlines")
def test_a_newline_ends_a_line_and_nothing_else_does(chunks: list[bytes], lines: list[bytes]) -> None:
    assert cut(*chunks) == lines


@pytest.mark.parametrize(
    ("chunks", "last"),
    [
        ([b"a"], [b"a"]),
        ([b"a", b"b"], [b"ab"]),
        ([b"a\n"], []),
        ([], []),
        ([b""], []),
        ([b"\r"], []),
        ([b"a\r"], [b"a\r"]),
    ],
)
def test_the_last_line_needs_no_newline(chunks: list[bytes], last: list[bytes]) -> None:
    framer = Framer(LIMIT)
    for chunk in chunks:
        framer.feed(chunk)
    assert framer.end() == last
    assert framer.end() == []
    assert framer.pending == 0


def test_the_unfinished_line_is_counted() -> None:
    framer = Framer(4)
    assert [(framer.feed(chunk), framer.pending)[1] for chunk in (b"ab", b"c\nd", b"efgh", b"ij", b"\n")] == [
        2,
        1,
        5,
        7,
        0,
    ]


@given(
    data=st.lists(st.sampled_from([b"\n", b"\r", b"a", b"bc", b"d" * 9]), max_size=30),
    places=st.lists(st.integers(0, 60)),
)
@settings(max_examples=100)
def test_chopping_changes_nothing(data: list[bytes], places: list[int]) -> None:
    whole = b"".join(data)
    pieces = chopped(whole, [place % (len(whole) + 1) for place in places])
    for limit in (1, 4, 10, LIMIT):
        assert cut(*pieces, limit=limit, end=True) == cut(whole, limit=limit, end=True)


def test_a_stream_chopped_at_every_place_gives_the_same_lines() -> None:
    data = b'{"a":1}\r\n\n{"b":"' + b"x" * 40 + b'"}\n{"c":3}'
    for limit in (7, 8, 20, LIMIT):
        expected = cut(data, limit=limit, end=True)
        assert len(expected) == 3
        for place in range(len(data) + 1):
            assert cut(data[:place], data[place:], limit=limit, end=True) == expected
        assert cut(*(data[place : place + 1] for place in range(len(data))), limit=limit, end=True) == expected


# ---- lines that are too long


def test_a_line_of_just_the_limit_passes_and_one_byte_more_does_not() -> None:
    for chunks in ([b"abcd\nabcde\n"], [b"abc", b"d\na", b"bcd", b"e\n"], [b"abcd", b"\n", b"abcde", b"\n"]):
        assert cut(*chunks, limit=4) == [b"abcd", Oversized(5, b"abcde", b"abcde")]


@pytest.mark.parametrize("piece", [1, 7, EDGE - 1, EDGE, EDGE + 1, 3 * EDGE, 10**6])
@pytest.mark.parametrize("limit", [1, 10, EDGE, 3 * EDGE + 5])
def test_both_ends_of_an_oversized_line_are_kept(piece: int, limit: int) -> None:
    line = bytes(range(32, 127)) * 100
    [found] = cut(*chopped(line + b"\n", [*range(piece, len(line), piece)]), limit=limit)
    assert found == Oversized(len(line), line[:EDGE], line[-EDGE:])


def test_the_lines_after_an_oversized_one_come_through() -> None:
    framer = Framer(10)
    assert framer.feed(b"a" * 11) == []
    assert framer.feed(b"\nb\n" + b"c" * 20) == [Oversized(11, b"a" * 11, b"a" * 11), b"b"]
    assert framer.feed(b"\nd\n") == [Oversized(20, b"c" * 20, b"c" * 20), b"d"]


def kept(framer: Framer) -> int:
    """How many bytes the parts of a framer take."""
    found = 0
    for name in Framer.__slots__:
        value = getattr(framer, name)
        found += sys.getsizeof(value) + (sum(map(sys.getsizeof, value)) if isinstance(value, list) else 0)
    return found


def test_two_hundred_megabytes_without_a_newline_leave_little_behind() -> None:
    framer, chunk = Framer(LIMIT), b"x" * KIB64
    for _ in range(3200):
        assert framer.feed(chunk) == []
        assert kept(framer) < LIMIT + KIB64
    assert kept(framer) < 4 * EDGE
    assert framer.feed(b"\n") == [Oversized(3200 * KIB64, b"x" * EDGE, b"x" * EDGE)]


@pytest.mark.parametrize("piece", [1, 2, 3, 100])
def test_a_line_that_comes_in_crumbs_takes_little_more_than_its_size(piece: int) -> None:
    framer = Framer(LIMIT)
    tracemalloc.start()
    try:
        for _ in range(SIZE // piece):
            framer.feed(b"x" * piece)
        now, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert framer.pending == SIZE // piece * piece
    assert now < 2 * SIZE + CRUMBS * 100


def test_a_line_in_crumbs_leaves_nothing_to_the_next_one() -> None:
    framer = Framer(LIMIT)
    for letter in (b"a", b"b"):
        for _ in range(3 * CRUMBS + 1):
            framer.feed(letter)
        assert framer.feed(b"\n") == [letter * (3 * CRUMBS + 1)]


class Counting(Framer):
    """A framer that counts the bytes that it copies: what is gathered, and what is joined on the way."""

    __slots__ = ("copied",)

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.copied = 0

    def _keep(self, piece: bytes) -> None:
        joined = self._parts[-1] if self._parts else b""
        super()._keep(piece)
        if self._parts and self._parts[-1] is not joined:
            self.copied += len(self._parts[-1])

    def _gathered(self) -> bytes:
        line = super()._gathered()
        self.copied += len(line)
        return line


@pytest.mark.parametrize("piece", [1, 100, KIB64])
def test_every_byte_is_copied_at_most_twice(piece: int) -> None:
    size = SIZE if piece == 1 else LIMIT
    for limit in (LIMIT, size // 2):
        framer = Counting(limit)
        for _ in range(size // piece):
            framer.feed(b"x" * piece)
        framer.feed(b"\n")
        assert framer.copied <= 2 * min(size, limit)
