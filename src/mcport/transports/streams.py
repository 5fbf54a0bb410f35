"""Messages over any anyio byte stream: TCP, Unix sockets, TLS, SSH.

The framing is that of stdio: one message a line. `StreamTransport` is also the example of a transport of one's own.
`serve_tcp` and `serve_unix` serve whoever connects; they know of a server only that it serves transports. Below:
`session`'s transport port and `core`'s framing.
"""

from __future__ import annotations

import logging
import os
from collections import deque
from contextlib import suppress
from typing import Final, Protocol

import anyio
import anyio.abc

from mcport.core.framing import Framer, Line
from mcport.core.limits import CLIENT_LIMITS, Limits
from mcport.session.channel import EndOfStream, Transport

log: Final = logging.getLogger("mcport.transports")

CONNECTIONS: Final = 100
"""How many clients are served at a time."""


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


# ---- listening


class Serves(Protocol):
    """What serves transports: a `Server`, or anything else that has bounds and takes a client over a transport."""

    @property
    def limits(self) -> Limits: ...

    async def serve(self, transport: Transport, /) -> None: ...


async def serve_tcp(
    server: Serves,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    connections: int = CONNECTIONS,
    task_status: anyio.abc.TaskStatus[int] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve everybody who connects to a TCP port, until the caller is cancelled; port 0 takes a free one.

    Nothing tells who the clients are: whoever can reach the port may use the server. So stay on the loopback, where
    still every user of the machine can; `serve_unix` is for one user alone. More than `connections` clients at a time
    are turned away. Started with `await tasks.start(serve_tcp, server)` it reports the port. Raises OSError if it
    cannot listen there.
    """
    listener = await anyio.create_tcp_listener(local_host=host, local_port=port)
    async with listener:
        task_status.started(listener.extra(anyio.abc.SocketAttribute.local_port))
        await listener.serve(_Door(server, connections).welcome)


async def serve_unix(
    server: Serves,
    path: str | os.PathLike[str],
    *,
    mode: int = 0o600,
    connections: int = CONNECTIONS,
    task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve everybody who connects to a Unix socket, until the caller is cancelled.

    `mode` are the permissions of the socket at `path`: by default nobody else than this user may connect. An old socket
    of that name is replaced, and this one removed at the end. More than `connections` clients at a time are turned
    away. Raises OSError if it cannot listen there.
    """
    listener = await anyio.create_unix_listener(path, mode=mode)
    try:
        async with listener:
            task_status.started()
            await listener.serve(_Door(server, connections).welcome)
    finally:
        with suppress(OSError):
            os.unlink(path)


class _Door:
    """Lets clients in, so many at a time. What goes wrong with one of them stays with that one."""

    def __init__(self, server: Serves, most: int) -> None:
        self._server = server
        self._most = most
        self._inside = 0

    async def welcome(self, stream: anyio.abc.ByteStream) -> None:
        if self._inside >= self._most:
            log.warning("turned a client away: %d are connected", self._inside)
            await anyio.aclose_forcefully(stream)
            return
        self._inside += 1
        try:
            await self._server.serve(_Visitor(stream, limit=self._server.limits.message_bytes))
        except Exception:
            log.exception("serving a client failed")
        finally:
            self._inside -= 1
            await anyio.aclose_forcefully(stream)


class _Visitor(StreamTransport):
    """A transport to somebody who came by: let go of if the first line is no JSON-RPC.

    A web page can make a browser post to any port. Such a request begins with a line of HTTP, and without this its
    body, a message a line, would be served.
    """

    _known = False

    async def receive(self) -> Line:
        line = await super().receive()
        if not self._known:
            start = line if isinstance(line, bytes) else line.head
            if start.lstrip()[:1] not in (b"{", b"["):
                raise EndOfStream("the other side does not speak JSON-RPC")
            self._known = True
        return line
