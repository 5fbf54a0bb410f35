"""What untrusted clients send is read by two: in doubt by uvicorn, and by nobody otherwise than by it.

The same bytes, valid or odd and in whatever pieces they come, are given to a server with the short way and to one
without: both say the same, and run the same.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcport import Server
from mcport.transports.http.server.running import Runner

from .line import Line, running
from .test_direct import ADD, DISCOVER, OPENING, _plain, called, posted, request

TURNS = 20
"""So many turns of the loop are enough for all that is sent in one piece, on any way."""

USUAL = [
    ADD,
    DISCOVER,
    posted({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": OPENING}),
    request(b"", {"accept": "text/plain"}, "GET /mcp HTTP/1.1"),
    request(b"{"),
    called(a=1, b=2, headers={"content-type": "text/plain"}),
]

LENGTH = ADD.partition(b"content-length: ")[2].partition(b"\r\n")[0]

ODD_LINES = [
    b"content-length: 0",
    b"Content-Length: " + LENGTH,
    b"content-length: " + LENGTH + b", " + LENGTH,
    b"content-length: +5",
    b"content-length : 5",
    b"content-length:\t5 ",
    b"content-length: 1_0",
    b"content-length: 0x5",
    b"content-length: -1",
    b"content-length:",
    b"transfer-encoding: chunked",
    b"Transfer-ENCODING:\tchunked",
    b"transfer-encoding : chunked",
    b"transfer-encoding: identity",
    b"transfer-encoding: xchunked",
    b"transfer-encoding:\r\n chunked",
    b"x:\r\n folded",
    b" folded",
    b"x: a\rb",
    b"x: a\nb: c",
    b"x: a\x00b",
    b"x: \x7f",
    b"x: \xc3\xa4",
    b"x\x00: a",
    b"x y: a",
    b": a",
    b"x",
    b"x:",
    b"x: " + b"a" * 3000,
    b"expect: 100-continue",
    b"expect: more",
    b"upgrade: websocket",
    b"upgrade: h2c",
    b"connection: upgrade",
    b"connection: close",
    b"Connection: close, keep-alive",
    b"connection: keep-alive",
    b"connection:",
    b"proxy-connection: close",
    b"proxy-connection: keep-alive",
    b"keep-alive: timeout=1",
    b"te: trailers",
    b"trailer: x",
    b"host: evil.example",
    b"origin: null",
    b"content-type: text/plain",
    b"content-encoding: gzip",
]

FIRST_LINES = [
    b"POST /mcp HTTP/1.0",
    b"POST /mcp HTTP/1.2",
    b"POST /mcp HTTP/2.0",
    b"POST /mcp http/1.1",
    b"post /mcp HTTP/1.1",
    b"POST  /mcp HTTP/1.1",
    b"POST /mcp  HTTP/1.1",
    b"POST /mcp HTTP/1.1 ",
    b"POST\t/mcp HTTP/1.1",
    b" POST /mcp HTTP/1.1",
    b"\r\nPOST /mcp HTTP/1.1",
    b"POST /mcp",
    b"POST //mcp HTTP/1.1",
    b"POST /mcp/ HTTP/1.1",
    b"POST /%6dcp HTTP/1.1",
    b"POST /mcp?x=y HTTP/1.1",
    b"POST /mcp#x HTTP/1.1",
    b"POST http://localhost/mcp HTTP/1.1",
    b"POST localhost HTTP/1.1",
    b"POST * HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
    b"CONNECT localhost:80 HTTP/1.1",
    b"PRI * HTTP/2.0",
]

PIECES = [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b"\x00", b" ", b"\t", b":", b",", b"0", b"POST ", b"\xff"]


def with_line(sent: bytes, line: bytes, at: int) -> bytes:
    """Return a request with one more line in its head."""
    head, end, body = sent.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    lines.insert(1 + at % len(lines), line)
    return b"\r\n".join(lines) + end + body


def with_first_line(sent: bytes, line: bytes) -> bytes:
    return line + sent[sent.index(b"\r\n") :]


@st.composite
def odd_requests(draw: st.DrawFn) -> bytes:
    """A request with something odd about it, of whatever kind."""
    sent = draw(st.sampled_from(USUAL))
    kind = draw(st.sampled_from(["as it is", "line", "lines", "first line", "put in", "left out"]))
    if kind in ("line", "lines"):
        for _ in range(2 if kind == "lines" else 1):
            sent = with_line(sent, draw(st.sampled_from(ODD_LINES)), draw(st.integers(0, 20)))
    elif kind == "first line":
        sent = with_first_line(sent, draw(st.sampled_from(FIRST_LINES)))
    elif kind != "as it is":
        at = draw(st.integers(0, len(sent)))
        put = draw(st.sampled_from(PIECES)) if kind == "put in" else b""
        sent = sent[:at] + put + sent[at + (0 if put else draw(st.integers(1, 4))) :]
    return sent


@st.composite
def connections(draw: st.DrawFn) -> list[bytes]:
    """What a client sends on one connection, in pieces."""
    sent = b"".join(draw(st.lists(odd_requests(), min_size=1, max_size=3)))
    cuts = sorted({0, len(sent), *draw(st.lists(st.integers(0, len(sent)), max_size=4))})
    return [sent[begin:end] for begin, end in pairwise(cuts)]


class Unread:
    """What reads no head: all requests are uvicorn's."""

    def read(self, data: bytes) -> None:
        return None


class Readers:
    """Two servers that are the same, but for the short way that one of them has."""

    def __init__(self, runners: Sequence[Runner], ran: list[str]) -> None:
        self._runners = runners
        self._ran = ran

    async def compare(self, pieces: Sequence[bytes]) -> None:
        short, plain = [await self._seen(runner, pieces) for runner in self._runners]
        assert short == plain

    async def _seen(self, runner: Runner, pieces: Sequence[bytes]) -> tuple[bytes, bool, list[str]]:
        """Return what a client is told that sends this and a usual request, whether it was sent away, and what ran."""
        self._ran.clear()
        line = Line(runner)
        for piece in [*pieces, ADD]:
            await line.send(piece)
            await _settle(line)
        said, closed = b"".join(line.writes), line.is_closing()
        line.leave()
        await _settle(line)
        return _plain(said), closed, self._ran.copy()


async def _settle(line: Line) -> None:
    for _ in range(TURNS):
        await asyncio.sleep(0)
    if line.protocol._holding is not None:
        line.protocol._let_go()  # what comes after a tenth of a second
        await _settle(line)


@pytest.fixture(scope="module", params=["httptools", "h11"])
def readers(request: pytest.FixtureRequest) -> Iterator[tuple[asyncio.Runner, Readers]]:
    ran: list[str] = []
    with pytest.MonkeyPatch.context() as patch, asyncio.Runner() as loop:
        if request.param == "h11":
            patch.setitem(sys.modules, "httptools", None)
            for name in ("uvicorn.protocols.http.httptools_impl", "mcport.transports.http.server.by_httptools"):
                patch.delitem(sys.modules, name, raising=False)
        stack = AsyncExitStack()
        both = [loop.run(stack.enter_async_context(running(_server(ran).asgi()))) for _ in range(2)]
        both[1]._short.heads = Unread()  # type: ignore[assignment]
        yield loop, Readers(both, ran)
        loop.run(stack.aclose())


def _server(ran: list[str]) -> Server:
    server = Server("s")

    @server.tool
    async def add(a: int, b: int) -> int:
        ran.append(f"{a}+{b}")
        return a + b

    return server


@pytest.mark.parametrize("line", ODD_LINES + FIRST_LINES, ids=repr)
def test_an_odd_line_means_the_same_to_both(readers: tuple[asyncio.Runner, Readers], line: bytes) -> None:
    loop, both = readers
    if line in FIRST_LINES:
        loop.run(both.compare([with_first_line(ADD, line)]))
        return
    for at in (1, 20):
        loop.run(both.compare([with_line(ADD, line, at)]))


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=connections())
def test_whatever_is_sent_and_however_it_is_cut_both_say_and_do_the_same(
    readers: tuple[asyncio.Runner, Readers], pieces: list[bytes]
) -> None:
    loop, both = readers
    loop.run(both.compare(pieces))
