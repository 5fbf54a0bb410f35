"""Requests that break off, crawl or never end: each is over in bounded time, and nothing of it is left."""

from __future__ import annotations

import socket
import time

import pytest

from .raw import USUAL, Connection, head, post
from .serving import Site

CHUNKED = {**USUAL, "Transfer-Encoding": "chunked"}


def announced(size: int) -> bytes:
    """The head of a POST whose body has so many bytes."""
    return head("POST", {**USUAL, "Content-Length": str(size)})


CUTS = {
    "in the middle of the head": b"POST /mcp HTTP/1.1\r\nHost: loc",
    "after the head": announced(1000),
    "in the middle of a body": announced(1000) + b'{"jsonrpc": "2.0", ',
    "in the middle of a character": announced(1000) + '{"jsonrpc": "é'.encode()[:-1],
    "after the head of a chunked body": head("POST", CHUNKED),
    "in the middle of the size of a chunk": head("POST", CHUNKED) + b"1",
    "in the middle of a chunk": head("POST", CHUNKED) + b'20\r\n{"jsonrpc": ',
    "in the middle of a character of a chunk": head("POST", CHUNKED) + b"5\r\n" + '{"né'.encode()[:-1],
    "between two chunks": head("POST", CHUNKED) + b'2\r\n{"\r\n',
    "before the last chunk": head("POST", CHUNKED) + b"2\r\n{}\r\n",
}


@pytest.mark.parametrize("sent", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("end", ["closed", "reset", "half closed"])
def test_a_request_that_breaks_off_leaves_nothing_behind(site: Site, sent: bytes, end: str) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(sent)
        if end == "reset":
            connection.reset()
        elif end == "half closed":
            connection.socket.shutdown(socket.SHUT_WR)
            assert connection.is_closed() or connection.answer().status == 400


def test_a_client_that_closes_its_half_after_a_request_leaves_and_the_server_lives(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(connection.call("add", a=1, b=2))
        connection.socket.shutdown(socket.SHUT_WR)
        connection.rest()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_crawls_is_refused_with_408_in_bounded_time(
    site: Site, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    monkeypatch.setattr(site.app._guard, "_seconds", 0.2)
    with site.as_it_was(), site.connect() as connection:
        began = time.monotonic()
        connection.send(head("POST", CHUNKED) + b"1\r\n{\r\n" if chunked else announced(10) + b"{")
        answer = connection.answer()
        assert (answer.status, time.monotonic() - began < 1) == (408, True)
        assert answer.json()["error"]["message"] == "the body did not come within 0.2 s"


@pytest.mark.parametrize("parts", [2, 7, 50])
def test_a_body_that_comes_in_parts_is_put_together(site: Site, parts: int) -> None:
    with site.as_it_was(), site.connect() as connection:
        whole = connection.call("echo", text="é€😀" * 20)
        step = len(whole) // parts
        for start in range(0, len(whole), step):
            connection.send(whole[start : start + step])
        assert connection.answer().json()["result"]["content"][0]["text"] == "é€😀" * 20


def test_a_chunked_body_is_put_together_wherever_it_is_cut(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        top, _, body = connection.call("echo", text="é€😀").partition(b"\r\n\r\n")
        lines = [line for line in top.split(b"\r\n") if not line.startswith(b"Content-Length")]
        connection.send(b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", b""]))
        for byte in body:
            connection.send(b"1\r\n%c\r\n" % byte)
        connection.send(b"0\r\n\r\n")
        assert connection.answer().json()["result"]["content"][0]["text"] == "é€😀"


def test_a_gigabyte_that_is_announced_is_refused_before_it_comes(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(announced(1 << 30))
        assert connection.answer().status == 413


def test_a_gigabyte_that_is_not_announced_is_refused_at_the_bound(site: Site) -> None:
    chunk = b"%x\r\n%b\r\n" % (1 << 16, b" " * (1 << 16))
    with site.as_it_was(), site.connect() as connection:
        connection.send(head("POST", CHUNKED))
        sent = _pour(connection, chunk, 1 << 30)
        assert sent < 64 << 20, f"{sent >> 20} MiB were taken"
        connection.socket.settimeout(5)
        assert _said(connection) in (413, None)


def _pour(connection: Connection, chunk: bytes, most: int) -> int:
    """Send until the server takes no more; return how much it took."""
    sent = 0
    connection.socket.settimeout(0.5)
    try:
        while sent < most:
            connection.send(chunk)
            sent += len(chunk)
    except OSError:
        pass
    return sent


def _said(connection: Connection) -> int | None:
    """The status of the answer; None if the connection is cut, which may swallow the answer."""
    try:
        return connection.answer().status
    except (ConnectionError, EOFError):
        return None


def test_a_client_that_waits_for_100_continue_is_told_to_go_on(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        whole = connection.call("add", a=1, b=2)
        top, _, body = whole.partition(b"\r\n\r\n")
        connection.send(top + b"\r\nExpect: 100-continue\r\n\r\n")
        assert connection.answer().status == 100
        connection.send(body)
        assert connection.answer().json()["result"]["structuredContent"] == 3


def test_a_client_that_waits_for_100_continue_with_a_gigabyte_is_refused_at_once(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(head("POST", {**USUAL, "Content-Length": str(1 << 30), "Expect": "100-continue"}))
        assert connection.answer().status == 413


def test_requests_that_come_in_one_piece_are_answered_in_their_order(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(b"".join(connection.call("add", id=each, a=each, b=0) for each in range(50)))
        answers = [connection.answer().json() for _ in range(50)]
        assert [each["id"] for each in answers] == list(range(50))
        assert [each["result"]["structuredContent"] for each in answers] == list(range(50))


def test_a_bad_request_among_pipelined_ones_costs_no_other_its_answer(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(connection.call("add", a=1, b=0) + post(b"{") + connection.call("add", a=2, b=0))
        assert [connection.answer().status for _ in range(3)] == [200, 400, 200]
