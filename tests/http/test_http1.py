"""HTTP/1.1 as our client reads it: where heads and bodies end, and what is refused because it is in doubt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcport.transports.http.client.http1 import Chunks, Head, NotHttp, read_head


def head_of(text: str) -> Head:
    buffer = bytearray(text.replace("\n", "\r\n").encode() + b"\r\n\r\nrest")
    head = read_head(buffer)
    assert head is not None
    assert buffer == b"rest"
    return head


def test_a_head_has_a_status_and_fields_and_ends_at_the_empty_line() -> None:
    head = head_of("HTTP/1.1 200 OK\nContent-Type:  application/json \nX:")
    assert head.status == 200
    assert head.fields == [(b"content-type", b"application/json"), (b"x", b"")]
    assert (head.length, head.chunked, head.keeps) == (None, False, True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("HTTP/1.1 200 OK\nContent-Length: 5", (5, False, True)),
        ("HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 5", (5, False, True)),
        ("HTTP/1.1 200\nTransfer-Encoding: Chunked", (None, True, True)),
        ("HTTP/1.1 204 No Content", (0, False, True)),
        ("HTTP/1.1 200 OK\nConnection: foo, Close\nContent-Length: 0", (0, False, False)),
        ("HTTP/1.0 200 OK\nContent-Length: 1", (1, False, False)),
        ("HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 1", (1, False, True)),
    ],
)
def test_a_head_says_where_the_body_ends_and_whether_the_connection_goes_on(
    text: str, expected: tuple[int | None, bool, bool]
) -> None:
    head = head_of(text)
    assert (head.length, head.chunked, head.keeps) == expected


@pytest.mark.parametrize(
    "text",
    [
        "SSH-2.0-OpenSSH_9",
        "HTTP/2 200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 200 OK\nno colon",
        "HTTP/1.1 200 OK\nName : x",
        "HTTP/1.1 200 OK\nA: b\n folded",
        "HTTP/1.1 200 OK\nA: b\0c",
        "HTTP/1.1 200 OK\nA: b\rc",
        "HTTP/1.1 200 OK\nContent-Length: 5\nContent-Length: 6",
        "HTTP/1.1 200 OK\nContent-Length: -5",
        "HTTP/1.1 200 OK\nContent-Length: 5, 5",
        "HTTP/1.1 200 OK\nContent-Length: 5\nTransfer-Encoding: chunked",
        "HTTP/1.1 200 OK\nTransfer-Encoding: gzip, chunked",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked",
    ],
)
def test_a_head_that_leaves_anything_in_doubt_is_refused(text: str) -> None:
    with pytest.raises(NotHttp):
        head_of(text)


def test_a_head_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    buffer = bytearray(b"HTTP/1.1 200 OK\r\nA: ")
    assert read_head(buffer) is None
    buffer += b"x" * 65536
    with pytest.raises(NotHttp, match="a head without an end"):
        read_head(buffer)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.data())
def test_chunks_come_out_as_they_went_in_however_they_are_cut(pieces: list[bytes], data: st.DataObject) -> None:
    body = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nTrailer: x\r\n\r\nnext"
    chunks, buffer, found = Chunks(), bytearray(), b""
    while body:
        cut = data.draw(st.integers(1, len(body)))
        buffer += body[:cut]
        body = body[cut:]
        while piece := chunks.take(buffer):
            found += piece
    assert found == b"".join(pieces)
    assert chunks.done
    assert buffer == b"next"


@pytest.mark.parametrize(
    "body", [b"x\r\n", b"\r\n", b"-1\r\n", b"3\r\nabcd\r\n", b"1" * 4096, b"0\r\n" + b"x" * 4096, b"1" * 13 + b"\r\n"]
)
def test_chunks_that_do_not_fit_are_refused(body: bytes) -> None:
    chunks, buffer = Chunks(), bytearray(body)
    with pytest.raises(NotHttp):
        list(iter(lambda: chunks.take(buffer), b""))
