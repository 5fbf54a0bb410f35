"""Requests over plain HTTP/1.1: connections to one origin that are kept, and answers that are read as they come.

The way of most calls, at less than half of what they cost through a general client. It knows no redirects, cookies,
proxies or protocol. Below: `http1`, `words`.
"""

from __future__ import annotations

import select
import ssl
from typing import Final

import anyio
import httpx
from anyio.abc import ByteStream, SocketAttribute

from . import words
from .http1 import Chunks, Fields, Head, NotHttp, read_head

CONNECT_SECONDS: Final = 30.0
"""How long it may take to reach the server, each time."""

IDLE_SECONDS: Final = 60.0
"""So long a connection that nobody uses is kept."""

MOST_IDLE: Final = 20
"""So many are kept."""

_PORTS: Final = {"http": 80, "https": 443}
_SAID: Final = (b"host", b"content-length", b"transfer-encoding")
_PIECE: Final = 64 * 1024
_GONE: Final = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Unreachable(Exception):
    """No answer came, or it broke off; the text is a plain reason."""


class Wires:
    """The connections to the origin of one URL."""

    def __init__(self, url: httpx.URL) -> None:
        self._host = url.host
        self._port = url.port or _PORTS[url.scheme]
        self._tls = httpx.create_ssl_context() if url.scheme == "https" else None
        if self._tls is not None:
            self._tls.set_alpn_protocols(["http/1.1"])
        self._idle: list[Wire] = []
        self._closed = False

    async def send(self, method: str, url: httpx.URL, fields: Fields, body: bytes) -> httpx.Response:
        """Send a request and return its answer once that has begun. Raises `Unreachable`."""
        wire = await self._kept() or await self._connect()
        lines = b"".join([b"%b: %b\r\n" % field for field in fields])
        start = b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (method.encode(), url.raw_path, url.netloc)
        try:
            head = await wire.exchange(b"%b%bcontent-length: %d\r\n\r\n%b" % (start, lines, len(body), body))
        except BaseException:
            await wire.aclose()
            raise
        return httpx.Response(head.status, headers=head.fields, stream=Body(wire, head, self))

    async def _kept(self) -> Wire | None:
        """Return a connection that is kept, and still good."""
        now = anyio.current_time() if self._idle else 0.0
        while self._idle:
            wire = self._idle.pop()
            if now - wire.idle_since < IDLE_SECONDS and not wire.heard_of:
                return wire
            await wire.aclose()
        return None

    async def _connect(self) -> Wire:
        try:
            with anyio.fail_after(CONNECT_SECONDS):
                stream = await self._reach(self._tls)
        except TimeoutError:
            raise Unreachable(f"no connection within {CONNECT_SECONDS:g} s") from None
        except _GONE as error:
            raise Unreachable(words.of_failure(error)) from error
        return Wire(stream)

    async def _reach(self, tls: ssl.SSLContext | None) -> ByteStream:
        if tls is None:
            return await anyio.connect_tcp(self._host, self._port)
        return await anyio.connect_tcp(
            self._host, self._port, ssl_context=tls, tls_standard_compatible=False, tls_hostname=self._host
        )

    async def give_back(self, wire: Wire) -> None:
        """Keep a connection whose answer was read to its end."""
        if self._closed or len(self._idle) >= MOST_IDLE:
            await wire.aclose()
            return
        wire.idle_since = anyio.current_time()
        self._idle.append(wire)

    async def aclose(self) -> None:
        """Close every connection that is kept; answers that are being read close theirs."""
        self._closed = True
        idle, self._idle = self._idle, []
        for wire in idle:
            await wire.aclose()


class WireTransport(httpx.AsyncBaseTransport):
    """The same as a transport of httpx, for a client of ours that has to do more than send."""

    def __init__(self) -> None:
        self._wires: dict[tuple[str, str, int | None], Wires] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        origin = (url.scheme, url.host, url.port)
        if origin not in self._wires:  # one's own, and wherever a flow of authorization leads
            self._wires[origin] = Wires(url)
        fields = [(name, value) for name, value in request.headers.raw if name.lower() not in _SAID]
        return await self._wires[origin].send(request.method, url, fields, await request.aread())

    async def aclose(self) -> None:
        for wires in self._wires.values():
            await wires.aclose()


class Wire:
    """One connection."""

    def __init__(self, stream: ByteStream) -> None:
        self.idle_since = 0.0
        self.buffer = bytearray()
        self._stream = stream
        self._socket = stream.extra(SocketAttribute.raw_socket)

    @property
    def heard_of(self) -> bool:
        """Whether anything came while nothing was asked: the end, most likely."""
        if hasattr(select, "poll"):
            poll = select.poll()
            poll.register(self._socket, select.POLLIN)
            return bool(poll.poll(0))
        return bool(select.select([self._socket], [], [], 0)[0])

    async def exchange(self, request: bytes) -> Head:
        """Send a request and return the head of its answer. Raises `Unreachable`."""
        try:
            await self._stream.send(request)
        except _GONE as error:
            raise Unreachable(words.of_failure(error)) from error
        while True:
            head = self._head()
            if head is None:
                self.buffer += await self.more()
            elif head.status >= 200:
                return head

    def _head(self) -> Head | None:
        try:
            return read_head(self.buffer)
        except NotHttp as error:
            raise Unreachable(f"it does not answer as HTTP does: {error}") from None

    async def more(self) -> bytes:
        """Wait for more bytes. Raises `Unreachable` when there are none."""
        try:
            return await self._stream.receive(_PIECE)
        except anyio.EndOfStream:
            raise Unreachable(words.CUT) from None
        except _GONE as error:
            raise Unreachable(words.of_failure(error)) from error

    async def aclose(self) -> None:
        """Close it without any words; never waits for the other side."""
        await anyio.aclose_forcefully(self._stream)


class Body(httpx.AsyncByteStream):
    """The body of one answer. One that is read to its end gives its connection back, any other closes it."""

    def __init__(self, wire: Wire, head: Head, wires: Wires) -> None:
        self._wire = wire
        self._wires = wires
        self._keeps = head.keeps
        self._left = head.length
        self._chunks = Chunks() if head.chunked else None
        self._done = head.length == 0
        self._closed = False

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        if self._done:
            raise StopAsyncIteration
        piece = await (self._sized() if self._chunks is None else self._chunked(self._chunks))
        if not piece:
            raise StopAsyncIteration
        return piece

    async def _sized(self) -> bytes:
        """Return the next bytes of a body whose length was said, or which ends with the connection."""
        buffer = self._wire.buffer
        if not buffer:
            try:
                buffer += await self._wire.more()
            except Unreachable as error:
                if self._left is not None or str(error) != words.CUT:
                    raise
                self._done, self._keeps = True, False
                return b""
        piece = bytes(buffer if self._left is None else buffer[: self._left])
        del buffer[: len(piece)]
        if self._left is not None:
            self._left -= len(piece)
            self._done = self._left == 0
        return piece

    async def _chunked(self, chunks: Chunks) -> bytes:
        while True:
            try:
                piece = chunks.take(self._wire.buffer)
            except NotHttp as error:
                raise Unreachable(f"it does not answer as HTTP does: {error}") from None
            self._done = chunks.done
            if piece or chunks.done:
                return piece
            self._wire.buffer += await self._wire.more()

    async def aclose(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._done and self._keeps and not self._wire.buffer:
            await self._wires.give_back(self._wire)
        else:
            await self._wire.aclose()
