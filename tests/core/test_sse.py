"""Event streams: bytes to events and back, under every way of chopping them (T-18 of the security notes)."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import httpx
import pytest
from httpx_sse import EventSource
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.core.framing import EDGE, Oversized
from mcport.core.sse import (
    FIELD_BYTES,
    LONGEST_RETRY,
    SHORTEST_RETRY,
    EventDecoder,
    Item,
    ServerSentEvent,
    encode_comment,
    encode_event,
)

LIMIT = 1 << 20


def decode(*chunks: bytes, limit: int = LIMIT) -> list[Item]:
    decoder = EventDecoder(limit)
    return [item for chunk in chunks for item in decoder.feed(chunk)]


def one(*chunks: bytes, limit: int = LIMIT) -> ServerSentEvent:
    (item,) = decode(*chunks, limit=limit)
    assert isinstance(item, ServerSentEvent)
    return item


@pytest.mark.parametrize(
    ("stream", "data"),
    [
        (b"data: a\n\n", [b"a"]),
        (b"data:a\n\n", [b"a"]),
        (b"data:  a\n\n", [b" a"]),
        (b"data:\ta\n\n", [b"\ta"]),
        (b"data: a: b\n\n", [b"a: b"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data: a\ndata\ndata: b\n\n", [b"a\n\nb"]),
        (b"data\n\n", [b""]),
        (b"data:\n\n", [b""]),
        (b"data\ndata\n\n", [b"\n"]),
        (b"data: a\r\rdata: b\r\n\r\ndata: c\n\n", [b"a", b"b", b"c"]),
        (b"data: a\r\n\ndata: b\n\r\n", [b"a", b"b"]),
        (b"data: a\n\n\n\n\ndata: b\n\n", [b"a", b"b"]),
        (b": a comment\ndata: a\n:\n\n", [b"a"]),
        (b":data: a\n\n", []),
        (b" data: a\n\n", []),
        (b"DATA: a\n\n", []),
        (b"datum: a\ndata: b\nother\n\n", [b"b"]),
        (b"dat\n\ndata2: x\n\n", []),
        (b"data: a\n", []),
        (b"data: a", []),
        (b"event: x\n\n", []),
        (b"id: 1\n\n", []),
        (b"retry: 5\n\n", []),
        (b"data: \x0b\x0c\x1c\x85 \xe2\x80\xa8\n\n", [b"\x0b\x0c\x1c\x85 \xe2\x80\xa8"]),
    ],
)
def test_a_stream_yields_these_data(stream: bytes, data: list[bytes]) -> None:
    assert [item.data for item in decode(stream) if isinstance(item, ServerSentEvent)] == data
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == decode(stream)


def test_an_event_comes_out_with_its_blank_line_and_not_before() -> None:
    decoder = EventDecoder(LIMIT)
    assert decoder.feed(b"data: a\n") == []
    assert decoder.feed(b"\n") == [ServerSentEvent(b"a")]


def test_a_blank_line_that_ends_with_cr_does_not_wait_for_lf() -> None:
    decoder = EventDecoder(LIMIT)
    assert decoder.feed(b"data: a\r\r") == [ServerSentEvent(b"a")]
    assert decoder.feed(b"\ndata: b\r\n\r") == [ServerSentEvent(b"b")]
    assert decoder.feed(b"\n\ndata: c\n\n") == [ServerSentEvent(b"c")]


@pytest.mark.parametrize("cut", range(4))
def test_one_byte_order_mark_at_the_start_is_dropped(cut: int) -> None:
    stream = b"\xef\xbb\xbfdata: a\n\n"
    assert one(stream[:cut], stream[cut:]).data == b"a"
    assert decode(b"\xef\xbb\xbf" + stream) == []
    assert decode(b"data: a\n\n", stream) == [ServerSentEvent(b"a")]


def test_a_start_that_only_looks_like_a_byte_order_mark_is_kept() -> None:
    assert one(b"\xef", b"\xbb", b"x: y\ndata: a\n\n").data == b"a"
    assert decode(b"\xef", b"data: a\n\n") == []


def test_bytes_that_are_not_utf8_are_kept_and_read_as_replacement_characters() -> None:
    event = one(b"data: \xff\xe2\x82\nevent: \xff\ndata: \xe2\x82\xac\n\n")
    assert event.data == b"\xff\xe2\x82\n\xe2\x82\xac"
    assert event.text == "\ufffd\ufffd\n€"
    assert event.event == "\ufffd"


def test_the_last_event_type_counts_and_an_empty_one_means_message() -> None:
    assert one(b"event: a\nevent: b\ndata\n\n").event == "b"
    assert one(b"event: a\nevent\ndata\n\n").event == "message"
    assert decode(b"event: a\n\ndata: x\n\n") == [ServerSentEvent(b"x")]


def test_an_id_stays_until_another_comes_and_counts_once_its_block_ends() -> None:
    decoder = EventDecoder(LIMIT, last_event_id="0")
    assert decoder.feed(b"data: a\n\nid: 1\ndata: b\n") == [ServerSentEvent(b"a", id="0")]
    assert decoder.last_event_id == "0"
    assert decoder.feed(b"\ndata: c\n\n") == [ServerSentEvent(b"b", id="1"), ServerSentEvent(b"c", id="1")]
    assert decoder.feed(b"id: 2\n\n") == []
    assert decoder.last_event_id == "2"
    decoder.feed(b"id:  3 \n\n")
    assert decoder.last_event_id == " 3 "
    decoder.feed(b"id\n\n")
    assert decoder.last_event_id == ""


@pytest.mark.parametrize("bad", [b"a\0b", b"x" * (FIELD_BYTES + 1)])
def test_an_id_with_nul_or_too_many_bytes_is_ignored(bad: bytes) -> None:
    decoder = EventDecoder(LIMIT)
    decoder.feed(b"id: 1\n\nid: " + bad + b"\n\n")
    assert decoder.last_event_id == "1"


def test_an_id_of_the_longest_length_is_kept_however_it_is_chopped() -> None:
    stream = b"id: " + b"x" * FIELD_BYTES + b"\ndata\n\n"
    for size in (1, 7, len(stream)):
        assert one(*(stream[i : i + size] for i in range(0, len(stream), size))).id == "x" * FIELD_BYTES


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("500", 0.5),
        ("0500", 0.5),
        ("0", SHORTEST_RETRY),
        ("61000", LONGEST_RETRY),
        ("9" * 400, LONGEST_RETRY),
        ("", None),
        ("-5", None),
        ("+5", None),
        ("5.0", None),
        ("5 ", None),
        ("1_0", None),
        ("٣", None),
    ],
)
def test_a_retry_counts_at_once_within_bounds_and_only_as_digits(value: str, seconds: float | None) -> None:
    decoder = EventDecoder(LIMIT)
    decoder.feed(f"retry: {value}\n".encode())
    assert decoder.retry == seconds


def test_the_retry_of_a_former_connection_stands_until_another_comes() -> None:
    decoder = EventDecoder(LIMIT, retry=2.0)
    decoder.feed(b"retry: x\n")
    assert decoder.retry == 2.0


# ---- bounds


def test_data_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    assert one(b"data: " + b"x" * 10 + b"\n\n", limit=10).data == b"x" * 10
    assert one(b"data: aaaa\ndata: bbbbb\n\n", limit=10).data == b"aaaa\nbbbbb"
    assert decode(b"data: " + b"x" * 11 + b"\n\n", limit=10) == [Oversized(11, b"x" * 11, b"x" * 11)]
    assert decode(b"data: aaaaa\ndata: bbbbb\n\n", limit=10) == [Oversized(11, b"aaaaa\nbbbbb", b"aaaaa\nbbbbb")]


@pytest.mark.parametrize("size", [1, 5, 999, 70_000, 1_000_000])
def test_an_oversized_event_shows_its_ends_and_the_stream_goes_on(size: int) -> None:
    data = b'{"id":1,' + b"x" * 100_000 + b',"z":2}'
    stream = b"id: 7\ndata: " + data + b"\nevent: e\n\ndata: next\n\n"
    items = decode(*(stream[i : i + size] for i in range(0, len(stream), size)), limit=50_000)
    assert items == [Oversized(len(data), data[:EDGE], data[-EDGE:]), ServerSentEvent(b"next", id="7")]


def test_many_short_lines_are_bounded_like_one_long_one() -> None:
    items = decode(b"data: ab\n" * 1000 + b"\n", limit=2998)
    whole = b"\n".join([b"ab"] * 1000)
    assert items == [Oversized(2999, whole[:EDGE], whole[-EDGE:])]
    assert one(b"data: ab\n" * 1000 + b"\n", limit=2999).data == whole


def peak_of_feeding(decoder: EventDecoder, chunk: bytes, times: int) -> int:
    tracemalloc.start()
    try:
        assert all(decoder.feed(chunk) == [] for _ in range(times))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("opening", "mebibytes"),
    [
        (b"data: ", 1024),
        (b":", 64),
        (b"id: ", 64),
        (b"retry: ", 64),
        (b"event:", 64),
        (b"x: ", 64),
        (b"data:\ndata:", 64),
    ],
)
def test_a_line_without_end_costs_next_to_no_memory(opening: bytes, mebibytes: int) -> None:
    decoder = EventDecoder(LIMIT)
    decoder.feed(opening)
    assert peak_of_feeding(decoder, b"1" * (1 << 20), mebibytes) < 4 * LIMIT
    decoder.feed(b"\n\n")
    assert decoder.feed(b"data: a\n\n") == [ServerSentEvent(b"a")]


def test_a_chunk_of_short_lines_does_not_become_one_list_of_lines() -> None:
    assert peak_of_feeding(EventDecoder(LIMIT), b":\n" * (1 << 17), 1) < 5 * LIMIT // 2


def test_a_line_in_many_chunks_is_gathered_in_one_buffer() -> None:
    decoder = EventDecoder(LIMIT)
    decoder.feed(b"data: ")
    decoder.feed(b"x")
    buffer = decoder._data
    for _ in range(1000):
        decoder.feed(b"x" * 100)
        assert decoder._data is buffer, "what was gathered before was copied"
    assert decoder.feed(b"\n\n") == [ServerSentEvent(b"x" * 100_001)]


# ---- writing


def test_an_event_is_written_line_by_line() -> None:
    assert encode_event(b'{"a":1}') == b'data: {"a":1}\n\n'
    assert encode_event(b"") == b"data: \n\n"
    assert encode_event(b"a\nb\rc\r\nd", event="e", id="4", retry=0.25) == (
        b"event: e\nid: 4\nretry: 250\ndata: a\ndata: b\ndata: c\ndata: d\n\n"
    )


def test_a_comment_is_one_line_that_readers_skip() -> None:
    assert encode_comment() == b": \n"
    assert encode_comment("still here") == b": still here\n"
    assert decode(encode_comment("data: x"), encode_event(b"a"), encode_comment()) == [ServerSentEvent(b"a")]


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\0b", "x" * (FIELD_BYTES + 1)])
def test_ids_and_types_that_would_break_the_stream_are_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="an SSE id "):
        encode_event(b"", id=bad)
    with pytest.raises(ValueError, match="an SSE event "):
        encode_event(b"", event=bad)


@pytest.mark.parametrize("bad", ["a\nb", "a\rb"])
def test_a_comment_with_a_line_break_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="line break"):
        encode_comment(bad)


@pytest.mark.parametrize("bad", [-1.0, float("nan"), float("inf")])
def test_a_retry_that_is_no_time_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="retry"):
        encode_event(b"", retry=bad)


# ---- laws

short = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)
lines = st.one_of(
    st.tuples(st.sampled_from([b"data: ", b"data:", b"event: ", b"id: ", b":"]), st.binary(max_size=6)).map(b"".join),
    st.sampled_from([b"data", b"id", b"event", b"retry: 7", b"retry: 12", b"", b"", b"x", b"data \xff"]),
)
streams = st.lists(st.tuples(lines, st.sampled_from([b"\n", b"\r", b"\r\n"])), max_size=24).map(
    lambda parts: b"".join(line + end for line, end in parts)
)


def chopped(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[a:b] for a, b in pairwise(edges)]


@settings(max_examples=150, deadline=None)
@given(streams, st.lists(st.integers(0, 300), max_size=12), st.sampled_from([8, 10_000]))
def test_chopping_changes_nothing(stream: bytes, cuts: list[int], limit: int) -> None:
    whole, parts = EventDecoder(limit), EventDecoder(limit)
    expected = whole.feed(stream)
    assert [item for chunk in chopped(stream, cuts) for item in parts.feed(chunk)] == expected
    assert (parts.last_event_id, parts.retry) == (whole.last_event_id, whole.retry)


@settings(max_examples=150, deadline=None)
@given(streams, st.lists(st.integers(0, 300), max_size=12))
def test_httpx_sse_reads_the_same_events(stream: bytes, cuts: list[int]) -> None:
    """httpx-sse agrees, save for what it does otherwise on purpose or by oversight.

    It makes an event of any block with an id, a type or a retry but no data, and of every blank line once there was an
    id; it takes whatever `int` takes for a retry; it does not drop a byte order mark; and it knows no bounds.
    """
    chunks = chopped(stream, cuts)
    decoder = EventDecoder(LIMIT)
    ours = [item for chunk in chunks for item in decoder.feed(chunk) if isinstance(item, ServerSentEvent)]
    response = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=stream)
    theirs = [(event.data, event.event, event.id) for event in EventSource(response).iter_sse() if event.data]
    assert [(event.text, event.event, event.id) for event in ours if event.data] == theirs


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.tuples(st.binary(max_size=40), short, st.none() | short), max_size=5),
    st.lists(st.integers(0, 300), max_size=8),
)
def test_what_is_written_is_read_again(events: list[tuple[bytes, str, str | None]], cuts: list[int]) -> None:
    stream = b"".join(encode_comment() + encode_event(d, event=e, id=i) for d, e, i in events)
    current = ""
    expected: list[Item] = []
    for data, event, id in events:
        current = current if id is None else id
        unified = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        expected.append(ServerSentEvent(unified, event or "message", current))
    assert decode(*chopped(stream, cuts)) == expected
