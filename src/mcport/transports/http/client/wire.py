"""One connection to a server: a request goes out, its answer is read as it comes, and the next one may follow.

It knows nothing of other connections. Below: `http1`, `words`.
"""

from __future__ import annotations

import select
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio
import httpx
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSAttribute

from . import words
from .http1 import CutOff, Fields, Head, Http1, NotHttp

GONE: Final = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)

_PIECE: Final = 64 * 1024

T = TypeVar("T")


class Unreachable(Exception):
    """No answer came, or it broke off; the text is a plain reason."""


class Unheard(Unreachable):
    """The connection ended before anything of an answer came."""


class Wire:
    """One connection."""

    def __init__(self, stream: ByteStream) -> None:
        self.idle_seconds = self.idle_until = 0.0
        self._stream = stream
        self._socket = stream.extra(SocketAttribute.raw_socket)
        self._tls: ssl.SSLObject | None = stream.extra(TLSAttribute.ssl_object, None)
        self._http = Http1()
        self._full = False

    async def exchange(self, method: str, target: bytes, fields: Fields, body: bytes) -> Head:
        """Send a request and return the head of its answer. Raises `Unreachable`, and ValueError for no request."""
        request = self._http.request(method, target, fields, body)
        try:
            await self._stream.send(request)
        except GONE as error:
            # It may have refused what it did not read to the end, and have said so.
            return await self._read(self._http.head, error)
        return await self._read(self._http.head)

    async def piece(self) -> bytes:
        """Return the next bytes of the answer, nothing at its end. Raises `Unreachable`."""
        return await self._read(self._http.piece)

    async def _read(self, found: Callable[[], T | None], broken: BaseException | None = None) -> T:
        """Return what is found as soon as enough has come for it."""
        try:
            while (answer := found()) is None:
                self._http.take(await self._more(broken))
        except CutOff:
            raise self._lost(words.CUT) from broken
        except NotHttp as error:
            raise Unreachable(f"it does not answer as HTTP does: {error}") from None
        return answer

    async def _more(self, broken: BaseException | None) -> bytes:
        """Wait for more bytes and return them, nothing at their end."""
        try:
            data = await self._stream.receive(_PIECE)
        except anyio.EndOfStream:
            data = b""
        except GONE as error:
            raise self._lost(words.of_failure(broken or error)) from error
        self._full = len(data) == _PIECE
        return data

    def _lost(self, reason: str) -> Unreachable:
        return Unreachable(reason) if self._http.heard else Unheard(reason)

    def ready(self) -> bool:
        """Whether the answer was read to its end, and another request may follow."""
        # Behind a full piece more may be waiting where nobody can see it.
        return not self._full and self._http.over()

    def quiet(self) -> bool:
        """Whether nothing came while nothing was asked; most likely that is the end."""
        if self._tls is not None and not _drained(self._tls):
            return False
        if not hasattr(select, "poll"):
            return not select.select([self._socket], [], [], 0)[0]
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    async def aclose(self) -> None:
        """Close it without any words; never waits for the other side."""
        await anyio.aclose_forcefully(self._stream)


def _drained(tls: ssl.SSLObject) -> bool:
    """Whether nothing is left in what was received already and is still to be decrypted."""
    try:
        tls.read(1)
    except ssl.SSLWantReadError:
        return True
    except OSError:
        return False
    return False


class Body(httpx.AsyncByteStream):
    """The body of one answer. Closing it hands the connection to `done`, once."""

    def __init__(self, wire: Wire, done: Callable[[Wire], Awaitable[None]]) -> None:
        self._wire = wire
        self._done = done
        self._closed = False

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._wire.piece()
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            await self._done(self._wire)
