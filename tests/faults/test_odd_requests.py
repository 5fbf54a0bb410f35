"""Requests that no client in its right mind sends: each is answered or cut off, and the server goes on."""

from __future__ import annotations

import pytest

from .raw import USUAL, head, post
from .serving import Site

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
LENGTH = str(len(PING))


def lines(*more: str, target: str = "/mcp", version: str = "1.1") -> bytes:
    """A POST of a ping with header lines as they are."""
    usual = [f"{name}: {value}" for name, value in USUAL.items() if name != "Host"]
    top = "\r\n".join([f"POST {target} HTTP/{version}", *usual, f"Content-Length: {LENGTH}", *more, "", ""])
    return top.encode("latin-1") + PING


BAD = {
    "two hosts": lines("Host: localhost", "Host: evil.example"),
    "the same host twice": lines("Host: localhost", "Host: localhost"),
    "no host": lines(),
    "an empty host": lines("Host: "),
    "two origins": lines("Host: localhost", "Origin: http://localhost", "Origin: https://evil.example"),
    "two lengths": lines("Host: localhost", "Content-Length: 1"),
    "a length that is no number": head("POST", {**USUAL, "Content-Length": "1e9"}),
    "a negative length": head("POST", {**USUAL, "Content-Length": "-1"}),
    "an unknown coding": head("POST", {**USUAL, "Transfer-Encoding": "gzip"}),
    "a chunk without a size": head("POST", {**USUAL, "Transfer-Encoding": "chunked"}) + b"zz\r\n",
    "a null in a header": lines("Host: localhost", "X: a\0b"),
    "a line that is no header": lines("Host: localhost", "nonsense"),
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "JSON for another transport": PING + b"\n\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD)
def test_a_request_that_is_none_is_refused(site: Site, sent: bytes) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(sent)
        try:
            line = connection.line()
        except (EOFError, ConnectionError):
            return
        assert line.split()[1] in ("400", "501"), line


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/mcp%", 404),
        ("/mcp%zz", 404),
        ("/mcp%00", 404),
        ("/mcp%ff", 404),
        ("/%6dcp", 400),
        ("/mcp/../mcp", 404),
        ("//mcp", 404),
        ("/mcp;a=b", 404),
        ("/mcp?%ff=%", 400),
        ("/" + "a" * 8000, 404),
        ("/../../etc/passwd", 404),
    ],
)
def test_a_path_is_judged_as_it_comes(site: Site, target: str, status: int) -> None:
    """400 is the endpoint's answer to a ping without a session."""
    with site.as_it_was(), site.connect() as connection:
        assert connection.post(lines("Host: localhost", target=target)).status == status
        assert connection.post(connection.call("add", a=1, b=1)).status == 200


@pytest.mark.parametrize("authority", ["localhost", "evil.example"])
def test_the_host_of_an_absolute_target_does_not_replace_the_host_header(site: Site, authority: str) -> None:
    target = f"http://{authority}/mcp"
    with site.as_it_was(), site.connect() as connection:
        assert connection.post(lines("Host: evil.example", target=target)).status in (404, 421)
        assert connection.post(lines("Host: localhost", target=target)).status in (400, 404)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_request_without_a_host_is_refused_in_every_version_of_http(site: Site, version: str) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(lines(version=version))
        assert connection.line().split()[1] == "400"


def test_http_1_0_is_answered_and_closed(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        whole = connection.call("add", a=1, b=2).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        assert connection.post(whole).json()["result"]["structuredContent"] == 3
        assert connection.is_closed()


def test_many_headers_are_read_or_refused(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(lines("Host: localhost", *(f"X-{each}: y" for each in range(5000))))
        assert connection.line().split()[1] == "400"


@pytest.mark.parametrize("line", [b"y", b"X: y\r\n"])
@pytest.mark.parametrize("start", [b"GET /mcp HTTP/1.1\r\nX: y", b"GET /", b""])
def test_a_head_without_an_end_is_cut_off(site: Site, start: bytes, line: bytes) -> None:
    with site.as_it_was(), site.connect() as connection:
        try:
            connection.send(start)
            for _ in range(16):
                connection.send(line * (65536 // len(line)))
        except ConnectionError:
            return
        assert connection.is_closed() or connection.line().split()[1] == "400"


def test_a_session_that_is_named_twice_is_not_guessed_at(site: Site) -> None:
    with site.as_it_was(), site.connect() as mine, site.connect() as other:
        mine.open()
        other.open()
        id, else_ = mine.session["Mcp-Session-Id"], other.session["Mcp-Session-Id"]
        for first, second in [(id, else_), (else_, id), (id, "nonsense")]:
            named = lines("Host: localhost", f"Mcp-Session-Id: {first}", f"Mcp-Session-Id: {second}")
            assert mine.post(named).status == 404


@pytest.mark.parametrize(
    ("name", "value"), [("Mcp-Method", "tools/list"), ("Mcp-Name", "echo"), ("MCP-Protocol-Version", "2025-11-25")]
)
@pytest.mark.parametrize("first", [True, False])
def test_a_mirrored_header_that_comes_twice_with_two_values_is_refused(
    site: Site, name: str, value: str, first: bool
) -> None:
    with site.as_it_was(), site.connect() as connection:
        start, line, rest = connection.call("add", a=1, b=1).partition(f"{name.lower()}: ".encode())
        more = f"{name}: {value}\r\n".encode()
        end = rest.index(b"\r\n") + 2
        parts = [more, line, rest] if first else [line, rest[:end], more, rest[end:]]
        assert connection.post(b"".join([start, *parts])).status == 400


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE", "OPTIONS", "HEAD", "CONNECT", "BREW", "post"])
def test_a_method_that_is_not_served_is_405(site: Site, method: str) -> None:
    with site.as_it_was(), site.connect() as connection:
        connection.send(head(method, {"Host": "localhost"}))
        try:
            assert connection.line().split()[1] in ("400", "405")
        except (EOFError, ConnectionError):
            assert method in ("CONNECT", "BREW", "post"), "only parsers may cut off"


def test_what_is_no_json_and_deep_json_are_refused(site: Site) -> None:
    with site.as_it_was(), site.connect() as connection:
        for body in (b"", b"{", b"\xff", b"[" * 50_000, b'"\\ud800"', b"1" * 60_000, b"NaN", b"[]", b"null"):
            answer = connection.post(post(body))
            assert (answer.status, answer.json().get("id")) == (400, None), body[:20]
        assert connection.post(connection.call("add", a=1, b=1)).status == 200
