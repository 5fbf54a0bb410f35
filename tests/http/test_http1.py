"""HTTP/1.1 as our client reads it: where answers end, what is refused because it is in doubt, and what may follow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcport.transports.http.client.http1 import MOST_HEAD, CutOff, Fields, Head, Http1, NotHttp

OK = "HTTP/1.1 200 OK"


def asked() -> Http1:
    """Return a connection on which something was asked."""
    http = Http1()
    http.request("POST", b"/mcp", [(b"host", b"here")], b"{}")
    return http


class Read(NamedTuple):
    """What was made of some bytes: "over" (another request may follow), "done", "more" (is needed), "refused"."""

    verdict: str
    status: int = 0
    fields: Sequence[tuple[bytes, bytes]] = ()
    body: bytes = b""


def read(pieces: Sequence[bytes], ends: bool = False) -> Read:
    """Take an answer in these pieces, and at last the end of the connection."""
    http, left, body = asked(), [*pieces, *([b""] if ends else [])], b""
    head: Head | None = None
    try:
        while True:
            head = head or http.head()
            piece = None if head is None else http.piece()
            if piece == b"":
                assert head is not None
                return Read("over" if not left and http.over() else "done", head.status, head.fields, body)
            body += piece or b""
            if piece is None:
                if not left:
                    return Read("more")
                http.take(left.pop(0))
    except NotHttp:
        return Read("refused")


def answer(head: str, body: bytes = b"", ends: bool = False) -> Read:
    """Take an answer whose head has these lines."""
    return read([head.replace("\n", "\r\n").encode("latin-1") + b"\r\n\r\n" + body], ends)


def test_a_request_says_what_was_given_and_how_long_it_is() -> None:
    fields: Fields = [(b"host", b"here"), (b"accept", b"text/plain")]
    expected = b"POST /mcp HTTP/1.1\r\nhost: here\r\naccept: text/plain\r\ncontent-length: 2\r\n\r\n{}"
    assert Http1().request("POST", b"/mcp", fields, b"{}") == expected


@pytest.mark.parametrize(
    ("method", "target", "value"),
    [
        ("PO ST", b"/", b""),
        ("GET", b"/a b", b""),
        ("GET", b"/\r\nx: y", b""),
        ("GET", b"/", b"a\r\nb"),
        ("GET", b"/", b"\0"),
    ],
)
def test_a_request_that_would_become_two_is_not_sent(method: str, target: bytes, value: bytes) -> None:
    with pytest.raises(ValueError, match="the request cannot be sent"):
        Http1().request(method, target, [(b"host", b"here"), (b"x", value)], b"")


def test_a_head_has_a_status_and_fields_and_ends_at_the_empty_line() -> None:
    found = answer(f"{OK}\nContent-Type:  application/json \nX:\nContent-Length: 2", b"{}")
    fields = ((b"content-type", b"application/json"), (b"x", b""), (b"content-length", b"2"))
    assert found == Read("over", 200, [*fields], b"{}")


@pytest.mark.parametrize(
    ("head", "body", "verdict"),
    [
        (f"{OK}\nContent-Length: 5\nContent-Length: 5", b"12345", "over"),
        ("HTTP/1.1 200\nTransfer-Encoding: Chunked", b"5\r\n12345\r\n0\r\n\r\n", "over"),
        (f"{OK}\nTransfer-Encoding: chunked", b"5;a=b\r\n12345\r\n000\r\nContent-Length: 7\r\n\r\n", "over"),
        (f"{OK}\nConnection: foo, Close\nContent-Length: 5", b"12345", "done"),
        ("HTTP/1.0 200 OK\nContent-Length: 5", b"12345", "done"),
        ("HTTP/1.0 200 OK\nConnection: keep-alive\nContent-Length: 5", b"12345", "done"),
        (f"{OK}\nContent-Length: 5", b"12345HTTP/1.1 200 OK\r\n\r\n", "done"),
        (f"{OK}\nContent-Length: 5", b"12345\r\n", "done"),
        (f"{OK}\nTransfer-Encoding: chunked", b"5\r\n12345\r\n0\r\n\r\nx", "done"),
    ],
)
def test_an_answer_ends_where_its_head_says_and_only_then_may_another_follow(
    head: str, body: bytes, verdict: str
) -> None:
    found = answer(head, body)
    assert (found.verdict, found.body) == (verdict, b"12345")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none_and_what_follows_spoils_the_connection(status: int) -> None:
    assert answer(f"HTTP/1.1 {status} X\nContent-Length: 5").verdict == "over"
    found = answer(f"HTTP/1.1 {status} X\nContent-Length: 5", b"12345")
    assert (found.verdict, found.body) == ("done", b"")


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    assert answer(OK, b"12345").verdict == "more"
    found = answer(OK, b"12345", ends=True)
    assert (found.verdict, found.body) == ("done", b"12345")


DOUBTFUL = [
    "SSH-2.0-OpenSSH_9",
    "HTTP/2 200 OK",
    "HTTP/2.0 200 OK\nContent-Length: 0",
    "HTTP/1.1 20 OK",
    "HTTP/1.1 2000 OK",
    "HTTP/1.1 099 OK",
    "HTTP/1.1 +20 OK",
    "HTTP/1.1 101 Switching Protocols\nUpgrade: websocket\nConnection: upgrade",
    f"{OK}\nno colon",
    f"{OK}\nName : x",
    f"{OK}\n: x",
    f"{OK}\nA: b\0c",
    f"{OK}\nA: b\rc",
    f"{OK}\0",
    *[
        f"{OK}\nContent-Length: {length}"
        for length in ("-5", "+5", "0x5", "5 5", "5_0", "5.0", "٥".encode().decode("latin-1"))
    ],
    f"{OK}\nContent-Length: ",
    f"{OK}\nContent-Length: {'9' * 30}",
    f"{OK}\nContent-Length: 5\nContent-Length: 6",
    f"{OK}\nContent-Length: 5, 6",
    f"{OK}\nContent-Length: 5\nTransfer-Encoding: chunked",
    f"{OK}\nTransfer-Encoding: chunked\nContent-Length: 5",
    f"{OK}\nTransfer-Encoding: gzip, chunked",
    f"{OK}\nTransfer-Encoding: identity",
    f"{OK}\nTransfer-Encoding: xchunked",
    f"{OK}\nTransfer-Encoding: chunked\nTransfer-Encoding: chunked",
]


@pytest.mark.parametrize("head", DOUBTFUL)
def test_a_head_that_leaves_anything_in_doubt_is_refused(head: str) -> None:
    assert answer(head, b"5\r\n12345\r\n0\r\n\r\n").verdict == "refused"


@pytest.mark.parametrize(
    "body",
    [
        b"x\r\n",
        b"\r\n",
        b"-1\r\n",
        b"+1\r\n1",
        b"0x1\r\n1",
        b" 1\r\n1",
        b"3\r\nabcd\r\n",
        b"3\r\nabc\n0\r\n\r\n",
        b"f" * 21 + b"\r\n",
    ],
)
def test_chunks_that_do_not_fit_are_refused(body: bytes) -> None:
    assert answer(f"{OK}\nTransfer-Encoding: chunked", body).verdict == "refused"


@pytest.mark.parametrize(
    "endless",
    [
        (b"HTTP/1.1 200 OK\r\nA: ", b"x"),
        (b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        (b"HTTP/1.1 200 ", b"x"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", b"1"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1;", b"x"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"a: b\r\n"),
    ],
)
def test_what_never_ends_is_refused_before_it_fills_the_memory(endless: tuple[bytes, bytes]) -> None:
    first, more = endless
    piece = more * (MOST_HEAD // len(more) // 4)
    assert read([first, piece]).verdict == "more"
    assert read([first, *[piece] * 5]).verdict == "refused"


def test_hints_without_end_are_refused_and_some_are_passed_over() -> None:
    hint = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n"
    last = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert read([hint * 20, last]).status == 200
    assert read([hint * 100, last]).verdict == "refused"
    assert read([*[hint] * 100, last]).verdict == "refused"


@pytest.mark.parametrize("said", [b"", b"H", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{"])
def test_an_answer_that_is_cut_off_is_told_from_one_that_is_wrong(said: bytes) -> None:
    http = asked()
    if said:
        http.take(said)
    http.take(b"")
    assert http.heard == bool(said)
    if said.endswith(b"{"):
        assert http.head() is not None
        assert http.piece() == b"{"
        with pytest.raises(CutOff):
            http.piece()
    else:
        with pytest.raises(CutOff):
            http.head()


def test_what_is_no_http_is_refused_with_its_first_bytes() -> None:
    with pytest.raises(NotHttp, match=r"a first line such as b'220 mail'"):
        asked().take(b"220 mail")


def test_another_answer_may_follow_on_the_same_connection() -> None:
    http = asked()
    for number in range(3):
        http.take(b"HTTP/1.1 102 Processing\r\n\r\n" * 40)
        assert http.head() is None
        http.take(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % number)
        assert http.head() is not None
        assert http.over(), "what has come already need not have been read"
        assert http.request("POST", b"/mcp", [(b"host", b"here")], b"").startswith(b"POST")
        assert not http.heard
        assert http.head() is None


PARTS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.0 404 Not Found\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 204\r\n",
        b"content-length: 5\r\n",
        b"Content-Length: 0\r\n",
        b"transfer-encoding: chunked\r\n",
        b"connection: close\r\n",
        b"a: b\r\n folded\r\n",
        b"a:b\n",
        b"\r\n",
        b"5\r\n12345\r\n",
        b"1;ext\r\nx\r\n",
        b"0\r\n",
        b"12345",
        b"\0",
        b"\n",
        b"\r",
    ]
)
STREAMS = st.builds(
    lambda begin, parts: begin + b"".join(parts), st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n"]), st.lists(PARTS)
)


@settings(max_examples=300, deadline=None)
@given(STREAMS, st.lists(st.integers(0, 120), max_size=12), st.booleans())
def test_the_same_bytes_mean_the_same_however_they_are_cut(stream: bytes, cuts: list[int], ends: bool) -> None:
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    pieces = [stream[here:there] for here, there in pairwise(places) if here < there]
    whole, cut = read([stream] if stream else [], ends), read(pieces, ends)
    if "over" in (whole.verdict, cut.verdict):  # "over" looks at what is left, which may not have come yet
        assert whole[1:] == cut[1:]
    else:
        assert whole == cut


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 60), st.booleans())
def test_nothing_but_refusals_comes_of_bytes_that_make_no_sense(noise: bytes, kept: int, ends: bool) -> None:
    said = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n"[:kept]
    found = read([said + noise], ends)
    assert found.verdict in ("over", "done", "more", "refused")
    assert len(found.body) <= len(said + noise)


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5), st.data())
def test_chunks_come_out_as_they_went_in_however_they_are_cut(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    stream += b"".join(b"%x;ext=1\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\nTrailer: x\r\n\r\n"
    pieces = []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        pieces.append(stream[:cut])
        stream = stream[cut:]
    assert read(pieces) == Read("over", 200, [(b"transfer-encoding", b"chunked")], b"".join(parts))
