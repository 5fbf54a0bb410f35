"""Messages over any anyio byte stream: TCP, Unix sockets, TLS, SSH.

The framing is that of stdio: one message a line. `StreamTransport` is also the example of a transport of one's own.
Below: `session`'s transport port and `core`'s framing.
"""

from __future__ import annotations

import os
from collections import deque

import anyio
import anyio.abc

from mcport.core.framing import Framer, Line
from mcport.core.limits import CLIENT_LIMITS
from mcport.session.channel import EndOfStream


class StreamTransport:
    """A transport over a byte stream, one message a line of at most `limit` bytes.

    A longer line is refused as a whole, and the connection goes on.
    """

    def __init__(self, stream: anyio.abc.ByteStream, *, limit: int = CLIENT_LIMITS.message_bytes) -> None:
        self._stream = stream
        self._framer = Framer(limit)
        self._lines: deque[Line] = deque()

    async def receive(self) -> Line:
        """Return the next message; raises `EndOfStream` when the other side is done."""
        while not self._lines:
            try:
                self._lines += self._framer.feed(await self._stream.receive())
            except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                self._lines += self._framer.end()
                if not self._lines:
                    raise EndOfStream("the other side closed the connection") from None
        return self._lines.popleft()

    async def send(self, message: bytes) -> None:
        """Send one message; returns when the next one may follow."""
        await self._stream.send(message + b"\n")

    async def aclose(self) -> None:
        """Close the stream."""
        await anyio.aclose_forcefully(self._stream)


async def connect_tcp(host: str, port: int, *, limit: int = CLIENT_LIMITS.message_bytes) -> StreamTransport:
    """Connect to a server that listens on TCP, and return the transport. Raises OSError where nobody listens."""
    return StreamTransport(await anyio.connect_tcp(host, port), limit=limit)


async def connect_unix(path: str | os.PathLike[str], *, limit: int = CLIENT_LIMITS.message_bytes) -> StreamTransport:
    """Connect to a server that listens on a Unix socket, and return the transport. Raises OSError where nobody does."""
    return StreamTransport(await anyio.connect_unix(path), limit=limit)
